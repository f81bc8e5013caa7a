"""The charges that figures of commitments are made from: what was committed, and the use that is covered or could be."""

from datetime import date

import polars

from finops_core.focus.charges import EFFECTIVE_UNKNOWN
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.query import AnyOf, Condition, Node, Query, conditions

MONEY = polars.Decimal(38, 18)
ID, TYPE, STATUS, SERVICE = (
    "CommitmentDiscountId",
    "CommitmentDiscountType",
    "CommitmentDiscountStatus",
    "ServiceName",
)
ON_DEMAND = "on_demand"
"""The on-demand equivalent of a charge: its ContractedCost, or its ListCost where that is not known."""
PRICED = "priced"
"""EffectiveCost of the charges of which that is known."""
_EFFECTIVE = "EffectiveCost"
USAGE = Condition("ChargeCategory", "=", ("Usage",))
COMMITTED = Condition(STATUS, "in", ("Used", "Unused"))
UNCOSTED = "uncosted"
"""The on-demand equivalent of the charges of which EffectiveCost is not known."""
_UNCOSTED = Condition("x_Quality", "~", (EFFECTIVE_UNKNOWN,))
_NOT_CONTRACTED = Condition("ContractedCost", "is null")
FEE = "Fee"
"""The status, among `paid`, of a purchase that has an EffectiveCost: the bill does not say what use its fee is for."""
USED = Condition(STATUS, "=", ("Used",))
_PRICING = "PricingCategory"
_UNSAID = Condition(_PRICING, "is null")
"""Exports without the category say nothing of spot prices: use is taken to be at on-demand prices, not to be none at all."""
UNCOVERED = (USAGE, AnyOf((Condition(_PRICING, "=", ("Standard",)), _UNSAID)), Condition(STATUS, "is null"))
"""Use at on-demand prices that no commitment covers."""
_ELIGIBLE = AnyOf((Condition(_PRICING, "in", ("Standard", "Committed")), _UNSAID))
PURCHASE = (Condition("ChargeCategory", "=", ("Purchase",)), Condition(ID, "is not null"))
_COSTS = (_EFFECTIVE, "ContractedCost", "ListCost")


def sums(
    ledger: Ledger,
    by: tuple[str, ...],
    where: tuple[Node, ...],
    start: date | None,
    end: date | None,
    grain: str = "none",
) -> polars.DataFrame:
    """BillingCurrency, the dimensions, EffectiveCost, on_demand (the equivalent, row by row), priced (EffectiveCost of the rows of
    which that is known), uncosted (the equivalent of the rows of which EffectiveCost is not known)."""
    by = tuple(d for d in by if d != CURRENCY)
    query = Query(_COSTS, by=by, where=where, start=start, end=end, grain=grain)
    keys = [*([PERIOD] if grain != "none" else []), CURRENCY, *query.by]
    neither = (_NOT_CONTRACTED, Condition("ListCost", "is null"))
    unpriced = ledger.query(query.but(metrics=(_EFFECTIVE,), where=(*where, *neither)))
    unpriced = unpriced.rename({_EFFECTIVE: "unpriced"})
    uncosted = _on_demand(ledger, query.but(where=(*where, _UNCOSTED)), keys)
    uncosted = uncosted.select(*keys, polars.col(ON_DEMAND).alias(UNCOSTED))
    return (
        _on_demand(ledger, query, keys)
        .join(unpriced, on=keys, how="left", nulls_equal=True)
        .join(uncosted, on=keys, how="left", nulls_equal=True)
        .select(
            *keys,
            _EFFECTIVE,
            ON_DEMAND,
            (polars.col(_EFFECTIVE) - polars.col("unpriced").fill_null(0)).cast(MONEY).alias(PRICED),
            polars.col(UNCOSTED).fill_null(0).cast(MONEY),
        )
    )


def _on_demand(ledger: Ledger, query: Query, keys: list[str]) -> polars.DataFrame:
    """The keys, EffectiveCost and on_demand of the charges of a query of all three costs."""
    found = ledger.query(query)
    bare = query.but(where=(*conditions(query.where), _NOT_CONTRACTED))
    # where there is nothing, as few exports leave a cost unknown, nothing more is asked
    unlisted = found if found.is_empty() else ledger.query(bare)
    listed = unlisted.select(*keys, polars.col("ListCost").alias("listed"))
    return found.join(listed, on=keys, how="left", nulls_equal=True).select(
        *keys,
        polars.col(_EFFECTIVE).fill_null(0).cast(MONEY),
        (polars.col("ContractedCost").fill_null(0) + polars.col("listed").fill_null(0))
        .cast(MONEY)
        .alias(ON_DEMAND),
    )


def paid(
    ledger: Ledger,
    by: tuple[str, ...],
    given: tuple[Node, ...],
    start: date | None,
    end: date | None,
    grain: str = "none",
) -> polars.DataFrame:
    """What commitments cost: as `sums` by the dimensions and CommitmentDiscountStatus, which is Used, Unused, or `FEE`.

    A purchase has no EffectiveCost where a bill spreads it over use. Google's resource-based and legacy spend-based commitments leave it
    on the fee, and the use that they cover costs nothing: without the fee they would seem to save all of it.
    """
    found = sums(ledger, (*by, STATUS), (*given, USAGE, COMMITTED), start, end, grain)
    fees = sums(ledger, tuple(d for d in by if d != STATUS), (*given, *PURCHASE), start, end, grain)
    fees = fees.filter(polars.col(_EFFECTIVE) != 0).with_columns(polars.lit(FEE).alias(STATUS))
    return polars.concat([found, fees.select(found.columns)])


def covered_services(
    ledger: Ledger, given: tuple[Node, ...], start: date | None, end: date | None
) -> polars.DataFrame:
    """BillingCurrency, ServiceName of the services of which some use was covered."""
    asked = Query(_EFFECTIVE, by=(SERVICE,), where=(*given, USAGE, USED), start=start, end=end)
    return ledger.query(asked).select(CURRENCY, SERVICE)


def eligible(
    ledger: Ledger,
    given: tuple[Node, ...],
    start: date | None,
    end: date | None,
    grain: str = "none",
    by: tuple[str, ...] = (),
) -> polars.DataFrame:
    """Use that commitments cover or could: keys, status, EffectiveCost, on_demand; of services of which some use was covered."""
    covered = covered_services(ledger, given, start, end)
    found = sums(ledger, (*by, SERVICE, STATUS), (*given, USAGE, _ELIGIBLE), start, end, grain)
    return found.filter(polars.col(STATUS).is_null() | (polars.col(STATUS) == "Used")).join(
        covered, on=[CURRENCY, SERVICE], how="semi", nulls_equal=True
    )
