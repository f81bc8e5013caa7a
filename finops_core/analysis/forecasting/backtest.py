"""What each method would have said at earlier ends of months, and which one a series is left to.

Walking forward: a method is given the costs up to a day and asked for the blocks after it, which have come since.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy
from numpy.typing import NDArray

from finops_core.analysis.forecasting.features import MONTH
from finops_core.analysis.forecasting.methods import Block, methods
from finops_core.analysis.forecasting.panel import Floats

BLOCKS: tuple[Block, ...] = ((0, 30), (30, 61), (61, 92))
"""The first, second and third month ahead, in days."""
DEFAULT, PLAIN = "pooled trees", "weekday mean"
_ORIGINS = 6
_STEP = 30
_LEAST_BEFORE = 84
"""Days before the first day that is asked for."""
_TRUSTED = 4
"""Times that a method must have been tried before it replaces the default."""
_FURTHEST, _DOUBT = 1.2, 0.5
"""How far the default is followed at most, where 1 is as far as it says itself; and what it costs to depart from 1: backtests that
disagree by little may do so by luck."""
_MARGIN = 0.5
"""A method replaces the default where its errors were at most this share of the default's: less may well be luck."""


@dataclass(frozen=True)
class Backtest:
    """What was said and what came; methods × origins × series × blocks, NaN where there was nothing to compare."""

    names: tuple[str, ...]
    said: NDArray[numpy.float64]
    came: NDArray[numpy.float64]
    """Origins × series × blocks."""
    days: tuple[int, ...] = ()
    """The first day asked for at each origin."""
    shares: Floats = field(default_factory=lambda: numpy.ones(len(BLOCKS)))
    """How far the default is followed in each block; `said` is so drawn already."""

    def errors(self) -> Floats:
        """Methods × series: the sum of absolute errors over that of what came (WAPE); NaN where nothing was compared."""
        compared = numpy.isfinite(self.came)
        wrong = numpy.nansum(numpy.abs(self.said - self.came), axis=(1, 3))
        total = numpy.where(compared, numpy.abs(self.came), 0.0).sum(axis=(0, 2))
        out: Floats = numpy.full_like(wrong, numpy.nan)
        numpy.divide(wrong, total, out=out, where=(total > 0) & compared.any(axis=(0, 2)))
        return out

    def chosen(self) -> NDArray[numpy.int64]:
        """The method of each series, as a place in `names`."""
        default = self.names.index(DEFAULT)
        wape = self.errors()
        tried = numpy.isfinite(self.came[:, :, 0]).sum(0)
        best = numpy.where(numpy.isfinite(wape), wape, numpy.inf).argmin(0)
        better = wape[best, numpy.arange(wape.shape[1])] <= _MARGIN * wape[default]
        return numpy.where(better & (tried >= _TRUSTED), best, default)


def backtest(costs: Floats, starts: NDArray[numpy.int64]) -> Backtest:
    """Asks all methods at up to six earlier days, a month apart, for the months that followed."""
    known = methods()
    names = tuple(known)
    length = costs.shape[1]
    days = [length - _STEP * n for n in range(1, _ORIGINS + 1) if length - _STEP * n >= _LEAST_BEFORE]
    said = numpy.full((len(names), len(days), len(costs), len(BLOCKS)), numpy.nan)
    came = numpy.full((len(days), len(costs), len(BLOCKS)), numpy.nan)
    for row, day in enumerate(days):
        old = starts <= day - 2 * MONTH
        blocks = [b for b in BLOCKS if day + b[1] <= length]
        if not old.any():
            continue
        for column, (start, end) in enumerate(blocks):
            came[row, old, column] = costs[old, day + start : day + end].mean(1)
        for number, name in enumerate(names):
            said[number, row, old, : len(blocks)] = known[name].means(costs[old, :day], blocks)
    found = Backtest(names, said, came, tuple(days))
    return replace(found, said=followed(said, names, trusted(found)), shares=trusted(found))


def trusted(tested: Backtest) -> Floats:
    """For each block, how far the default is followed rather than the plain mean: the share with the least errors in backtests.

    Errors by series count, and those of their sum; a few months say little, so they are joined with a usual case.
    """
    default, plain = (tested.said[tested.names.index(name)] for name in (DEFAULT, PLAIN))
    shares = numpy.linspace(0, _FURTHEST, 13)
    best = numpy.ones(len(BLOCKS))
    for block in range(len(BLOCKS)):
        came = tested.came[:, :, block]
        total = float(numpy.nansum(numpy.abs(came)))
        if total <= 0:
            continue
        cost = []
        for share in shares:
            wrong = share * default[:, :, block] + (1 - share) * plain[:, :, block] - came
            off = numpy.nansum(numpy.abs(wrong)) + numpy.abs(numpy.nansum(wrong, axis=1)).sum()
            cost.append(float(off) / total + _DOUBT * (share - 1) ** 2)
        best[block] = shares[int(numpy.argmin(cost))]
    return best


def followed(said: Floats, names: Sequence[str], shares: Floats) -> Floats:
    """What the methods say (methods × … × blocks), the default drawn to the plain mean by `trusted` shares."""
    default, plain = names.index(DEFAULT), names.index(PLAIN)
    found = said.copy()
    found[default] = shares * said[default] + (1 - shares) * said[plain]
    return found


def relative_errors(tested: Backtest, chosen: NDArray[numpy.int64], least: Floats) -> Floats:
    """Origins × series × blocks: (what came − what was said) / what was said, by the method chosen; at most ±3.

    `least` (series) is what an error is measured against where less than that was said.
    """
    said = numpy.take_along_axis(tested.said, chosen[None, None, :, None], axis=0)[0]
    against = numpy.maximum(numpy.abs(said), least[None, :, None])
    found = numpy.full_like(said, numpy.nan)
    numpy.divide(tested.came - said, against, out=found, where=against > 0)
    return numpy.asarray(numpy.clip(found, -3, 3))


def agreed(names: Sequence[str], chosen: NDArray[numpy.int64]) -> list[str]:
    """The names of the methods chosen."""
    return [names[n] for n in chosen]
