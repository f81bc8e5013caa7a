"""The weekday mean of the last 28 days: what has been, goes on. Hard to beat where nothing trends."""

from collections.abc import Sequence

import numpy

from finops_core.analysis.forecasting.features import level
from finops_core.analysis.forecasting.methods import Block, Method
from finops_core.analysis.forecasting.panel import Floats


def means(costs: Floats, blocks: Sequence[Block]) -> Floats:
    return numpy.repeat(level(costs)[:, None], len(blocks), 1)


METHOD = Method("weekday mean", "the weekday mean of the last 28 days, without single odd days", means)
