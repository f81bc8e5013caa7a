"""Any CSV through a mapping: exact figures, every form of numbers and dates, and refusals that name the place."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.errors import InputRefused, UsageError
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from tests.mapped import ACME, BILL, read, totals


def test_a_mapping_of_six_lines_reads_a_bill() -> None:
    months, (first, second), warnings = read(ACME, BILL)
    assert totals(months) == {("2026-09", "USD"): "12.500000000000000001"}
    assert (months[0].rows_in, months[0].rows_stored, warnings) == (2, 2, [])
    assert (first["BilledCost"], first["EffectiveCost"], first["ContractedCost"]) == (Decimal("12.5"),) * 3
    assert second["BilledCost"] == Decimal("1e-18")
    assert (first["ProviderName"], first["ServiceName"], first["BillingAccountId"]) == ("Acme Search",) * 3
    assert (first["ChargeCategory"], first["ChargeFrequency"]) == ("Usage", "Usage-Based")
    times = ("ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart", "BillingPeriodEnd")
    assert [f"{first[name]:%Y-%m-%d}" for name in times] == [
        "2026-09-05",
        "2026-09-06",
        "2026-09-01",
        "2026-10-01",
    ]
    assert json.loads(first["x_Extra"]) == {"Plan": "Pro"}


def test_a_home_with_the_mapping_loads_and_answers(home: Home, tmp_path: Path) -> None:
    home.mappings.mkdir(parents=True)
    (home.mappings / "acme.yaml").write_text(ACME)
    file = tmp_path / "bill.csv"
    file.write_text(BILL + "2026-10-01,Pro,-2.25,EUR\n")
    batches = load(home, [file])
    assert [(b.format, b.billing_period, b.action, b.reconciled) for b in batches] == [
        ("custom:acme", "2026-09", "added", True),
        ("custom:acme", "2026-10", "added", True),
    ]
    table = Ledger(home).query(Query("BilledCost", by=["BillingPeriod"]))
    assert set(table.rows()) == {
        ("USD", "2026-09", Decimal("12.500000000000000001")),
        ("EUR", "2026-10", Decimal("-2.25")),
    }
    assert [b.action for b in load(home, [file], LoadOptions(format="custom:acme"))] == ["unchanged"] * 2
    with pytest.raises(UsageError, match="no format 'custom:other'"):
        load(home, [file], LoadOptions(format="custom:other"))


# --- numbers -------------------------------------------------------------------------------------------------------


def test_decimal_commas_are_read_exactly() -> None:
    amounts = ["1.234,56", "0,000000001", "-7", "1 000,5", ",5", "1.000.000,01", "12,"]
    text = "Day;Plan;Amount;Currency\n" + "".join(f"2026-09-05;Pro;{a};EUR\n" for a in amounts)
    months, charges, _ = read(ACME + 'decimal: ","\n', text)
    assert [c["BilledCost"] for c in charges] == [
        Decimal(n) for n in ("1234.56", "0.000000001", "-7", "1000.5", "0.5", "1000000.01", "12")
    ]
    assert totals(months) == {("2026-09", "EUR"): "1002240.570000001"}


@pytest.mark.parametrize("amount", ["12.5", "0.123", "1.23,4", "1,234.56", "free", "€5"])
def test_a_number_that_is_none_with_a_decimal_comma_is_refused(amount: str) -> None:
    text = f"Day;Plan;Amount;Currency\n2026-09-05;Pro;1,5;EUR\n2026-09-05;Pro;{amount};EUR\n"
    with pytest.raises(InputRefused, match=r"bill\.csv, row 3, column 'Amount': .*decimal comma"):
        read(ACME + 'decimal: ","\n', text)


@pytest.mark.parametrize("amount", ["1,234.56", "$5", "free", "NaN", "inf", "1_000", "0x10", "5 USD"])
def test_a_number_that_is_none_with_a_point_is_refused(amount: str) -> None:
    text = f'Day,Plan,Amount,Currency\n2026-09-05,Pro,1.5,EUR\n2026-09-05,Pro,"{amount}",EUR\n'
    with pytest.raises(InputRefused, match=r"bill\.csv, row 3, column 'Amount': .*is not a number"):
        read(ACME, text)


def test_a_blank_cost_is_nought_and_said() -> None:
    months, charges, warnings = read(ACME, BILL + "2026-09-07,Pro,,USD\n2026-09-07,Pro,  ,USD\n")
    assert [c["BilledCost"] for c in charges[2:]] == [0, 0]
    assert charges[2]["x_Quality"] == "the export states no cost: counted as 0"
    assert warnings == ["2 rows for which the export states no cost: counted as 0"]
    assert totals(months) == {("2026-09", "USD"): "12.500000000000000001"} and months[0].rows_stored == 4


def test_an_effective_cost_of_its_own_is_reconciled_too() -> None:
    text = "Day,Plan,Amount,Currency,Amortised\n2026-09-05,Pro,12,USD,1\n2026-09-06,Pro,0,USD,1.5\n"
    (month,), _, _ = read(ACME + "effective_cost: Amortised\n", text)
    assert month.reconciled
    assert {n: month.totals["USD"][n] for n in ("BilledCost", "EffectiveCost", "source_effective")} == {
        "BilledCost": "12",
        "EffectiveCost": "2.5",
        "source_effective": "2.5",
    }


# --- dates ---------------------------------------------------------------------------------------------------------


def dated(form: str, *days: str, end: str = "") -> list[tuple[str, str]]:
    """Start and exclusive end of a charge for each text."""
    mapping = ACME.replace("date: Day", f"date: {{column: Day, format: '{form}'}}") + end
    text = "Day,Plan,Amount,Currency,Until\n" + "".join(
        f'"{day.split("|")[0]}",Pro,1,USD,"{day.partition("|")[2]}"\n' for day in days
    )
    months, charges, _ = read(mapping, text)
    totals(months)
    return [
        (c["ChargePeriodStart"].isoformat(" ", "minutes"), c["ChargePeriodEnd"].isoformat(" ", "minutes"))
        for c in charges
    ]


@pytest.mark.parametrize(
    ("form", "text", "start", "end"),
    [
        ("iso", "2026-09-05", "2026-09-05 00:00", "2026-09-06 00:00"),
        ("iso", "2026-09-30T23:30:00-02:00", "2026-10-01 01:30", "2026-10-02 01:30"),
        ("iso", "2026-09-05 10:00 UTC", "2026-09-05 10:00", "2026-09-06 10:00"),
        ("us", "9/5/2026", "2026-09-05 00:00", "2026-09-06 00:00"),
        ("us", "09/13/2026", "2026-09-13 00:00", "2026-09-14 00:00"),
        ("us", "2026-09-05", "2026-09-05 00:00", "2026-09-06 00:00"),
        ("eu", "5.9.2026", "2026-09-05 00:00", "2026-09-06 00:00"),
        ("eu", "13/09/2026", "2026-09-13 00:00", "2026-09-14 00:00"),
        ("YYYYMMDD", "20260905", "2026-09-05 00:00", "2026-09-06 00:00"),
        ("D MMM YYYY", "5 Sep 2026", "2026-09-05 00:00", "2026-09-06 00:00"),
        ("MMMM D, YYYY", "September 5, 2026", "2026-09-05 00:00", "2026-09-06 00:00"),
        ("%d-%b-%y", "05-Sep-26", "2026-09-05 00:00", "2026-09-06 00:00"),
        ("%m/%d/%Y %I:%M %p", "09/05/2026 01:30 PM", "2026-09-05 13:30", "2026-09-06 13:30"),
        ("YYYY-MM", "2026-09", "2026-09-01 00:00", "2026-10-01 00:00"),
        ("YYYYMM", "202612", "2026-12-01 00:00", "2027-01-01 00:00"),
        ("MMM YYYY", "Feb 2026", "2026-02-01 00:00", "2026-03-01 00:00"),
    ],
)
def test_forms_of_dates(form: str, text: str, start: str, end: str) -> None:
    assert dated(form, text) == [(start, end)]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("iso", "9/5/2026"),
        ("iso", "2026-02-30"),
        ("us", "13/5/2026"),
        ("us", "5.9.2026"),
        ("eu", "5/13/2026"),
        ("eu", "5.9.26"),
        ("YYYYMMDD", "2026095"),
        ("YYYYMMDD", "20260231"),
        ("YYYY-MM", "2026-13"),
        ("YYYY-MM", "2026-09-01"),
        ("D MMM YYYY", "5 Sept 2026"),
    ],
)
def test_a_date_of_another_form_is_refused_with_its_place(form: str, text: str) -> None:
    good = {"us": "9/1/2026", "eu": "1.9.2026", "YYYYMMDD": "20260901", "YYYY-MM": "2026-09"}
    good |= {"D MMM YYYY": "1 Sep 2026", "iso": "2026-09-01"}
    with pytest.raises(InputRefused, match=r"bill\.csv, row 3, column 'Day': .* is not a date"):
        dated(form, good[form], text)


def test_ends_are_exclusive_unless_the_mapping_says_inclusive() -> None:
    plain = "date_end: Until\n"
    assert dated("iso", "2026-09-05|2026-09-08", "2026-09-09|", end=plain) == [
        ("2026-09-05 00:00", "2026-09-08 00:00"),
        ("2026-09-09 00:00", "2026-09-10 00:00"),
    ]
    inclusive = "date_end: {column: Until, inclusive: true}\n"
    assert dated("iso", "2026-09-05|2026-09-08", end=inclusive) == [("2026-09-05 00:00", "2026-09-09 00:00")]
    months = "date_end: {column: Until, format: YYYY-MM, inclusive: true}\n"
    assert dated("YYYY-MM", "2026-09|2026-11", end=months) == [("2026-09-01 00:00", "2026-12-01 00:00")]


def test_the_bill_may_be_of_another_month_than_its_charges() -> None:
    mapping = ACME + "billing_period: {column: Invoice, format: MMM YYYY}\n"
    text = "Day,Plan,Amount,Currency,Invoice\n2026-08-31,Pro,2,USD,Sep 2026\n2026-09-01,Pro,3,USD,Sep 2026\n"
    months, charges, _ = read(mapping, text)
    assert totals(months) == {("2026-09", "USD"): "5"}
    assert charges[0]["ChargePeriodStart"].isoformat() == "2026-08-31T00:00:00"


# --- currency, category, columns, tags -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "values", "expected"),
    [
        ("Currency", ["usd", " EUR "], ["USD", "EUR"]),
        ("{value: gbp}", ["", "x"], ["GBP", "GBP"]),
        ("{column: Currency, map: {US Dollar: USD, '€': EUR}}", ["us dollar", "€"], ["USD", "EUR"]),
        ("{column: Currency, map: {'€': EUR}, default: USD}", ["€", "whatever"], ["EUR", "USD"]),
        ("{column: Currency, default: USD}", ["", "EUR"], ["USD", "EUR"]),
    ],
)
def test_currencies(currency: str, values: list[str], expected: list[str]) -> None:
    text = "Day,Plan,Amount,Currency\n" + "".join(f"2026-09-05,Pro,1.25,{v}\n" for v in values)
    months, charges, _ = read(ACME.replace("currency: Currency", f"currency: {currency}"), text)
    assert [c["BillingCurrency"] for c in charges] == expected
    amounts = {c: expected.count(c) * Decimal("1.25") for c in expected}
    assert {c: Decimal(total) for (_, c), total in totals(months).items()} == amounts


def test_a_row_without_a_currency_is_refused() -> None:
    with pytest.raises(InputRefused, match=r"bill\.csv, row 4, column 'BillingCurrency'"):
        read(ACME, BILL + "2026-09-07,Pro,1,\n")


TYPED = ACME + "category: {column: Type, map: {Subscription: Purchase, VAT: Tax, 'Coupon ': Credit}}\n"


def test_categories_by_a_map_and_by_their_own_names() -> None:
    text = "Day,Plan,Amount,Currency,Type\n" + "".join(
        f"2026-09-05,Pro,{cost},USD,{kind}\n"
        for cost, kind in ((10, "subscription"), (2, "VAT"), (-1, "Coupon"), (5, "usage"), (-3, "Adjustment"))
    )
    months, charges, _ = read(TYPED, text)
    assert [(c["ChargeCategory"], c["ChargeFrequency"], c["x_ChargeType"]) for c in charges] == [
        ("Purchase", "Recurring", "subscription"),
        ("Tax", "One-Time", "VAT"),
        ("Credit", "One-Time", "Coupon"),
        ("Usage", "Usage-Based", "usage"),
        ("Adjustment", "One-Time", "Adjustment"),
    ]
    assert totals(months) == {("2026-09", "USD"): "13"}


def test_a_value_that_the_map_lacks_is_refused_with_row_and_column() -> None:
    text = "Day,Plan,Amount,Currency,Type\n2026-09-05,Pro,1,USD,VAT\n2026-09-05,Pro,1,USD,Surcharge\n"
    with pytest.raises(InputRefused, match=r"bill\.csv, row 3, column 'Type': 'Surcharge' is not in the"):
        read(TYPED, text)
    _, charges, _ = read(TYPED.replace("}}", "}, default: Usage}"), text)
    assert [c["ChargeCategory"] for c in charges] == ["Tax", "Usage"]


def test_a_row_without_a_category_is_refused() -> None:
    with pytest.raises(InputRefused, match=r"bill\.csv, row 2, column 'ChargeCategory'"):
        read(TYPED, "Day,Plan,Amount,Currency,Type\n2026-09-05,Pro,1,USD,\n")


def test_columns_and_tags() -> None:
    mapping = (
        TYPED
        + """
columns:
  ServiceName: Plan
  SubAccountId: "Team [EU] 'x'"
  ServiceCategory: {value: Databases}
  ConsumedQuantity: Units
  ConsumedUnit: {value: seats}
  ListUnitPrice: {column: Price, default: "0.5"}
  PricingQuantity: Units
tags: {team: "Team [EU] 'x'", cost$center: Centre}
"""
    )
    header = "Day,Plan,Amount,Currency,Type,Team [EU] 'x',Centre,Units,Price,Note"
    text = header + ('\n2026-09-05,Pro,1,USD,Usage,007,"say ""hi""",3,0.25,n1\n2026-09-05,,1,USD,VAT,,,3,,\n')
    _, (usage, tax), _ = read(mapping, text)
    assert (usage["ServiceName"], tax["ServiceName"]) == ("Pro", "Acme Search")
    assert usage["SubAccountId"] == "007" and usage["ServiceCategory"] == "Databases"
    assert (usage["ConsumedQuantity"], usage["ConsumedUnit"]) == (3.0, "seats")
    assert (usage["ListUnitPrice"], tax["ListUnitPrice"]) == (Decimal("0.25"), None)
    assert (tax["ConsumedQuantity"], tax["ConsumedUnit"], tax["PricingQuantity"]) == (None, None, None)
    assert json.loads(usage["Tags"]) == {"team": "007", "cost$center": 'say "hi"'}
    assert tax["Tags"] is None
    assert json.loads(usage["x_Extra"]) == {"Note": "n1"}


def test_names_of_columns_are_found_whatever_their_case_and_blanks() -> None:
    months, _, _ = read(ACME, BILL.replace("Day,Plan,Amount", " day ,PLAN,AMOUNT "))
    assert totals(months) == {("2026-09", "USD"): "12.500000000000000001"}


def test_twin_columns_are_refused() -> None:
    with pytest.raises(InputRefused, match="'Amount' and 'amount' differ only in case or blanks"):
        read(ACME, "Day,Plan,Amount,Currency,amount\n2026-09-05,Pro,1,USD,2\n")


# --- what is no charge ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("footer", "place"),
    [
        ("Total,,12.5,\n", r"bill\.csv, row 4, column 'Day': 'Total' is not a date"),
        (",,12.5,USD\n", r"bill\.csv, row 4, column '\w+'"),
        (",Total,12.5,\n", r"bill\.csv, row 4, column '\w+'"),
        ("Generated on 2026-10-01\n", r"bill\.csv, row 4: 1 cell where the header has 4 columns"),
        ("2026-09-30,Total\n", r"bill\.csv, row 4: 2 cells where"),
    ],
)
def test_lines_of_totals_and_footers_are_refused_with_their_row(footer: str, place: str) -> None:
    with pytest.raises(InputRefused, match=place):
        read(ACME, BILL + footer)


def test_a_column_of_the_mapping_that_the_file_lacks_is_named() -> None:
    with pytest.raises(InputRefused, match=r"bill\.csv, row 1, column 'Currency': .*'Currency' is missing"):
        read(ACME, "Day,Plan,Amount\n2026-09-05,Pro,1\n")


# --- any bill ---

_AMOUNTS = st.decimals(-(10**9), 10**9, allow_nan=False, places=18) | st.decimals(-100, 100, places=2)
_LINES = st.lists(
    st.tuples(_AMOUNTS, st.sampled_from(["USD", "eur"]), st.integers(1, 12), st.integers(1, 28)),
    min_size=1,
    max_size=25,
)
_WRITTEN = {
    "iso": "{y}-{m:02}-{d:02}",
    "us": "{m}/{d}/{y}",
    "eu": "{d}.{m}.{y}",
    "YYYY-MM": "{y}-{m:02}",
    "%d/%m/%y": "{d:02}/{m:02}/26",
}


@settings(max_examples=25, deadline=None)
@given(_LINES, st.sampled_from(sorted(_WRITTEN)), st.sampled_from([".", ","]))
def test_costs_by_month_and_currency_are_those_of_the_bill(
    lines: list[tuple[Decimal, str, int, int]], form: str, decimal: str
) -> None:
    expected: dict[tuple[str, str], Decimal] = {}
    bill = io.StringIO()
    writer = csv.writer(bill, delimiter=";")
    writer.writerow(["Day", "Plan", "Amount", "Currency"])
    for amount, currency, month, day in lines:
        text = format(amount, "f").replace(".", decimal)
        writer.writerow([_WRITTEN[form].format(y=2026, m=month, d=day), "Pro", text, currency])
        key = (f"2026-{month:02}", currency.upper())
        expected[key] = expected.get(key, Decimal(0)) + amount
    mapping = (
        ACME.replace("date: Day", f"date: {{column: Day, format: '{form}'}}") + f"decimal: '{decimal}'\n"
    )
    months, _, _ = read(mapping, bill.getvalue())
    assert {key: Decimal(total) for key, total in totals(months).items()} == expected
    assert sum(m.rows_stored for m in months) == sum(m.rows_in for m in months) == len(lines)
