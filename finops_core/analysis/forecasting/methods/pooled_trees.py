"""Gradient-boosted trees that learn from all series together how a month follows what was before it.

For every series and every week of the past: what was known then (`features`), and what the block came to, relative to the level
then. It learns on absolute errors: what is usual, of which incidents are no part; they are the reason that it beats models of one
series, since from all of them it learns how often a rise stays. Sums would be too low without what incidents add now and then: all is
raised, or lowered, to what came in sum after all weeks of the past (a model on squared errors beside it made both worse).
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
_FARTHEST, _DAYS_TRUSTED = 1.25, 150
"""By how much the sum is raised at most, or lowered; and the days of the past after which that is believed in full."""


@dataclass(frozen=True)
class _Examples:
    """What was known of a series after a week of the past, and what followed; one example a row."""

    known: Floats
    usual: Floats
    """The level then, currency per day."""
    before: Floats
    """What was expected before anything was learnt, relative to the level."""
    followed: Floats
    """What the block came to, relative to the level."""


@dataclass(frozen=True)
class _Raise:
    """What came over what would have been told, in sum over the past, and how far it is believed (0–1)."""

    ratio: float
    believed: float

    @classmethod
    def of(cls, examples: _Examples, told: Floats, days: int) -> "_Raise":
        """Of what followed within so many days of the past."""
        came = float((examples.usual * examples.followed).sum())
        said = float((examples.usual * told).sum())
        ratio = min(max(came / said, 1 / _FARTHEST), _FARTHEST) if said > 0 else 1.0
        return cls(ratio, min(max(days, 0) / _DAYS_TRUSTED, 1.0))

    def factor(self, nearest: "_Raise") -> float:
        """Files that begin some months ago tell little of a later month: what its days do not tell, those of the nearest do."""
        return float(self.ratio**self.believed * nearest.ratio ** (nearest.believed - self.believed))


def means(costs: Floats, blocks: Sequence[Block]) -> Floats:
    usual = level(costs)
    found = numpy.repeat(usual[:, None], len(blocks), 1)
    asked = _learnable(costs)
    if not asked.any():
        return found
    known = features(costs[asked])
    share = asked.sum() / (asked.sum() + _DRAWN)
    before = _before(costs[asked], usual[asked]) / usual[asked]
    nearest = _Raise(1.0, 0.0)
    for column, (start, end) in enumerate(blocks):
        examples = _examples(costs, start, end)
        if len(examples.followed) >= _ENOUGH:
            days = costs.shape[1] - end - _FIRST
            drawn = share * _followed(days)
            then, now = _learnt(examples, known)
            own = _Raise.of(examples, examples.before + drawn * (then - examples.before), days)
            nearest = own if column == 0 else nearest
            found[asked, column] = usual[asked] * own.factor(nearest) * (before + drawn * (now - before))
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


def _examples(costs: Floats, start: int, end: int) -> _Examples:
    """All series after every week of the past."""
    rows: list[Floats] = []
    length = costs.shape[1]
    every = WEEK if length > 200 else 3
    for day in range(length - end, _FIRST - 1, -every):
        past = costs[:, :day]
        usable = _learnable(past) & numpy.isfinite(costs[:, max(0, day - _FIRST)])
        if usable.any():
            usual = level(past[usable])
            followed = costs[usable, day + start : day + end].mean(1)
            relative = numpy.stack([_before(past[usable], usual), followed], 1) / usual[:, None]
            rows.append(numpy.concatenate([usual[:, None], relative, features(past[usable])], axis=1))
    if not rows:
        return _Examples(numpy.zeros((0, 0)), *numpy.zeros((3, 0)))
    found = numpy.concatenate(rows)
    if len(found) > _MOST:
        found = found[numpy.linspace(0, len(found) - 1, _MOST).astype(int)]
    usual, before, followed = found[:, :3].T
    return _Examples(found[:, 3:], usual, before, numpy.clip(followed, 0, _HIGHEST))


def _learnt(examples: _Examples, known: Floats) -> tuple[Floats, Floats]:
    """What is expected relative to the level: of the examples themselves, and of what is known now."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingRegressor(
        loss="absolute_error",
        max_iter=80,
        learning_rate=0.06,
        max_leaf_nodes=12,
        min_samples_leaf=max(10, min(40, len(examples.followed) // 20)),
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )
    with threadpool_limits(1):  # the same figures on any machine; and faster, for so few examples
        model.fit(examples.known, examples.followed)
        told = numpy.maximum(model.predict(numpy.concatenate([examples.known, known])), 0.0)
    return told[: len(examples.followed)], told[len(examples.followed) :]


METHOD = Method("pooled trees", "what followed such courses in all series, learnt by boosted trees", means)
