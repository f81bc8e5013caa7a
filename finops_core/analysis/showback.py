"""Costs by owner, each pool's share apart."""

from collections.abc import Sequence

import polars

from finops_core.model.ledger import Ledger
from finops_core.model.query import Query


def shared_out(ledger: Ledger, query: Query, by: Sequence[str]) -> polars.DataFrame:
    """A query's metrics by dimensions and by how the charges found their owner.

    Columns: BillingCurrency, *by, x_AllocationKind, x_AllocationRule (the pool's name where the kind is `shared`), and the
    metrics as Decimal(38,18), which sum to the query's total exactly.
    """
    return ledger.query(query.but(by=[*by, "x_AllocationKind", "x_AllocationRule"]))
