"""Dimensions of time follow the calendar, alike over cube and charges; hierarchies lead downwards."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.errors import UsageError
from finops_core.focus.columns import FOCUS_COLUMNS
from finops_core.model import engine
from finops_core.model.hierarchies import HIERARCHIES, hierarchies_of, level_below
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.vocabulary import expressions
from finops_core.vocabulary.dimensions import DAY_DIMENSIONS, DIMENSIONS, dimension, filterable
from tests.exports import focus_row, write_focus

FIRST = date(2025, 12, 20)
CALENDAR = {
    "Day": lambda day: day,
    "Week": lambda day: day - timedelta(day.weekday()),
    "Month": lambda day: f"{day:%Y-%m}",
    "Quarter": lambda day: f"{day.year}-Q{(day.month + 2) // 3}",
    "Year": lambda day: str(day.year),
    "Weekday": lambda day: f"{day:%A}",
    "DayOfMonth": lambda day: day.day,
}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A charge of one dollar at the last hour of each of 120 days, over the turn of a year."""
    folder = tmp_path_factory.mktemp("dimensions")
    days = [FIRST + timedelta(n) for n in range(120)]
    rows = [
        focus_row(
            ChargePeriodStart=f"{day}T23:00:00Z",
            ChargePeriodEnd=f"{day + timedelta(1)}T00:00:00Z",
            BillingPeriodStart=f"{day:%Y-%m}-01T00:00:00Z",
            BillingPeriodEnd=f"{(day.replace(day=1) + timedelta(32)):%Y-%m}-01T00:00:00Z",
        )
        for day in days
    ]
    home = Home(folder / "home")
    load(home, [write_focus(folder / "focus.csv", rows)])
    opened = Ledger(home)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", DAY_DIMENSIONS)
def test_dimensions_of_time_follow_the_calendar(ledger: Ledger, name: str) -> None:
    query = Query("ChargeCount", by=[name])
    assert engine.uses_cube(query)
    expected: dict[object, int] = {}
    for n in range(120):
        member = CALENDAR[name](FIRST + timedelta(n))
        expected[member] = expected.get(member, 0) + 1
    for table in (None, *engine.cubes_of(query)):
        rows = ledger.frame(engine.sql_over(query, table)).rows()
        assert {member: count for _, member, count in rows} == expected


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from(DAY_DIMENSIONS), max_size=3, unique=True),
    st.sampled_from(
        [
            "Weekday=Monday",
            "Weekday not in Saturday,Sunday",
            "Month between 2026-01 and 2026-02",
            "Quarter>2025-Q4",
            "Year=2025 or DayOfMonth<=3",
            "Day>=2026-02-10",
            "Week=2026-01-05",
            "not DayOfMonth between 5 and 25",
        ]
    ),
)
def test_cube_and_charges_answer_alike(ledger: Ledger, by: list[str], where: str) -> None:
    query = Query(["EffectiveCost", "ChargeCount"], by=by, where=[where])
    cubes = engine.cubes_of(query)
    assert cubes
    charges = ledger.frame(engine.sql_over(query, None))
    for cube in cubes:
        answer = ledger.frame(engine.sql_over(query, cube))
        assert answer.schema == charges.schema and answer.equals(charges)


@pytest.mark.parametrize(
    ("where", "days"),
    [
        ("Weekday=Monday", 17),
        ("Weekday in Saturday,Sunday", 35),
        ("DayOfMonth=1", 4),
        ("Month=2026-02", 28),
        ("Month>=2026-04", 18),
        ("Quarter=2026-Q1", 90),
        ("Year<2026", 12),
        ("Day between 2026-01-01 and 2026-01-10", 10),
        ("Week=2025-12-29", 7),
    ],
)
def test_filters_of_time(ledger: Ledger, where: str, days: int) -> None:
    assert ledger.query(Query("ChargeCount", where=[where]))["ChargeCount"].to_list() == [days]


@pytest.mark.parametrize(
    "where",
    [
        "Weekday=Mon",
        "Weekday>Monday",
        "Month=2026-13",
        "Quarter=Q1",
        "Year=26",
        "Day=today",
        "DayOfMonth=first",
    ],
)
def test_what_is_no_time_is_refused(where: str) -> None:
    with pytest.raises(UsageError):
        engine.sql(Query("ChargeCount", where=[where]))


def test_every_focus_column_is_a_dimension_or_a_cost() -> None:
    for name in FOCUS_COLUMNS:
        assert filterable(name).name == name
        assert (name in DIMENSIONS) == (filterable(name).kind != "cost")
    with pytest.raises(UsageError, match="not grouped by"):
        dimension("BilledCost")
    assert set(expressions._OF_DAY) == set(DAY_DIMENSIONS)


def test_a_metric_and_a_dimension_of_one_name_are_not_mixed_up() -> None:
    with pytest.raises(UsageError, match="PricingQuantity"):
        Query(["EffectiveCost", "PricingQuantity"], by=["PricingQuantity"])


def test_the_way_down() -> None:
    way = ["ProviderName"]
    while (below := level_below(way[-1])) is not None:
        way.append(below)
    assert way == ["ProviderName", "SubAccountName", "ServiceName", "Sku", "ResourceId"]
    assert level_below("SubAccountId") == "ServiceName"
    assert [level_below(n) for n in ("x_CostCenter", "x_Team", "x_Product")] == [
        "x_Team",
        "x_Product",
        "ServiceName",
    ]
    assert level_below("ServiceName", "owner") is None
    assert level_below("Month") == "Day"
    assert level_below("tag:team") is None
    assert [h.name for h in hierarchies_of("ServiceName")] == ["cloud", "owner"]
    for wrong in (("NoSuchColumn", None), ("ServiceName", "none")):
        with pytest.raises(UsageError):
            level_below(*wrong)


def test_hierarchies_are_of_dimensions() -> None:
    for hierarchy in HIERARCHIES.values():
        for level in hierarchy.levels:
            assert [dimension(name).name for name in level] == list(level)
