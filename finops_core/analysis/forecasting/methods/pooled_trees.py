"""Gradient-boosted trees that learn from all series together how a month follows what was before it.

For every series and every week of the past: what was known then (`features`), and what the block came to, relative to the level
then. One model on absolute errors (good for each series) and one on squared errors (good for their sum) are averaged. Incidents are
the reason that it beats models of one series: from all of them it learns how often a rise stays.
"""

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray

from finops_core.analysis.forecasting.features import MONTH, features, level, weekly
from finops_core.analysis.forecasting.methods import Block, Method
from finops_core.analysis.forecasting.panel import WEEK, Floats

_FIRST = 56
"""Days that a series must have had, for what followed to be learnt from."""
_ENOUGH = 150
"""Examples below which nothing is learnt, and the level stays what it is."""
_MOST = 6000
_HIGHEST = 4.0
"""What followed is learnt up to so many times the level: one giant value teaches nothing."""
_DRAWN = 5
"""Series without change that those learnt from are joined with: few series are drawn to their level."""
_FOLLOWED, _DAYS_DRAWN = 0.9, 20
"""How far what is learnt is followed, at most; and the days without change that the days learnt from are joined with. Of files that begin
half a year ago, the second month ahead has but two weeks to be learnt from, which all tell of the same incidents."""
_RISEN, _BACK, _WEEKS = 1.2, 0.5, 12
"""What is so many times the median of its last weeks has an incident rather than a level, as often as not: it is drawn half way back."""
_LOSSES = ("absolute_error", "squared_error")


def means(costs: Floats, blocks: Sequence[Block]) -> Floats:
    usual = level(costs)
    found = numpy.repeat(usual[:, None], len(blocks), 1)
    asked = _learnable(costs)
    if not asked.any():
        return found
    known = features(costs[asked])
    share = asked.sum() / (asked.sum() + _DRAWN)
    before = _before(costs[asked], usual[asked])
    for column, (start, end) in enumerate(blocks):
        examples, followed = _examples(costs, start, end)
        if len(followed) >= _ENOUGH:
            drawn = share * _followed(costs.shape[1] - end - _FIRST)
            told = usual[asked] * _learnt(examples, followed, known)
            found[asked, column] = before + drawn * (told - before)
    return found


def _before(costs: Floats, usual: Floats) -> Floats:
    """What is expected before anything is learnt: the level, of what has risen half way back."""
    median = numpy.median(weekly(costs, _WEEKS), axis=1)
    return numpy.where(usual > _RISEN * median, (1 - _BACK) * usual + _BACK * median, usual)


def _followed(days: int) -> float:
    """The share of what was learnt, from examples that begin within so many days."""
    return _FOLLOWED * max(days, 0) / (max(days, 0) + _DAYS_DRAWN)


def _learnable(costs: Floats) -> NDArray[numpy.bool_]:
    usual = level(costs)
    learnable: NDArray[numpy.bool_] = numpy.isfinite(usual) & (usual > 1e-6) & (costs[:, -MONTH:] >= 0).all(1)
    return learnable


def _examples(costs: Floats, start: int, end: int) -> tuple[Floats, Floats]:
    """What was known, and what followed relative to the level, of all series after every week of the past."""
    known, followed = [], []
    length = costs.shape[1]
    every = WEEK if length > 200 else 3
    for day in range(length - end, _FIRST - 1, -every):
        past = costs[:, :day]
        usable = _learnable(past) & numpy.isfinite(costs[:, max(0, day - _FIRST)])
        if usable.any():
            known.append(features(past[usable]))
            followed.append(costs[usable, day + start : day + end].mean(1) / level(past[usable]))
    if not known:
        return numpy.zeros((0, 0)), numpy.zeros(0)
    examples, ratios = numpy.concatenate(known), numpy.clip(numpy.concatenate(followed), 0, _HIGHEST)
    if len(ratios) > _MOST:
        kept = numpy.linspace(0, len(ratios) - 1, _MOST).astype(int)
        examples, ratios = examples[kept], ratios[kept]
    return examples, ratios


def _learnt(examples: Floats, followed: Floats, known: Floats) -> Floats:
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    told = []
    for loss in _LOSSES:
        model = HistGradientBoostingRegressor(
            loss=loss,
            max_iter=80,
            learning_rate=0.06,
            max_leaf_nodes=12,
            min_samples_leaf=max(10, min(40, len(followed) // 20)),
            l2_regularization=1.0,
            early_stopping=False,
            random_state=0,
        )
        with threadpool_limits(1):  # the same figures on any machine; and faster, for so few examples
            told.append(model.fit(examples, followed).predict(known))
    return numpy.asarray(numpy.maximum(numpy.mean(told, axis=0), 0.0))


METHOD = Method("pooled trees", "what followed such courses in all series, learnt by boosted trees", means)
