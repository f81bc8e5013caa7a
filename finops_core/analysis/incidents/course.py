"""The course of a cause: when it began, how long it lasts, and what its days would have cost without it.

What is usual is what was before it; it does not get used to the cause, as the detector's expectation does.
"""

from dataclasses import dataclass

import numpy

from finops_core.analysis.incidents import usual
from finops_core.analysis.incidents.cuts import Floats

_BACK = 14
"""How many days before it was noticed a cause may have begun."""
_CLEAR, _PART = 2.0, 0.3
"""A day belongs to it, going back, that is away by so many usual deviations, and by this share of its largest day."""
_ABRUPT = 0.5
"""A first day that differs from the one before by this share of the largest is the first."""
_STILL = 0.5
"""It goes on while a day is away by this share of what its first days were."""
_DRIFT = 0.004
"""Share of the usual by which a day may be away after each day more: growth is no incident."""
_QUIET, _QUIET_WEEKENDS = 3, 7
"""Days of quiet after which it is over."""
_LONGEST = 70
"""Days after which it is the usual."""


@dataclass(frozen=True)
class Course:
    """Columns of days. `days`: those on which it was there, from the one that it was noticed on."""

    start: int
    days: tuple[int, ...]
    closed: int | None
    """The day on whose evening it was known to be over; None while it goes on."""
    usual: Floats
    """What a weekday (column % 7) costs without it."""

    def end(self, seen: int) -> int:
        """The last of its days that is known on the evening of another."""
        return max(day for day in self.days if day <= seen)


def began(costs: Floats, start: int, seen: int, sign: float) -> int:
    """The first day of a rise (sign 1) or fall (−1) of a series that was noticed on `seen` and dated to `start`: the first
    from then on that is clearly away, and unless that one stands out, earlier days in a row that are away too, but for
    single ones amid them."""
    first = max(0, start - _BACK)
    if first < 7:
        return start
    base = usual.profile(costs[None, :], first)[0]
    away = sign * (costs - base[numpy.arange(len(costs)) % 7])
    most = float(away[start : seen + 1].max())
    start = next(day for day in range(start, seen + 1) if away[day] >= _PART * most or day == seen)
    if start == 0 or away[start] - away[start - 1] >= _ABRUPT * most:
        return start
    bar = max(_CLEAR * usual.noise(costs, first), _PART * most)
    found, missed = start, 0
    for day in range(start - 1, first - 1, -1):
        if away[day] > bar + _DRIFT * (day - first) * abs(base[day % 7]):
            found, missed = day, 0
        else:
            missed += 1
        if missed > 1:
            break
    return found


def course(costs: Floats, start: int, seen: int, sign: float, first_weekday: int) -> Course:
    """The course of a cause in the costs of its series. `first_weekday`: that of column 0, Monday being 0."""
    base = usual.profile(costs[None, :], start)[0]
    days = numpy.arange(len(costs))
    away = sign * (costs - base[days % 7])
    early = [day for day in range(start, seen + 1) if away[day] > 0]
    weekend = bool(early) and all((day + first_weekday) % 7 >= 5 for day in early)
    size = float(away[early].mean()) if early else 0.0
    least = max(_STILL * size, _CLEAR * usual.noise(costs, start))
    there, quiet = [seen], 0
    for day in range(seen + 1, len(costs)):
        if away[day] > max(least, _DRIFT * (day - start) * abs(base[day % 7])):
            there.append(day)
            quiet = 0
        else:
            quiet += 1
        if quiet >= (_QUIET_WEEKENDS if weekend else _QUIET) or day - start >= _LONGEST:
            return Course(start, tuple(there), day, base)
    return Course(start, tuple(there), None, base)
