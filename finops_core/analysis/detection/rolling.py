"""Statistics of the days before each day, for all series at once. Nothing here reads the day itself or a later one, unless `lag` is 0."""

import numpy
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from finops_core.analysis.detection.grid import Floats

_ROWS = 128
"""Series that are sorted at once: their windows fit into a few MB."""


def shifted(values: Floats, days: int) -> Floats:
    """The value of so many days before; nan where there is none."""
    if days == 0:
        return values
    moved = numpy.full(values.shape, numpy.nan)
    moved[:, days:] = values[:, :-days]
    return moved


def quantile(values: Floats, width: int, share: float, least: int, step: int = 1, lag: int = 1) -> Floats:
    """The quantile of up to `width` values, `step` days apart, the newest `lag` days ago; nan below `least` values."""
    return quantiles(values, width, (share,), least, step, lag)[0]


def quantiles(
    values: Floats, width: int, shares: tuple[float, ...], least: int, step: int = 1, lag: int = 1
) -> list[Floats]:
    """Several quantiles of the same windows. Sorted as 32-bit floats, which are twice as fast, and exact to seven digits."""
    series, days = values.shape
    results = [numpy.full(values.shape, numpy.nan) for _ in shares]
    reach = (width - 1) * step + 1
    if not days:
        return results
    for begin in range(0, series, _ROWS):
        part = values[begin : begin + _ROWS]
        padded = numpy.full((part.shape[0], days + reach - 1 + lag), numpy.nan, numpy.float32)
        padded[:, reach - 1 + lag :] = part
        windows = sliding_window_view(padded, reach, axis=1)[:, :days, ::step]
        counts = _counts(~numpy.isnan(padded), width, step, days)
        ordered = numpy.sort(windows, axis=2)
        for result, share in zip(results, shares, strict=True):
            result[begin : begin + _ROWS] = _at(ordered, counts, share, least)
    return results


def _counts(known: NDArray[numpy.bool_], width: int, step: int, days: int) -> NDArray[numpy.int64]:
    if step == 1:
        running = numpy.cumsum(numpy.pad(known, ((0, 0), (1, 0))), axis=1, dtype=numpy.int64)
        return (running[:, width:] - running[:, :-width])[:, :days]
    result = numpy.zeros((len(known), days), numpy.int64)
    for nth in range(width):
        result += known[:, nth * step : nth * step + days]
    return result


def _at(ordered: NDArray[numpy.float32], count: NDArray[numpy.int64], share: float, least: int) -> Floats:
    width = ordered.shape[2]
    result = _between(ordered, numpy.array(width), share)
    rows, columns = numpy.nonzero(count != width)
    if len(rows):
        few = count[rows, columns]
        found = _between(ordered[rows, columns], few, share)
        result[rows, columns] = numpy.where(few >= least, found, numpy.nan)
    return result


def _between(ordered: NDArray[numpy.float32], count: NDArray[numpy.int64], share: float) -> Floats:
    """The quantile of the first `count` values of the last axis, which are sorted: one count for all, or one each."""
    newest = numpy.maximum(count - 1, 0)
    place = newest * share
    below = place.astype(numpy.int64)
    above = numpy.minimum(below + 1, newest)
    if count.ndim == 0:
        low, high = ordered[..., int(below)], ordered[..., int(above)]
    else:
        each = numpy.arange(len(ordered))
        low, high = ordered[each, below], ordered[each, above]
    low = low.astype(numpy.float64)
    return low + (high.astype(numpy.float64) - low) * (place - below)


class Running:
    """Sums of the last days, the day itself included, of whatever width is asked for; nan, and what is not `counted`, counts nothing."""

    def __init__(self, values: Floats, counted: NDArray[numpy.bool_] | None = None) -> None:
        known = ~numpy.isnan(values)
        self._sums = numpy.cumsum(
            numpy.where(known if counted is None else known & counted, values, 0), axis=1
        )

    def last(self, width: int) -> Floats:
        result = numpy.empty(self._sums.shape)
        result[:, :width] = self._sums[:, :width]
        numpy.subtract(self._sums[:, width:], self._sums[:, :-width], out=result[:, width:])
        return result


def total(values: Floats, width: int) -> Floats:
    """Sum of the last `width` days, the day itself included; nan counts nothing."""
    return Running(values).last(width)


def count(values: Floats, width: int) -> Floats:
    return total((~numpy.isnan(values)).astype(float), width)


def largest(values: Floats, width: int) -> Floats:
    """Maximum of the last `width` days, the day itself included; nan where all are."""
    result = values.copy()
    done = 1
    while done < width:
        step = min(done, width - done)
        result = numpy.fmax(result, shifted(result, step))
        done += step
    return result


def by_week(
    values: Floats,
    width: int,
    shares: tuple[float, ...],
    least: int,
    weekday: NDArray[numpy.int64],
    only: NDArray[numpy.bool_] | None = None,
) -> list[Floats]:
    """Quantiles of the `width` days (whole weeks) up to the last Sunday before each day: of what changes slowly, once a week. `only`
    of some weekdays; which days those are, by day."""
    sundays = numpy.flatnonzero(weekday == 6)
    series, days = values.shape
    if not days or (only is not None and not only.any()):
        return [numpy.full(values.shape, numpy.nan) for _ in shares]
    if only is not None:
        values, width = values[:, only], width // 7 * len(set(weekday[only].tolist()))
        sundays = numpy.cumsum(only)[sundays] - 1
    padded = numpy.full((series, values.shape[1] + width), numpy.nan, numpy.float32)
    padded[:, width:] = values
    results = [numpy.full((series, len(sundays)), numpy.nan) for _ in shares]
    for begin in range(0, series, _ROWS):
        part = padded[begin : begin + _ROWS]
        ordered = numpy.sort(sliding_window_view(part, width, axis=1)[:, sundays + 1], axis=2)
        counts = _counts(~numpy.isnan(part), width, 1, part.shape[1] - width + 1)[:, sundays + 1]
        for result, share in zip(results, shares, strict=True):
            result[begin : begin + _ROWS] = _at(ordered, counts, share, least)
    return [since_sunday(result, weekday) for result in results]


def largest_by_week(values: Floats, weekday: NDArray[numpy.int64]) -> Floats:
    """Maximum of the seven days up to each Sunday, a column a Sunday; nan where all are."""
    sundays = numpy.flatnonzero(weekday == 6)
    result = values[:, sundays]
    for earlier in range(1, 7):
        there = sundays >= earlier
        result[:, there] = numpy.fmax(result[:, there], values[:, sundays[there] - earlier])
    return result


def since_sunday(values: Floats, weekday: NDArray[numpy.int64], unknown: float = numpy.nan) -> Floats:
    """The column of the last Sunday before each day; `unknown` before the first."""
    sundays = numpy.flatnonzero(weekday == 6)
    newest = numpy.searchsorted(sundays, numpy.arange(len(weekday)), side="left")
    return numpy.hstack([numpy.full((len(values), 1), unknown), values])[:, newest]
