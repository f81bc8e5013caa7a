"""Periods: what is compared with what."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_core.errors import UsageError
from finops_core.model.periods import (
    NAMED_PERIODS,
    Period,
    add_months,
    bucket_end,
    compared,
    named_period,
    previous,
    year_before,
)

DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize(
    ("period", "before"),
    [
        ("2026-10-01..2026-11-01", "2026-09-01..2026-10-01"),
        ("2026-11-01..2026-11-24", "2026-10-01..2026-10-24"),
        ("2026-03-01..2026-03-31", "2026-02-01..2026-02-28"),
        ("2026-06-01..2026-11-24", "2025-12-01..2026-05-24"),
        ("2026-05-01..2026-11-01", "2025-11-01..2026-05-01"),
        ("2026-11-10..2026-11-17", "2026-11-03..2026-11-10"),
        ("2026-01-01..2027-01-01", "2025-01-01..2026-01-01"),
    ],
)
def test_the_period_before_is_of_the_same_make(period: str, before: str) -> None:
    assert str(previous(Period.parse(period))) == before


@given(DAYS, st.integers(1, 500))
def test_the_period_before_ends_where_or_before_this_one_starts(start: date, length: int) -> None:
    period = Period(start, date.fromordinal(start.toordinal() + length))
    before = previous(period)
    assert before.end <= period.start
    assert before.days > 0


@given(DAYS, st.integers(-60, 60))
def test_months_are_added_and_taken_back(day: date, months: int) -> None:
    first = day.replace(day=1)
    assert add_months(add_months(first, months), -months) == first
    assert add_months(day, months).day <= day.day


def test_a_leap_day_has_a_year_before() -> None:
    assert str(year_before(Period.parse("2024-02-29..2024-03-01"))) == "2023-02-28..2023-03-01"


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("this-month", "2026-11-01..2026-11-24"),
        ("last-month", "2026-10-01..2026-11-01"),
        ("7-days", "2026-11-17..2026-11-24"),
        ("6-months", "2026-06-01..2026-11-24"),
        ("12-months", "2025-12-01..2026-11-24"),
        ("this-year", "2026-01-01..2026-11-24"),
        ("all", "2025-10-01..2026-11-24"),
    ],
)
def test_named_periods_follow_the_data(name: str, days: str) -> None:
    assert str(named_period(name, date(2025, 10, 1), date(2026, 11, 24))) == days


def test_this_month_is_whole_when_the_data_ends_with_it() -> None:
    assert (
        str(NAMED_PERIODS["this-month"].of(date(2026, 1, 1), date(2026, 11, 1))) == "2026-10-01..2026-11-01"
    )


def test_comparisons() -> None:
    october = Period.parse("2026-10-01..2026-11-01")
    assert compared(october, "none") is None
    assert str(compared(october, "year")) == "2025-10-01..2025-11-01"
    assert str(compared(october, "2026-01-01..2026-02-01")) == "2026-01-01..2026-02-01"
    for wrong in ("", "before", "2026-02-01..2026-01-01", "2026-02-31..2026-04-01"):
        with pytest.raises(UsageError):
            compared(october, wrong)


@pytest.mark.parametrize(
    ("grain", "end"),
    [
        ("day", "2026-10-02"),
        ("week", "2026-10-08"),
        ("month", "2026-11-01"),
        ("quarter", "2027-01-01"),
        ("year", "2027-10-01"),
    ],
)
def test_buckets_end(grain: str, end: str) -> None:
    assert bucket_end(date(2026, 10, 1), grain) == date.fromisoformat(end)
