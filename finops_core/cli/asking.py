"""Commands that ask questions of the store and print a table."""

from pathlib import Path
from typing import Annotated

import typer

from finops_core.cli.session import app, put_table, the_ledger


@app.command()
def query(
    metric: Annotated[list[str], typer.Option(help="A metric; repeat for more.")],
    by: Annotated[list[str] | None, typer.Option(help="A dimension; repeat for more.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(help="A condition, or several with and, or, not, (); repeat for more, all must hold."),
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help="First day.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The day after the last.")] = None,
    grain: str = "none",
    order: Annotated[str | None, typer.Option(help="A column of the answer, -column for descending.")] = None,
    limit: int | None = None,
    allocated: Annotated[
        bool, typer.Option("--allocated", help="With the cost of shared pools split over those who share it.")
    ] = False,
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """Ask for metrics, by dimensions and time."""
    from finops_core.model.query import Query

    asked = Query(metric, by or (), grain, where or (), start, end, order, limit, allocated)  # type: ignore[arg-type]
    put_table(the_ledger().query(asked), format, out)


@app.command("sql")
def run_sql(statement: str, format: str = "table", out: Path | None = None) -> None:
    """A SELECT over the store, read-only."""
    put_table(the_ledger().sql(statement), format, out)
