"""What the coming months will cost, and how good such forecasts were."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from finops_core.cli.session import Json, app, put, put_json, put_table, say, the_home, the_ledger, the_user
from finops_core.errors import UsageError

scenario_app = typer.Typer(
    help="Scenarios: named sets of dated adjustments to the forecast.", no_args_is_help=True
)
app.add_typer(scenario_app, name="scenarios")


@app.command()
def forecast(
    metric: Annotated[str, typer.Option(help="EffectiveCost or BilledCost.")] = "EffectiveCost",
    by: Annotated[list[str] | None, typer.Option(help="A dimension; repeat for more.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="A condition; repeat for more, all must hold.")
    ] = None,
    horizon: Annotated[int, typer.Option(min=1, max=13, help="Months, the running one first.")] = 3,
    as_of: Annotated[str | None, typer.Option(help="As it would have been said on this day.")] = None,
    scenario: Annotated[str | None, typer.Option(help="The name of a scenario to suppose.")] = None,
    accuracy: Annotated[bool, typer.Option(help="How good forecasts were, instead.")] = False,
    format: str = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file instead of standard output.")] = None,
) -> None:
    """ChargePeriod (a month), BillingCurrency, the dimensions, mean, p10, p50, p90, and of mean: actual (so far) and rest (forecast).

    The running month is what its complete days and booked fees cost plus the forecast of its rest. Means of members sum to that of all;
    p10 and p90 hold four of five months and do not add up.
    """
    from finops_core.analysis.forecasts import accuracy as judging
    from finops_core.analysis.forecasts import book_of, forecast_of
    from finops_core.model.query import Query
    from finops_core.store.state import State

    ledger, query = the_ledger(), Query(metric, by=by or (), where=where or ())
    day = _day(as_of)
    if day is None:
        judging.remember(ledger, State(the_home()), book_of(ledger, metric), the_user())
    if accuracy:
        book = book_of(ledger, metric, day)
        stored = judging.told(ledger, State(the_home()), metric, book.start)
        table = stored if len(stored) else judging.backtested(forecast_of(ledger, query, 1, day))
        say(
            "Forecasts that were kept"
            if len(stored)
            else "No kept forecast is due: as they would have been made"
        )
        put_table(table, format, out)
        return
    table = forecast_of(ledger, query, horizon, day).table
    if scenario is not None:
        from finops_core.analysis.forecasts.supposing import with_scenario
        from finops_core.store.scenarios import scenario as named

        book = book_of(ledger, metric, day)
        table = with_scenario(ledger, book, query, horizon, named(State(the_home()), scenario))
    put_table(table, format, out)


@scenario_app.command("add")
def add(path: Annotated[Path, typer.Argument(help="YAML: name, description, adjustments.")]) -> None:
    """Keeps a scenario; one of the same name is replaced."""
    from finops_core.allocation.written import text_of
    from finops_core.store.scenarios import from_yaml, save
    from finops_core.store.state import State

    found = from_yaml(text_of(path), str(path))
    save(State(the_home()), found, the_user())
    say(f"Kept: {found.name}")


@scenario_app.command("list")
def list_(json: Json = False) -> None:
    """The scenarios that are kept."""
    from finops_core.store.scenarios import scenarios
    from finops_core.store.state import State

    found = scenarios(State(the_home()))
    if json:
        put_json(
            {
                "scenarios": [
                    {"name": s.name, "description": s.description, "adjustments": len(s.adjustments)}
                    for s in found
                ]
            }
        )
    else:
        put("\n".join(f"{s.name}: {s.description}" for s in found))


@scenario_app.command("show")
def show(name: str) -> None:
    """A scenario as YAML."""
    from finops_core.store.scenarios import scenario, to_yaml
    from finops_core.store.state import State

    put(to_yaml(scenario(State(the_home()), name)))


@scenario_app.command("remove")
def remove(name: str) -> None:
    """Takes a scenario back."""
    from finops_core.store.scenarios import remove as take_back
    from finops_core.store.state import State

    take_back(State(the_home()), name, the_user())


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no date: write 2026-09-01") from None
