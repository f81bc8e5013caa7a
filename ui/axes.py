"""Axes that several charts have in common."""

from typing import Any

import polars

_FEW = 14


def time_axis(days: polars.Series, grain: str = "day") -> dict[str, Any]:
    """An axis of dates by day, or by `month`.

    Of few days, and of months, each has its own tick: a tick between two would bear the name of one.
    """
    step = "month" if grain == "month" else "day"
    axis = {
        "format": "%b %Y" if step == "month" else "%-d %b",
        "title": None,
        "ticks": False,
        "grid": False,
        "labelOverlap": "greedy",
        "labelSeparation": 14,
    }
    if step == "month" or days.n_unique() <= _FEW:
        axis["tickCount"] = {"interval": step, "step": 1}
    return axis
