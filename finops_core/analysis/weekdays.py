"""The days of a Query by week and weekday: what repeats, and which day does not."""

import polars

from finops_core.model.engine import PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.query import Query


def weekdays(ledger: Ledger, query: Query) -> polars.DataFrame:
    """Day, Week (its Monday), Weekday (1 is Monday) and cost (Decimal, the query's first metric in its one currency)."""
    metric = query.metrics[0]
    days = ledger.query(query.but(metrics=(metric,), by=(), grain="day", order=None, limit=None))
    return days.select(
        polars.col(PERIOD).alias("Day"),
        polars.col(PERIOD).dt.truncate("1w").alias("Week"),
        polars.col(PERIOD).dt.weekday().alias("Weekday"),
        polars.col(metric).cast(polars.Decimal(38, 18)).alias("cost"),
    )
