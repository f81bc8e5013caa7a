"""Whether the figures can be trusted: complete, and equal to their sources."""

from decimal import Decimal

from finops_core.model.periods import month_start
from finops_core.reporting.scorecard.kpi import SHARE, UP, Kpi, Values
from finops_core.reporting.situation import Situation


def _reconciled(found: Situation) -> Values:
    own = [line for line in found.known.reconciled if line.batch.billing_period == f"{found.month:%Y-%m}"]
    return {"": Decimal(sum(line.holds for line in own)) / len(own) if own else None}


def _fresh(found: Situation) -> Values:
    """Known of now alone: an earlier month does not say how late it was."""
    if found.period.end < month_start(found.span.complete_until):
        return {"": None}
    newest = [p for p in found.known.sources if p.state != "closed"]
    return {"": Decimal(sum(p.state == "fresh" for p in newest)) / len(newest) if newest else None}


KPIS = (
    Kpi(
        "reconciled", "Months reconciled", "Source totals of the month that are equal to the last digit", SHARE, UP, Decimal(1),
        "FinOps", "reconciliation", _reconciled, 120,
    ),
    Kpi(
        "fresh", "Sources that are up to date", "Sources whose newest day ended less than 24 hours ago, now", SHARE, UP, Decimal(1),
        "FinOps", "sources", _fresh, 130,
    ),
)  # fmt: skip
