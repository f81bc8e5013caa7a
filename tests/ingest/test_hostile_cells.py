"""Hostile cells: each is read exactly right, or refused with file, row and column; never guessed, never dropped."""

import json
from datetime import date
from decimal import Decimal

import pyarrow
import pytest

from tests.exports import CUR_HEADER, FOCUS_HEADER, csv_text, focus_row
from tests.ingest.hostile import CUR_ROWS, ROWS, Fortress, cur_csv, focus_csv, fortress, json_lines, parquet

__all__ = ["fortress"]

NO_NUMBERS = [
    "word", "NaN", "inf", "-Infinity", "1.234,56", "1,234.56", "$1.20", "(1.20)", "1_000", "１２", "٣", "0x10", "1 000",
    "1\u00a0000", "--1", "1.2.3", "1e", "∞", "½", "1d", "'5", "5%", "true", "\u200b5", "-",
]  # fmt: skip
TOO_LARGE = ["1e30", "1e400", "100000000000000000000", "-100000000000000000000", "0.1e1000000000", "9" * 40]
EXACT = {
    "+5": "9.25", ".5": "4.75", "5.": "9.25", "1e5": "100004.25", "1E+5": "100004.25", "-0": "4.25", "00012": "16.25",
    " 2.5 ": "6.75", "1e-18": "4.250000000000000001", "-2.5": "1.75",
    "12345678901234567890.123456789012345678": "12345678901234567894.373456789012345678",
}  # fmt: skip
NO_DATES = [
    "2026-02-30", "13/13/2026", "2026-09-31", "0000-00-00", "2026-09-05T25:00:00Z", "09/05/2026", "5.9.2026", "20260905",
    "2026-9-5", "1757030400", "now", "infinity", "2026-09-05T00:00:00 Europe/Berlin", "294248-01-01", "yesterday",
]  # fmt: skip
IMPOSSIBLE = ["0001-01-01", "9999-12-31", "2027-09-05", "2025-09-05"]


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_a_cost_that_is_no_number(fortress: Fortress, value: str) -> None:
    refusal = fortress.refused(fortress.file("cell.csv", focus_csv(BilledCost=value)))
    assert str(refusal.place) == "cell.csv, row 3, column 'BilledCost'"
    assert refusal.what == f"{value!r} is not a number" and "decimal point" in refusal.advice


@pytest.mark.parametrize("value", ["word", "1.234,56", "NaN"])
@pytest.mark.parametrize("column", ["EffectiveCost", "ListCost", "ContractedCost", "ConsumedQuantity"])
def test_the_other_amounts_are_as_strict(fortress: Fortress, column: str, value: str) -> None:
    refusal = fortress.refused(fortress.file("cell.csv", focus_csv(**{column: value})))
    assert str(refusal.place) == f"cell.csv, row 3, column {column!r}" and "is not a number" in refusal.what


@pytest.mark.parametrize("value", ["word", "1.234,56", "(1.20)", "NaN"])
def test_other_kinds_of_file_are_as_strict(fortress: Fortress, value: str) -> None:
    rows = [ROWS[0], ROWS[1] | {"BilledCost": value}, ROWS[2]]
    for name, data, place in (
        ("cell.csv", cur_csv("lineItem/UnblendedCost", value), "row 3, column 'lineItem/UnblendedCost'"),
        ("cell.parquet", parquet(rows), "row 2, column 'BilledCost'"),
        ("cell.json", json_lines(BilledCost=value), "row 2, column 'BilledCost'"),
    ):
        refusal = fortress.refused(fortress.file(name, data))
        assert str(refusal.place) == f"{name}, {place}" and refusal.what == f"{value!r} is not a number"


@pytest.mark.parametrize("value", TOO_LARGE)
def test_a_cost_beyond_the_type(fortress: Fortress, value: str) -> None:
    refusal = fortress.refused(fortress.file("cell.csv", focus_csv(BilledCost=value)))
    assert str(refusal.place) == "cell.csv, row 3, column 'BilledCost'"
    assert "beyond what can be stored exactly" in refusal.what and "18 after it" in refusal.advice


def test_a_sum_beyond_the_type(fortress: Fortress) -> None:
    refusal = fortress.refused(fortress.file("cell.csv", focus_csv(BilledCost="99999999999999999999")))
    assert "add up to more than can be stored exactly" in refusal.what


@pytest.mark.parametrize(("value", "total"), EXACT.items())
def test_numbers_in_other_spellings_are_read_exactly(fortress: Fortress, value: str, total: str) -> None:
    billed, warnings = fortress.read(fortress.file("cell.csv", focus_csv(BilledCost=value)))
    assert {c: Decimal(v) for c, v in billed.items()} == {"USD": Decimal(total)}
    assert not any("rounded at the 18th" in w for w in warnings)


@pytest.mark.parametrize("column", ["BilledCost", "EffectiveCost", "ListCost", "ContractedCost"])
@pytest.mark.parametrize(
    "value", ["1e-30", "1.1234567890123456789", "1e-400", "123.4e-20", "0.00000000000000000012"]
)
def test_digits_below_the_18th_are_said(fortress: Fortress, column: str, value: str) -> None:
    _, warnings = fortress.read(fortress.file("cell.csv", focus_csv(**{column: value})))
    (said,) = [w for w in warnings if "more than 18 decimals and were rounded at the 18th" in w]
    assert said.startswith("1 ")


@pytest.mark.parametrize("value", ["1.50000000000000000000000", "15000000000000000e-16", "0E-30", "9.984E-7"])
def test_zeros_below_the_18th_are_nothing_to_say(fortress: Fortress, value: str) -> None:
    _, warnings = fortress.read(fortress.file("cell.csv", focus_csv(ListCost=value)))
    assert not any("rounded at the 18th" in w for w in warnings)


@pytest.mark.parametrize("value", ["", " ", "NULL", "null"])
def test_an_empty_cost(fortress: Fortress, value: str) -> None:
    refusal = fortress.refused(fortress.file("cell.csv", focus_csv(BilledCost=value)))
    assert str(refusal).startswith("cell.csv, row 3, column 'BilledCost': BilledCost is missing")
    assert fortress.refused(fortress.file("c.csv", cur_csv("lineItem/UnblendedCost", ""))).place.row == 3


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (pyarrow.array([1.0, float("nan"), 3.0]), "'nan' is not a number"),
        (pyarrow.array([1.0, float("inf"), 3.0]), "'inf' is not a number"),
        (pyarrow.array([1.0, None, 3.0]), "BilledCost is missing"),
        (pyarrow.array([1.0, 1e30, 3.0]), "'1e+30' is beyond what can be stored exactly"),
        (pyarrow.array([None, True, False]), "'true (BOOLEAN)' is not a number"),
        (pyarrow.array([None, date(2026, 9, 5), None]), "'2026-09-05 (DATE)' is not a number"),
        (pyarrow.array([None, [1.0], None]), "'[1.0] (DOUBLE[])' is not a number"),
    ],
)  # fmt: skip
def test_costs_of_parquet(fortress: Fortress, array: pyarrow.Array, found: str) -> None:
    refusal = fortress.refused(fortress.file("typed.parquet", parquet(BilledCost=array)))
    assert (refusal.what, refusal.place.row, refusal.place.column) == (found, 2, "BilledCost")


@pytest.mark.parametrize(
    ("array", "total"),
    [
        (pyarrow.array([0.1, 0.2, 0.3], pyarrow.float32()), "0.6"),
        (pyarrow.array([342092.125, 475573.375, -1e-10], pyarrow.float32()), "817665.4999999999"),
        (pyarrow.array([0.1, 0.2, 1e-7]), "0.3000001"),
        (pyarrow.array([1, 2, 3]), "6"),
        (pyarrow.array([Decimal("1.25")] * 3, pyarrow.decimal128(20, 4)), "3.75"),
        (pyarrow.array([Decimal("1.25")] * 3, pyarrow.decimal256(50, 20)), "3.75"),
    ],
)
def test_costs_of_parquet_are_read_by_their_shortest_text(
    fortress: Fortress, array: pyarrow.Array, total: str
) -> None:
    billed, _ = fortress.read(fortress.file("typed.parquet", parquet(BilledCost=array)))
    assert Decimal(billed["USD"]) == Decimal(total)


@pytest.mark.parametrize("value", ["", "NULL"])
def test_a_row_without_currency(fortress: Fortress, value: str) -> None:
    for name, data, row in (
        ("blank.csv", focus_csv(BillingCurrency=value), 3),
        ("blank.parquet", parquet(BillingCurrency=pyarrow.array(["USD", None, "USD"])), 2),
        ("blank.json", json_lines(BillingCurrency=None), 2),
    ):
        refusal = fortress.refused(fortress.file(name, data))
        assert refusal.what == "BillingCurrency is missing" and refusal.place.row == row
    assert fortress.refused(fortress.file("c.csv", cur_csv("lineItem/CurrencyCode", value))).place.row == 3


@pytest.mark.parametrize("value", ["USDT", "US", "$", "€", "U$D", "123", "ＵＳＤ", "USD,EUR", "dollars"])
def test_a_currency_that_is_none(fortress: Fortress, value: str) -> None:
    data = focus_csv(BillingCurrency=value) if len(value) > 2 else cur_csv("lineItem/CurrencyCode", value)
    refusal = fortress.refused(fortress.file("cell.csv", data))
    assert (refusal.place.row, refusal.place.column) == (3, "BillingCurrency")
    assert "is not a currency" in refusal.what and "ISO 4217" in refusal.advice


@pytest.mark.parametrize("value", ["usd", "Usd", " USD "])
def test_a_currency_is_one_however_it_is_spelled(fortress: Fortress, value: str) -> None:
    for data in (focus_csv(BillingCurrency=value), cur_csv("lineItem/CurrencyCode", value)):
        assert fortress.read(fortress.file("cell.csv", data))[0] == {"USD": "6.75"}


@pytest.mark.parametrize("value", NO_DATES)
def test_a_date_that_is_none(fortress: Fortress, value: str) -> None:
    column = "ChargePeriodStart" if len(value) % 2 else "BillingPeriodStart"
    refusal = fortress.refused(fortress.file("cell.csv", focus_csv(**{column: value})))
    assert str(refusal.place) == f"cell.csv, row 3, column {column!r}"
    assert refusal.what == f"{value!r} is not a date" and "ISO 8601" in refusal.advice


@pytest.mark.parametrize("value", NO_DATES[:4])
@pytest.mark.parametrize("column", ["bill/BillingPeriodStartDate", "identity/TimeInterval"])
def test_a_date_of_a_cost_and_usage_report_that_is_none(fortress: Fortress, column: str, value: str) -> None:
    refusal = fortress.refused(fortress.file("cell.csv", cur_csv(column, value)))
    assert str(refusal.place) == f"cell.csv, row 3, column {column!r}"


@pytest.mark.parametrize("value", IMPOSSIBLE)
def test_a_date_outside_its_period(fortress: Fortress, value: str) -> None:
    refusal = fortress.refused(fortress.file("cell.csv", focus_csv(ChargePeriodStart=value)))
    assert str(refusal.place) == "cell.csv, row 3, column 'ChargePeriodStart'"
    assert "lies outside its billing period 2026-09-01" in refusal.what
    refusal = fortress.refused(
        fortress.file("cell.csv", cur_csv("identity/TimeInterval", f"{value}/{value}"))
    )
    assert (refusal.place.row, refusal.place.column) == (3, "ChargePeriodStart")


@pytest.mark.parametrize("value", ["0001-01-01", "9999-12-31", "2026-10-05", "2027-09-05"])
def test_a_billing_period_that_cannot_be(fortress: Fortress, value: str) -> None:
    refusal = fortress.refused(fortress.file("cell.csv", focus_csv(BillingPeriodStart=value)))
    assert str(refusal.place) == "cell.csv, row 3, column 'BillingPeriodStart'"
    assert "cannot be" in refusal.what


def test_usage_of_weeks_before_its_period_is_read_and_said(fortress: Fortress) -> None:
    billed, warnings = fortress.read(fortress.file("cell.csv", focus_csv(ChargePeriodStart="2026-08-20")))
    assert billed == {"USD": "6.75"}
    assert any(w.startswith("1 rows of usage from more than a day before") for w in warnings)


def test_a_row_without_its_period(fortress: Fortress) -> None:
    refusal = fortress.refused(fortress.file("cell.csv", focus_csv(BillingPeriodStart="")))
    assert str(refusal).startswith(
        "cell.csv, row 3, column 'BillingPeriodStart': BillingPeriodStart is missing"
    )
    refusal = fortress.refused(fortress.file("cell.csv", cur_csv("bill/BillingPeriodStartDate", "")))
    assert refusal.what == "BillingPeriodStart is missing" and refusal.place.row == 3


@pytest.mark.parametrize("value", ["usage", "Foo", "Refunds"])
def test_a_charge_category_that_focus_does_not_know(fortress: Fortress, value: str) -> None:
    refusal = fortress.refused(fortress.file("cell.csv", focus_csv(ChargeCategory=value)))
    assert str(refusal.place) == "cell.csv, row 3, column 'ChargeCategory'"
    assert refusal.what == f"{value!r} is not a charge category of FOCUS"


@pytest.mark.parametrize(
    "column", ["BilledCost", "BillingCurrency", "BillingPeriodStart", "ChargePeriodStart"]
)
def test_a_column_that_is_missing(fortress: Fortress, column: str) -> None:
    names = [name for name in FOCUS_HEADER if name != column]
    text = csv_text([{n: row[n] for n in names} for row in ROWS], names)
    lines = "".join(json.dumps({n: row[n] for n in names}) + "\n" for row in ROWS)
    for name, data in (("less.csv", text.encode()), ("less.json", lines.encode())):
        refusal = fortress.refused(fortress.file(name, data))
        assert f"the column {column!r} is missing" in refusal.what and refusal.place.row == 1


@pytest.mark.parametrize(
    "column",
    [
        "lineItem/UnblendedCost",
        "lineItem/CurrencyCode",
        "bill/BillingPeriodStartDate",
        "lineItem/LineItemType",
    ],
)
def test_a_column_that_a_cost_and_usage_report_lacks(fortress: Fortress, column: str) -> None:
    names = [name for name in CUR_HEADER if name != column]
    text = csv_text([{n: row[n] for n in names} for row in CUR_ROWS], names)
    assert "is missing" in fortress.refused(fortress.file("less.csv", text.encode())).what


def test_two_periods_and_two_currencies_are_kept_apart(fortress: Fortress) -> None:
    october = focus_row(
        BillingPeriodStart="2026-10-01", BillingPeriodEnd="2026-11-01", ChargePeriodStart="2026-10-31", BilledCost="2"
    )  # fmt: skip
    euro = focus_row(BillingCurrency="EUR", BilledCost="0.5")
    text = csv_text([*ROWS, october, euro], FOCUS_HEADER)
    assert fortress.read(fortress.file("both.csv", text.encode()))[0] == {"EUR": "0.5", "USD": "8.75"}
