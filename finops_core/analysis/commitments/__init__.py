"""Commitments from the charges alone: how far they are used, what they cover, what they save, and when they end.

Per commitment and in total, exactly, by currency (finops.md's definitions):

- utilisation = Σ EffectiveCost(Used) / Σ EffectiveCost(Used + Unused); idle money = Σ EffectiveCost(Unused);
- on-demand equivalent of a charge = its ContractedCost, or its ListCost where that is not known;
- eligible use = Usage of PricingCategory Standard or Committed (or of none, where an export has no such column), of services of which some use was covered;
- coverage = Σ on-demand equivalent(covered) / Σ on-demand equivalent(eligible);
- savings = Σ on-demand equivalent(eligible) − Σ EffectiveCost(Used + Unused + eligible that is not covered) − fees: what EffectiveCost
  a bill leaves on purchases (Google Cloud's resource-based and legacy commitments; 0 of all others);
- effective savings rate = savings / Σ on-demand equivalent(eligible).
"""

from finops_core.analysis.commitments.cuts import MEMBER, USUAL, Cut, by_member, cut
from finops_core.analysis.commitments.figures import (
    BENEFIT,
    Commitments,
    benefit,
    by_day,
    commitments,
    leftovers,
    leftovers_by_day,
)
from finops_core.analysis.commitments.hours import HOUR, by_hour, leftovers_by_hour
from finops_core.analysis.commitments.terms import FILE, Terms, terms

__all__ = [
    "BENEFIT",
    "FILE",
    "HOUR",
    "MEMBER",
    "USUAL",
    "Commitments",
    "Cut",
    "Terms",
    "benefit",
    "by_day",
    "by_hour",
    "by_member",
    "commitments",
    "cut",
    "leftovers",
    "leftovers_by_day",
    "leftovers_by_hour",
    "terms",
]
