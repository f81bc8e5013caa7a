"""Futures of daily use: weeks of the past drawn anew, on a level that goes on as it went, or as a scenario supposes."""

from collections.abc import Mapping

import numpy
from numpy.typing import NDArray

Floats = NDArray[numpy.float64]
WEEK = 7
LEAST = 8 * WEEK
"""Days of the past without which nothing is supposed."""
SCENARIOS: Mapping[str, float] = {"baseline": 0.0, "growth": 0.25, "decline": -0.25, "migration": -0.6}
"""What the level changes by within a year on top of its own trend, as a share."""
_SEEN = 26
"""Weeks that the trend is read from."""
_BELIEVED = 0.5
"""How much of a rise is believed to go on, and of a fall all: a commitment outlives a boom."""
_LEAST_SPREAD = 0.08
"""How far a year's level is off by at least, in log."""
_STEEPEST = 1.0


def trend(use: Floats, per_day: int = 1) -> float:
    """How the level of use moves, in log per year: the median slope between weeks of the last half year (Theil and Sen)."""
    weeks = weekly(use, per_day)[-_SEEN:]
    if len(weeks) < 4 or numpy.median(weeks) <= 0:
        return 0.0
    logs = numpy.log(numpy.maximum(weeks, numpy.median(weeks) * 1e-2))
    later, earlier = numpy.triu_indices(len(logs), 1)[::-1]
    slope = float(numpy.median((logs[later] - logs[earlier]) / (later - earlier))) * 365 / WEEK
    slope = float(numpy.clip(slope, -_STEEPEST, _STEEPEST))
    return slope * _BELIEVED if slope > 0 else slope


def weekly(use: Floats, per_day: int = 1) -> Floats:
    """Mean use by week, oldest first, the last week ending with the last day."""
    week = WEEK * per_day
    count = len(use) // week
    return numpy.asarray(use[len(use) - count * week :].reshape(count, week).mean(1))


def futures(
    use: Floats, days: int, supposed: float = 0.0, count: int = 400, seed: int = 1, per_day: int = 1
) -> Floats:
    """So many futures × days of use (never below 0), from at least eight weeks of the past; of use by the hour `per_day` is 24, and there
    are so many columns a day.

    Weeks are drawn with replacement as shares of the level around them; the level begins where the last eight weeks were, moves by its
    own trend plus `supposed` (log per year would be; given as a share per year), and strays as far as it did in the past.
    """
    random = numpy.random.default_rng(seed)
    week = WEEK * per_day
    weeks = len(use) // week
    past = numpy.maximum(use[len(use) - weeks * week :], 0.0).reshape(weeks, week)
    means = past.mean(1)
    around = numpy.array([numpy.median(means[max(0, n - 4) : n + 5]) for n in range(weeks)])
    usable = around > 0
    if not usable.any():
        return numpy.zeros((count, days * per_day))
    shapes = past[usable] / around[usable][:, None]
    now = float(numpy.median(means[-8:]))
    ahead = -(-days // WEEK)
    drawn = shapes[random.integers(0, len(shapes), (count, ahead))]
    years = (numpy.arange(ahead) + 0.5) * WEEK / 365
    drift = trend(use, per_day) + float(numpy.log(max(1 + supposed, 0.05)))
    astray = random.standard_normal((count, 1)) * _spread(means) * numpy.sqrt(years)[None, :]
    level = now * numpy.exp(drift * years[None, :] + astray)
    return numpy.asarray((drawn * level[:, :, None]).reshape(count, -1)[:, : days * per_day])


def _spread(means: Floats) -> float:
    """How far levels eight weeks apart were from each other beyond their trend, in log per root year."""
    levels = numpy.array([numpy.median(means[n : n + 8]) for n in range(0, max(1, len(means) - 7), 8)])
    levels = levels[levels > 0]
    if len(levels) < 3:
        return 0.2
    steps = numpy.diff(numpy.log(levels))
    around = float(numpy.std(steps - numpy.median(steps))) * numpy.sqrt(365 / (8 * WEEK))
    return float(numpy.clip(around, _LEAST_SPREAD, 0.6))
