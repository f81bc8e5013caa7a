"""How soon incidents are known, and over."""

from decimal import Decimal

from finops_core.analysis.triaging import TARGETS, Times, arrivals, times
from finops_core.reporting.scorecard.kpi import DOWN, HOURS, Kpi, Values
from finops_core.reporting.situation import Situation


def _times(found: Situation) -> Times:
    own = found.incidents_of_month
    return times(own, arrivals(found.ledger, own))


def _hours(value: float | None) -> Values:
    return {"": None if value is None else Decimal(str(round(value, 2)))}


KPIS = (
    Kpi(
        "mttd", "Time to detect an incident", "Median hours from the arrival of the day's data to the first report", HOURS, DOWN,
        Decimal(str(TARGETS["MTTD"].total_seconds() / 3600)), "FinOps", "anomalies", lambda found: _hours(_times(found).detect), 90,
    ),
    Kpi(
        "mttr", "Time to resolve an incident", "Median hours from the first report to contained or closed", HOURS, DOWN,
        Decimal(str(TARGETS["MTTR"].total_seconds() / 3600)), "Engineering", "anomalies", lambda found: _hours(_times(found).resolve), 100,
    ),
)  # fmt: skip
