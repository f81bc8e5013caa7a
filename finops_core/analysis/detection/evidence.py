"""What each day of each series says."""

from collections.abc import Mapping
from datetime import date

import polars

from finops_core.analysis.detection.records import Evidence


def evidence(
    series: polars.DataFrame, since: date | None = None, parents: Mapping[str, str] | None = None
) -> Evidence:
    """The evidence of daily series: series_id (String), date (Date), cost (Float64; null where it is not known)."""
    days = series.select(
        "series_id",
        "date",
        polars.col("cost").cast(polars.Float64),
        *[polars.lit(None, polars.Float64).alias(name) for name in ("expected", "low", "high")],
        polars.lit(0.0).alias("score"),
    ).sort("series_id", "date")
    return Evidence(days if since is None else days.filter(polars.col("date") >= since))
