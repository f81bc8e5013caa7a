"""Series as a matrix, series × days: so that every step is one operation over all of them."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy
import polars
from numpy.typing import NDArray

Floats = NDArray[numpy.float64]
Booleans = NDArray[numpy.bool_]


@dataclass(frozen=True)
class Grid:
    """`cost` by series and day, nan where it is not known; every day of the range is there."""

    names: tuple[str, ...]
    days: tuple[date, ...]
    cost: Floats

    @property
    def weekday(self) -> NDArray[numpy.int64]:
        """0 (Monday) to 6 of each day."""
        return numpy.array([day.weekday() for day in self.days], dtype=numpy.int64)


def grid(series: polars.DataFrame) -> Grid:
    """The matrix of series_id, date, cost. A day without a row is nan, unless the series rests on such days."""
    known = series.select("series_id", "date", polars.col("cost").cast(polars.Float64)).filter(
        polars.col("series_id").is_not_null() & polars.col("date").is_not_null()
    )
    if known.is_empty():
        return Grid((), (), numpy.empty((0, 0)))
    names = tuple(known["series_id"].unique().sort().to_list())
    first, last = known["date"].min(), known["date"].max()
    assert isinstance(first, date) and isinstance(last, date)
    days = tuple(first + timedelta(days=n) for n in range((last - first).days + 1))
    cost = numpy.full((len(names), len(days)), numpy.nan)
    listed = numpy.zeros(cost.shape, bool)
    row = known["series_id"].replace_strict(list(names), list(range(len(names))), return_dtype=polars.Int64)
    column = (known["date"] - first).dt.total_days()
    values = known["cost"].fill_null(float("nan")).to_numpy()
    cost[row.to_numpy(), column.to_numpy()] = numpy.where(numpy.isfinite(values), values, numpy.nan)
    listed[row.to_numpy(), column.to_numpy()] = True
    return Grid(names, days, _absent_as_zero(cost, listed))


def _absent_as_zero(cost: Floats, listed: Booleans) -> Floats:
    """Exports have no row where nothing was spent: a day without one is 0 where, of the eight weeks before, at least half had none (or
    0) on the same weekday. Else it is missing, and so is whatever follows six days without a row. Only earlier days are read."""
    begun = numpy.cumsum(listed, axis=1) > 0
    absent = ~listed & begun
    if not absent.any():
        return cost
    place = numpy.arange(cost.shape[1])
    newest = numpy.maximum.accumulate(numpy.where(listed, place, -1), axis=1)
    resting = absent & (place - newest < 7)
    quiet = resting | (cost == 0)
    same_weekday, known_weeks = numpy.zeros(cost.shape), numpy.zeros(cost.shape)
    for week in range(1, 9):
        same_weekday[:, 7 * week :] += quiet[:, : -7 * week]
        known_weeks[:, 7 * week :] += begun[:, : -7 * week]
    usual = (known_weeks >= 2) & (same_weekday * 2 >= known_weeks)
    return numpy.where(resting & usual, 0.0, cost)
