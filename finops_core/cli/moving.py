"""The command that says what changed, and why."""

from pathlib import Path
from typing import Annotated

import typer

from finops_core.cli.session import app, put_table, the_ledger
from finops_core.errors import UsageError


@app.command()
def movers(
    metric: Annotated[str, typer.Option(help="A cost.")],
    start: Annotated[str, typer.Option("--from", help="First day.")],
    end: Annotated[str, typer.Option("--to", help="The day after the last.")],
    by: Annotated[list[str] | None, typer.Option(help="A dimension; repeat for more.")] = None,
    versus: Annotated[
        str, typer.Option(help="What it is compared with: previous, year, or 2026-08-01..2026-09-01.")
    ] = "previous",
    where: Annotated[
        list[str] | None, typer.Option(help="A condition; repeat for more, all must hold.")
    ] = None,
    per_day: Annotated[bool, typer.Option("--per-day", help="Each period divided by its days.")] = False,
    limit: Annotated[int | None, typer.Option(min=0, help="Only the largest movers.")] = None,
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """What changed between two periods, largest first, in parts that sum to it: quantity, prices, new, gone."""
    from finops_core.analysis.breakdown import KIND
    from finops_core.analysis.movers import movers as moved
    from finops_core.model.periods import Period, compared
    from finops_core.model.query import Query

    query = Query(metric, by or (), where=where or (), start=start, end=end)  # type: ignore[arg-type]
    assert query.start is not None and query.end is not None
    before = compared(Period(query.start, query.end), versus)
    if before is None:
        raise UsageError("movers need a period to compare with: previous, year, or 2026-08-01..2026-09-01")
    table = moved(the_ledger(), query, before, per_day).table.drop(KIND)
    put_table(table if limit is None else table.head(limit), format, out)
