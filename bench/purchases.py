"""Commitments recommended to 20 simulated companies after a year, held against the year that followed: perfect foresight, and nothing.
And those that would have been recommended to the demo company half a year ago, held against what came."""

from datetime import timedelta

import numpy
import polars
from _claims import Claims, arguments, farthing, workspace

from finops_core import Ledger
from finops_core.analysis.commitments import leftovers_by_day
from finops_core.analysis.purchases import Recommendation, choose, curve, futures, recommend
from finops_core.model.span import span

KINDS = ("stable", "growing", "seasonal", "shrinking", "spiky")
DISCOUNT, RISK, YEAR = 0.28, 0.1, 364
FIRST_SEED = 7000
"""Held out: the method was made on other seeds."""


def company(kind: str, seed: int) -> numpy.ndarray:
    """Two years of daily on-demand use."""
    random = numpy.random.default_rng(seed)
    day = numpy.arange(2 * YEAR)
    level = numpy.exp(random.uniform(4, 8)) * numpy.where(day % 7 < 5, 1.0, random.uniform(0.5, 1.0))
    yearly = {"growing": random.uniform(0.15, 0.6), "shrinking": random.uniform(-0.4, -0.12)}.get(
        kind, random.uniform(-0.04, 0.06)
    )
    use = level * numpy.exp(yearly * day / 365) * random.normal(1, random.uniform(0.02, 0.08), len(day))
    if kind == "seasonal":
        use *= 1 + random.uniform(0.1, 0.3) * numpy.sin(2 * numpy.pi * (day - random.uniform(0, 364)) / 364)
    if kind == "spiky":
        use *= 1 + (random.random(len(day)) < 0.06) * random.gamma(2, 0.6, len(day))
    return numpy.maximum(use, 0)


def cost(use: numpy.ndarray, level: float) -> float:
    return float((level * (1 - DISCOUNT) + numpy.maximum(use - level, 0)).sum())


def best(use: numpy.ndarray) -> float:
    return min(cost(use, level) for level in numpy.quantile(use, numpy.linspace(0, 1, 201)))


claims = Claims()
against, nothing, minimum, low = [], [], [], []
for number in range(20):
    kind = KINDS[number % len(KINDS)]
    use = company(kind, FIRST_SEED + number)
    past, came = use[:YEAR], use[YEAR:]
    chosen = choose(curve(futures(past, YEAR), DISCOUNT), DISCOUNT, RISK).level
    paid, foreseen = cost(came, chosen), best(came)
    used = float(numpy.minimum(came, chosen).sum() / (chosen * YEAR)) if chosen else 1.0
    against.append(paid / foreseen)
    nothing.append(paid / float(came.sum()))
    minimum.append(paid / cost(came, float(past.min())))
    low.append(used < 0.9)
    print(
        f"{kind}: {paid / foreseen:.3f} of perfect foresight, {paid / came.sum():.3f} of nothing, {used:.0%} used"
    )
claims.at_most("median cost against perfect foresight", float(numpy.median(against)), 1.05)
claims.at_most("worst cost against buying nothing", max(nothing), 1.01)
claims.at_most("companies that use less than nine tenths", float(numpy.mean(low)), RISK)
claims.at_most("median cost against covering the minimum of the past", float(numpy.median(minimum)), 1.0)


def came_of(ledger: Ledger, one: Recommendation, start: object, end: object) -> numpy.ndarray:
    """The use on demand that a recommendation was for, day by day, in the days after it."""
    by = ("ServiceName", "RegionId", "x_UsageType")
    found = leftovers_by_day(ledger, by, start, end)  # type: ignore[arg-type]
    mine = found.filter(
        (polars.col("BillingCurrency") == one.currency)
        & (polars.col("ServiceName") == one.service)
        & polars.col("RegionId").eq_missing(polars.lit(one.region))
    )
    kept = mine.filter(
        polars.Series([one.plan.covers(one.service, u) for u in mine["x_UsageType"]], dtype=polars.Boolean)
    )
    days = numpy.zeros((end - start).days)  # type: ignore[operator]
    at = (kept["ChargePeriod"] - start).dt.total_days().to_numpy()
    numpy.add.at(days, at, kept["on_demand"].cast(polars.Float64).to_numpy())
    return days


with workspace(arguments(0).directory) as directory:
    home = directory / "home-demo"
    if not (home / "finops.duckdb").exists():
        farthing(home, "demo")
    ledger = Ledger.open(home)
    end = span(ledger).complete_until
    then = end - timedelta(182)
    paid = without = foreseen = 0.0
    for one in recommend(ledger, as_of=then):
        use = came_of(ledger, one, then, end)
        d, level = one.plan.discount, one.choice.level
        own = float((level * (1 - d) + numpy.maximum(use - level, 0)).sum())
        ideal = min(
            float((k * (1 - d) + numpy.maximum(use - k, 0)).sum())
            for k in numpy.quantile(use, numpy.linspace(0, 1, 101))
        )
        print(
            f"demo, {one.service} {one.region or ''}: {own / max(use.sum(), 1e-9):.3f} of nothing, {own / max(ideal, 1e-9):.3f} of perfect foresight"
        )
        paid, without, foreseen = paid + own, without + float(use.sum()), foreseen + ideal
    claims.at_most("demo: half a year by what was recommended, against buying nothing", paid / without, 1.0)
    claims.at_most("demo: the same against perfect foresight of each", paid / foreseen, 1.1)
claims.finish()
