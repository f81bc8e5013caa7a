"""Charts of unit costs: what a unit costs over time, member by member."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import polars

from finops_core.analysis.units.lines import price
from finops_core.model import words
from finops_core.model.engine import PERIOD
from ui import theme
from ui.axes import time_axis
from ui.charts import _HEIGHT, _NEW, Spec, _axis, _text  # the same frame as every chart


def over_time(
    table: polars.DataFrame,
    ranking: Sequence[str],
    currency: str,
    grain: str,
    per: int,
    unit: str,
    target: Decimal | None,
) -> Spec:
    """Cost per unit by period, a line a member; periods without units are gaps. `target` is a dashed line."""
    members = [m for m in ranking if m in set(table["Member"])]
    hues = theme.colours(members, members)
    label = f"{currency} for {f'{per:,} {unit}s' if per > 1 else f'one {unit}'}"
    data = [_point(row, per, currency, grain) for row in table.iter_rows(named=True)]
    layers: list[Spec] = [
        {
            "mark": {"type": "line", "strokeWidth": 2.2, "point": {"size": 22}, "invalid": "break-paths-show-domains"},
            "encoding": {
                "x": {"field": "day", "type": "temporal", "title": None, "axis": time_axis(table["ChargePeriod"], grain)},
                "y": {"field": "value", "type": "quantitative", "axis": _axis(label, "~g", 5), "scale": {"zero": True}},
                "color": {"field": "Member", "type": "nominal", "scale": {"domain": list(hues), "range": list(hues.values())}, "legend": {"title": None, "orient": "bottom", "symbolType": "square"} if len(members) > 1 else None},
                "description": _text("Label"),
                "tooltip": [_text(n) for n in ("Member", "Period", "Price", "Units", "Cost")],
            },
        }
    ]  # fmt: skip
    if target is not None:
        layers.append(
            {
                "data": {"values": [{"value": float(target * per), "Target": f"Target: {price(target, per)} {currency}"}]},
                "mark": {"type": "rule", "strokeDash": [6, 4], "strokeWidth": 1.5, "color": theme.REST},
                "encoding": {"y": {"field": "value", "type": "quantitative"}, "tooltip": [_text("Target")], "description": _text("Target")},
            }
        )  # fmt: skip
    return {**_NEW, "height": _HEIGHT, "data": {"values": data}, "layer": layers}


def _point(row: dict[str, object], per: int, currency: str, grain: str) -> dict[str, object]:
    day, rate, units, cost = row[PERIOD], row["cost_per_unit"], row["units"], row["cost"]
    assert isinstance(day, date) and isinstance(cost, Decimal)
    told = f"{price(rate, per)} {currency}" if isinstance(rate, Decimal) else "no units, no price"
    period = words.bucket(day, grain)
    return {
        "day": day.isoformat(),
        "Member": row["Member"],
        "value": float(rate * per) if isinstance(rate, Decimal) else None,
        "Period": period,
        "Price": told,
        "Units": f"{units:,.0f}" if isinstance(units, Decimal) else "not known",
        "Cost": words.money(cost, currency),
        "Label": f"{row['Member']}, {period}: {told}",
    }
