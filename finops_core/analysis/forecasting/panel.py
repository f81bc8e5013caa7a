"""Daily series side by side: a matrix of series × days, without holes after each series' first day."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy
import polars
from numpy.typing import NDArray

Floats = NDArray[numpy.float64]
WEEK = 7
_REGULAR = 0.9
"""A series with a cost on this share of its days is a regular one: a day that it lacks is not known, rather than free."""
_ENDED = 28
"""Days without a cost after which a series has ended."""


@dataclass(frozen=True)
class Panel:
    """Series of daily cost on the same days."""

    ids: tuple[str, ...]
    first: date
    costs: Floats
    """Series × days; NaN before a series begins, and for all days of a series without any cost."""
    starts: NDArray[numpy.int64]
    """The day, counted from `first`, with which each series begins."""
    ended: NDArray[numpy.bool_]
    """Whether a series has had no row for more than four weeks."""

    @property
    def days(self) -> int:
        return int(self.costs.shape[1])

    @property
    def following(self) -> date:
        """The day after the last."""
        return self.first + timedelta(self.days)

    @property
    def lengths(self) -> NDArray[numpy.int64]:
        """Days of each series."""
        return self.days - self.starts


def panel(series: polars.DataFrame) -> Panel:
    """From series_id, date, cost; null and infinite costs are days that are not known.

    Days without a row: in a series that has one on nine of ten days they are not known, and stand for the mean of the same
    weekday of the week before and after; in another one nothing was spent on them. All series go on to the newest day; one that
    has had no row for more than 28 days has ended, and cost 0 since.
    """
    known = series.filter(polars.col("cost").is_finite().fill_null(False))
    ids = tuple(series["series_id"].unique().sort().to_list())
    if not known.height:
        empty = numpy.full((len(ids), 0), numpy.nan)
        return Panel(ids, date(1970, 1, 1), empty, numpy.zeros(len(ids), int), numpy.ones(len(ids), bool))
    first, last = known["date"].min(), known["date"].max()
    assert isinstance(first, date) and isinstance(last, date)
    costs = numpy.full((len(ids), (last - first).days + 1), numpy.nan)
    at = {name: n for n, name in enumerate(ids)}
    rows = known["series_id"].replace_strict(at, return_dtype=polars.Int64).to_numpy()
    columns = (known["date"] - first).dt.total_days().to_numpy()
    costs[rows, columns] = known["cost"].to_numpy()
    there = numpy.isfinite(costs)
    days = costs.shape[1]
    starts = numpy.where(there.any(1), there.argmax(1), days)
    ends = numpy.where(there.any(1), days - 1 - there[:, ::-1].argmax(1), -1)
    ended = days - 1 - ends > _ENDED
    return Panel(ids, first, _filled(costs, starts, ends, ended), starts, ended)


def _filled(
    costs: Floats, starts: NDArray[numpy.int64], ends: NDArray[numpy.int64], ended: NDArray[numpy.bool_]
) -> Floats:
    day = numpy.arange(costs.shape[1])
    inside = (day >= starts[:, None]) & (day <= ends[:, None])
    holes = inside & ~numpy.isfinite(costs)
    regular = holes.sum(1) <= (1 - _REGULAR) * inside.sum(1)
    costs = numpy.where(holes & ~regular[:, None], 0.0, costs)
    after = (day > ends[:, None]) & (ended | ~regular)[:, None] & (starts < costs.shape[1])[:, None]
    costs = numpy.where(after, 0.0, costs)
    unknown = (day >= starts[:, None]) & ~numpy.isfinite(costs)
    for row in numpy.flatnonzero(unknown.any(1)):
        costs[row] = _between(costs[row], starts[row])
    return costs


def _between(costs: Floats, start: int) -> Floats:
    """A series with its unknown days filled from the same weekday nearby, else from the nearest known day."""
    filled = costs.copy()
    known = numpy.flatnonzero(numpy.isfinite(costs))
    for day in numpy.flatnonzero(~numpy.isfinite(costs)):
        if day < start:
            continue
        near = [n for n in (day - WEEK, day + WEEK) if 0 <= n < len(costs) and numpy.isfinite(costs[n])]
        nearest = known[numpy.abs(known - day).argmin()]
        filled[day] = costs[near].mean() if near else costs[nearest]
    return filled
