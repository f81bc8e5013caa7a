"""Commands for the files of usage that shared costs are split by, and for a Kubernetes cluster's own costs."""

from pathlib import Path
from typing import Annotated

import typer

from finops_core.cli.session import app, put_table, say, the_home

drivers = typer.Typer(help="Files of usage by day, by which shared costs are split.", no_args_is_help=True)
app.add_typer(drivers, name="drivers")


@drivers.command("add")
def add_driver(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV or parquet file, or an allocation export.")
    ],
    name: Annotated[str | None, typer.Option(help="Its name in the home; by default its own.")] = None,
) -> None:
    """Keep a copy of a file of usage, in place of an earlier one of its name, and say what it holds."""
    from finops_core.store.metric_files import add

    kept, found, replaced = add(the_home(), file, name)
    say(f"{kept}: {'replaced' if replaced else 'added'}: {found.in_words()}")


@drivers.command("list")
def list_drivers(
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """The files of usage, and what each holds."""
    import polars

    from finops_core.errors import InputRefused
    from finops_core.store.metric_files import listed

    rows = [
        (name, None, None, None, None, None, str(found))
        if isinstance(found, InputRefused)
        else (name, found.kind, found.first, found.last, found.days, ", ".join(found.totals), None)
        for name, found in listed(the_home()).items()
    ]
    columns = {
        "File": polars.String,
        "Kind": polars.String,
        "First": polars.Date,
        "Last": polars.Date,
        "Days": polars.Int64,
        "Quantities": polars.String,
        "Refused": polars.String,
    }
    put_table(polars.DataFrame(rows, columns, orient="row"), format, out)


@drivers.command("remove")
def remove_driver(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Remove a file of usage from the home."""
    from finops_core.store.metric_files import remove

    remove(the_home(), name)
    say(f"{name}: removed")
