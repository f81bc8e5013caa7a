"""Charts of commitments: rates by day as lines, and coverage as a calendar."""

from datetime import date, timedelta
from decimal import Decimal

import polars

from finops_core.model import words
from ui import theme
from ui.axes import time_axis
from ui.charts import _NEW, Spec, _axis, _text  # the same frame as every chart

_HEIGHT = 260
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
RATES = {"utilisation": "Utilisation", "coverage": "Coverage"}


def rates(days: polars.DataFrame) -> Spec:
    """Utilisation and coverage by day, as `commitments.by_day`."""
    rows = [
        {
            "day": day.isoformat(),
            "Rate": label,
            "value": float(value),
            "Day": words.day(day),
            "Share": words.percent(value),
            "Label": f"{label}, {words.day(day)}: {words.percent(value)}",
        }
        for name, label in RATES.items()
        for day, value in days.select("ChargePeriod", name).iter_rows()
        if value is not None
    ]
    shown = [label for label in RATES.values() if any(row["Rate"] == label for row in rows)]
    hues = {
        name: hue
        for name, hue in theme.colours(list(RATES.values()), list(RATES.values())).items()
        if name in shown
    }
    return {
        **_NEW,
        "height": _HEIGHT,
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "line", "strokeWidth": 2.2, "point": {"size": 18}},
                "encoding": {
                    "x": {"field": "day", "type": "temporal", "title": None, "axis": time_axis(days["ChargePeriod"])},
                    "y": {"field": "value", "type": "quantitative", "axis": _axis(None, "%", 5), "scale": {"zero": True}},
                    "color": {
                        "field": "Rate",
                        "type": "nominal",
                        "scale": {"domain": list(hues), "range": list(hues.values())},
                        "legend": {"title": None, "orient": "bottom", "symbolType": "square"},
                    },
                    "description": _text("Label"),
                    "tooltip": [_text(n) for n in ("Rate", "Day", "Share")],
                },
            }
        ],
    }  # fmt: skip


def calendar(days: polars.DataFrame, rate: str) -> Spec:
    """A rate by week and weekday, darker where more."""
    rows = [
        _cell(day, value, rate)
        for day, value in days.select("ChargePeriod", rate).iter_rows()
        if value is not None
    ]
    plain: Spec = {"ticks": False, "domain": False}
    weeks = list(dict.fromkeys(row["Week"] for row in rows))
    return {
        **_NEW,
        "height": 200,
        "data": {"values": rows},
        "mark": {"type": "rect", "cornerRadius": 2, "stroke": "transparent", "strokeWidth": 2},
        "encoding": {
            "x": {"field": "Week", "type": "ordinal", "sort": weeks, "title": "week of", "axis": {**plain, "labelAngle": 0, "labelOverlap": "greedy"}},
            "y": {"field": "Weekday", "type": "ordinal", "sort": _WEEKDAYS, "title": None, "axis": plain},
            "color": {
                "field": "value",
                "type": "quantitative",
                "scale": {"scheme": "blues"},
                "legend": {"title": RATES[rate], "format": "%", "orient": "right", "gradientLength": 150},
            },
            "description": _text("Label"),
            "tooltip": [_text(n) for n in ("Day", "Weekday", "Share")],
        },
    }  # fmt: skip


def hours(found: polars.DataFrame, rate: str) -> Spec:
    """A rate by hour and weekday, darker where more."""
    rows = [
        {
            "Hour": f"{hour:02}", "Weekday": _WEEKDAYS[weekday - 1], "value": float(value), "Share": words.percent(value),
            "Label": f"{RATES[rate]}, {_WEEKDAYS[weekday - 1]} {hour:02}:00 UTC: {words.percent(value)}",
        }
        for weekday, hour, value in found.select("weekday", "hour", rate).iter_rows()
        if value is not None
    ]  # fmt: skip
    plain: Spec = {"ticks": False, "domain": False}
    return {
        **_NEW,
        "height": 200,
        "data": {"values": rows},
        "mark": {"type": "rect", "cornerRadius": 2, "stroke": "transparent", "strokeWidth": 2},
        "encoding": {
            "x": {"field": "Hour", "type": "ordinal", "title": "hour, UTC", "axis": {**plain, "labelAngle": 0}},
            "y": {"field": "Weekday", "type": "ordinal", "sort": _WEEKDAYS, "title": None, "axis": plain},
            "color": {"field": "value", "type": "quantitative", "scale": {"scheme": "blues"}, "legend": {"title": RATES[rate], "format": "%", "orient": "right", "gradientLength": 150}},
            "description": _text("Label"),
            "tooltip": [_text(n) for n in ("Weekday", "Hour", "Share")],
        },
    }  # fmt: skip


def _cell(day: date, value: Decimal, rate: str) -> dict[str, object]:
    week = day - timedelta(day.weekday())
    return {
        "Week": f"{week.day} {week:%b}",
        "Weekday": _WEEKDAYS[day.weekday()],
        "value": float(value),
        "Day": words.day(day),
        "Share": words.percent(value),
        "Label": f"{RATES[rate]}, {words.day(day)}: {words.percent(value)}",
    }
