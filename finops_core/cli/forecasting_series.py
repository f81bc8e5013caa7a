"""`forecast-series`: the forecaster over a file of daily series, for whoever wants to judge it or use it elsewhere."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from finops_core.cli.session import app, put_table


@app.command(name="forecast-series", rich_help_panel="Ask")
def forecast_series(
    path: Annotated[
        Path, typer.Argument(metavar="SERIES.csv", help="series_id,date,cost: complete days only.")
    ],
    horizon_days: Annotated[
        int, typer.Option("--horizon-days", help="Days after the newest day of the file.")
    ],
    grain: Annotated[
        Literal["day", "month"], typer.Option(help="A month covers the days forecast in it.")
    ] = "day",
    format: Annotated[str, typer.Option(help="csv, json, parquet or table.")] = "csv",
    out: Annotated[Path | None, typer.Option(help="Write to this file instead.")] = None,
) -> None:
    """Forecasts series of daily cost: series_id, period, mean, p10, p50, p90.

    A series that has had no row for more than 28 days is over and forecast as 0; absent days of a series that has a cost on
    nine of ten days are not known, those of another one cost nothing.
    """
    from finops_core.analysis.forecasting import forecast
    from finops_core.cli.series_files import read_series

    put_table(forecast(read_series(path), horizon_days, grain).table, format, out)
