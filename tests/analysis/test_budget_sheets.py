"""Budget sheets: both layouts, two planning tools' shapes, totals held against lines, and what could be read in two ways refused."""

import io
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core.analysis.budgets.cells import Forms, amount, month
from finops_core.analysis.budgets.files import lines_table
from finops_core.analysis.budgets.importing import Options, Understood, understand
from finops_core.analysis.cents import total
from finops_core.errors import InputRefused, UsageError
from finops_core.model.export import FOR_EDITING
from finops_core.store.budgets import BudgetLine

MEMBERS = {"x_Team": ["web", "search"], "x_CostCenter": ["CC-100", "CC-200"], "ServiceName": ["Amazon S3"]}
USD = Options(currency="USD")


def read(text: str | bytes, options: Options = USD, name: str = "plan.csv") -> Understood:
    return understand(
        text.encode() if isinstance(text, str) else text, name, MEMBERS, options, ("USD", "EUR")
    )


def amounts(found: Understood) -> dict[tuple[str, str, str], Decimal]:
    return {(line.where, line.currency, f"{line.month:%Y-%m}"): line.amount for line in found.lines}


ANAPLAN = """Finch plc,,,,
Version: Forecast 1,,,,
Currency: EUR,,,,

Line items,Jan 26,Feb 26,Mar 26,Q1 26
Engineering,,,,
Web,"1,200.50",(300),-,900.50
search,100,200,"€300",600
Total Engineering,"1,300.50",(100),300,"1,500.50"
Grand total,"1,300.50",(100),300,"1,500.50"
Exported by Anaplan,,,,
"""


def test_line_items_by_months_with_totals() -> None:
    found = read(ANAPLAN, Options())
    assert amounts(found) == {
        ("x_Team=web", "EUR", "2026-01"): Decimal("1200.50"),
        ("x_Team=web", "EUR", "2026-02"): Decimal(-300),
        ("x_Team=web", "EUR", "2026-03"): Decimal(0),
        ("x_Team=search", "EUR", "2026-01"): Decimal(100),
        ("x_Team=search", "EUR", "2026-02"): Decimal(200),
        ("x_Team=search", "EUR", "2026-03"): Decimal(300),
    }
    assert found.totals == {("forecast 1", "EUR"): Decimal("1500.50")}
    assert found.stated == (
        "column 'Q1 26': the sum of all its months",
        "row 9 'Total Engineering': the sum of all lines above",
        "row 10 'Grand total': the sum of all lines above",
    )
    assert found.notes == (
        "Rows without amounts, left out: row 6 (Engineering), row 11 (Exported by Anaplan)",
    )
    assert (found.shape, found.header, found.lines[0].owner) == ("months in columns", 5, "web")


ADAPTIVE = """Account,Level,Period,Amount
6420 Cloud hosting,CC-100,FY26 M01,"$1,200"
6430 Licences,CC-100,FY26 M01,$300.25
6420 Cloud hosting,CC-200,FY26 M12,"($1,000)"

Total,,,$500.25
"""


def test_accounts_by_level_and_period_are_added_up_by_what_they_count() -> None:
    found = read(ADAPTIVE)
    assert amounts(found) == {
        ("x_CostCenter=CC-100", "USD", "2026-01"): Decimal("1500.25"),
        ("x_CostCenter=CC-200", "USD", "2026-12"): Decimal(-1000),
    }
    assert found.notes == ("Rows for the same cost are added up: CC-100 (rows 2, 3)",)
    july = read(ADAPTIVE, Options(Forms(fiscal_start=7), "USD"))
    assert july.months == [date(2025, 7, 1), date(2026, 6, 1)]
    as_service = read("Item,Jan 26,Feb 26\nx,1,2\n", Options(currency="USD", columns={"Item": "tag:item"}))
    assert as_service.lines[0].where == "tag:item=x"


def test_a_workbook_has_numbers_and_days_of_one_meaning() -> None:
    book = openpyxl.Workbook()
    for row in (
        ["team", datetime(2026, 1, 1), "Feb-26", "FY26"],
        ["web", 1234.5, 0.1, 1234.6],
        ["(shared)", 1, 2, 3],
    ):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    found = read(file.getvalue(), name="plan.xlsx")
    assert found.totals == {("budget", "USD"): Decimal("1237.6")}
    assert [line.where for line in found.lines][2:] == ["x_Team is null"] * 2


@pytest.mark.parametrize(
    ("text", "row", "column", "words"),
    [
        ("team,Jan 26,Feb 26\nweb,1.234,2", 2, "Jan 26", "two ways"),
        ('team,Jan 26,Feb 26\nweb,2,"1.234,56"', 2, "Feb 26", "two ways"),
        ("team;Jan 26;Feb 26\nweb;1,234;2", 2, "Jan 26", "two ways"),
        ("team,Jan 26,Feb 26\nweb,abc,2", 2, "Jan 26", "no amount"),
        ("team,Jan 26,Feb 26\nweb,12 %,2", 2, "Jan 26", "no amount"),
        ("team,01/02/26,01/03/26\nweb,1,2", 1, "B", "two days"),
        ("team,Jan,Feb\nweb,1,2", 1, "B", "no year"),
        ("team,Jan 26,2026-01\nweb,1,2", 1, "C", "twice"),
        ("team,period,amount\nweb,01/02/26,1", 2, "period", "two days"),
        ("team,period,amount\nweb,soon,1", 2, "period", "no month"),
        ("team,Jan 26,Feb 26\nweb,1,2\nTotal,1,3", 3, "February 2026", "difference of 1"),
        ("team,Jan 26,Feb 26,Total\nweb,1,2,4", 2, "Total", "difference of 1"),
        ("team,Jan 26,Feb 26\n,1,2", 2, "team", "which cost"),
        ("thing,Jan 26,Feb 26\nx,1,2", 2, None, "which cost"),
        ("team,currency,Jan 26,Feb 26\nweb,Dollar,1,2", 2, "currency", "no currency"),
        ("team,Jan 26,Feb 26\nweb,€1,£2", 2, None, "several currencies"),
        ("USD in thousands\nteam,Jan 26,Feb 26\nweb,1,2", None, None, "thousands"),
        ("team,where,Jan 26,Feb 26\nweb,x_Tem=web,1,2", 2, "where", "x_Tem"),
        ("team,Jan 26,13/2026\nweb,1,2", 1, "C", "title '13/2026' is no month"),
        ("team,Jan 26,Febr,Mar 26\nweb,1,2,3", 1, "C", "title 'Febr' is no month"),
        ('team,Setp 26,Oct 26\nweb,"1.234",2', 1, "B", "title 'Setp 26' is no month"),
        ("team,Jan 26\nweb,abc", 2, "Jan 26", "no amount"),
        ("a,b\n1,2", None, None, "no table"),
        ("", None, None, "empty"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_refused_with_its_place(
    text: str, row: int | None, column: str | None, words: str
) -> None:
    with pytest.raises(InputRefused, match=words) as refused:
        read(text, Options() if "€" in text or "currency" in text else USD)
    assert (refused.value.place.row, refused.value.place.column) == (row, column)


def test_values_without_charges_are_named_for_they_may_be_misspelt() -> None:
    (column,) = read("team,Jan 26,Feb 26\nweb,1,2\nserch,1,2\nsearch,1,2").columns
    assert column.why == "by its values: 2 of 3 values have charges, but not serch"


def test_a_column_of_numbers_that_is_no_month_is_a_label_where_it_is_stated_or_plain() -> None:
    text = "Account,team,Jan 26,Last 26,Feb 26\n6100,web,1,9,2"
    found = read(text, replace(USD, columns={"Last 26": "label"}))
    assert sorted(amounts(found).values()) == [1, 2]


def test_a_form_that_is_stated_is_read() -> None:
    comma = Options(Forms(decimal="comma", dates="dmy"), "EUR", multiple=1000)
    found = read("In thousands\nteam;01/02/26;01/03/26\nweb;1.234,5;(2)\n", comma)
    assert amounts(found) == {
        ("x_Team=web", "EUR", "2026-02"): Decimal(1234500),
        ("x_Team=web", "EUR", "2026-03"): Decimal(-2000),
    }
    assert read(
        "team,Jan,Feb\nweb,1,2\nTotal,9,9\n", Options(Forms(year=2026), "USD", totals=False)
    ).notes == ("2 stated totals were left out and not checked",)
    for text in (
        "Jan 26",
        "26-Jan",
        "January 2026",
        "2026-01-31",
        "202601",
        "M01 FY26",
        "01/2026",
        "31.01.2026",
    ):
        assert month(text, Forms()) == date(2026, 1, 1)
    with pytest.raises(UsageError, match="no day"):
        month("2026-02-30", Forms())


@settings(max_examples=30)
@given(
    st.decimals("-1e9", "1e9", places=4), st.sampled_from(["{:,f}", "{:f}", "USD {:,f}", "{:,f}-", "({:,f})"])
)
def test_an_amount_is_what_was_written(value: Decimal, form: str) -> None:
    value = abs(value) if form[-1] in "-)" else value
    found = amount(form.format(value), Forms(decimal="point"))
    assert found is not None and found.value == (-value if form[-1] in "-)" else value)


LINE = st.builds(
    lambda name, owner, where, currency, number, value, version, note: BudgetLine(
        name, owner, "BilledCost", where, currency, date(2026, number, 1), value, version, note
    ),
    st.sampled_from(["web", "Total cost of it", "1,5", "Ünïcode; x"]),
    st.sampled_from(["", "Ada"]),
    st.sampled_from(["x_Team=web", "", 'tag:"a b"="c, d" or x_Team is null']),
    st.sampled_from(["USD", "EUR"]),
    st.integers(1, 12),
    st.decimals("-1e12", "1e12", places=18),
    st.sampled_from(["budget", "forecast 12"]),
    st.sampled_from(["", "as agreed"]),
)


@settings(max_examples=20)
@given(
    st.lists(LINE, min_size=1, max_size=5, unique_by=lambda x: (x.version, x.name)),
    st.sampled_from(["csv", "xlsx"]),
)
def test_what_is_downloaded_is_read_back(lines: list[BudgetLine], form: str) -> None:
    found = read(FOR_EDITING[form](lines_table(lines)), Options(), f"plan.{form}")
    assert list(found.lines) == lines
    assert total(list(found.totals.values())) == total([line.amount for line in lines])
