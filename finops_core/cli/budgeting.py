"""Commands for budgets: what they are, how they stand, and what made the difference."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finops_core.cli.session import app, month_of, put_table, say, the_home, the_ledger, the_user, write_file
from finops_core.errors import InputRefused, Place, UsageError

if TYPE_CHECKING:
    from datetime import date

    from finops_core.analysis.budgets.importing import Understood

_Out = Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")]
_Month = Annotated[str | None, typer.Option(help="A month, such as 2026-10.")]
_Version = Annotated[str, typer.Option(help="The version: budget, forecast 1 …")]

budgets = typer.Typer(
    help="Budgets by month: how they stand; to import, list and take back.", invoke_without_command=True
)
app.add_typer(budgets, name="budgets")


@budgets.callback()
def show_budgets(
    context: typer.Context,
    version: _Version = "budget",
    month: _Month = None,
    format: str = "table",
    out: _Out = None,
) -> None:
    """How budgets stand in a month, by default the running one, and what no budget counts: together the whole cost."""
    if context.invoked_subcommand is not None:
        return
    from finops_core.analysis.budgets import account
    from finops_core.store.budgets import BUDGET, versions
    from finops_core.store.budgets import budgets as kept
    from finops_core.store.state import State

    lines, wanted = kept(State(the_home())), version.strip().lower()
    if wanted not in (BUDGET, *versions(lines)):
        raise UsageError(
            f"there is no version {version!r} of the budgets; there are {', '.join(versions(lines)) or 'none'}"
        )
    found = account(the_ledger(), lines, _month(month), wanted)
    for overlap in found.overlaps:
        say(f"Two budgets count the same cost: {overlap.in_words()}")
    if found.more_overlaps:
        say("There are too many pairs of budgets that may count the same cost to name them all")
    put_table(found.table(), format, out)


@budgets.command("import")
def import_budgets(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="CSV or XLSX: months in columns, or a period and an amount."),
    ],
    version: Annotated[str | None, typer.Option(help="The version, where the file does not say.")] = None,
    currency: Annotated[str | None, typer.Option(help="The currency, where the file does not say.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="What a column means, such as 'Level=x_CostCenter', 'Account=label', 'Plan=amount'; repeat for more."
        ),
    ] = None,
    where: Annotated[str, typer.Option(help="A condition that all lines have beside their own.")] = "",
    metric: Annotated[str, typer.Option(help="EffectiveCost or BilledCost.")] = "EffectiveCost",
    decimal: Annotated[
        str | None, typer.Option(help="point or comma, where numbers can be read in two ways.")
    ] = None,
    dates: Annotated[
        str | None, typer.Option(help="dmy or mdy, where dates can be read in two ways.")
    ] = None,
    fiscal_start: Annotated[
        int, typer.Option(help="The month a fiscal year begins with; FY26 ends in 2026.")
    ] = 1,
    year: Annotated[int | None, typer.Option(help="The year of months without one.")] = None,
    multiple: Annotated[int | None, typer.Option(help="1000 for a sheet in thousands.")] = None,
    totals: Annotated[bool, typer.Option(help="Hold stated totals against their lines.")] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what was understood; store nothing.")
    ] = False,
) -> None:
    """Read budgets from a sheet, all or none; says what was understood on standard error."""
    from finops_core.analysis.budgets.cells import Forms
    from finops_core.analysis.budgets.columns import known_members
    from finops_core.analysis.budgets.importing import Options, enter, understand
    from finops_core.model.span import span
    from finops_core.store.state import State

    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputRefused(f"cannot be read: {error.strerror}", Place(str(file))) from error
    forms = Forms(decimal, dates, fiscal_start, year)
    named = dict(_named(text) for text in column or ())
    options = Options(forms, currency, version, metric, named, where, totals, multiple)
    ledger = the_ledger()
    currencies = () if ledger.is_empty() else span(ledger).currencies
    found = understand(data, file.name, known_members(ledger), options, currencies)
    _tell(found)
    if dry_run:
        say("Nothing was stored")
    else:
        say(enter(State(the_home()), found, the_user()))


def _named(text: str) -> tuple[str, str]:
    title, equals, meaning = text.rpartition("=")
    if not equals or not title:
        raise UsageError(f"{text!r} names no column: write --column 'Level=x_CostCenter'")
    return title.strip(), meaning.strip()


def _tell(found: "Understood") -> None:
    from finops_core.model.export import to_table
    from finops_core.store.batches import plain

    say(f"{found.file}: {found.shape}, titles in row {found.header}, {len(found.lines):,} amounts")
    for read in found.columns:
        say(f"  column {read.title!r} is {read.meaning} ({read.why})")
    for text in (*found.stated, *found.notes):
        say(f"  {text}")
    for (version, currency), amount in found.totals.items():
        months = found.months_of(version, currency)
        say(f"  {version}: {plain(amount)} {currency}, {months[0]:%Y-%m} to {months[-1]:%Y-%m}")
    say(to_table(found.table()).decode())


@budgets.command("list")
def list_budgets(
    version: Annotated[str | None, typer.Option(help="Only this version.")] = None,
    format: str = "table",
    out: _Out = None,
) -> None:
    """Every amount in force; as csv or xlsx in the form that `budgets import` reads."""
    from finops_core.analysis.budgets.files import lines_table
    from finops_core.store.budgets import budgets as kept
    from finops_core.store.state import State

    lines = [line for line in kept(State(the_home())) if version in (None, line.version)]
    put_table(lines_table(lines), format, out, to_edit=True)


@budgets.command("history")
def budget_history(format: str = "table", out: _Out = None) -> None:
    """Every amount that was ever entered, newest first, by whom and when."""
    from finops_core.analysis.budgets.files import history_table
    from finops_core.store.budgets import history
    from finops_core.store.state import State

    put_table(history_table(history(State(the_home()))), format, out)


@budgets.command("remove")
def remove_budgets(
    version: Annotated[str, typer.Option(help="The version to take back.")],
    name: Annotated[str | None, typer.Option(help="Only the budget of this name.")] = None,
    month: _Month = None,
) -> None:
    """Take amounts back; they stay in the history."""
    from finops_core.store.budgets import budgets as kept
    from finops_core.store.budgets import remove
    from finops_core.store.state import State

    state, of = State(the_home()), _month(month)
    lines = [
        line
        for line in kept(state)
        if line.version == version and name in (None, line.name) and of in (None, line.month)
    ]
    if not lines:
        raise UsageError("there are no such amounts: see `farthing budgets list`")
    remove(state, lines, the_user())
    say(f"Amounts taken back: {len(lines):,}")


@app.command("variance")
def show_variance(
    month: _Month = None,
    against: Annotated[
        str, typer.Option(help="budget, another version, or previous: the month before.")
    ] = "budget",
    by: Annotated[str, typer.Option(help="The dimension.")] = "x_Team",
    metric: Annotated[str, typer.Option(help="EffectiveCost or BilledCost.")] = "EffectiveCost",
    format: str = "table",
    out: _Out = None,
    feed: Annotated[
        bool,
        typer.Option("--feed", help="For finance: CSV of cost centre, account, period, drivers and text."),
    ] = False,
) -> None:
    """What a month came to against its budget, in parts that sum to the difference, and in words."""
    from finops_core.analysis.budgets.files import finance_feed, variance_xlsx
    from finops_core.analysis.budgets.variance import variance
    from finops_core.store.budgets import budgets as kept
    from finops_core.store.journal_accounts import accounts
    from finops_core.store.state import State

    lines = kept(State(the_home()))
    found = variance(
        the_ledger(),
        lines,
        _month(month),
        against,
        "x_CostCenter" if feed else by,
        metric,
    )
    for currency, share in found.explained.items():
        say(f"{currency}: drivers tell {share:.1%} of what moved since {found.before}")
    if found.left_out:
        say(f"Budgets of another metric, left out: {', '.join(found.left_out)}")
    if feed:
        put_table(
            finance_feed(found, accounts(the_home().rules)), "csv" if format == "table" else format, out
        )
    elif format == "xlsx" and out is not None:
        write_file(out, variance_xlsx(found))
    else:
        put_table(found.table, format, out)


def _month(text: str | None) -> "date | None":
    return None if text is None else month_of(text)
