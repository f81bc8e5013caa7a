"""What looks like an incident and is none: migrations, recoveries, commitments, and what comes with the end of a month."""

import calendar
from collections.abc import Sequence
from datetime import date, timedelta

import numpy
from numpy.typing import NDArray

from finops_core.analysis.incidents import usual
from finops_core.analysis.incidents.cuts import Book, Floats

Mask = NDArray[numpy.bool_]
_FAMILIES = (
    ("x_Team", "ServiceName"),
    ("x_Team",),
    ("ServiceName",),
    ("ServiceName", "RegionId"),
    ("SubAccountId",),
)
"""Within what cost moves house: a team's service goes to another account, a team's work to another service …"""
_STAYS = 0.35
"""A sum stays that moves by less than this share of what moved in it."""
_BACK = 0.5
"""Cost is back where it was once it is nearer to that, by this factor, than to where it came from."""
_SHARED = 0.5
"""It is the earlier cause's recovery if so much of it lies in that cause's cells."""
_CLOSING = 3
"""Days at the end of a month in which batch work runs."""
_CLOSING_LIFT, _FIRST_QUARTER_LIFT = 1.4, 1.2
"""How much more than at earlier closings a closing may cost; and, of usual cost, where no quarter has closed yet."""
_FEE_DAYS = 0.1
"""What is charged on less than this share of days is charged by the month."""


def is_recovery(book: Book, cells: Mask, start: int, seen: int, earlier: Sequence[tuple[Mask, int]]) -> bool:
    """Whether cost has gone back to what it was before an earlier cause of the other direction (its cells and first day)."""
    length = seen - start + 1
    own = numpy.flatnonzero(cells)
    costs = book.costs[own]
    now = costs[:, start : seen + 1].sum(axis=1)
    for other, began in earlier:
        inside = other[own]
        if not inside.any():
            continue
        before = max(began, start - 7)
        came = costs[:, before:start].sum(axis=1) / (start - before) * length
        left = came - now
        if abs(float(left[inside].sum())) < _SHARED * abs(float(left.sum())):
            continue
        was = usual.change_of(costs, start, seen, before=began).usual
        if abs(float((now - was).sum())) <= _BACK * abs(float((came - was).sum())):
            return True
    return False


def is_migration(book: Book, cells: Mask, start: int, seen: int) -> bool:
    """Whether as much went out of one place as came into another, so that the sum of both stayed."""
    own = numpy.flatnonzero(cells)
    moved = usual.change_of(book.costs[own], start, seen).moved
    here = float(moved.sum())
    if not here:
        return False
    main = own[int(numpy.argmax(moved * numpy.sign(here)))]
    for family in _FAMILIES:
        codes = book.group(family).codes
        same = codes == codes[main]
        whole = numpy.flatnonzero(same | cells)
        moved = usual.change_of(book.costs[whole], start, seen).moved
        against = numpy.where(~cells[whole] & (moved * here < 0), numpy.abs(moved), 0.0)
        few = float(numpy.sort(against)[::-1][:5].sum())
        total = abs(float(moved.sum()))
        days = seen - start + 1
        doubt = usual.noise(book.costs[whole].sum(axis=0), start) * float(numpy.sqrt(days))
        if few >= (1 - _STAYS) * abs(here) and total <= _STAYS * abs(here) and doubt <= abs(here):
            return True
    return False


def is_rate(book: Book, cells: Mask, start: int, seen: int) -> bool:
    """Whether less or more is paid for as much use, as when a commitment begins or ends: at list prices it costs about
    what it did."""
    paid, listed = (usual.change_of(costs[cells], start, seen) for costs in (book.costs, book.lists))
    before, listed_before = float(paid.usual.sum()), float(listed.usual.sum())
    if before <= 0 or listed_before <= 0:
        return False
    moved = float(paid.moved.sum()) / before
    listed_moved = float(listed.moved.sum()) / listed_before
    return moved != 0 and listed_moved / moved < _STAYS


def is_monthly(book: Book, cells: Mask, start: int, seen: int) -> bool:
    """Whether a rise is no more than the closing of a month brings, or a fee of which there is one a month."""
    costs = book.costs[cells].sum(axis=0)
    return _is_closing(book, costs, start, seen) or _is_fee(costs, start, seen)


def _is_closing(book: Book, costs: Floats, start: int, seen: int) -> bool:
    days = [book.day(column) for column in range(start, seen + 1)]
    if not all(_left(day) < _CLOSING for day in days) or costs[start : seen + 1].sum() <= 0:
        return False
    lift = _lift(costs, start, seen)
    quarter = days[0].month % 3 == 0
    earlier = [
        (month, _lift(costs, book.place(first), book.place(last)))
        for month, first, last in _closings(book, start)
    ]
    same = [value for month, value in earlier if (month % 3 == 0) == quarter]
    if same:
        return lift <= _CLOSING_LIFT * max(same) and max(same) > 0.1
    # No closing of this kind is known yet: benefit of the doubt, for as long as it lasts and within reason.
    return lift <= _FIRST_QUARTER_LIFT


def _left(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1] - day.day


def _closings(book: Book, before: int) -> list[tuple[int, date, date]]:
    """Month, first and last day of the closings that are over, of those with a week before them."""
    found = []
    for column in range(7, before):
        day = book.day(column)
        if _left(day) == 0:
            found.append((day.month, day - timedelta(_CLOSING - 1), day))
    return found


def _lift(costs: Floats, start: int, end: int) -> float:
    """The largest relative rise of a day over what its weekday usually costs."""
    profile = usual.profile(costs[None, :], start)[0]
    lifts = [costs[c] / profile[c % 7] - 1 if profile[c % 7] > 0 else 0.0 for c in range(start, end + 1)]
    return max(lifts, default=0.0)


def _is_fee(costs: Floats, start: int, seen: int) -> bool:
    """Whether cost of a day comes about once a month, and came before, about a month ago."""
    past = costs[max(0, start - 62) : start]
    if len(past) < 28 or seen - start > 2:
        return False
    charged = numpy.flatnonzero(numpy.abs(past) > 0.05 * numpy.abs(costs[start : seen + 1]).max())
    if not len(charged) or len(charged) > _FEE_DAYS * len(past):
        return False
    ages = len(past) - charged
    return bool(((ages >= 20) & (ages <= 36)).any())
