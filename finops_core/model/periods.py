"""Periods of days: the named ones that a view may ask for, and what each is compared with. All ranges are half-open."""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from finops_core.errors import UsageError


@dataclass(frozen=True)
class Period:
    """The days from `start` up to, and without, `end`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise UsageError(f"the range from {self.start} to {self.end} holds no day (the end is excluded)")

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def __str__(self) -> str:
        return f"{self.start}..{self.end}"

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Reads `2026-09-01..2026-10-01`. Raises UsageError."""
        try:
            start, end = (date.fromisoformat(part) for part in text.split(".."))
        except ValueError:
            raise UsageError(f"{text!r} is no range of days: write 2026-09-01..2026-10-01") from None
        return cls(start, end)


def add_months(day: date, months: int) -> date:
    """The same day of another month; the last one where that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def month_start(day: date) -> date:
    return day.replace(day=1)


@dataclass(frozen=True)
class NamedPeriod:
    """A period that moves with the data. `of` takes the first day with charges and the day after the last."""

    name: str
    label: str
    of: Callable[[date, date], Period]


def _months_back(count: int) -> Callable[[date, date], Period]:
    return lambda first, end: Period(add_months(month_start(end - timedelta(1)), 1 - count), end)


def _days_back(count: int) -> Callable[[date, date], Period]:
    return lambda first, end: Period(end - timedelta(count), end)


def _last_month(first: date, end: date) -> Period:
    this = month_start(end - timedelta(1))
    return Period(add_months(this, -1), this)


NAMED_PERIODS: dict[str, NamedPeriod] = {
    p.name: p
    for p in (
        NamedPeriod("this-month", "This month", _months_back(1)),
        NamedPeriod("last-month", "Last month", _last_month),
        NamedPeriod("7-days", "Last 7 days", _days_back(7)),
        NamedPeriod("30-days", "Last 30 days", _days_back(30)),
        NamedPeriod("3-months", "Last 3 months", _months_back(3)),
        NamedPeriod("6-months", "Last 6 months", _months_back(6)),
        NamedPeriod("12-months", "Last 12 months", _months_back(12)),
        NamedPeriod(
            "this-year",
            "This year",
            lambda first, end: Period((end - timedelta(1)).replace(month=1, day=1), end),
        ),
        NamedPeriod("all", "Everything", lambda first, end: Period(first, end)),
    )
}
"""By name. "This" is where the data ends, not the clock: a link shows the same figures until new charges are loaded."""


def named_period(name: str, first: date, end: date) -> Period:
    """The days of a named period. Raises UsageError for a name that does not exist."""
    if name not in NAMED_PERIODS:
        raise UsageError(f"there is no period {name!r}; known are {', '.join(NAMED_PERIODS)}")
    return NAMED_PERIODS[name].of(first, end)


def previous(period: Period) -> Period:
    """The period before, of the same make: whole months for whole months, the same days of earlier months for a
    month to date, else as many days."""
    if period.start.day == 1:
        last = period.end - timedelta(1)
        months = (last.year - period.start.year) * 12 + last.month - period.start.month + 1
        whole = period.end.day == 1
        end = period.start if whole else add_months(period.end, -months)
        return Period(add_months(period.start, -months), end)
    return Period(period.start - timedelta(period.days), period.start)


def year_before(period: Period) -> Period:
    """The same days a year earlier."""
    start = add_months(period.start, -12)
    return Period(start, max(add_months(period.end, -12), start + timedelta(1)))


def compared(period: Period, versus: str) -> Period | None:
    """What a period is compared with: `previous`, `year`, `none`, or a range A..B. Raises UsageError."""
    if versus == "none":
        return None
    if versus == "previous":
        return previous(period)
    if versus == "year":
        return year_before(period)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}\.\.\d{4}-\d{2}-\d{2}", versus):
        return Period.parse(versus)
    raise UsageError(f"cannot compare with {versus!r}: previous, year, none, or 2026-09-01..2026-10-01")


def bucket_end(start: date, grain: str) -> date:
    """The day after a bucket of a grain that begins on `start`."""
    months = {"month": 1, "quarter": 3, "year": 12}.get(grain)
    return add_months(start, months) if months else start + timedelta(7 if grain == "week" else 1)


def bucket_start(day: date, grain: str) -> date:
    """The first day of the bucket of a grain that a day lies in: weeks begin on Mondays."""
    if grain in ("day", "none"):
        return day
    if grain == "week":
        return day - timedelta(day.weekday())
    month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[grain]
    return date(day.year, month, 1)
