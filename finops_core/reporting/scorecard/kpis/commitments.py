"""What commitments do."""

from decimal import Decimal

from finops_core.reporting.scorecard.kpi import SHARE, UP, Kpi, Values
from finops_core.reporting.situation import Situation


def _rate(name: str, found: Situation) -> Values:
    return {row["BillingCurrency"]: row[name] for row in found.commitments.totals.iter_rows(named=True)}


KPIS = (
    Kpi(
        "utilisation", "Commitment utilisation", "Used ÷ (used + idle), of effective cost", SHARE, UP, Decimal("0.9"), "FinOps", "commitments",
        lambda found: _rate("utilisation", found), 30,
    ),
    Kpi(
        "coverage", "Commitment coverage", "Covered ÷ eligible use, at on-demand prices", SHARE, UP, Decimal("0.6"), "FinOps",
        "commitments", lambda found: _rate("coverage", found), 40,
    ),
    Kpi(
        "effective-savings-rate", "Effective savings rate", "1 − what eligible use and idle commitments cost ÷ the same at on-demand prices",
        SHARE, UP, Decimal("0.15"), "FinOps", "commitments", lambda found: _rate("effective_savings_rate", found), 50,
    ),
)  # fmt: skip
