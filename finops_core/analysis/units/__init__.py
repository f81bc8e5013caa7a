"""Unit cost: what a unit of business costs, how that changes, and why (FinOps Foundation: unit economics).

Unit cost = the cost of the members that a metric is measured in ÷ its units, over the same days. A day without units is
left out of both, and said; a day with 0 units has a cost and no unit cost.
"""

from finops_core.analysis.units.change import EFFECTS, effects
from finops_core.analysis.units.definitions import FILE, UnitMetric, definitions
from finops_core.analysis.units.lines import UnitLine, unit_lines
from finops_core.analysis.units.margins import margins
from finops_core.analysis.units.measured import UnitCosts, unit_costs
from finops_core.analysis.units.metrics import Metric, known_metrics
from finops_core.analysis.units.models import accelerators, idle_share, is_used_hours, tokens
from finops_core.analysis.units.volume import Volume, volume

__all__ = [
    "EFFECTS",
    "FILE",
    "Metric",
    "UnitCosts",
    "UnitLine",
    "UnitMetric",
    "Volume",
    "accelerators",
    "definitions",
    "effects",
    "idle_share",
    "is_used_hours",
    "known_metrics",
    "margins",
    "tokens",
    "unit_costs",
    "unit_lines",
    "volume",
]
