"""The scorecard: every indicator of the practice with its target, what it is, how it went, and who answers for it."""

from finops_core.reporting.scorecard.kpi import Kpi, Line
from finops_core.reporting.scorecard.reckoning import TREND, kpis, scorecard, told

__all__ = ["TREND", "Kpi", "Line", "kpis", "scorecard", "told"]
