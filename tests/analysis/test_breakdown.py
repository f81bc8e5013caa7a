"""Members and Other: the parts always make up the whole, exactly."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import polars
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.analysis.breakdown import breakdown
from finops_core.analysis.headline import headline
from finops_core.model.periods import Period
from finops_core.model.span import span
from finops_core.model.view import View
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus

SEPTEMBER = Period.parse("2026-09-01..2026-10-01")
AUGUST = Period.parse("2026-08-01..2026-09-01")
MONEY = st.decimals(-1000, 1000, places=9)
CHARGES = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "d", ""]), MONEY, st.booleans(), st.integers(1, 28)),
    min_size=1,
    max_size=12,
)


def charge(region: str, cost: Decimal, august: bool, day: int) -> dict[str, str]:
    month = 8 if august else 9
    return focus_row(
        RegionId=region,
        ResourceId=f"resource {region}",
        EffectiveCost=cost,
        BilledCost=cost,
        BillingPeriodStart=f"2026-{month:02}-01T00:00:00Z",
        BillingPeriodEnd=f"2026-{month + 1:02}-01T00:00:00Z",
        ChargePeriodStart=f"2026-{month:02}-{day:02}T00:00:00Z",
        ChargePeriodEnd=f"2026-{month:02}-{day + 1:02}T00:00:00Z",
    )


def loaded(directory: str, charges: list[tuple[str, Decimal, bool, int]]) -> Ledger:
    home = Home(Path(directory) / "home")
    load(home, [write_focus(Path(directory) / "a.csv", [charge(*c) for c in charges])])
    return Ledger(home)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    CHARGES,
    st.integers(1, 4),
    st.sampled_from([("RegionId",), ("ResourceId",), ("RegionId", "SubAccountId"), ()]),
)
def test_parts_make_up_the_whole(
    charges: list[tuple[str, Decimal, bool, int]], top: int, by: tuple[str, ...]
) -> None:
    with TemporaryDirectory() as directory:
        ledger = loaded(directory, charges)
        query = Query("EffectiveCost", by=by, grain="day", start=SEPTEMBER.start, end=SEPTEMBER.end)
        found = breakdown(ledger, query, AUGUST, top)
        after = sum((cost for _, cost, august, _ in charges if not august), Decimal(0))
        before = sum((cost for _, cost, august, _ in charges if august), Decimal(0))
        assert (found.after, found.before) == (after, before)
        assert found.table["after"].sum() == after
        assert found.table["change"].sum() == after - before
        daily = ledger.query(query.but(by=()))
        series = found.series.group_by("ChargePeriod").agg(polars.col("cost").sum()).sort("ChargePeriod")
        assert list(series["cost"]) == list(daily["EffectiveCost"])
        named = found.series.filter(polars.col("Kind") == "member")["Member"].n_unique()
        assert named <= top


def figures(directory: str) -> Ledger:
    rows = [
        ("eu", Decimal("100"), True, 1),
        ("us", Decimal("50"), True, 2),
        ("eu", Decimal("160"), False, 1),
        ("us", Decimal("40"), False, 2),
        ("", Decimal("2.5"), False, 3),
    ]
    return loaded(directory, rows)


def test_figures_and_other(tmp_path: Path) -> None:
    ledger = figures(str(tmp_path))
    query = Query("EffectiveCost", by=["RegionId"], grain="month", start=SEPTEMBER.start, end=SEPTEMBER.end)
    found = breakdown(ledger, query, AUGUST, 1)
    assert found.table.select("Member", "before", "after", "change").rows() == [
        ("eu", Decimal(100), Decimal(160), Decimal(60)),
        ("us", Decimal(50), Decimal(40), Decimal(-10)),
        ("(none)", Decimal(0), Decimal("2.5"), Decimal("2.5")),
    ]
    assert found.series.rows() == [
        (date(2026, 9, 1), "eu", "member", Decimal(160)),
        (date(2026, 9, 1), "Other (2)", "other", Decimal("42.5")),
    ]


@pytest.mark.parametrize(
    ("versus", "sentence"),
    [
        (
            AUGUST,
            "September 2026 so far cost 202.50 USD, 35 % more than August 2026 (+52.50); eu alone changed by +60.00.",
        ),
        (None, "September 2026 so far cost 202.50 USD."),
        (
            Period.parse("2026-01-01..2026-02-01"),
            "September 2026 so far cost 202.50 USD; January 2026 had 0.00 USD.",
        ),
    ],
)
def test_the_headline(tmp_path: Path, versus: Period | None, sentence: str) -> None:
    ledger = figures(str(tmp_path))
    view = View(
        Query("EffectiveCost", by=["RegionId"], grain="month", start=SEPTEMBER.start, end=SEPTEMBER.end)
    )
    found = breakdown(ledger, view.query, versus, 5)
    assert headline(found, view, SEPTEMBER, versus, "USD", span(ledger)) == sentence


def test_savings_that_are_not_known_are_not_nothing(tmp_path: Path) -> None:
    prices = (("eu", "9", "12"), ("us", "5", ""), ("us", "1", ""))
    rows = [
        {**charge(region, Decimal(cost), False, day), "ListCost": price, "ContractedCost": price}
        for day, (region, cost, price) in enumerate(prices, start=1)
    ]
    home = Home(tmp_path / "home")
    load(home, [write_focus(tmp_path / "a.csv", rows)])
    query = Query("TotalSavings", by=["RegionId"], grain="month", start=SEPTEMBER.start, end=SEPTEMBER.end)
    found = breakdown(Ledger(home), query, AUGUST, 1)
    assert found.table.select("Member", "before", "after", "change").rows() == [
        ("eu", Decimal(0), Decimal(3), Decimal(3)),
        ("us", Decimal(0), None, None),
    ]
    assert (found.after, found.top()["after"].to_list()) == (3, [3, None])
    unknown = breakdown(Ledger(home), query.but(where=["RegionId=us"]), None, 1)
    assert (unknown.after, unknown.series["cost"].to_list()) == (None, [None])
    view = View(query.but(where=["RegionId=us"]))
    assert "is not known" in headline(unknown, view, SEPTEMBER, None, "USD", span(Ledger(home)))
