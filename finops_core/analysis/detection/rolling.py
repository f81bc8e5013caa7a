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
    """Several quantiles of the same windows. Sorted as 32-bit floats, which are twice as fast and exact to seven digits."""
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
    place = numpy.maximum(count - 1, 0) * share
    below = place.astype(numpy.int64)
    above = numpy.minimum(below + 1, numpy.maximum(count - 1, 0))
    low = numpy.take_along_axis(ordered, below[..., None], axis=2)[..., 0].astype(numpy.float64)
    high = numpy.take_along_axis(ordered, above[..., None], axis=2)[..., 0].astype(numpy.float64)
    return numpy.where(count >= least, low + (high - low) * (place - below), numpy.nan)


def total(values: Floats, width: int) -> Floats:
    """Sum of the last `width` days, the day itself included; nan counts nothing."""
    running = numpy.cumsum(numpy.nan_to_num(values), axis=1)
    running[:, width:] -= running[:, :-width].copy()
    return running


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
