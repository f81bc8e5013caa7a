"""The chart of a forecast: what months cost, and what they will, with the band that holds four of five."""

from datetime import date
from decimal import Decimal

from finops_core.model.export import cell
from ui import theme
from ui.charts import _NEW, Spec, _axis, _ink, _text  # the same frame as every chart

_HEIGHT = 330
ACTUAL, BOOKED, FORECAST = "Actual", "So far", "Forecast"


def months(
    past: list[tuple[date, Decimal]],
    ahead: list[tuple[date, Decimal, Decimal, Decimal, Decimal]],
    currency: str,
) -> Spec:
    """Bars by month. `past`: month, cost; `ahead`: month, so far, rest, p10, p90."""
    rows = [_row(month, cost, ACTUAL, currency) for month, cost in past]
    bands = []
    for month, so_far, rest, low, high in ahead:
        if so_far:
            rows.append(_row(month, so_far, BOOKED, currency))
        rows.append(_row(month, rest, FORECAST, currency))
        bands.append(
            {
                "Month": _name(month),
                "low": float(low),
                "high": float(high),
                "Band": f"{cell(low)} to {cell(high)} {currency}",
                "Label": f"{_name(month)}, four of five months: {cell(low)} to {cell(high)} {currency}",
            }
        )
    names = [_name(month) for month in dict.fromkeys([m for m, _ in past] + [a[0] for a in ahead])]
    across: Spec = {
        "field": "Month",
        "type": "ordinal",
        "sort": names,
        "title": None,
        "axis": {"labelAngle": 0, "labelPadding": 6, "ticks": False, "domainOpacity": 0.4},
    }
    hue = theme.line_colour()
    kinds = [ACTUAL, BOOKED, FORECAST]
    bars: Spec = {
        "data": {"values": rows},
        "mark": {"type": "bar", "cornerRadius": 1},
        "encoding": {
            "x": across,
            "y": {
                "field": "value",
                "type": "quantitative",
                "stack": "zero",
                "axis": _axis(currency, "~s", 5),
            },
            "order": {"field": "order", "type": "quantitative"},
            "color": {
                "field": "Kind",
                "type": "nominal",
                "sort": kinds,
                "scale": {"domain": kinds, "range": [hue, f"{hue}b0", f"{hue}60"]},
                "legend": {"title": None, "orient": "bottom", "symbolType": "square"},
            },
            "description": _text("Label"),
            "tooltip": [_text("Month"), _text("Kind"), _text("Cost")],
        },
    }
    band: Spec = {
        "data": {"values": bands},
        "encoding": {"x": across, "description": _text("Label"), "tooltip": [_text("Month"), _text("Band")]},
        "layer": [
            {
                "mark": {"type": "rule", "color": _ink(), "strokeWidth": 1.6},
                "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
            },
            *(
                {
                    "mark": {"type": "tick", "color": _ink(), "thickness": 1.6, "size": 14},
                    "encoding": {"y": {"field": end, "type": "quantitative"}},
                }
                for end in ("low", "high")
            ),
        ],
    }
    return {**_NEW, "height": _HEIGHT, "layer": [bars, band]}


def _row(month: date, cost: Decimal, kind: str, currency: str) -> dict[str, object]:
    return {
        "Month": _name(month),
        "value": float(cost),
        "Kind": kind,
        "order": (ACTUAL, BOOKED, FORECAST).index(kind),
        "Cost": f"{cell(cost)} {currency}",
        "Label": f"{_name(month)}, {kind.lower()}: {cell(cost)} {currency}",
    }


def _name(month: date) -> str:
    return f"{month:%b %Y}"
