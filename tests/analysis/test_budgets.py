"""Budgets against charges: sums that hold exactly, whatever is planned; pace, states, variance in parts and words."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal, localcontext
from pathlib import Path

import openpyxl
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.analysis.budgets import account, budget_status
from finops_core.analysis.budgets.files import finance_feed, in_cents, variance_xlsx
from finops_core.analysis.budgets.headline import headline
from finops_core.analysis.budgets.pace import usual_share
from finops_core.analysis.budgets.variance import PARTS, variance
from finops_core.errors import UsageError
from finops_core.store.budgets import BudgetLine, enter, history, remove
from finops_core.store.home import Home
from finops_core.store.journal_accounts import Accounts
from finops_core.store.load import load
from finops_core.store.state import State
from tests.exports import csv_text, focus_row

JULY, AUGUST, SEPTEMBER = (date(2026, month, 1) for month in (7, 8, 9))
TEAMS = ("search", "shop", None)
SERVICES = ("Compute", "Storage", "Model")


def _charges() -> Iterator[dict[str, str]]:
    """Two months whole and one to its 20th day, three teams, two currencies, a service that is new in September."""
    for number in range(81):
        day = JULY + timedelta(number)
        end = date(day.year, day.month + 1, 1)
        for place, team in enumerate(TEAMS):
            for service in SERVICES[: 2 if day < SEPTEMBER else 3]:
                weekend = day.weekday() > 4
                cost = f"{place + 1 + (service == 'Storage')}{'1' if weekend else '4'}.{day.day:02}0000000000000{place}"
                yield focus_row(
                    EffectiveCost=cost,
                    BilledCost=cost,
                    BillingCurrency="EUR" if place == 1 and service == "Storage" else "USD",
                    BillingPeriodStart=f"{day:%Y-%m}-01T00:00:00Z",
                    BillingPeriodEnd=f"{end}T00:00:00Z",
                    ChargePeriodStart=f"{day}T00:00:00Z",
                    ChargePeriodEnd=f"{day + timedelta(1)}T00:00:00Z",
                    ServiceName=service,
                    PricingQuantity=str(day.day + 1),
                    PricingUnit="Hours",
                    Tags=f'{{"team": "{team}"}}' if team else "",
                )


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    folder = tmp_path_factory.mktemp("budgets")
    (folder / "focus.csv").write_text(csv_text(_charges()), "utf-8")
    load(Home(folder / "home"), [folder / "focus.csv"])
    return Ledger(Home(folder / "home"))


AMOUNT = st.decimals("-500", "9000", places=9)
WHERE = st.sampled_from(
    ["x_Team=search", "x_Team=shop", "x_Team is null", "ServiceName=Compute", "x_Team=shop and ServiceName=Storage", "", "x_Team=nobody", "x_Team=search or ServiceName=Storage"]
)  # fmt: skip
LINES = st.lists(
    st.builds(
        lambda name, where, currency, month, amount: BudgetLine(
            name, where[:9], "EffectiveCost", where, currency, month, amount
        ),
        st.sampled_from(["a", "b", "c", "d"]),
        WHERE,
        st.sampled_from(["USD", "EUR"]),
        st.sampled_from([JULY, AUGUST, SEPTEMBER]),
        AMOUNT,
    ),
    max_size=6,
    unique_by=lambda line: line.key,
)
MONTHS = st.sampled_from([JULY, AUGUST, SEPTEMBER])


@settings(max_examples=10)
@given(LINES, MONTHS)
def test_budgets_and_what_has_none_sum_to_the_cost(
    ledger: Ledger, lines: list[BudgetLine], month: date
) -> None:
    table = account(ledger, lines, month).table()
    whole = ledger.query(Query("EffectiveCost", start=month, end=date(2026, month.month + 1, 1)))
    with localcontext(prec=60):
        for currency, cost in whole.select("BillingCurrency", "EffectiveCost").iter_rows():
            own = table.filter(polars.col("BillingCurrency") == currency)
            assert sum(own["actual"]) == cost
            planned = [x.amount for x in lines if (x.month, x.currency) == (month, currency)]
            assert sum(own["budget"]) == sum(planned)


@settings(max_examples=10)
@given(
    LINES,
    MONTHS,
    st.sampled_from(["budget", "previous"]),
    st.sampled_from(["x_Team", "ServiceName", "RegionId"]),
)
def test_the_parts_of_a_variance_are_the_variance(
    ledger: Ledger, lines: list[BudgetLine], month: date, against: str, by: str
) -> None:
    found = variance(ledger, lines, month, against, by)
    whole = ledger.query(Query("EffectiveCost", start=month, end=date(2026, month.month + 1, 1)))
    with localcontext(prec=60):
        for table in (found.table, in_cents(found)):
            for row in table.iter_rows(named=True):
                assert sum(row[part] for part in PARTS) == row["variance"] == row["actual"] - row["budget"]
        for currency, cost in whole.select("BillingCurrency", "EffectiveCost").iter_rows():
            own = found.table.filter(polars.col("BillingCurrency") == currency)
            assert sum(own["actual"]) == cost
            if against == "budget":
                planned = [x.amount for x in lines if (x.month, x.currency) == (month, currency)]
                assert sum(own["budget"]) == sum(planned)


def _line(where: str, amount: str, month: date = SEPTEMBER, name: str = "") -> BudgetLine:
    owner = where.partition("=")[2]
    return BudgetLine(name or where, owner, "EffectiveCost", where, "USD", month, Decimal(amount))


def test_a_running_month_has_pace_state_and_overlaps(ledger: Ledger, home: Home) -> None:
    state = State(home)
    lines = [_line("x_Team=search", "800"), _line("x_Team=shop", "10"), _line("ServiceName=Compute", "1e4")]
    enter(state, lines, "Ada")
    status = {s.name: s for s in budget_status(ledger, state)}
    search, shop = status["x_Team=search"], status["x_Team=shop"]
    spent = ledger.query(Query("EffectiveCost", where="x_Team=search", start=SEPTEMBER))[
        "EffectiveCost"
    ].sum()
    assert search.actual == spent and search.share == (spent / 800).quantize(Decimal("1e-6"))
    assert Decimal("0.6") < search.usual.share < Decimal("0.7") and search.usual.by_shape
    assert shop.state == "over" and shop.crossed == ("actual 50", "actual 80", "actual 100", "forecast 100")
    assert search.forecast is not None and search.forecast > search.actual
    found = account(ledger, lines)
    assert {(o.one, o.other) for o in found.overlaps} == {
        ("ServiceName=Compute", "x_Team=search"),
        ("ServiceName=Compute", "x_Team=shop"),
    }
    assert headline(found, "USD", "EffectiveCost").startswith("September 2026: ")
    assert budget_status(ledger, state, as_of=date(2026, 9, 2))[1].actual < search.actual


def test_usual_shares_follow_weekdays_and_fees() -> None:
    days = {JULY - timedelta(30) + timedelta(n): Decimal(7 if n % 7 < 5 else 0) for n in range(30)}
    first = date(2026, 6, 1)
    days[first] += 1000
    assert usual_share(days, JULY, date(2026, 7, 2)).share > Decimal("0.8")
    assert usual_share({}, JULY, date(2026, 7, 2)) == usual_share({JULY: Decimal(0)}, JULY, date(2026, 7, 2))
    assert usual_share({}, JULY, date(2026, 7, 2)).share == Decimal("0.032258")


def test_the_words_of_a_line_name_its_drivers_and_its_plan(ledger: Ledger) -> None:
    lines = [_line("x_Team=search", "900", AUGUST), _line("x_Team=search", "1000", JULY)]
    found = variance(ledger, lines, AUGUST)
    row = found.table.filter(polars.col("x_Team") == "search").row(0, named=True)
    july = ledger.query(Query("EffectiveCost", where="x_Team=search", start=JULY, end=AUGUST))[
        "EffectiveCost"
    ].sum()
    assert row["carried_over"] == july - 1000 and row["planned_change"] == 100 and row["rest_of_month"] == 0
    assert row["text"].startswith(("+", "−")) and "planned decrease" in row["text"]
    assert found.explained["USD"] == 1
    running = variance(ledger, lines, SEPTEMBER)
    assert running.is_running and running.usual["USD"] < 1
    assert "new Model" in running.table.filter(polars.col("x_Team") == "search")["text"][0]
    with pytest.raises(UsageError, match="no version 'forecast 7'"):
        variance(ledger, lines, AUGUST, "forecast 7")


def test_files_tie(ledger: Ledger, tmp_path: Path) -> None:
    found = variance(ledger, [_line("x_Team=search", "900.005", AUGUST)], AUGUST, by="x_CostCenter")
    feed = finance_feed(found, Accounts(direct="0681"))
    assert set(feed["cost_center"]) == {"unallocated", "(budget not by cost centre)"}
    assert set(feed["account"]) == {"0681"} and set(feed["period"]) == {"2026-08"}
    (tmp_path / "variance.xlsx").write_bytes(variance_xlsx(found))
    book = openpyxl.load_workbook(tmp_path / "variance.xlsx")
    rows = list(book["USD"].iter_rows(min_row=5, values_only=True))
    assert [row[0] for row in rows][-1] == "Total" and rows[-1][1] == f"=SUM(B5:B{len(rows) + 3})"
    assert rows[0][3] == "=C5-B5"
    cents = in_cents(found).filter(polars.col("BillingCurrency") == "USD")
    assert [Decimal(str(row[1])) for row in rows[:-1]] == [round(b, 2) for b in cents["budget"]]


def test_amounts_are_kept_corrected_and_taken_back(home: Home) -> None:
    state = State(home)
    line, corrected = _line("x_Team = search", "1"), _line("x_Team=search", "2", name="x_Team = search")
    assert line.where == "x_Team=search"
    assert enter(state, [line], "Ada").in_words() == "New amounts: 1; replaced: 0; kept already: 0"
    assert enter(state, [corrected], "Bo").replaced == 1 and enter(state, [corrected], "Bo").unchanged == 1
    remove(state, [corrected], "Cy")
    assert [(c.amount, c.before, c.entered_by) for c in history(state)] == [
        (None, Decimal(2), "Cy"),
        (Decimal(2), Decimal(1), "Bo"),
        (Decimal(1), None, "Ada"),
    ]
    for wrong in ({"amount": Decimal("NaN")}, {"month": date(2026, 1, 2)}, {"currency": "usd"}, {"metric": "ListCost"}, {"where": "x_Tem=a"}):  # fmt: skip
        with pytest.raises(UsageError):
            BudgetLine(**{**vars(line), **wrong})
