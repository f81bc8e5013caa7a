"""A bound that leaves no charge out is no bound, so that cubes of months answer periods that end where the charges do."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core import Query
from finops_core.model import engine
from finops_core.model.engine import cubes_of
from finops_core.model.engines.duckdb import sql_of
from finops_core.model.ledger import Charged

FIRST, LAST = date(2026, 1, 5), date(2026, 7, 20)
THREE = Query("BilledCost", by=["x_Team", "RegionId"], start=date(2026, 5, 1), end=date(2026, 7, 21))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (date(2026, 5, 1), LAST + timedelta(1), (date(2026, 5, 1), date(2026, 8, 1))),
        (date(2026, 5, 1), LAST, (date(2026, 5, 1), LAST)),
        (FIRST, date(2027, 1, 1), (date(2026, 1, 1), date(2027, 1, 1))),
        (FIRST + timedelta(1), None, (FIRST + timedelta(1), None)),
        (date(2025, 1, 3), date(2025, 2, 1), (date(2025, 1, 1), date(2025, 2, 1))),
        (date(2026, 8, 1), date(2026, 12, 9), (date(2026, 8, 1), date(2027, 1, 1))),
    ],
)
def test_bounds_beyond_the_charges_go_to_the_edge_of_their_month(
    start: date, end: date | None, expected: tuple[date | None, date | None]
) -> None:
    asked = Charged(FIRST, LAST).widened(THREE.but(start=start, end=end))
    assert (asked.start, asked.end) == expected


def test_months_answer_a_period_that_ends_with_the_charges() -> None:
    assert cubes_of(THREE)[0].name == "daily"
    assert cubes_of(Charged(FIRST, LAST).widened(THREE))[0].name == "monthly"


def test_without_charges_bounds_stay() -> None:
    assert Charged(None, None).widened(THREE) == THREE


DAYS = (
    st.none()
    | st.dates(date(2024, 1, 1), date(2027, 1, 1))
    | st.sampled_from([date(2026, 2, 1), date(2026, 12, 1)])
)


@settings(max_examples=60, deadline=None)
@given(
    DAYS,
    DAYS,
    st.sampled_from(["none", "day", "month"]),
    st.sampled_from([(), ("ServiceName",), ("ResourceId",), ("tag:a9872b",), ("Weekday",)]),
    st.sampled_from([(), ("Day>=9871-01-01",), ("ServiceName=9872",), ("x_Team is null",)]),
    st.sampled_from(["EffectiveCost", "CostPerDay", "ChargeCount"]),
)
def test_sql_compiled_for_other_days_is_that_of_the_question(
    start: date | None, end: date | None, grain: str, by: tuple[str, ...], where: tuple[str, ...], metric: str
) -> None:
    if start is not None and end is not None and start >= end:
        start, end = end, start + timedelta(1)
    query = Query(metric, by=by, grain=grain, where=where, start=start, end=end)
    assert sql_of(query, Charged(None, None)) == engine.sql(query)
