"""Which commitments to buy."""

from typing import Annotated, Any

import typer

from finops_core.cli.session import Json, app, put, put_json, say, the_ledger


@app.command()
def recommend(
    scenario: Annotated[
        str, typer.Option(help="A scenario of plans.yaml; shipped are baseline, growth, decline, migration.")
    ] = "baseline",
    risk: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="How likely less than nine tenths of it may be used; else as in plans.yaml."
        ),
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="A condition; repeat for more, all must hold.")
    ] = None,
    json: Json = False,
) -> None:
    """Commitments to buy: plan, how much, what it saves, and its risk; daily use, simulated futures."""
    from finops_core.analysis.purchases import recommend as found_of

    found = found_of(the_ledger(), scenario, risk, where or ())
    if json:
        put_json({"scenario": scenario, "recommendations": [record(one) for one in found]})
        return
    if not found:
        say(
            "Nothing to buy: no plan of rules/plans.yaml saves on the use of the last year that nothing covers, at the risk that is borne"
        )
    for one in found:
        put(
            f"{one.service} {one.region or ''}: {one.plan.in_words()}, {one.choice.commitment / 24:,.4f} {one.currency} an hour;"
            f" saves {one.monthly_savings:,.2f} {one.currency} a month, {one.choice.utilisation:.0%} used,"
            f" {one.choice.coverage:.0%} covered"
        )


def record(one: Any) -> dict[str, Any]:
    """A recommendation as JSON: money as text to the cent, shares as numbers."""
    month = 365 / 12
    return {
        "BillingCurrency": one.currency,
        "ServiceName": one.service,
        "RegionId": one.region,
        "family": one.plan.family or None,
        "plan": one.plan.name,
        "term_months": one.plan.term_months,
        "payment": one.plan.payment,
        "discount": one.plan.discount,
        "hourly_commitment": f"{one.choice.commitment / 24:.4f}",
        "monthly_commitment": f"{one.choice.commitment * month:.2f}",
        "on_demand_per_month": f"{one.on_demand * month:.2f}",
        "expected_savings_per_month": f"{one.monthly_savings:.2f}",
        "savings_p10": f"{one.choice.savings_low * month:.2f}",
        "savings_p90": f"{one.choice.savings_high * month:.2f}",
        "utilisation": round(one.choice.utilisation, 4),
        "coverage": round(one.choice.coverage, 4),
        "risk": round(one.choice.risk, 4),
        "break_even_months": round(one.break_even_months, 1),
        "scenarios": {name: f"{saved:.2f}" for name, saved in one.scenarios.items()},
        "approver": one.approver,
        "approvers": one.people,
        "grain": one.grain,
        "wrong_if": one.wrong_if,
        "assumptions": [
            f"{one.days} days of use that nothing covers, known by the {one.grain}",
            "commitments in force are renewed when they end",
            "discounts of rules/plans.yaml, or the typical ones shipped",
        ],
    }
