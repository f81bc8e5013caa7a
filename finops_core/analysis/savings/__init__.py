"""Savings: what could be saved, what is planned, and what was realised, measured by the charges themselves."""

from finops_core.analysis.savings.finding import find
from finops_core.analysis.savings.opportunity import Opportunity
from finops_core.analysis.savings.realised import Realised, planned, realised, sums

__all__ = ["Opportunity", "Realised", "find", "planned", "realised", "sums"]
