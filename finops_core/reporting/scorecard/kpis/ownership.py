"""How much of the cost has an owner, and how much of it is tagged."""

from decimal import Decimal

from finops_core.reporting.scorecard.kpi import SHARE, UP, Kpi, Values
from finops_core.reporting.situation import Situation


def _allocated(found: Situation) -> Values:
    rows = found.unallocated.iter_rows(named=True)
    return {r["BillingCurrency"]: None if r["share"] is None else 1 - Decimal(str(r["share"])) for r in rows}


def _tagged(found: Situation) -> Values:
    """Of the first key that the policy requires."""
    first = next((key.key for key in found.tags.keys), None)
    told: Values = {}
    for key in found.tags.keys:
        if key.key == first and key.currency:
            told[key.currency] = key.tally.coverage_by_cost
    return told


KPIS = (
    Kpi(
        "allocated", "Cost with an owner", "Effective cost that rules and pools give to a team, of what can be given", SHARE, UP,
        Decimal("0.95"), "FinOps", "allocation", _allocated, 10,
    ),
    Kpi(
        "tagged", "Cost with tags", "Effective cost that carries the first required tag with an allowed value, of what can carry it",
        SHARE, UP, Decimal("0.8"), "Platform", "tags", _tagged, 20,
    ),
)  # fmt: skip
