"""What was saved of what was planned."""

from decimal import Decimal

from finops_core.analysis.savings import planned
from finops_core.reporting.scorecard.kpi import SHARE, UP, Kpi, Values
from finops_core.reporting.situation import Situation


def _realised(found: Situation) -> Values:
    told: Values = {}
    for currency, plan in planned(found.known.items, found.month).items():
        net = sum(
            (r.net for r in found.known.realised if r.month == found.month and r.currency == currency),
            Decimal(0),
        )
        told[currency] = net / plan if plan else None
    return told


KPIS = (
    Kpi(
        "savings-realised", "Savings realised", "Net savings of the month ÷ what items that are done should save", SHARE, UP,
        Decimal("0.7"), "FinOps", "savings", _realised, 110,
    ),
)  # fmt: skip
