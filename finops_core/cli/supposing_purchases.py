"""A scenario file held against the forecast."""

from pathlib import Path
from typing import Annotated

import typer

from finops_core.cli.session import Json, app, put, put_json, the_ledger


@app.command()
def scenario(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="YAML: purchases (plan, hourly, start …), adjustments as in `scenarios`, or both.",
        ),
    ],
    json: Json = False,
) -> None:
    """What the coming months would cost if something were bought or changed: before, after, savings with p10 to p90, by month and currency."""
    from finops_core.allocation.written import read, text_of
    from finops_core.analysis.purchases.supposing import outcome, supposition
    from finops_core.model.export import cell

    found, adjustments = supposition(read(text_of(file), file.name))
    told = outcome(the_ledger(), found, adjustments)
    rows = [
        {
            name if name != "ChargePeriod" else "month": f"{value:%Y-%m}"
            if name == "ChargePeriod"
            else cell(value)
            for name, value in row.items()
        }
        for row in told.months.iter_rows(named=True)
    ]
    if json:
        sums = told.months.group_by("BillingCurrency", maintain_order=True).sum()
        put_json({
            "scenario": found.name,
            "description": found.description,
            "months": rows,
            "totals": [
                {name: cell(row[name]) for name in ("BillingCurrency", "before", "after", "savings")} for row in sums.drop("ChargePeriod").iter_rows(named=True)
            ],
            "purchases": [
                {
                    "plan": b.plan.name, "term_months": b.plan.term_months, "payment": b.plan.payment, "discount": b.plan.discount,
                    "BillingCurrency": b.purchase.currency, "hourly_commitment": b.purchase.hourly, "start": b.purchase.start.isoformat(),
                    "utilisation": round(b.utilisation, 4), "coverage": round(b.coverage, 4), "risk": round(b.risk, 4),
                    "savings": f"{b.savings:.2f}", "savings_p10": f"{b.savings_low:.2f}", "savings_p90": f"{b.savings_high:.2f}",
                }
                for b in told.bought
            ],
            "assumptions": list(told.assumptions),
        })  # fmt: skip
        return
    for row in rows:
        put(
            f"{row['month']} {row['BillingCurrency']}: {row['before']} → {row['after']}, saves {row['savings']} ({row['savings_low']} to {row['savings_high']} by purchases)"
        )
    for b in told.bought:
        put(
            f"{b.plan.in_words()}, {b.purchase.hourly:g} {b.purchase.currency} an hour: {b.utilisation:.0%} used, {b.coverage:.0%} covered, saves {b.savings:,.2f} within these months"
        )
