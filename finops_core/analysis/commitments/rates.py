"""What was used, idle, covered and saved, as sums and as rates."""

from collections.abc import Sequence
from decimal import Context

import polars

from finops_core.analysis.commitments.charges import FEE, MONEY, ON_DEMAND, PRICED, STATUS, UNCOSTED
from finops_core.model.engine import CURRENCY

FIGURES = (
    "used",
    "unused",
    "fees",
    "utilisation",
    "covered",
    "eligible",
    "coverage",
    "savings",
    "effective_savings_rate",
    "priced_share",
)
"""The figures of `with_rates`, in their order."""
_SUMS = ("used", "unused", "fees", "consumed", "covered", "priced", "uncosted", "uncovered", "rest")
_RATIO = Context(prec=28)


def totals(
    paid: polars.DataFrame, eligible: polars.DataFrame, keys: Sequence[str] = (CURRENCY,)
) -> polars.DataFrame:
    """The keys and `FIGURES`, of charges of commitments and of eligible use: a row for every key that has charges of commitments."""
    found = committed(paid, keys).join(consumed(paid, keys), on=list(keys), nulls_equal=True)
    found = found.join(uncovered(eligible, keys), on=list(keys), how="left", nulls_equal=True)
    return with_rates(found).select(*keys, *FIGURES).sort(keys)


def committed(paid: polars.DataFrame, keys: Sequence[str]) -> polars.DataFrame:
    """What was paid for commitments: the keys, used, unused, fees (EffectiveCost)."""
    cost = polars.col("EffectiveCost")
    return paid.group_by(keys).agg(
        cost.filter(polars.col(STATUS) == "Used").sum().alias("used"),
        cost.filter(polars.col(STATUS) == "Unused").sum().alias("unused"),
        cost.filter(polars.col(STATUS) == FEE).sum().alias("fees"),
    )


def consumed(paid: polars.DataFrame, keys: Sequence[str]) -> polars.DataFrame:
    """The use that commitments covered: the keys, consumed (EffectiveCost), covered (on demand), priced (EffectiveCost of what has a
    price on demand), uncosted (on demand, of what has no EffectiveCost)."""
    used = polars.col(STATUS) == "Used"
    return paid.group_by(keys).agg(
        polars.col("EffectiveCost").filter(used).sum().alias("consumed"),
        polars.col(ON_DEMAND).filter(used).sum().alias("covered"),
        polars.col(PRICED).filter(used).sum().alias("priced"),
        polars.col(UNCOSTED).filter(used).sum().alias("uncosted"),
    )


def uncovered(eligible: polars.DataFrame, keys: Sequence[str]) -> polars.DataFrame:
    """Eligible use that is not covered: the keys, rest (EffectiveCost), uncovered (on demand)."""
    none = polars.col(STATUS).is_null()
    return eligible.group_by(keys).agg(
        polars.col(PRICED).filter(none).sum().alias("rest"),
        polars.col(ON_DEMAND).filter(none).sum().alias("uncovered"),
    )


def costed(covered: str) -> polars.Expr:
    """Whether EffectiveCost is known of anything that was covered; `covered`: the column of that, on demand, beside uncosted."""
    return (polars.col(UNCOSTED) == 0) | (polars.col(UNCOSTED) != polars.col(covered))


def with_rates(found: polars.DataFrame) -> polars.DataFrame:
    """Adds `FIGURES` to used, unused, fees, consumed, covered, priced, uncosted, uncovered and rest; null among these is nothing.

    Where no price of what was covered is known, covered, eligible and savings are null: 0 would be a guess. So are savings where no cost
    of it is known; where that of a part is, savings are of that part.
    """
    found = found.with_columns(polars.col(*_SUMS).fill_null(0).cast(MONEY))
    every = polars.col("covered") + polars.col("uncovered")
    cost = polars.sum_horizontal("priced", "unused", "fees", "rest")
    told = (polars.col("consumed") == 0) | (polars.col("priced") != 0)
    known_cost = told & costed("covered")
    comparable = every - polars.col("uncosted")
    found = found.with_columns(
        polars.when(known).then(value.cast(MONEY)).alias(name)
        for name, value, known in (
            ("covered", polars.col("covered"), told),
            ("eligible", every, told),
            ("savings", comparable - cost, known_cost),
            ("comparable", comparable, known_cost),
        )
    )
    return found.with_columns(
        ratio(found["used"], (found["used"] + found["unused"]).cast(MONEY)).alias("utilisation"),
        ratio(found["covered"], found["eligible"]).alias("coverage"),
        ratio(found["savings"], found["comparable"]).alias("effective_savings_rate"),
        ratio(found["priced"], found["consumed"]).alias("priced_share"),
    )


def ratio(part: polars.Series, whole: polars.Series) -> polars.Series:
    """Shares with 18 decimals; null of nothing."""
    found = [
        round(_RATIO.divide(p, w), 18) if w and p is not None else None
        for p, w in zip(part.to_list(), whole.to_list(), strict=True)
    ]
    return polars.Series(found, dtype=MONEY)
