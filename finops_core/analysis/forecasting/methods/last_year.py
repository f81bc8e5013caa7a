"""Last year's course: the same days a year ago, scaled to what the last four weeks cost against those of a year ago."""

from collections.abc import Sequence

import numpy

from finops_core.analysis.forecasting.features import MONTH, level
from finops_core.analysis.forecasting.methods import Block, Method
from finops_core.analysis.forecasting.panel import Floats

_YEAR = 364
"""Whole weeks, so that weekdays fall on weekdays."""


def means(costs: Floats, blocks: Sequence[Block]) -> Floats:
    usual = level(costs)
    length = costs.shape[1]
    before = length - _YEAR
    found = numpy.repeat(usual[:, None], len(blocks), 1)
    if before < MONTH:
        return found
    then = costs[:, before - MONTH : before].mean(1)
    for column, (start, end) in enumerate(blocks):
        days = costs[:, min(before + start, length - 1) : min(before + end, length)]
        ratio = numpy.divide(days.mean(1), then, out=numpy.full(len(costs), numpy.nan), where=then > 0)
        found[:, column] = numpy.where(numpy.isfinite(ratio), usual * numpy.clip(ratio, 0, 5), usual)
    return found


METHOD = Method("last year", "the course of last year at this year's level", means)
