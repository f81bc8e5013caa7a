"""What commitments did: used, unused, covered, saved."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from finops_core.cli.session import Json, app, put_json, put_table, the_ledger

if TYPE_CHECKING:
    from polars import DataFrame


@app.command()
def commitments(
    start: Annotated[str | None, typer.Option("--from", help="First day.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The day after the last.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="A condition; repeat for more, all must hold.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(help="Also by a dimension, or by family (of machines): type, account, region …"),
    ] = None,
    json: Json = False,
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """Utilisation, coverage, savings and idle money of reservations, savings plans and committed use, from the charges alone."""
    from finops_core.analysis.commitments import by_member, cut
    from finops_core.analysis.commitments import commitments as found_of
    from finops_core.model.query import Query

    asked = Query("EffectiveCost", where=where or (), start=start, end=end)  # type: ignore[arg-type]
    parted = None if by is None else by_member(the_ledger(), cut(by), asked.start, asked.end, asked.where)
    if parted is not None and not json:
        put_table(parted, format, out)
        return
    found = found_of(the_ledger(), asked.start, asked.end, asked.where)
    if not json:
        put_table(found.items, format, out)
        return
    members = {} if parted is None else {"members": _records(parted)}
    put_json({"commitments": _records(found.items), "totals": _records(found.totals), **members})


def _records(frame: "DataFrame") -> list[dict[str, Any]]:
    from finops_core.model.export import cell

    return [{name: cell(value) for name, value in row.items()} for row in frame.to_dicts()]
