"""The charges behind a figure, one row each, down to the line of the export that they were read from."""

from typing import Any, cast

import ibis
import ibis.expr.types as ir

from finops_core.errors import UsageError
from finops_core.focus.charges import ALLOCATED_COLUMNS, COSTS
from finops_core.model import engine
from finops_core.model.query import Query

COLUMNS = (
    "ChargePeriodStart",
    "BillingCurrency",
    "x_Source",
    "BillingPeriod",
    "ServiceName",
    "SubAccountId",
    "SubAccountName",
    "RegionId",
    "ChargeCategory",
    "ChargeDescription",
    "ResourceId",
    "PricingQuantity",
    "PricingUnit",
    *COSTS,
    *ALLOCATED_COLUMNS,
    "CommitmentDiscountStatus",
    "x_ChargeType",
    "x_Derived",
    "x_Quality",
    "x_SourceCost",
    "x_File",
    "x_Row",
    "x_BatchId",
)
"""What is shown of a charge."""


def expression(query: Query, limit: int) -> ir.Table:
    """The charges that a query adds up: COLUMNS, by the size of its first metric (one of the four costs), largest first.

    Raises UsageError for another metric.
    """
    metric = query.metrics[0]
    if metric not in COSTS:
        raise UsageError(f"the charges behind a figure are ordered by a cost, and {metric} is none")
    rows = engine.filtered(engine.charges(), query)
    size = cast(Any, rows[metric]).abs()
    ordered = rows.order_by(
        [ibis.desc(size), *(ibis.asc(c) for c in ("x_Source", "x_File", "x_Row", "x_Derived"))]
    )
    return ordered.limit(limit).select(*COLUMNS)


def sql(query: Query, limit: int) -> str:
    """The charges as DuckDB's SQL."""
    return str(ibis.to_sql(expression(query, limit), dialect="duckdb"))
