"""Charts of budgets: each against what is spent and forecast, and all of them month by month."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from finops_core.analysis.budgets.status import HEADING_OVER, OVER, BudgetStatus
from finops_core.model import words
from finops_core.model.export import cell
from ui import theme

Spec = dict[str, Any]
_NEW: Spec = {"$schema": "https://vega.github.io/schema/vega-lite/v6.json"}
_QUIET: Spec = {"ticks": False, "domain": False}
_MOST = 14
_BESIDE_BARS = 84
"""Pixels for the axis and its title: the height of a chart has them in it."""


def _axis(currency: str) -> Spec:
    return {"format": "~s", "title": currency, "tickCount": 5, "gridOpacity": 0.5, **_QUIET}


def _text(field: str) -> Spec:
    return {"field": field, "type": "nominal"}


def by_budget(statuses: Sequence[BudgetStatus], currency: str) -> Spec:
    """A wide pale bar for each budget, in it what is spent, and a tick where its forecast ends. The largest `_MOST`."""
    shown = list(statuses)[:_MOST]
    data = [
        {
            "number": number,
            "Budget": s.name,
            "budget": float(s.budget),
            "actual": float(s.actual),
            "forecast": float(s.forecast) if s.forecast is not None else None,
            "hue": theme.RISE
            if s.state == OVER
            else _HEADING
            if s.state == HEADING_OVER
            else theme.line_colour(),
            "Amount": f"{cell(s.budget)} {currency}",
            "Spent": f"{cell(s.actual)} {currency}",
            "Forecast": f"{words.amount(s.forecast)} {currency}" if s.forecast is not None else "not known",
            "State": s.state,
            "Pace": s.in_words(),
            "Label": f"{s.name}: {words.amount(s.actual)} of {words.money(s.budget, currency)}, {s.state}",
        }
        for number, s in enumerate(shown)
    ]
    common: Spec = {
        "y": {
            "field": "Budget",
            "type": "nominal",
            "sort": [d["Budget"] for d in data],
            "title": None,
            "axis": {"labelLimit": 170, "labelPadding": 8, **_QUIET},
        },
        "description": _text("Label"),
        "tooltip": [_text(n) for n in ("Budget", "Amount", "Spent", "Forecast", "State", "Pace")],
    }
    across = {"type": "quantitative", "axis": _axis(currency)}
    return {
        **_NEW,
        "data": {"values": data},
        "height": 22 * len(data) + _BESIDE_BARS,
        "layer": [
            {
                "mark": {"type": "bar", "size": 17, "color": theme.REST, "opacity": 0.35},
                "encoding": {**common, "x": {"field": "budget", **across}},
            },
            {
                "mark": {"type": "bar", "size": 8, "cornerRadius": 1},
                "encoding": {
                    **common,
                    "x": {"field": "actual", **across},
                    "color": {"field": "hue", "type": "nominal", "scale": None},
                },
            },
            {
                "mark": {"type": "tick", "size": 19, "thickness": 2, "color": _ink()},
                "encoding": {**common, "x": {"field": "forecast", **across}},
            },
        ],
    }


_HEADING = "#d08700"


def _ink() -> str:
    return "#e4e9ee" if theme.is_dark() else "#1c2733"


def by_month(
    rows: Sequence[tuple[date, Decimal | None, Decimal | None]], currency: str, running: date
) -> Spec:
    """Bars of the cost of each month, and a stepped line of its budgets; the running month lighter."""
    data = [
        {
            "Month": words.bucket(month, "month"),
            "budget": float(budget) if budget is not None else None,
            "actual": float(actual) if actual is not None else None,
            "State": "incomplete" if month >= running else "complete",
            "Cost": f"{cell(actual)} {currency}" if actual is not None else "none yet",
            "Budgets": f"{cell(budget)} {currency}" if budget is not None else "none",
            "Label": f"{words.bucket(month, 'month')}: cost {words.amount(actual)}, budgets {words.amount(budget)} {currency}",
        }
        for month, budget, actual in rows
    ]
    common: Spec = {
        "x": {
            "field": "Month",
            "type": "ordinal",
            "sort": [d["Month"] for d in data],
            "title": None,
            "axis": {
                "labelAngle": 0,
                "labelOverlap": "parity",
                "labelPadding": 6,
                "ticks": False,
                "domainOpacity": 0.4,
            },
        },
        "description": _text("Label"),
        "tooltip": [_text(n) for n in ("Month", "Cost", "Budgets", "State")],
    }
    up = {"type": "quantitative", "axis": _axis(currency)}
    steps = {
        "mark": {"type": "line", "interpolate": "step", "strokeWidth": 2.2, "color": _ink(), "point": {"size": 22, "color": _ink()}},
        "encoding": {**common, "y": {"field": "budget", **up}},
    }  # fmt: skip
    planned = (
        [steps] if any(budget is not None for _, budget, _ in rows) else []
    )  # an empty layer is a mark without a name
    return {
        **_NEW,
        "data": {"values": data},
        "height": 330,
        "layer": [
            {
                "mark": {"type": "bar", "cornerRadius": 1, "color": theme.line_colour()},
                "encoding": {
                    **common,
                    "y": {"field": "actual", **up},
                    "opacity": {
                        "field": "State",
                        "type": "nominal",
                        "scale": {"domain": ["complete", "incomplete"], "range": [0.85, 0.4]},
                        "legend": None,
                    },
                },
            },
            *planned,
        ],
    }  # fmt: skip
