"""Commands for what finance holds on to: the audit log, closed months, statements and journals."""

from typing import Annotated

import typer

from finops_core.cli.session import Json, app, put, put_json, say, the_home
from finops_core.errors import CheckFailed


@app.command("audit-log")
def audit_log(
    check: Annotated[
        bool, typer.Option("--verify", help="Only check the chain; exit 1 where it is broken.")
    ] = False,
    head: Annotated[
        str | None, typer.Option(help="A head that was kept elsewhere (ID:HASH), for --verify.")
    ] = None,
    as_json: Json = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the newest entries.")] = None,
) -> None:
    """Who changed what about ownership, when and why, newest first; each entry is chained to the one before."""
    from finops_core.store import audit
    from finops_core.store.state import State

    state = State(the_home())
    if check or head is not None:
        broken = audit.verify(state, audit.Head.parse(head) if head is not None else None)
        newest = audit.head(state)
        if as_json:
            put_json({"holds": not broken, "broken": broken, "entries": newest.id, "head": str(newest)})
        if broken:
            raise CheckFailed(
                f"the audit log is broken at {', '.join(map(str, broken))}: entries were edited, moved or removed"
            )
        say(f"the audit log holds, {newest.id:,} entries; keep its head elsewhere: {newest}")
        return
    found = audit.entries(state, limit=limit)
    if as_json:
        put_json([entry.to_json() for entry in found])
        return
    for entry in found:
        why = f": {entry.reason}" if entry.reason else ""
        put(f"{entry.id}  {entry.at}  {entry.who}  {entry.action}, {entry.subject}{why}")
