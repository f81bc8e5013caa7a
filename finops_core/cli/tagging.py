"""Commands for tag coverage, its policy and its exceptions."""

from pathlib import Path
from typing import Annotated

import typer

from finops_core.cli.session import Json, app, put, put_json, put_table, say, the_home, the_ledger, write_file

exceptions = typer.Typer(
    help="Charges that need not carry a tag, for a reason and until a day.", no_args_is_help=True
)
app.add_typer(exceptions, name="tag-exceptions")


@app.command()
def tags(
    by: Annotated[list[str] | None, typer.Option(help="A dimension; repeat for more.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="First day.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The day after the last.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="A condition; repeat for more, all must hold.")
    ] = None,
    most: Annotated[int, typer.Option(min=0, help="How many offenders of a kind.")] = 10,
    as_json: Json = False,
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """Which part of the cost that can carry tags has the required ones; with --by Month the trend."""
    from finops_core.model.query import Query
    from finops_core.quality.tag_exceptions import exceptions as kept
    from finops_core.quality.tag_policy import tag_policy
    from finops_core.quality.tag_report import report
    from finops_core.quality.tags import coverage, members
    from finops_core.store.state import State

    query = Query("EffectiveCost", where=where or (), start=start, end=end)  # type: ignore[arg-type]
    ledger = the_ledger()
    policy, spared = tag_policy(ledger.home.rules), kept(State(ledger.home))
    if as_json:
        found = members(ledger, query, policy, by, spared) if by else None
        put_json(report(coverage(ledger, query, policy, spared, most=most), found))
    else:
        put_table(members(ledger, query, policy, by or (), spared), format, out)


@app.command("tag-policy")
def show_policy(
    export: Annotated[
        str, typer.Option("--as", help="yaml, aws-tag-policy, aws-scp, azure-policy or rego.")
    ] = "yaml",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """The tag policy in force, as it is written or for another system to enforce it."""
    from finops_core.quality.tag_exports import exported

    text = exported(the_home().rules, export)
    for note in text.notes:
        say(f"note: {note}")
    if out is None:
        put(text.text)
    else:
        write_file(out, text.text)


@exceptions.command("add")
def add_exception(
    name: str,
    where: Annotated[str, typer.Option(help="What is excepted: a condition.")],
    owner: Annotated[str, typer.Option(help="Who answers for it.")],
    reason: Annotated[str, typer.Option(help="Why it need not be tagged.")],
    until: Annotated[str, typer.Option(help="The last day on which it holds.")],
    key: Annotated[
        list[str] | None, typer.Option(help="A required key; repeat for more, all without.")
    ] = None,
) -> None:
    """Except charges; an exception of the same name is replaced."""
    from finops_core.cli.session import the_user
    from finops_core.errors import UsageError
    from finops_core.quality.tag_exceptions import TagException, except_charges
    from finops_core.quality.tag_policy import tag_policy
    from finops_core.store.state import State

    home = the_home()
    known = tag_policy(home.rules).keys
    for wanted in key or ():
        if wanted not in known:
            raise UsageError(f"{wanted!r} is no required key; these are {', '.join(known)}")
    except_charges(State(home), TagException(name, where, owner, reason, until, tuple(key or ())), the_user())
    say(f"excepted until {until}: {name}")


@exceptions.command("list")
def list_exceptions(
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """All exceptions, those that have expired among them."""
    import polars

    from finops_core.quality.tag_exceptions import exceptions as kept
    from finops_core.store.state import State

    rows = [
        (e.name, ", ".join(e.keys) or "all", e.where, e.owner, e.reason, e.until)
        for e in kept(State(the_home()))
    ]
    names = ("name", "keys", "where", "owner", "reason", "until")
    put_table(polars.DataFrame(rows, dict.fromkeys(names, polars.String), orient="row"), format, out)


@exceptions.command("remove")
def remove_exception(name: str) -> None:
    """Take an exception back."""
    from finops_core.cli.session import the_user
    from finops_core.quality.tag_exceptions import remove
    from finops_core.store.state import State

    remove(State(the_home()), name, the_user())
    say(f"no longer excepted: {name}")
