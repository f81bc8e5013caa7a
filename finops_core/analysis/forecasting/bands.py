"""Bands from a forecast's own errors (split conformal prediction): what share of a forecast earlier ones were off by.

Each series' errors are measured against its own usual error, drawn towards that of all, since six months of one series say little of
its tails; the quantiles are then those of all series together. Source: Lei et al., Distribution-free predictive inference for
regression (2018), with normalised residuals.
"""

from dataclasses import dataclass

import numpy

from finops_core.analysis.forecasting.panel import Floats

LOW, HIGH = 0.1, 0.9
_DRAWN = 3.0
"""Months of all series that a series' own months are joined with."""
_UNTRIED = 0.25
"""The usual relative error where nothing could be compared."""
_WIDER = 1.35
"""How much wider errors get from one month ahead to the next, where it could not be measured."""
_ENOUGH = 12


@dataclass(frozen=True)
class Bands:
    """Relative widths, series × blocks: p10 is the forecast × (1 − low), p90 the forecast × (1 + high); at least 0."""

    low: Floats
    high: Floats
    measured: bool
    """Whether there was enough to measure."""
    quantiles: tuple[tuple[float, float], ...] = ()
    """For each block, how many usual errors lie below (0 or more) and above in four of five cases."""


def bands(errors: Floats) -> Bands:
    """From relative errors, origins × series × blocks, NaN where nothing came yet."""
    count, blocks = errors.shape[1:]
    usual, without = _usual(errors)
    low, high = numpy.zeros((count, blocks)), numpy.zeros((count, blocks))
    measured, quantiles = True, []
    before = (1.28 * _UNTRIED / _WIDER, 1.28 * _UNTRIED / _WIDER)
    for block in range(blocks):
        scaled = (errors[:, :, block] / without).ravel()
        scaled = scaled[numpy.isfinite(scaled)]
        if len(scaled) >= _ENOUGH:
            share = min(1.0, (1 - LOW) * (1 + 1 / len(scaled)))
            before = (-float(numpy.quantile(scaled, 1 - share)), float(numpy.quantile(scaled, share)))
        else:
            measured = measured and block > 0
            before = (before[0] * _WIDER, before[1] * _WIDER)
        quantiles.append((max(before[0], 0.0), max(before[1], 0.0)))
        low[:, block], high[:, block] = (
            numpy.maximum(before[0], 0) * usual,
            numpy.maximum(before[1], 0) * usual,
        )
    return Bands(numpy.minimum(low, 1.0), high, measured, tuple(quantiles))


def _usual(errors: Floats) -> tuple[Floats, Floats]:
    """The usual absolute error of each series one month ahead, drawn to that of all; 1 where nothing is known of any.

    Also origins × series: the same without the error of that origin, which it is to judge.
    """
    first = numpy.abs(errors[:, :, 0])
    known = numpy.isfinite(first)
    if not known.any():
        return numpy.ones(errors.shape[1]), numpy.ones(errors.shape[:2])
    of_all = max(float(numpy.median(first[known])), 0.005)
    own, count = numpy.where(known, first, 0.0).sum(0) + _DRAWN * of_all, known.sum(0) + _DRAWN
    return own / count, (own - numpy.where(known, first, 0.0)) / (count - known)
