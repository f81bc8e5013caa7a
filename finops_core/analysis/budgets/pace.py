"""How much of a month's cost is usually there by a day: the shape of the months before, by weekday and place in the month."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

from finops_core.model import words
from finops_core.model.periods import add_months

MONTHS = 3
"""How many months before are looked at."""
_LEAST_DAYS = 28
_PLACES = Decimal("0.000001")


@dataclass(frozen=True)
class UsualShare:
    """The share of a month that its first days usually make up, 0 to 1 at six digits, and what it was read from."""

    share: Decimal
    by_shape: bool
    """Whether months before had a shape; else days count alike."""


def usual_share(days: Mapping[date, Decimal], month: date, through: date) -> UsualShare:
    """The usual share of the days of `month` before `through`.

    A day weighs what its weekday cost in the middle of the MONTHS before, and what its place in the month (counted from the
    nearer end) usually adds to that: so a fee on the 1st and a batch on the last day have their weight. With fewer than
    28 days before, or costs that sum to nothing, all days weigh alike.
    """
    end = add_months(month, 1)
    through = min(max(through, month), end)
    own = [month + timedelta(n) for n in range((end - month).days)]
    start = add_months(month, -MONTHS)
    past = {day: float(cost) for day, cost in days.items() if start <= day < month}
    weights = _weights(past, own)
    if weights is None:
        return UsualShare(_of(Decimal((through - month).days) / Decimal(len(own))), False)
    before = sum(weight for day, weight in zip(own, weights, strict=True) if day < through)
    return UsualShare(_of(Decimal(str(before / sum(weights)))), True)


def _of(share: Decimal) -> Decimal:
    return min(max(share, Decimal(0)), Decimal(1)).quantize(_PLACES)


def _weights(past: Mapping[date, float], own: list[date]) -> list[float] | None:
    if not past or sum(past.values()) <= 0:
        return None
    first, last = min(past), max(past)
    whole = [first + timedelta(n) for n in range((last - first).days + 1)]
    if len(whole) < _LEAST_DAYS:
        return None
    weekdays = {n: median(past.get(day, 0.0) for day in whole if day.weekday() == n) for n in range(7)}
    beside: dict[int, list[float]] = {}
    for day in whole:
        beside.setdefault(_place(day), []).append(past.get(day, 0.0) - weekdays[day.weekday()])
    places = {place: median(found) for place, found in beside.items()}
    found = [max(weekdays[day.weekday()] + places.get(_place(day), 0.0), 0.0) for day in own]
    return found if sum(found) > 0 else None


def _place(day: date) -> int:
    """The day's place in its month: 1, 2 … in the first half, …, −2, −1 at its end."""
    length = calendar.monthrange(day.year, day.month)[1]
    return day.day if day.day <= 15 else day.day - length - 1


def in_words(pace: Decimal | None, usual: UsualShare, through: date) -> str:
    """`by 22 November 74 % of a month are usually spent; this one is 6 % ahead of its budget`."""
    how = "are usually spent" if usual.by_shape else "have passed"
    said = f"by {words.day(through - timedelta(1))} {words.percent(usual.share)} of the month {how}"
    if pace is None:
        return said
    off = pace - 1
    if abs(off) < Decimal("0.005"):
        return f"{said}; the cost is on its budget's pace"
    return f"{said}; the cost is {words.percent(abs(off))} {'ahead of' if off > 0 else 'behind'} its budget's pace"
