"""The command that says which cost is other than expected, since when, and why."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from finops_core.cli.session import Json, app, put_json, put_table, the_home, the_ledger
from finops_core.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

    from polars import DataFrame

    from finops_core.analysis.triaging import Triaged


@app.command()
def anomalies(
    as_of: Annotated[
        str | None, typer.Option(help="What was known on the evening of a day; by default the newest.")
    ] = None,
    sensitivity: Annotated[
        float, typer.Option(min=0, max=1, help="0: only what is beyond doubt; 1: whatever is unusual.")
    ] = 0.5,
    json: Json = False,
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """Cost that is other than expected: one report a cause, with its money, what contributed, and what came before."""
    from finops_core.analysis.triaging import triaged
    from finops_core.store.state import State

    found = triaged(the_ledger(), State(the_home()), sensitivity, _day(as_of), explained=True)
    if json:
        put_json({"incidents": [_record(told) for told in found]})
    else:
        put_table(_table(found), format, out)


def _day(text: str | None) -> "date | None":
    from datetime import date

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no date: write 2026-09-01") from None


def _record(told: "Triaged") -> dict[str, Any]:
    from finops_core.store.batches import plain

    incident = told.incident

    return {
        "key": incident.key,
        "cut": incident.cut,
        "series": dict(zip(incident.dimensions, incident.members, strict=True)),
        "without": [dict(zip(s.dimensions, s.members, strict=True)) for s in incident.without],
        "BillingCurrency": incident.currency,
        "start": str(incident.start),
        "end": str(incident.end),
        "first_seen": str(incident.first_seen),
        "ongoing": incident.ongoing,
        "impact": plain(incident.impact),
        "expected": plain(incident.expected),
        "actual": plain(incident.actual),
        "per_day": plain(incident.per_day),
        "severity": incident.severity,
        "direction": incident.direction,
        "kind": incident.kind,
        "contributors": [
            {
                "dimension": c.dimension,
                "member": c.member or None,
                "impact": plain(c.impact),
                "share": c.share,
            }
            for c in incident.contributors
        ],
        "deployments": list(incident.deployments),
        "owner": told.owner or None,
        "state": told.state,
        "cause": told.triage.cause or None,
        "sentence": incident.sentence,
    }


def _table(found: "Sequence[Triaged]") -> "DataFrame":
    import polars

    schema: dict[str, Any] = {
        "severity": polars.String,
        "impact": polars.Decimal(38, 18),
        **dict.fromkeys(("BillingCurrency", "kind"), polars.String),
        **dict.fromkeys(("start", "end", "first_seen"), polars.Date),
        "ongoing": polars.Boolean,
        **dict.fromkeys(("series", "owner", "state", "key", "sentence"), polars.String),
    }
    rows = [
        (i.severity, i.impact, i.currency, i.kind, i.start, i.end, i.first_seen, i.ongoing, i.series,
         t.owner or None, t.state, i.key, i.sentence)
        for t in found
        for i in [t.incident]
    ]  # fmt: skip
    return polars.DataFrame(rows, schema, orient="row")
