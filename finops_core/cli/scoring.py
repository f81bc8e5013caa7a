"""The scorecard on the command line."""

from typing import Annotated

import typer

from finops_core.cli.session import Json, app, put, put_json, the_home, the_ledger, the_month, the_user
from finops_core.errors import UsageError

scorecard = typer.Typer(
    help="Every indicator of the practice: target, actual, trend, owner.", invoke_without_command=True
)
app.add_typer(scorecard, name="scorecard")


@scorecard.callback()
def show_scorecard(
    context: typer.Context,
    month: Annotated[
        str | None, typer.Option(help="A month, such as 2026-10; by default the last whole one.")
    ] = None,
    json: Json = False,
) -> None:
    """The indicators of a month."""
    if context.invoked_subcommand is not None:
        return
    from finops_core.model.export import cell
    from finops_core.reporting.scorecard import scorecard as lines_of
    from finops_core.reporting.scorecard import told
    from finops_core.reporting.situation import situation

    ledger = the_ledger()
    lines = lines_of(situation(ledger, the_month(month, ledger)))
    if json:
        put_json({
            "scorecard": [
                {
                    "name": line.kpi.name, "label": line.kpi.label, "description": line.kpi.description, "unit": line.kpi.unit, "better": line.kpi.better,
                    "BillingCurrency": line.currency or None, "month": f"{line.month:%Y-%m}", "value": cell(line.value), "target": cell(line.target),
                    "state": line.state, "owner": line.owner, "page": f"/{line.kpi.page}",
                    "trend": [{"month": f"{day:%Y-%m}", "value": cell(value)} for day, value in line.trend],
                }
                for line in lines
            ]
        })  # fmt: skip
        return
    for line in lines:
        code = f" ({line.currency})" if line.currency else ""
        put(
            f"{line.kpi.label}{code}: {told(line.value, line.kpi.unit)}, target {told(line.target, line.kpi.unit)}: {line.state}; {line.owner}"
        )


@scorecard.command("target")
def set_target(
    name: Annotated[str, typer.Argument(metavar="KPI")],
    target: Annotated[str, typer.Option(help="Such as 90%, or hours; nothing for the shipped one.")] = "",
    owner: Annotated[str, typer.Option(help="Who answers for it; nothing for the shipped one.")] = "",
) -> None:
    """Set what an indicator should reach, and who answers for it."""
    from finops_core.reporting.scorecard import kpis
    from finops_core.store.kpi_targets import KpiTarget, keep, typed
    from finops_core.store.state import State

    known = [kpi.name for kpi in kpis()]
    if name not in known:
        raise UsageError(f"there is no indicator {name!r}; known are {', '.join(known)}")
    keep(State(the_home()), name, KpiTarget(typed(target), owner), the_user())
