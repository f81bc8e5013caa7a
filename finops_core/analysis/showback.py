"""Showback: what each owner costs, directly and by shares of pools. Sums to the same question's total, exactly."""

from collections.abc import Sequence

import polars

from finops_core.allocation.owners import SHARED, UNALLOCATED
from finops_core.focus.charges import COSTS
from finops_core.model.ledger import Ledger
from finops_core.model.query import Query, conditions
from finops_core.store.sharing import CURRENCY, DIMENSIONS, KIND, RULE_NAME
from finops_core.vocabulary.dimensions import DAY_DIMENSIONS, canonical

DIRECT_COST, SHARED_COST, TOTAL = "direct", "shared", "total"
_MONEY = polars.Decimal(38, 18)


def shared_out(ledger: Ledger, query: Query, by: Sequence[str]) -> polars.DataFrame:
    """A query's metrics by dimensions and by how the charges found their owner, pools split over those who share them.

    Columns: BillingCurrency, *by, x_AllocationKind, x_AllocationRule (the pool's name where the kind is `shared`), and the
    metrics as Decimal(38,18), which sum to the query's total exactly. By what is no property of a part of a pool, such
    as a tag or a resource, or filtered by it, the pools' charges are told where they stand.
    """
    asked = query.but(by=tuple(dict.fromkeys([*by, KIND, RULE_NAME])), order=None, limit=None)
    return ledger.query(asked.but(allocated=can_be_split(asked)))


def showback(ledger: Ledger, query: Query) -> polars.DataFrame:
    """ChargePeriod (with a grain), BillingCurrency, the query's dimensions, `direct`, `shared`, `total`, costliest first.

    The first metric is meant, a cost. What of a pool nobody takes is `shared` too, of the missing owner. As in the query, a
    sum is null where nothing of it is known, such as list cost of a cloud that states none.
    """
    metric = query.metrics[0]
    found = shared_out(ledger, query.but(metrics=(metric,)), query.by)
    keys = [
        name
        for name in found.columns
        if name != metric and (name in query.by or name not in (KIND, RULE_NAME))
    ]
    cost, shared = polars.col(metric).cast(_MONEY), of_pool()
    table = found.group_by(keys).agg(
        _known(cost.filter(~shared)).alias(DIRECT_COST),
        _known(cost.filter(shared)).alias(SHARED_COST),
        _known(cost).alias(TOTAL),
    )
    descending = [name == TOTAL for name in (CURRENCY, TOTAL, *keys)]
    return table.sort([CURRENCY, TOTAL, *keys], descending=descending, nulls_last=True)


def _known(costs: polars.Expr) -> polars.Expr:
    """The sum of what is known; null where there are charges and none of them has the cost."""
    return polars.when((costs.count() > 0) | (costs.len() == 0)).then(costs.sum())


def of_pool() -> polars.Expr:
    """Whether a row of `shared_out` is of a pool, which x_AllocationRule then names: also what of it nobody takes."""
    unallocated = (polars.col(KIND) == UNALLOCATED) & polars.col(RULE_NAME).is_not_null()
    return ((polars.col(KIND) == SHARED) | unallocated).fill_null(False)


def can_be_split(query: Query) -> bool:
    """Whether all that a query asks for is known of the parts of pools: its dimensions, its filters, its metrics."""
    return not unsplit_by(query)


def unsplit_by(query: Query) -> tuple[str, ...]:
    """What a query asks for that is not known of the parts of pools, for which pools are told where they stand."""
    names = [canonical(name) for name in query.by]
    names += [name for node in conditions(query.where) for name in node.dimensions]
    unknown = [name for name in names if name not in DIMENSIONS and name not in DAY_DIMENSIONS]
    return tuple(dict.fromkeys([*unknown, *(name for name in query.metrics if name not in COSTS)]))
