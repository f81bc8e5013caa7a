"""How much to commit: the expected cost at every level over futures, and the cheapest level whose risk is borne."""

from dataclasses import dataclass

import numpy

from finops_core.analysis.purchases.futures import Floats

WELL_USED = 0.9
_LEVELS = 60
_HIGHEST = 0.85
"""No discount makes it worth covering what is seldom used."""


@dataclass(frozen=True)
class Curve:
    """For each level of commitment (on-demand equivalent a day), over futures: what all costs, per day."""

    levels: Floats
    mean: Floats
    low: Floats
    high: Floats
    """The 10th and 90th percentile of the cost."""
    utilisation: Floats
    """Mean share of the commitment that is used."""
    coverage: Floats
    """Mean share of use that is covered."""
    risk: Floats
    """Share of futures in which less than nine tenths of the commitment are used."""
    savings: Floats
    """Levels × futures: per day, against no commitment."""


@dataclass(frozen=True)
class Choice:
    """A level and what is expected of it; per day, in the currency of the use. A level of 0 says: buy nothing."""

    level: float
    """On-demand equivalent a day that is covered."""
    commitment: float
    """What is paid for it a day, used or not: level × (1 − discount)."""
    savings: float
    savings_low: float
    savings_high: float
    utilisation: float
    coverage: float
    risk: float
    without: float
    """What would be paid without it."""


def curve(use: Floats, discount: float) -> Curve:
    """The curve over futures (futures × days of use) at a discount, from nothing up to what is used on one day of seven."""
    shares = numpy.linspace(0.0, _HIGHEST, _LEVELS)
    levels = numpy.unique(numpy.concatenate([[0.0], numpy.quantile(use, shares) if use.size else []]))
    days = use.shape[1]
    total = use.sum(1)
    rows = []
    for level in levels:
        covered = numpy.minimum(use, level).sum(1)
        cost = (level * (1 - discount) * days + total - covered) / days
        used = covered / (level * days) if level > 0 else numpy.ones(len(use))
        share = numpy.divide(covered, total, out=numpy.zeros(len(use)), where=total > 0)
        rows.append((cost, used, share))
    costs = numpy.stack([cost for cost, _, _ in rows])
    return Curve(
        levels,
        costs.mean(1),
        numpy.quantile(costs, 0.1, axis=1),
        numpy.quantile(costs, 0.9, axis=1),
        numpy.array([used.mean() for _, used, _ in rows]),
        numpy.array([share.mean() for _, _, share in rows]),
        numpy.array([float((used < WELL_USED).mean()) for _, used, _ in rows]),
        costs[0][None, :] - costs,
    )


def choose(found: Curve, discount: float, risk: float) -> Choice:
    """The level of least mean cost among those whose risk of low utilisation is borne; nothing where none saves."""
    borne = found.risk <= risk
    cost = numpy.where(borne, found.mean, numpy.inf)
    best = int(cost.argmin())
    saved = found.savings[best]
    level = float(found.levels[best])
    return Choice(
        level,
        level * (1 - discount),
        float(saved.mean()),
        float(numpy.quantile(saved, 0.1)),
        float(numpy.quantile(saved, 0.9)),
        float(found.utilisation[best]),
        float(found.coverage[best]),
        float(found.risk[best]),
        float(found.mean[0]),
    )
