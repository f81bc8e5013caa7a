"""The isolation forest: how unlike the days so far a day is, over all its measures and all series at once.

Strengths say how far a day is from its own series' habits, one span at a time; the forest adds which combinations of them are rare. It is
fitted anew for every month, on days before that month only and with a fixed seed, so that no later day moves an earlier score.
"""

from collections.abc import Mapping
from datetime import date

import numpy
from numpy.typing import NDArray

from finops_core.analysis.detection import rolling
from finops_core.analysis.detection.expectation import Expectation
from finops_core.analysis.detection.grid import Booleans, Floats

_TREES = 100
_SAMPLE = 4_000
"""Days that a forest is fitted on, drawn from all before its month; each tree takes 256 of them."""
_FEWEST = 1_000
_WEIGHT = 3.0
_MIDDLE = 0.505
"""The isolation (0 to 1) that leaves a strength as it is, that of a typical candidate: so many are told as may be, with at most half a false
alert a team-month where series are of the usual kinds (of two simulators), and one where they are wild."""
_CANDIDATE = 0.4
"""Strength from which a day is looked at."""


def weighted(
    scores: Mapping[str, Floats], found: Expectation, days: tuple[date, ...], judged: Booleans, begin: int = 0
) -> dict[str, Floats]:
    """The strengths, each day's raised or lowered by how isolated it is; `judged`: days that count, for fitting and for scores.

    Days before the column `begin` are fitted on, but left as they are.
    """
    features = _features(scores, found)
    best = numpy.max(list(scores.values()), axis=0)
    factor = numpy.ones(best.shape)
    for month, last in _months(days):
        if last <= begin:
            continue
        series, columns = numpy.nonzero(best[:, month:last] >= _CANDIDATE)
        if len(series) == 0:
            continue
        past = numpy.flatnonzero(judged[:, :month])
        if len(past) < _FEWEST:
            continue
        isolation = _isolation(features, past, month, days[month], series, columns + month)
        factor[series, columns + month] = numpy.exp(_WEIGHT * (isolation - _MIDDLE))
    return {name: score * factor for name, score in scores.items()}


def _features(scores: Mapping[str, Floats], found: Expectation) -> NDArray[numpy.float32]:
    """Measure × series × day: strength by span; excess of the day and of 3, 7 and 28 days, relative, and the day's in deviations."""
    relative = numpy.nan_to_num((found.cost - found.plain) / found.size)
    measures = [numpy.log1p(3 * score) for score in scores.values()]
    measures += [numpy.arcsinh(relative / 0.2), numpy.nan_to_num(numpy.arcsinh(relative / found.scale / 2))]
    measures += [numpy.arcsinh(rolling.total(relative, span) / span / 0.1) for span in (3, 7, 28)]
    return numpy.array(measures, numpy.float32)


def _months(days: tuple[date, ...]) -> list[tuple[int, int]]:
    """First column and the one after the last, of every month."""
    firsts = [n for n, day in enumerate(days) if n == 0 or day.day == 1]
    return list(zip(firsts, [*firsts[1:], len(days)], strict=True))


def _isolation(
    features: NDArray[numpy.float32],
    past: NDArray[numpy.int64],
    width: int,
    month: date,
    series: NDArray[numpy.int64],
    columns: NDArray[numpy.int64],
) -> Floats:
    """How isolated the days at (series, columns) are among those of `past`, which are numbered by series and the `width` days before."""
    from sklearn.ensemble import IsolationForest

    random = numpy.random.default_rng(month.toordinal())
    drawn = past if len(past) <= _SAMPLE else past[random.choice(len(past), _SAMPLE, replace=False)]
    forest = IsolationForest(n_estimators=_TREES, max_samples=256, random_state=0)
    forest.fit(features[:, drawn // width, drawn % width].T)
    isolation: Floats = -forest.score_samples(features[:, series, columns].T)
    return isolation
