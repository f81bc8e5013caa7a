"""Commands for exchange rates, and for costs in a display currency."""

from pathlib import Path
from typing import Annotated

import typer

from finops_core.cli.session import app, put_table, say, the_home, the_ledger, the_user
from finops_core.errors import CheckFailed, InputRefused, Place

rates = typer.Typer(help="Dated exchange rates, for costs in a display currency.", no_args_is_help=True)
app.add_typer(rates, name="rates")


@rates.command("import")
def import_rates(
    file: Annotated[Path, typer.Argument(metavar="CSV", help="Columns date,from,to,rate.")],
) -> None:
    """Keep the rates of a CSV, all or none; each replaces an earlier one of its day and currencies."""
    from finops_core.store.rates import enter, from_csv
    from finops_core.store.state import State

    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputRefused(f"cannot be read: {error.strerror}", Place(str(file))) from error
    found = enter(State(the_home()), from_csv(data, file.name), the_user())
    say(found.in_words())


@rates.command("list")
def list_rates(
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """The rates in force; as csv in the form that `rates import` reads."""
    import polars

    from finops_core.store.rates import COLUMNS, rates
    from finops_core.store.state import State

    found = [(r.day, r.currency, r.to, r.rate) for r in rates(State(the_home()))]
    types = (polars.Date, polars.String, polars.String, polars.Decimal(38, 18))
    table = polars.DataFrame(found, dict(zip(COLUMNS, types, strict=True)), orient="row")
    put_table(table, format, out)


@rates.command("remove")
def remove_rate(
    date: Annotated[str, typer.Argument(metavar="DATE", help="Such as 2026-03-01.")],
    currency: Annotated[str, typer.Argument(metavar="FROM")],
    to: Annotated[str, typer.Argument(metavar="TO")],
) -> None:
    """Take a rate back."""
    from finops_core.store.rates import read_day, remove
    from finops_core.store.state import State

    remove(State(the_home()), read_day(date), currency, to, the_user())
    say(f"the rate from {currency} to {to} dated {date} is removed")


@app.command()
def convert(
    metric: Annotated[str, typer.Option(help="A cost.")],
    into: Annotated[str, typer.Option(metavar="CODE", help="The display currency, such as EUR.")],
    by: Annotated[list[str] | None, typer.Option(help="A dimension; repeat for more.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="A condition; repeat for more, all must hold.")
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help="First day.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The day after the last.")] = None,
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """A cost in a display currency beside its own, each day at the rate in force; exit 1 where a rate lacks."""
    from finops_core.analysis.conversion import converted
    from finops_core.model.query import Query
    from finops_core.store.batches import plain
    from finops_core.store.rates import rates
    from finops_core.store.state import State

    query = Query(metric, by or (), where=where or (), start=start, end=end)  # type: ignore[arg-type]
    ledger = the_ledger()
    found = converted(ledger, query, rates(State(ledger.home)), into)
    put_table(found.table, format, out)
    if used := found.rates_in_words():
        say(f"rates: {used}")
    if found.total is None:
        raise CheckFailed(f"no total in {into}: {found.missing_in_words()}")
    say(f"total: {plain(found.total)} {into}")
