"""A robust trend that fades: the median slope of twelve weeks, halved every two months ahead."""

from collections.abc import Sequence

import numpy

from finops_core.analysis.forecasting.features import slope, weekly
from finops_core.analysis.forecasting.methods import Block, Method
from finops_core.analysis.forecasting.panel import WEEK, Floats

_WEEKS = 12
_HALF_LIFE = 60
"""Days after which half of the trend is left."""
_STEEPEST = 0.10
"""In log per week: half as much again in a month."""


def means(costs: Floats, blocks: Sequence[Block]) -> Floats:
    weeks = weekly(costs, _WEEKS)
    usual = numpy.maximum(weeks[:, -4:].mean(1), 1e-9)
    logs = numpy.log(numpy.maximum(weeks, usual[:, None] * 1e-3))
    trend = numpy.clip(slope(logs), -_STEEPEST, _STEEPEST) / WEEK
    now = numpy.median(logs - trend[:, None] * WEEK * numpy.arange(1 - _WEEKS, 1), axis=1) + 3.5 * trend
    decay = numpy.log(2) / _HALF_LIFE
    grown = [(1 - numpy.exp(-decay * (start + end) / 2)) / decay for start, end in blocks]
    return numpy.asarray(numpy.exp(now[:, None] + trend[:, None] * numpy.array(grown)))


METHOD = Method("damped trend", "the trend of the last twelve weeks, fading", means)
