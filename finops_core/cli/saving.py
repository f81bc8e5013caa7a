"""Commands for savings: the backlog, its steps, and what was realised."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from finops_core.cli.session import Json, app, put, put_json, put_table, say, the_home, the_ledger, the_user
from finops_core.errors import InputRefused, Place, UsageError

if TYPE_CHECKING:
    from finops_core.store.savings import SavingsItem
    from finops_core.store.state import State

_Out = Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")]
_Who = Annotated[str | None, typer.Option(help="Who does it; by default the user of the shell.")]
savings = typer.Typer(help="What could be saved, who does it, and what was realised.", no_args_is_help=True)
app.add_typer(savings, name="savings")


def _state() -> "State":
    from finops_core.store.state import State

    return State(the_home())


@savings.command("list")
def list_savings(
    state: Annotated[
        str | None, typer.Option(help="Of one state: idea, approved, doing, done, verified, rejected.")
    ] = None,
    top: Annotated[
        int | None, typer.Option(help="The first so many by expected money, as likely as it is, ÷ effort.")
    ] = None,
    json: Json = False,
    format: str = "table",
    out: _Out = None,
) -> None:
    """The items of the backlog; as csv in the form that `savings import` reads."""
    from finops_core.analysis.savings.proposing import sheet
    from finops_core.store.savings import DONE, REJECTED, VERIFIED, items

    found = [i for i in items(_state()) if state in (None, i.state)]
    if top is not None:
        open_ones = [i for i in found if i.state not in (DONE, VERIFIED, REJECTED)]
        found = sorted(open_ones, key=lambda i: i.worth, reverse=True)[:top]
    if json:
        put_json({"savings": [record(i) for i in found]})
        return
    put_table(sheet(found), format, out)


@savings.command("add")
def add_saving(
    title: Annotated[str, typer.Argument(metavar="TITLE")],
    expected: Annotated[str, typer.Option(help="What it should save a month; of a one-time saving in all.")],
    where: Annotated[
        list[str], typer.Option(help="Conditions of the charges that become less; repeat for more.")
    ],
    currency: Annotated[str, typer.Option(help="The currency of its charges.")] = "USD",
    baseline: Annotated[
        str | None, typer.Option(help="The days it is measured against, such as 2026-03-01..2026-04-01.")
    ] = None,
    kind: Annotated[str, typer.Option(help="reduction or avoidance.")] = "reduction",
    once: Annotated[bool, typer.Option("--one-time", help="It saves once, not every month.")] = False,
    volume: Annotated[
        str, typer.Option(help="none, usage, or units:METRIC: what the baseline grows with.")
    ] = "none",
    owner: Annotated[str, typer.Option(help="Who does it.")] = "",
    effort: Annotated[str, typer.Option(help="S, M or L.")] = "M",
    risk: Annotated[str, typer.Option(help="low, medium or high.")] = "low",
    confidence: Annotated[str, typer.Option(help="How likely it is, 0 to 1.")] = "0.8",
    cost_once: Annotated[str, typer.Option(help="What doing it costs, once.")] = "0",
    cost_monthly: Annotated[str, typer.Option(help="What keeping it costs a month.")] = "0",
    hypothesis: Annotated[str, typer.Option(help="Why it should save.")] = "",
    who: _Who = None,
) -> None:
    """Propose a saving."""
    from finops_core.model.periods import Period
    from finops_core.store.savings import ONCE, RECURRING, add

    days = Period.parse(baseline) if baseline else None
    told = {
        "title": title, "expected_monthly": expected, "where": tuple(where), "currency": currency, "kind": kind,
        "recurrence": ONCE if once else RECURRING, "volume": volume, "owner": owner, "effort": effort, "risk": risk, "confidence": confidence,
        "cost_once": cost_once, "cost_monthly": cost_monthly, "hypothesis": hypothesis,
        "baseline_start": days.start if days else None, "baseline_end": days.end if days else None,
    }  # fmt: skip
    for one in add(_state(), [told], who or the_user()):
        put(one.key)


@savings.command("change")
def change_saving(
    key: Annotated[str, typer.Argument(metavar="KEY")],
    what: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Such as owner=Ana or baseline_start=2026-03-01; repeat for more.",
        ),
    ],
    who: _Who = None,
) -> None:
    """Change what is typed of an item."""
    from finops_core.store.savings import change

    pairs = [text.partition("=") for text in what]
    if any(not mark for _, mark, _ in pairs):
        raise UsageError("write --set FIELD=VALUE")
    change(_state(), key, {name.strip(): value for name, _, value in pairs}, who or the_user())


@savings.command("move")
def move_saving(
    key: Annotated[str, typer.Argument(metavar="KEY")],
    to: Annotated[str, typer.Argument(metavar="STATE")],
    note: Annotated[str, typer.Option(help="Why, or what was found.")] = "",
    done_on: Annotated[
        str | None, typer.Option("--from", help="Done: the first day on which it shows.")
    ] = None,
    who: _Who = None,
) -> None:
    """Take an item to another state; verified needs somebody who did not do it, and records what was measured."""
    from finops_core.store.savings import VERIFIED, move

    day = None
    if done_on is not None:
        try:
            day = date.fromisoformat(done_on)
        except ValueError:
            raise UsageError(f"{done_on!r} is no day: write 2026-03-01") from None
    amount = _measured(key) if to == VERIFIED else None
    found = move(_state(), key, to, who or the_user(), note, day, amount)
    say(f"{key} is {found.state}{f': {amount:f} {found.currency} net' if amount is not None else ''}")


def _measured(key: str) -> Decimal | None:
    """What is measured of an item, net, up to now; None where nothing is."""
    from finops_core.analysis.savings import realised
    from finops_core.store.savings import items

    found = [one.net for one in realised(the_ledger(), items(_state())) if one.key == key]
    return sum(found, Decimal(0)) if found else None


@savings.command("realised")
def realised_savings(
    until: Annotated[str | None, typer.Option(help="The day after the last that counts.")] = None,
    json: Json = False,
    format: str = "table",
    out: _Out = None,
) -> None:
    """What was really saved, by item and month, against each baseline: gross, cost and net; reduction and avoidance apart."""
    import polars

    from finops_core.analysis.savings import realised, sums
    from finops_core.model.export import cell
    from finops_core.model.query import Query
    from finops_core.store.savings import items

    end = Query("EffectiveCost", end=until).end if until else None  # type: ignore[arg-type]
    found = realised(the_ledger(), items(_state()), end)
    names = ("key", "title", "kind", "currency", "month", "days", "baseline", "actual", "volume_factor", "gross", "cost", "net", "verified", "note")  # fmt: skip
    rows = [{name: getattr(one, name) for name in names} for one in found]
    if json:
        total = [
            {"BillingCurrency": code, "kind": kind, **{name: cell(value) for name, value in amounts.items()}}
            for (code, kind), amounts in sorted(sums(found).items())
        ]
        put_json(
            {
                "realised": [{name: cell(value) for name, value in row.items()} for row in rows],
                "totals": total,
            }
        )
        return
    money = polars.Decimal(38, 18)
    schema = {
        name: money if name in ("baseline", "actual", "volume_factor", "gross", "cost", "net") else polars.Date if name == "month"
        else polars.Int64 if name == "days" else polars.Boolean if name == "verified" else polars.String
        for name in names
    }  # fmt: skip
    put_table(polars.DataFrame(rows, schema), format, out)


@savings.command("import")
def import_savings(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="CSV with the columns of `savings list --format csv`; key and state are not read.",
        ),
    ],
    who: _Who = None,
) -> None:
    """Add items from a CSV, all or none."""
    import csv
    import io

    from finops_core.store.savings import TYPED, add, read

    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputRefused(f"cannot be read: {error.strerror}", Place(str(file))) from error
    except UnicodeDecodeError as error:
        raise InputRefused("no text in UTF-8", Place(str(file)), "Save it as CSV UTF-8") from error
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    if not rows:
        raise InputRefused("holds no items", Place(str(file), 1), f"The header has {', '.join(TYPED[:6])} …")
    for number, row in enumerate(rows, start=2):
        try:
            read({name: value for name, value in row.items() if name in TYPED})
        except UsageError as error:
            raise InputRefused(str(error), Place(str(file), number)) from error
    added = add(
        _state(),
        [{name: value for name, value in row.items() if name in TYPED} for row in rows],
        who or the_user(),
    )
    say(f"{len(added)} items added, {len(rows) - len(added)} were there already")


def record(found: "SavingsItem") -> dict[str, Any]:
    """An item as JSON: money as text, its history with it."""
    from dataclasses import asdict

    from finops_core.model.export import cell

    told = {name: cell(value) for name, value in asdict(found).items()}
    return told | {"where": list(found.where), "steps": [dict(step) for step in told["steps"]]}
