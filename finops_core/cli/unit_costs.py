"""Commands for unit costs: what a unit of business costs, the files of units, and targets."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    the_month,
    the_user,
)
from finops_core.errors import UsageError

if TYPE_CHECKING:
    from finops_core.analysis.units import UnitLine
    from finops_core.model.ledger import Ledger

_Out = Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")]
_By = Annotated[str | None, typer.Option(help="A column of the metric's file, such as product; `-` for all together.")]  # fmt: skip
_Metric = Annotated[str | None, typer.Option(help="A metric of units; by default all.")]
_Cost = Annotated[str, typer.Option(help="EffectiveCost, BilledCost, ContractedCost or ListCost.")]
_Allocated = Annotated[bool, typer.Option("--allocated", help="With shares of shared pools.")]
_Where = Annotated[list[str] | None, typer.Option(help="A condition of charges; repeat for more.")]
units = typer.Typer(
    help="What a unit of business costs, such as an order; and the files of units.", invoke_without_command=True
)  # fmt: skip
app.add_typer(units, name="units")


@units.callback()
def show_units(
    context: typer.Context,
    month: Annotated[
        str | None, typer.Option(help="A month, such as 2026-10; by default the last whole one.")
    ] = None,
    metric: _Metric = None,
    by: _By = None,
    cost: _Cost = "EffectiveCost",
    allocated: _Allocated = False,
    where: _Where = None,
    json: Json = False,
) -> None:
    """Unit costs of a month beside the month before, their trend, and what moved them."""
    if context.invoked_subcommand is not None:
        return
    from finops_core.analysis.units import known_metrics, unit_lines

    ledger = the_ledger()
    if not known_metrics(ledger):
        if json:
            put_json({"month": None, "units": [], "notes": ["there are no units of business yet"]})
        say(
            "There are no units of business yet: farthing units add FILE (date, metric, quantity, and whose they are)"
        )
        return
    day = the_month(month, ledger)
    lines = unit_lines(ledger, day, metric, _column(by), cost, allocated, where or ())
    if json:
        put_json({
            "month": f"{day:%Y-%m}", "metric": cost, "units": [record(line) for line in lines], "notes": _notes(ledger, day, metric, by),
        })  # fmt: skip
        return
    for line in lines:
        put(line.sentence)


@units.command("table")
def table_of_units(
    metric: Annotated[str, typer.Argument(metavar="METRIC")],
    by: _By = None,
    start: Annotated[str | None, typer.Option("--from", help="First day.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The day after the last.")] = None,
    grain: Annotated[str, typer.Option(help="day, week, month, quarter, year or none.")] = "month",
    cost: _Cost = "EffectiveCost",
    allocated: _Allocated = False,
    where: _Where = None,
    format: str = "table",
    out: _Out = None,
) -> None:
    """Cost, units and cost per unit of a metric by period and member."""
    from finops_core.analysis.units import known_metrics, unit_costs
    from finops_core.analysis.units.metrics import metric_named
    from finops_core.model.query import Query

    ledger = the_ledger()
    found = metric_named(known_metrics(ledger), metric)
    days = Query(cost, start=start, end=end)  # type: ignore[arg-type]
    column = found.usual if by is None else None if by == "-" else by
    costs = unit_costs(ledger, found, column, days.start, days.end, grain, cost, allocated, where or ())
    put_table(costs.table, format, out)
    for note in costs.notes:
        say(note)


@units.command("add")
def add_units(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, Parquet or JSON.")],
    name: Annotated[str | None, typer.Option(help="Its name in the home; by default its own.")] = None,
) -> None:
    """Keep a copy of a file of units, in place of an earlier one of its name, and say what it holds."""
    from finops_core.store.unit_metrics import add

    say(add(the_home(), file, name).in_words())


@units.command("list")
def list_units(format: str = "table", out: _Out = None) -> None:
    """The files of units, and what each holds."""
    import polars

    from finops_core.errors import InputRefused
    from finops_core.store.unit_metrics import listed

    rows = [
        (name, None, None, None, str(found))
        if isinstance(found, InputRefused)
        else (name, ", ".join(found.metrics), found.frame["date"].min(), found.frame["date"].max(), "; ".join(found.notes) or None)
        for name, found in listed(the_home()).items()
    ]  # fmt: skip
    columns = {"File": polars.String, "Metrics": polars.String, "First": polars.Date, "Last": polars.Date, "Notes": polars.String}  # fmt: skip
    put_table(polars.DataFrame(rows, columns, orient="row"), format, out)


@units.command("remove")
def remove_units(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Remove a file of units from the home."""
    from finops_core.store.unit_metrics import remove

    remove(the_home(), name)
    say(f"{name}: removed")


@units.command("target")
def set_target(
    metric: Annotated[str, typer.Argument(metavar="METRIC")],
    amount: Annotated[
        str,
        typer.Argument(metavar="AMOUNT", help="The most that one unit should cost; `none` takes it back."),
    ],
    currency: Annotated[str, typer.Option(help="The currency of the cost.")] = "USD",
    by: Annotated[str, typer.Option(help="The column that the member is of.")] = "",
    member: Annotated[str, typer.Option(help="Whose units; by default all together.")] = "",
) -> None:
    """Keep what a unit may cost."""
    from finops_core.analysis.units import known_metrics
    from finops_core.analysis.units.metrics import metric_named
    from finops_core.store import unit_targets
    from finops_core.store.state import State

    found = metric_named(known_metrics(the_ledger()), metric)
    if by not in ("", *found.columns):
        raise UsageError(f"{metric} is not measured by {by!r}; its columns are {', '.join(found.columns)}")
    state = State(the_home())
    if amount == "none":
        unit_targets.remove(
            state, unit_targets.UnitTarget(metric, by, member, currency, Decimal(0)), the_user()
        )
        return
    unit_targets.keep(
        state,
        [unit_targets.UnitTarget(metric, by, member, currency, unit_targets.amount(amount))],
        the_user(),
    )


@units.command("margins")
def show_margins(
    by: Annotated[str, typer.Option(help="A column that revenue and units have, such as customer.")],
    metric: Annotated[str, typer.Option(help="The units that cost is shared by.")],
    revenue: Annotated[str, typer.Option(help="The metric of money received.")] = "revenue",
    start: Annotated[str | None, typer.Option("--from", help="First day.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="The day after the last.")] = None,
    allocated: _Allocated = False,
    format: str = "table",
    out: _Out = None,
) -> None:
    """Revenue, cost and margin of customers, tiers or products; by default of the last whole month."""
    from finops_core.analysis.units import known_metrics, margins
    from finops_core.analysis.units.metrics import metric_named
    from finops_core.model.periods import add_months
    from finops_core.model.query import Query

    ledger = the_ledger()
    known = known_metrics(ledger)
    days = Query("EffectiveCost", start=start, end=end)  # type: ignore[arg-type]
    first = days.start or the_month(None, ledger)
    found = margins(
        ledger, metric_named(known, metric), metric_named(known, revenue), by, first, days.end or add_months(first, 1), allocated=allocated
    )  # fmt: skip
    put_table(found, format, out)


def _column(by: str | None) -> str | None:
    return "" if by == "-" else by


def _notes(ledger: "Ledger", month: date, metric: str | None, by: str | None) -> list[str]:
    """What is odd about the units of a month and the month before, each metric by its name."""
    from finops_core.analysis.units import known_metrics, unit_costs
    from finops_core.model.periods import add_months
    from finops_core.store.unit_metrics import observations

    found = list(observations(ledger.home).notes)
    for one in known_metrics(ledger).values():
        if one.is_revenue or metric not in (None, one.name):
            continue
        column = one.usual if by is None else _column(by) or None
        costs = unit_costs(ledger, one, column, add_months(month, -1), add_months(month, 1))
        found += [f"{one.name}: {note}" for note in costs.notes]
    return found


def record(line: "UnitLine") -> dict[str, Any]:
    """A line as JSON: money and quantities as text with every digit."""

    def text(value: Decimal | None) -> str | None:
        return None if value is None else format(value, "f")

    return {
        "metric": line.metric, "unit": line.unit, "by": line.by or None, "member": line.member or None, "BillingCurrency": line.currency,
        "month": f"{line.month:%Y-%m}", "units": text(line.units), "cost": text(line.cost), "cost_without_units": text(line.unmeasured),
        "cost_per_unit": text(line.per_unit), "units_before": text(line.units_before), "cost_before": text(line.cost_before),
        "cost_per_unit_before": text(line.before), "change": text(line.change), "volume": text(line.volume),
        "efficiency": text(line.efficiency), "other": text(line.other), "target": text(line.target),
        "trend": [{"month": f"{day:%Y-%m}", "cost_per_unit": text(rate)} for day, rate in line.trend], "sentence": line.sentence,
    }  # fmt: skip
