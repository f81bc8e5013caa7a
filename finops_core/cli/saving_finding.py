"""The command that looks for savings in the charges."""

from pathlib import Path
from typing import Annotated

import typer

from finops_core.cli.saving import savings
from finops_core.cli.session import Json, put, put_json, say, the_home, the_ledger, the_user, write_file


@savings.command("find")
def find_savings(
    add: Annotated[
        bool, typer.Option("--add", help="Put into the backlog what is not there yet, as ideas.")
    ] = False,
    json: Json = False,
    out: Annotated[Path | None, typer.Option(help="Write the JSON to a file.")] = None,
) -> None:
    """What could be saved, as the bill alone shows it: by kind and team, with its query, its money and its caveats."""
    from json import dumps

    from finops_core.analysis.savings import find
    from finops_core.model.code import as_command

    found = find(the_ledger())
    if add:
        from finops_core.analysis.savings.proposing import proposals
        from finops_core.store.savings import add as keep
        from finops_core.store.state import State

        added = keep(State(the_home()), proposals(found), the_user())
        say(f"{len(added)} ideas added to the backlog")
    records = [
        {
            "key": o.key, "kind": o.kind, "title": o.title, "BillingCurrency": o.currency, "x_Team": o.team or None, "cost": f"{o.cost:f}",
            "saving": f"{o.saving:f}", "effort": o.effort, "risk": o.risk, "sentence": o.sentence, "caveats": list(o.caveats),
            "query": as_command(o.query), "resources": [{"ResourceId": name, "cost": f"{cost:f}"} for name, cost in o.resources],
        }
        for o in found
    ]  # fmt: skip
    if out is not None:
        write_file(out, dumps({"opportunities": records}, indent=2, ensure_ascii=False) + "\n")
    elif json:
        put_json({"opportunities": records})
    else:
        for o in found:
            put(f"{o.title}, {o.team or 'without a team'}: {o.sentence}")
        if not found:
            say("The bill of the last 30 whole days shows nothing that could be saved")
