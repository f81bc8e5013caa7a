"""The pack of a month on the command line."""

from pathlib import Path
from typing import Annotated

import typer

from finops_core.cli.session import app, put, say, the_ledger, the_month, write_file
from finops_core.errors import UsageError


@app.command()
def pack(
    month: Annotated[
        str | None, typer.Option(help="A month, such as 2026-10; by default the last whole one.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The directory to write to.")] = Path(),
    form: Annotated[
        list[str] | None, typer.Option("--format", help="pdf, xlsx or md; repeat for more, by default all.")
    ] = None,
) -> None:
    """Write the pack of a month: summary, spend, variance, forecast, anomalies, commitments, unit cost, savings, ownership, risks, actions."""
    from finops_core.reporting.pack import FORMS, Pack, make
    from finops_core.reporting.situation import situation

    wanted = form or list(FORMS)
    unknown = [name for name in wanted if name not in FORMS]
    if unknown:
        raise UsageError(f"there is no form {unknown[0]!r} of the pack; known are {', '.join(FORMS)}")
    ledger = the_ledger()
    found = situation(ledger, the_month(month, ledger))
    told = Pack(found)
    say(f"Making the pack of {found.month:%B %Y}")
    for name in wanted:
        path = out / f"farthing-pack-{found.month:%Y-%m}.{name}"
        write_file(path, make(told, name), parents=True)
        put(str(path))
