"""SQL that several rooms of a load share, and a value or a table out of DuckDB."""

from typing import Any, cast

import duckdb
import polars

BILLING_PERIOD = "strftime(BillingPeriodStart, '%Y-%m')"
"""SQL of a staged row's billing period, YYYY-MM."""


def scalar(connection: duckdb.DuckDBPyConnection, statement: str, parameters: object = None) -> Any:
    """The first cell of the answer; None where there is no row. Reads to the end, so that the connection is free again."""
    rows = connection.execute(statement, parameters).fetchall()
    return rows[0][0] if rows else None


def frame(
    connection: duckdb.DuckDBPyConnection, statement: str, parameters: object = None
) -> polars.DataFrame:
    """The answer of a SELECT, money as Decimal."""
    return cast(
        polars.DataFrame, polars.from_arrow(connection.sql(statement, params=parameters).to_arrow_table())
    )
