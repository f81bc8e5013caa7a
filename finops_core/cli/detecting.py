"""The command that finds incidents in series of daily cost, wherever these come from."""

from pathlib import Path
from typing import Annotated

import typer

from finops_core.cli.session import app, put_table


@app.command()
def detect(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="SERIES.CSV",
            help="Columns series_id,date,cost: a row a day; an empty cost is one that is not known.",
        ),
    ],
    sensitivity: Annotated[
        float, typer.Option(min=0, max=1, help="0: only what is beyond doubt; 1: whatever is unusual.")
    ] = 0.5,
    least_money: Annotated[
        float, typer.Option(min=0, help="No incident of less money, in the series' currency.")
    ] = 100.0,
    format: str = "csv",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """Incidents: where a series left what its earlier days let expect. All days are taken as complete.

    first_seen is the day after whose charges an incident is raised, score how sure it is then; neither reads a later day. Where later
    days make clearly surer of it, it is raised again: another row with the higher score, which has the days from then on. So the rows
    from any score on are what a reader is told, and when, who wants to be that sure.
    """
    import polars

    from finops_core.analysis.detection import Settings, evidence, findings
    from finops_core.cli.series_files import read_series

    found = findings(evidence(read_series(file)), Settings(sensitivity, least_money))
    told = [(telling, one) for one in found for telling in one.tellings]
    told.sort(key=lambda row: (row[0].first_seen, row[1].series_id, row[0].start))
    table = polars.DataFrame(
        {
            "series_id": [one.series_id for _, one in told],
            "start": [telling.start for telling, _ in told],
            "end": [telling.end for telling, _ in told],
            "direction": [one.direction for _, one in told],
            "impact": [f"{telling.impact:.2f}" for telling, _ in told],
            "score": [f"{telling.score:.6f}" for telling, _ in told],
            "first_seen": [telling.first_seen for telling, _ in told],
        },
        schema={
            "series_id": polars.String,
            "start": polars.Date,
            "end": polars.Date,
            "direction": polars.String,
            "impact": polars.String,
            "score": polars.String,
            "first_seen": polars.Date,
        },
    )
    put_table(table, format, out)
