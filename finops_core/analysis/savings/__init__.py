"""Savings: what was realised, measured by the charges themselves, and what is planned."""

from finops_core.analysis.savings.realised import Realised, planned, realised, sums

__all__ = ["Realised", "planned", "realised", "sums"]
