"""The command that says which cost is other than expected, since when, and why."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from finops_core.cli.session import Json, app, put, put_json, the_ledger
from finops_core.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

    from finops_core.analysis.incidents import Incident


@app.command()
def anomalies(
    as_of: Annotated[
        str | None, typer.Option(help="What was known on the evening of a day; by default the newest.")
    ] = None,
    sensitivity: Annotated[
        float, typer.Option(min=0, max=1, help="0: only what is beyond doubt; 1: whatever is unusual.")
    ] = 0.5,
    json: Json = False,
) -> None:
    """Cost that is other than expected: one report a cause, with its money, what contributed, and what came before."""
    from finops_core.analysis.incidents import Settings, find

    found = find(the_ledger(), _day(as_of), Settings(sensitivity=sensitivity))
    if json:
        put_json({"incidents": [_record(incident) for incident in found]})
    else:
        put("\n\n".join(_text(incident) for incident in found) or "No incidents")


def _day(text: str | None) -> "date | None":
    from datetime import date

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no date: write 2026-09-01") from None


def _record(incident: "Incident") -> dict[str, Any]:
    from finops_core.store.batches import plain

    return {
        "key": incident.key,
        "cut": incident.cut,
        "series": dict(zip(incident.dimensions, incident.members, strict=True)),
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
        "owner": incident.owner or None,
        "state": "open",
        "sentence": incident.sentence,
    }


def _text(incident: "Incident") -> str:
    days = f"{incident.start} to {'now' if incident.ongoing else incident.end}"
    first = f"{incident.severity:8}  {incident.impact:+,.2f} {incident.currency}  {incident.kind}  {days}"
    return (
        f"{first}  {incident.series}  ({incident.owner or 'nobody'})  {incident.key}\n  {incident.sentence}"
    )
