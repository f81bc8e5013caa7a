"""Commitments to buy: how much of what is on demand, under which plan, with what is to be gained and risked.

The cost of a commitment of capacity K (on-demand equivalent a day) at discount d is K × (1 − d) + max(0, use − K): its expectation is least
where use exceeds K on a share 1 − d of days. It is taken over simulated futures, and bounded by the risk of paying for what is not used.
"""

from finops_core.analysis.purchases.choosing import Choice, Curve, choose, curve
from finops_core.analysis.purchases.futures import SCENARIOS, futures, trend
from finops_core.analysis.purchases.plans import FILE, Plan, Plans, plans
from finops_core.analysis.purchases.recommending import Recommendation, recommend, total_savings, tranches

__all__ = [
    "FILE",
    "SCENARIOS",
    "Choice",
    "Curve",
    "Plan",
    "Plans",
    "Recommendation",
    "choose",
    "curve",
    "futures",
    "plans",
    "recommend",
    "total_savings",
    "tranches",
    "trend",
]
