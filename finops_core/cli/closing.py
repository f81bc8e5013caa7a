"""Commands for what finance holds on to: the audit log, closed months, statements and journals."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finops_core.cli.session import (
    Json,
    app,
    put,
    put_json,
    put_table,
    say,
    the_home,
    the_ledger,
    the_user,
    write_file,
)
from finops_core.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from finops_core.store.audit import Head
    from finops_core.store.state import State

Period = Annotated[str, typer.Argument(metavar="PERIOD", help="A billing period, such as 2026-09.")]
Reason = Annotated[str, typer.Option(help="Why; kept with the month and in the audit log.")]
Who = Annotated[str | None, typer.Option(help="Who does it, by default the user of the shell.")]
Out = Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")]


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
        _verify(state, audit.Head.parse(head) if head is not None else None, as_json)
        return
    found = audit.entries(state, limit=limit)
    if as_json:
        put_json([entry.to_json() for entry in found])
        return
    for entry in found:
        why = f": {entry.reason}" if entry.reason else ""
        put(f"{entry.id}  {entry.at}  {entry.who}  {entry.action}, {entry.subject}{why}")


def _verify(state: "State", remembered: "Head | None", as_json: bool) -> None:
    """Holds the log against itself, and what is kept against the log."""
    from finops_core.store import audit, closes, rulesets

    broken, months, versions = audit.verify(state, remembered), closes.altered(state), rulesets.altered(state)
    newest = audit.head(state)
    if as_json:
        found = {"broken": broken, "altered_months": months, "altered_rules": versions}
        put_json({"holds": not any(found.values()), **found, "entries": newest.id, "head": str(newest)})
    said = [f"entry {number}: edited, moved, or something before it is missing" for number in broken]
    said += [f"the figures of {month} are not those that were closed" for month in months]
    said += [f"version {number} of the rules is not what was applied" for number in versions]
    if said:
        raise CheckFailed(f"the audit log is broken: {'; '.join(said)}")
    say(f"the audit log holds, {newest.id:,} entries; keep its head elsewhere: {newest}")


@app.command()
def close(
    period: Period,
    reason: Reason,
    who: Who = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Although the month is not complete.")] = False,
) -> None:
    """Freeze a month: its statements, and the versions of lake and rules; what changes later becomes an adjustment."""
    from finops_core.analysis.closing import NotComplete, month, totals
    from finops_core.analysis.closing import close as freeze
    from finops_core.store.state import State

    ledger = the_ledger()
    state = State(ledger.home)
    try:
        closed = freeze(ledger, state, period, who or the_user(), reason, anyway)
    except NotComplete as error:
        raise UsageError(f"{error}. Close it all the same with --anyway, and say why") from None
    for doubt in closed.doubts:
        say(f"closed although {doubt}")
    for currency, costs in totals(month(ledger, state, period)).items():
        say(
            f"{period} is closed: {costs['EffectiveCost']} {currency} effective, {costs['BilledCost']} billed"
        )


@app.command()
def reopen(period: Period, reason: Reason, who: Who = None) -> None:
    """Take a month's close back; its statement follows the ledger again."""
    from finops_core.store.closes import reopen as take_back
    from finops_core.store.state import State

    take_back(State(the_home()), period, who or the_user(), reason)
    say(f"{period} is open again")


@app.command()
def statement(
    period: Annotated[str, typer.Option(help="A billing period, such as 2026-09.")],
    by: Annotated[str, typer.Option(help="x_Team or x_CostCenter.")] = "x_Team",
    lines: Annotated[str, typer.Option(help="Direct costs by ServiceName or x_Product.")] = "ServiceName",
    owner: Annotated[
        str | None, typer.Option(help="Only of one team or cost centre; (none) for nobody's.")
    ] = None,
    format: Annotated[str, typer.Option(help="table, csv, json, parquet, xlsx, or pdf.")] = "table",
    out: Out = None,
) -> None:
    """What each team or cost centre pays for a month: direct costs, shares of pools, adjustments, total."""
    from finops_core.analysis.statement import statements
    from finops_core.store.state import State

    ledger = the_ledger()
    found = statements(ledger, State(ledger.home), period, by, lines)
    if owner is not None:
        found = found.of(owner)
    if format != "pdf":
        put_table(found.as_file(), format, out)
        return
    from finops_core.analysis.statement_pdf import to_pdf

    if out is None:
        raise UsageError("a PDF goes to a file: add --out FILE")
    write_file(out, to_pdf(found))


@app.command()
def journal(
    period: Annotated[str, typer.Option(help="A billing period, such as 2026-09.")],
    metric: Annotated[str, typer.Option(help="EffectiveCost or BilledCost.")] = "EffectiveCost",
    format: str = "csv",
    out: Out = None,
) -> None:
    """A month's cost as a journal for finance, to the cent; accounts as in HOME/rules/journal.yaml."""
    from finops_core.analysis.closing import month
    from finops_core.analysis.journal import journal as book
    from finops_core.store.journal_accounts import accounts
    from finops_core.store.state import State

    ledger = the_ledger()
    found = book(month(ledger, State(ledger.home), period), accounts(ledger.home.rules), metric)
    put_table(found.as_text() if format in ("csv", "table") else found.table, format, out)
    for balance in found.balances:
        say(balance.in_words())
