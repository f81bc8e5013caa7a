"""What a day was expected to cost: level, trend, weekday, month-ends and former levels, all from earlier days.

Medians carry it: an incident that fills less than half of a window does not move them, so nothing has to be masked.
"""

import calendar
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy
from numpy.typing import NDArray

from finops_core.analysis.detection import rolling
from finops_core.analysis.detection.grid import Booleans, Floats, Grid

LEVEL_DAYS = 28
SCALE_DAYS = 84
SIZE_DAYS = 84
MEMORY_DAYS = 84
OUTER, OUTER_Z = 0.8, 1.2816
WEEKS = 12
IRREGULAR = 0.5
FARTHEST = 5.0
YOUNG = 28
"""Days of a series before which nothing is expected of it."""
_TREND_LIMIT = 0.006
"""Growth a day that is believed: a fifth a month."""
_MIDDLE, _NEAR = (9, 21), 22
"""Days of a month that are neither at its end nor at its beginning; and how many days before and after them they are held against."""


@dataclass(frozen=True)
class Expectation:
    """Matrices, series × days."""

    share: Floats
    """The weekday's share of the level: 1 on average over a week."""
    level: Floats
    """Cost of a day of average weekday: the median of four weeks, so of a fortnight ago."""
    growth: Floats
    """Natural logarithm a day."""
    plain: Floats
    """What the day is expected to cost: level × share, grown to today."""
    size: Floats
    """What relative deviations are relative to: the expected cost, but never less than a quarter of the level."""
    cost: Floats
    """The day's cost without what the calendar explains: what is left is judged."""
    scale: Floats
    """Robust standard deviation of (cost − plain) ÷ size over the last eight weeks."""
    low_level: Floats
    """The lowest level that a return to would be no news: lower than `level` where something rose in the last three months."""


@dataclass(frozen=True)
class Taught:
    """What a first look at the days taught; each as of its day."""

    cleaned: Floats
    """The cost, and what it would have been on days of incidents."""
    reset: Floats
    """The level, where it is known better than by what it was in the last weeks; else nan."""
    inside: Booleans
    """Days of incidents that last."""

    def differs(self, other: "Taught") -> Booleans:
        """By series."""
        same = (
            numpy.isclose(self.cleaned, other.cleaned, rtol=1e-9, equal_nan=True)
            & ((self.reset == other.reset) | (numpy.isnan(self.reset) & numpy.isnan(other.reset)))
            & (self.inside == other.inside)
        )
        differs: Booleans = ~same.all(axis=1)
        return differs

    def of(self, series: NDArray[numpy.int64] | slice) -> "Taught":
        return Taught(self.cleaned[series], self.reset[series], self.inside[series])


def expectation(grid: Grid, taught: Taught | None = None) -> Expectation:
    """What every day was expected to cost, from the days before it."""
    cleaned = grid.cost if taught is None else taught.cleaned
    usual = grid.cost if taught is None else numpy.where(taught.inside, numpy.nan, grid.cost)
    share = _weekday_share(cleaned)
    level = _level(cleaned, share)
    if taught is not None:
        level = numpy.where(numpy.isnan(taught.reset), level, taught.reset)
    first = level * share
    (high,) = rolling.by_week(numpy.abs(cleaned), SIZE_DAYS, (0.75,), 7, grid.weekday)
    high = _from_first(high)
    away = numpy.minimum(numpy.abs(usual - first) / _size(high, first, level), FARTHEST)
    growth = _growth(level, _spread(away, 10, grid))
    plain = first * numpy.exp(growth * (LEVEL_DAYS + 1) / 2)
    size = _size(high, plain, level)
    scale = _scale((usual - plain) / size, grid)
    cost = grid.cost - _calendar_part(grid, (grid.cost - plain) / size, scale, size)
    low = numpy.fmin(_low_level(cost, level, plain, size * scale), _recent(cleaned, share))
    return Expectation(share, level, growth, plain, size, cost, scale, low)


def _growth(level: Floats, scale: Floats) -> Floats:
    """From the medians of the last four weeks and the four before; less of it, the less it stands out of its own error."""
    earlier = rolling.shifted(level, LEVEL_DAYS)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        change = numpy.where((level > 0) & (earlier > 0), numpy.log(level / earlier), 0.0)
        error = 0.02 + 0.35 * scale
        believed = numpy.clip(1 - (error / change) ** 2, 0, 1)
    believed = numpy.where(change == 0, 0.0, believed)
    return numpy.clip(numpy.nan_to_num(change * believed) / LEVEL_DAYS, -_TREND_LIMIT, _TREND_LIMIT)


def _weekday_share(cost: Floats) -> Floats:
    """Median, over the same weekday of up to eight weeks, of the day's cost ÷ the mean of the week around it."""
    around = 3
    padded = numpy.pad(cost, ((0, 0), (0, around)), constant_values=numpy.nan)
    mean = rolling.total(padded, 7)[:, around:] / numpy.maximum(rolling.count(padded, 7)[:, around:], 1)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        ratio = numpy.where(mean > 0, cost / mean, numpy.nan)
    ratio[:, :around] = numpy.nan
    # what is around a day is known three days later: the newest same weekday, seven days ago, is complete
    share = rolling.quantile(ratio, WEEKS, 0.5, least=3, step=7, lag=7)
    share = numpy.clip(share, 0.0, 7.0)
    return numpy.nan_to_num(_begun(share), nan=1.0)


def _begun(share: Floats) -> Floats:
    """The first shares known of each weekday, also for the weeks before: nothing is judged there, but levels begin there."""
    known = ~numpy.isnan(share)
    first = numpy.where(known.any(axis=1), known.argmax(axis=1), -8)
    for column in range(min(share.shape[1] - 8, int(first.max(initial=-8)) + 6), -1, -1):
        before = column < first + 7
        share[:, column] = numpy.where(before & ~known[:, column], share[:, column + 7], share[:, column])
    return share


def _level(cost: Floats, share: Floats) -> Floats:
    """Median of the last 28 days without their weekdays, and the growth of its two months carried to today."""
    with numpy.errstate(divide="ignore", invalid="ignore"):
        flat = numpy.where(share >= 0.3, cost / share, numpy.nan)
    return _from_first(rolling.quantile(flat, LEVEL_DAYS, 0.5, least=4))


def _recent(cost: Floats, share: Floats) -> Floats:
    """The level of the last week: what has been falling for long does not drop."""
    with numpy.errstate(divide="ignore", invalid="ignore"):
        flat = numpy.where(share >= 0.3, cost / share, numpy.nan)
    return rolling.quantile(flat, 7, 0.5, least=4)


def _from_first(values: Floats) -> Floats:
    """What was known first, also for the days before: none of them is judged, but ends of months lie there."""
    known = ~numpy.isnan(values)
    first = known.argmax(axis=1)
    before = numpy.arange(values.shape[1])[None, :] < first[:, None]
    return numpy.where(before, values[numpy.arange(len(values)), first][:, None], values)


def _size(high: Floats, plain: Floats, level: Floats) -> Floats:
    size: Floats = numpy.fmax(numpy.abs(plain), 0.25 * numpy.fmax(numpy.abs(level), high))
    return numpy.maximum(size, 1e-9)


def _scale(relative: Floats, grid: Grid) -> Floats:
    """Of weekdays and of weekends apart, since many series rest at weekends."""
    away = numpy.minimum(numpy.abs(relative), FARTHEST)
    every = _spread(away, 10, grid)
    result = every.copy()
    weekend = grid.weekday >= 5
    for days in (weekend, ~weekend):
        result[:, days] = _spread(away, 6, grid, days)[:, days]
    # who is far away on many days rests without a calendar: a quiet weekday of the past says nothing
    result = numpy.where((every > IRREGULAR) | numpy.isnan(result), every, result)
    return numpy.maximum(result, 0.02)


def _spread(away: Floats, least: int, grid: Grid, only: Booleans | None = None) -> Floats:
    """Robust standard deviation of the last twelve weeks; `only` of some days of the week."""
    middle, outer = rolling.by_week(away, SCALE_DAYS, (0.5, OUTER), least, grid.weekday, only)
    return numpy.fmax(middle / 0.6745, outer / OUTER_Z)


def _calendar_part(grid: Grid, relative: Floats, scale: Floats, size: Floats) -> Floats:
    """What the last days of a month explain: as much as the same days of one of the three months before stood out, and no more."""
    explained = numpy.zeros(relative.shape)
    outstanding = _outstanding(grid.days, relative, 2.5 * _from_first(scale))
    for column, (earlier, quarterly) in enumerate(_same_place(grid.days)):
        if earlier:
            before = outstanding[:, earlier]
            highest, lowest = before.max(axis=1), before.min(axis=1)
            if quarterly:
                highest = highest * FIRST_QUARTER
            up = numpy.clip(relative[:, column], 0, numpy.maximum(highest, 0))
            down = numpy.clip(relative[:, column], numpy.minimum(lowest, 0), 0)
            explained[:, column] = up + down
    return numpy.nan_to_num(explained) * size


def _outstanding(days: tuple[date, ...], relative: Floats, least: Floats) -> Floats:
    """How far a day is beyond the middle of the month before it and of the one after it, where that is far; else 0.

    What lasts for weeks is a level, or an incident, and says nothing of the calendar.
    """
    highest, lowest = numpy.zeros(relative.shape), numpy.zeros(relative.shape)
    first, last = _MIDDLE
    for begin in [n for n, day in enumerate(days) if day.day == first]:
        end = begin + last - first
        usual = _middle(relative[:, begin:end])[:, None]
        near = slice(max(0, begin - _NEAR), end + _NEAR)
        highest[:, near] = numpy.maximum(highest[:, near], usual)
        lowest[:, near] = numpy.minimum(lowest[:, near], usual)
    away = relative - numpy.clip(relative, lowest, highest)
    return numpy.where(numpy.abs(away) > least, away, 0.0)


def _middle(values: Floats) -> Floats:
    """The median of each row; 0 where it has no value."""
    known = ~numpy.isnan(values).all(axis=1)
    result = numpy.zeros(len(values))
    result[known] = numpy.nanmedian(values[known], axis=1)
    return result


FIRST_QUARTER = 2.5


@lru_cache(maxsize=4)
def _same_place(days: tuple[date, ...]) -> list[tuple[list[int], bool]]:
    """For each day near the end or the beginning of a month, the columns of days at the same place of the three months before: as many days,
    or as many working days, from the month's end or beginning, give or take a day."""
    places: dict[tuple[int, str, int], int] = {}
    for column, day in enumerate(days):
        for end, place in _places(day):
            places[(_month(day), end, place)] = column
    found: list[tuple[list[int], bool]] = []
    for day in days:
        # the first end of a quarter may be larger than ends of months were: there is nothing yet to learn it from
        quarterly = day.month % 3 == 0 and day.day > 25 and (day - days[0]).days < 100
        wanted = [
            (_month(day) - ago, end, place + off)
            for ago in (1, 2, 3)
            for end, place in _places(day)
            for off in (-1, 0, 1)
        ]
        if quarterly:
            wanted += [(_month(day) - ago, "end", left) for ago in (1, 2) for left in range(4)]
        found.append((sorted({places[key] for key in wanted if key in places}), quarterly))
    return found


def _month(day: date) -> int:
    return day.year * 12 + day.month


def _places(day: date) -> list[tuple[str, int]]:
    left = calendar.monthrange(day.year, day.month)[1] - day.day
    found = []
    if left < 5:
        found.append(("end", left))
    if day.day <= 4:
        found.append(("begin", day.day))
    if left < 7:
        rest = [day.replace(day=day.day + n).weekday() for n in range(1, left + 1)]
        found.append(("working end", sum(w < 5 for w in rest)))
    return found


def _low_level(cost: Floats, level: Floats, plain: Floats, deviation: Floats) -> Floats:
    away = numpy.clip(numpy.nan_to_num((cost - plain) / deviation), -3, 3)
    week = rolling.total(away, 7) / numpy.sqrt(7)
    risen = rolling.largest(rolling.shifted(week, 1), MEMORY_DAYS) > 3.5
    return numpy.where(risen, -rolling.largest(-level, MEMORY_DAYS), level)
