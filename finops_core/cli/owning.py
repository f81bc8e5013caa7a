"""Commands about who owns what: allocation rules and showback."""

from pathlib import Path
from typing import Annotated

import typer

from finops_core.cli.session import Json, app, put, put_json, put_table, say, the_home, the_ledger, the_user
from finops_core.errors import UsageError

allocate = typer.Typer(
    help="Allocation rules: what they would do, applying them, and why a charge went where it went."
)
app.add_typer(allocate, name="allocate")

Rules = Annotated[
    Path | None,
    typer.Argument(help="allocation.yaml, or the directory that holds it; by default HOME/rules."),
]
Who = Annotated[str | None, typer.Option(help="Who applies it; by default the user of the system.")]


@app.command()
def showback(
    start: Annotated[str | None, typer.Option("--from", help="First day.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The day after the last.")] = None,
    by: Annotated[
        list[str] | None, typer.Option(help="A dimension, by default x_Team; repeat for more.")
    ] = None,
    metric: Annotated[str, typer.Option(help="A cost.")] = "EffectiveCost",
    where: Annotated[
        list[str] | None, typer.Option(help="A condition; repeat for more, all must hold.")
    ] = None,
    grain: str = "none",
    limit: int | None = None,
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """What each owner costs: directly, by shares of pools, and in all. Sums to the total that `query` gives."""
    from finops_core.analysis.showback import showback as shown
    from finops_core.analysis.showback import unsplit_by
    from finops_core.focus.charges import COSTS
    from finops_core.model.query import Query

    if metric not in COSTS:
        raise UsageError(f"showback is of a cost, not of {metric!r}: {', '.join(COSTS)}")
    query = Query(metric, by or ["x_Team"], grain, where or (), start, end)  # type: ignore[arg-type]
    table = shown(the_ledger(), query)
    if unknown := unsplit_by(query):
        say(
            f"Pools are not split here: {', '.join(unknown)} is not known of the parts of shared cost, which stays with nobody"
        )
    put_table(table if limit is None else table.head(limit), format, out)


@allocate.command("preview")
def preview(rules: Rules = None, json: Json = False) -> None:
    """What rules would change before they are applied: matched charges, moved money, rules that do nothing."""
    from finops_core.analysis.ownership import preview as previewed

    found = previewed(the_ledger(), _files(rules))
    if json:
        put_json(found.as_json())
    else:
        put(found.as_text())


@allocate.command("apply")
def apply(
    rules: Rules = None,
    reason: Annotated[str, typer.Option(help="Why; kept with the version.")] = "",
    who: Who = None,
    json: Json = False,
) -> None:
    """Put rules in force, as a version."""
    from finops_core.store import applying
    from finops_core.store.ownership import in_force

    home = the_home()
    before = in_force(home)
    version = applying.apply(home, _files(rules), who or the_user(), reason or "Applied on the command line")
    if json:
        put_json(
            {"version": version.number, "at": version.at, "author": version.author, "reason": version.reason}
        )
    say(f"Version {version.number} of the allocation rules is in force")
    dropped = applying.dropped(before.rules, in_force(home).rules) if before.number else []
    if dropped:
        say(f"No longer in force is what version {before.number} had beside: {', '.join(dropped)}")


@allocate.command("undo")
def undo(
    version: Annotated[int, typer.Argument(help="The version to put in force again.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the version.")],
    who: Who = None,
) -> None:
    """Put an older version in force again, as a new version."""
    from finops_core.store import applying

    made = applying.undo(the_home(), version, who or the_user(), reason)
    say(f"Version {made.number} of the allocation rules is in force, with the rules of version {version}")


@allocate.command("versions")
def versions(json: Json = False) -> None:
    """The versions of the rules: who applied them, when and why."""
    from dataclasses import asdict

    from finops_core.store import rulesets
    from finops_core.store.state import State

    found = rulesets.versions(State(the_home()))
    if json:
        put_json({"versions": [asdict(version) for version in found]})
    else:
        for version in found:
            put(f"{version.number}  {version.at}  {version.author}: {version.reason}")


@allocate.command("why")
def why(
    where: Annotated[list[str], typer.Option(help="Conditions that the charges fulfil; repeat for more.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many charges, costliest first.")] = 5,
    json: Json = False,
) -> None:
    """For charges: each owner, the rule that named it and its inputs, the shares if it is shared, and the source row."""
    from finops_core.analysis.reasons import reasons
    from finops_core.model.query import Query

    found = reasons(the_ledger(), Query("EffectiveCost", where=where), limit)
    if json:
        put_json({"charges": [reason.as_json() for reason in found]})
    else:
        put("\n\n".join(reason.as_text() for reason in found) or "No charge fulfils the conditions")


@allocate.command("line")
def line(
    owner: Annotated[str, typer.Argument(help="Whose: x_Team=search, or x_Team= for what nobody owns.")],
    period: Annotated[str, typer.Argument(help="The billing period, as 2026-09.")],
    pool: Annotated[
        str | None, typer.Option(help="A pool; by default what the owner caused directly.")
    ] = None,
    json: Json = False,
) -> None:
    """What a line of a statement is made of: the shares of a pool day by day, with method and weights; or charges."""
    from finops_core.analysis.statement_reasons import statement_reasons

    column, is_written, name = owner.partition("=")
    if not is_written:
        raise UsageError(f"{owner!r} names no owner: write x_Team=search")
    found = statement_reasons(the_ledger(), column, name or None, pool, period)
    if json:
        put_json(found.as_json())
    else:
        put(found.as_text())


@allocate.command("audit")
def audit(
    sample: Annotated[int, typer.Option(min=1, max=10_000, help="How many charges to draw.")] = 100,
    start: Annotated[str | None, typer.Option("--from", help="First day.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The day after the last.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed draws the same charges.")] = 1,
    confirmed: Annotated[
        Path | None,
        typer.Option(
            help="A drawn sample with its column `correct` filled in (yes or no): tells the accuracy."
        ),
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Keep the accuracy in the audit log.")] = False,
    who: Who = None,
    format: str = "csv",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """Draw a cost-weighted random sample of charges to be confirmed by hand; then tell the accuracy of allocation."""
    from finops_core.analysis import audit as auditing
    from finops_core.model.query import Query

    if confirmed is not None:
        from finops_core.store.state import State

        found = auditing.accuracy_of(confirmed)
        if record:
            auditing.record(State(the_home()), found, who or the_user(), confirmed.name)
        put_json(found.as_json())
        say(found.as_text())
        return
    if record:
        raise UsageError("only a confirmed sample can be recorded: name it with --confirmed")
    query = Query("EffectiveCost", start=start, end=end)  # type: ignore[arg-type]
    put_table(auditing.sample(the_ledger(), query, sample, seed), format, out)


@allocate.command("suggest")
def suggest(
    start: Annotated[str | None, typer.Option("--from", help="First day.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The day after the last.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many rules, those of most money first.")] = 20,
    json: Json = False,
) -> None:
    """Rules that would find owners for unallocated cost, by what it has in common with allocated cost; and spellings proposed."""
    from finops_core.analysis.suggestions import suggestions
    from finops_core.model.query import Query

    found = suggestions(the_ledger(), Query("EffectiveCost", start=start, end=end), limit)  # type: ignore[arg-type]
    if json:
        put_json(found.as_json())
    else:
        put(found.as_text())


def _files(rules: Path | None) -> dict[str, str]:
    from finops_core.store.ownership import written

    if rules is not None and not rules.exists():
        raise UsageError(
            f"there is no {rules}: name a file of rules or the directory that holds allocation.yaml"
        )
    return written(the_home().rules if rules is None else rules)
