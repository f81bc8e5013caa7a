"""The demo company's calendar: its days, and how usage moves with weekday, season, growth and month-ends.

The calendar ends at a fixed day, so that the same arguments give the same bytes in any year.
"""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy
from numpy.typing import NDArray

LAST_DAY = date(2026, 11, 23)
"""The newest day with charges; its month is not finished."""
LONGEST = 24
"""Months that the demo can go back."""
MIGRATION = (date(2026, 4, 6), date(2026, 5, 18))
"""The weeks in which team orders moves from one account to another."""
_MIDDLE = date(2026, 5, 1)
_GROWTH = {"steady": 1.02, "ai": 1.15, "flat": 1.0, "leaving": 1.0, "arriving": 1.0}
_BLACK_FRIDAYS = (date(2024, 11, 29), date(2025, 11, 28), date(2026, 11, 27))

Floats = NDArray[numpy.float64]


@dataclass(frozen=True)
class Month:
    """A month of the calendar, as far as it has gone."""

    first: date

    @cached_property
    def label(self) -> str:
        return self.first.strftime("%Y-%m")

    @property
    def length(self) -> int:
        """Days of the calendar month."""
        return calendar.monthrange(self.first.year, self.first.month)[1]

    @property
    def following(self) -> date:
        """First day of the next month."""
        return self.first + timedelta(days=self.length)

    @property
    def is_closed(self) -> bool:
        return self.following <= LAST_DAY

    @cached_property
    def days(self) -> tuple[date, ...]:
        """The days that have charges."""
        return tuple(day for n in range(self.length) if (day := self.first + timedelta(days=n)) <= LAST_DAY)

    @property
    def number(self) -> int:
        """Months since year 0: part of the seed, so that a month is the same however many are asked for."""
        return self.first.year * 12 + self.first.month - 1


def month_of(year: int, month: int) -> Month:
    return Month(date(year, month, 1))


def months(count: int) -> list[Month]:
    """The last `count` months of the calendar, oldest first."""
    last = LAST_DAY.year * 12 + LAST_DAY.month - 1
    return [Month(date(n // 12, n % 12 + 1, 1)) for n in range(last - count + 1, last + 1)]


def _bump(day: date, month: int, of_month: int, width: float) -> float:
    """A bell around a day of the year, the nearest year's."""
    distance = min(abs((day - date(day.year + y, month, of_month)).days) for y in (-1, 0, 1))
    return float(numpy.exp(-((distance / width) ** 2)))


def _retail(day: date) -> float:
    """A shop: weekends busier, a quiet July, a peak from Black Friday to Christmas."""
    weekday = (0.97, 0.96, 0.96, 0.98, 1.01, 1.05, 1.07)[day.weekday()]
    season = 1 + 0.28 * _bump(day, 12, 6, 20) - 0.08 * _bump(day, 7, 20, 25)
    friday = 0.35 if any(0 <= (day - f).days <= 3 for f in _BLACK_FRIDAYS) else 0.0
    return weekday * (season + friday)


def _batch(day: date) -> float:
    """Data work: runs on weekdays, harder in the last days of a month and of a quarter."""
    left = calendar.monthrange(day.year, day.month)[1] - day.day
    close = 1.0 + (0.25 if left < 2 else 0.0) + (0.55 if left < 3 and day.month % 3 == 0 else 0.0)
    return (1.0 if day.weekday() < 5 else 0.38) * close


_PROFILES: dict[str, Callable[[date], float]] = {
    "flat": lambda day: 1.0,
    "retail": _retail,
    "batch": _batch,
    "workday": lambda day: 1.0 if day.weekday() < 5 else 0.55,
    "office": lambda day: 1.0 if day.weekday() < 5 else 0.12,
}


def _moved(day: date) -> float:
    """The share of the migration that is done."""
    start, end = MIGRATION
    return min(1.0, max(0.0, (day - start).days / (end - start).days))


def growth(name: str, day: date) -> float:
    """How much a workload has grown since the middle of the calendar."""
    grown = float(_GROWTH[name] ** ((day - _MIDDLE).days / 30.4375))
    if name == "leaving":
        return grown * (1 - _moved(day))
    return grown * _moved(day) if name == "arriving" else grown


def factors(profiles: list[tuple[str, str]], days: tuple[date, ...]) -> Floats:
    """Usage by workload and day against the middle of the calendar; workloads are (profile, growth)."""
    known = {pair: [_PROFILES[pair[0]](day) * growth(pair[1], day) for day in days] for pair in set(profiles)}
    return numpy.array([known[pair] for pair in profiles], dtype=numpy.float64).reshape(-1, len(days))
