"""What an incident looks like: its kind, as people call it."""

from finops_core.analysis.detection.grid import Floats
from finops_core.analysis.detection.records import Kind


def kind(direction: int, excess: Floats, expected: float, weekends: bool) -> Kind:
    """From the money above (below) what was expected, day by day from its start to its end; `weekends`: only at weekends."""
    if direction < 0:
        return "drop"
    if expected <= 0.05 * float(excess.sum()):
        return "new"
    if weekends:
        return "weekend leak"
    if len(excess) <= 3:
        return "spike"
    third = max(1, len(excess) // 3)
    first, last = float(excess[:third].mean()), float(excess[-third:].mean())
    if last > 1.6 * max(first, 0.0):
        return "runaway" if len(excess) <= 14 else "slow leak"
    return "level shift"
