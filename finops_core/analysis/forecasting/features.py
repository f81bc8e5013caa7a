"""What is known of a series on a day that says something about its coming months; all of it relative to its level.

Shapes are series × features, the level series. Only days before the one asked for are read.
"""

from collections.abc import Callable

import numpy

from finops_core.analysis.forecasting.panel import WEEK, Floats
from finops_core.analysis.forecasting.shapes import weekdays

MONTH = 28
WEEKS = 14
"""How far back features look."""
_NO_LESS = 1e-9
_FAR, _FAR_SPREADS, _ODD_DAYS = 3.0, 6.0, 3
"""A day is odd at three times the usual (or a third of it) and six of the usual deviations; more than three such days are none."""


def level(costs: Floats) -> Floats:
    """The mean cost of a day in the last four weeks, currency per day: up to three days far from all others do not count."""
    days = costs[:, -MONTH:]
    length = days.shape[1]
    factors = numpy.tile(weekdays(costs), MONTH // WEEK)[:, -length:]
    shaped = days / numpy.maximum(factors, 0.02)
    middle = numpy.median(shaped, axis=1, keepdims=True)
    spread = numpy.median(numpy.abs(shaped - middle), axis=1, keepdims=True)
    high = shaped > numpy.maximum(_FAR * middle, middle + _FAR_SPREADS * spread)
    low = (shaped < numpy.minimum(middle / _FAR, middle - _FAR_SPREADS * spread)) & (factors > 0.3)
    odd = (high | low) & (middle > 0)
    odd &= odd.sum(1, keepdims=True) <= _ODD_DAYS
    return numpy.asarray(numpy.where(odd, middle * factors, days).mean(1))


def weekly(costs: Floats, weeks: int = WEEKS) -> Floats:
    """Mean cost of a day by week, oldest first; weeks before a panel begins are as its first one."""
    count = min(weeks, costs.shape[1] // WEEK)
    means = costs[:, costs.shape[1] - WEEK * count :].reshape(len(costs), count, WEEK).mean(2)
    # A series that begins amid the panel has no cost before: its first whole week stands for those.
    there = numpy.isfinite(means)
    first = numpy.where(there.any(1), there.argmax(1), count - 1)
    means = numpy.where(there, means, means[numpy.arange(len(means)), first][:, None])
    return numpy.concatenate([numpy.repeat(means[:, :1], weeks - count, 1), means], 1)


def slope(logs: Floats) -> Floats:
    """The median of the slopes between all pairs of weeks (Theil and Sen), in log per week."""
    later, earlier = numpy.triu_indices(logs.shape[1], 1)[::-1]
    return numpy.asarray(numpy.median((logs[:, later] - logs[:, earlier]) / (later - earlier), axis=1))


def features(costs: Floats) -> Floats:
    """The features of each series after the last day given, of at least 28 days; the level must be above 0."""
    usual = numpy.maximum(level(costs), _NO_LESS)
    weeks = weekly(costs)
    logs = numpy.log(numpy.maximum(weeks, usual[:, None] * 1e-3))
    relative = _relative(usual)
    steps = numpy.abs(numpy.diff(logs, axis=1))
    factors = numpy.maximum(numpy.tile(weekdays(costs), MONTH // WEEK), 0.02)
    days = costs[:, -MONTH:] / factors
    middle = numpy.median(days, axis=1)
    spread = numpy.maximum(middle, _NO_LESS)
    return numpy.stack(
        [
            *(relative(numpy.median(weeks[:, -n:], axis=1)) for n in (4, 6, 8)),
            *(relative(weeks[:, -n]) for n in (1, 2, 3, 4, 5)),
            relative(weeks[:, -8:-4].mean(1)),
            relative(weeks[:, -12:-8].mean(1)),
            slope(logs[:, -8:]),
            slope(logs),
            slope(logs[:, -4:]),
            numpy.median(steps, axis=1),
            steps[:, -4:].max(1),
            relative(middle),
            numpy.minimum(days.max(1) / spread, 50),
            days.min(1) / spread,
            numpy.minimum(numpy.median(numpy.abs(days - middle[:, None]), axis=1) / spread, 50),
        ],
        axis=1,
    )


def _relative(usual: Floats) -> Callable[[Floats], Floats]:
    def relative(value: Floats) -> Floats:
        return numpy.clip(numpy.log(numpy.maximum(value, _NO_LESS) / usual), -2, 2)

    return relative
