"""Charts of anomalies: all of them over time, and the course of one with the band that was expected."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import polars

from finops_core.analysis.triaging import Triaged
from finops_core.model import words
from finops_core.model.export import cell
from ui import theme
from ui.charts import _NEW, Mark, Spec, _axis, _ink, _text  # the same frame as every chart

HUES = {"critical": "#c0392b", "high": "#d9822b", "warning": "#b8930b", "info": "#6b7f92"}
_HEIGHT = 250


def strip(found: Sequence[Triaged], chosen: str | None, accounts: Mapping[str, str]) -> Spec:
    """Every incident as a bar over its days, a row each, the newest first; chosen by a click."""
    rows = [
        {
            "key": t.incident.key,
            "name": f"{t.incident.called(accounts)} ({t.incident.kind})",
            "start": t.incident.start.isoformat(),
            "end": (t.incident.end + timedelta(1)).isoformat(),
            "Severity": t.incident.severity,
            "Impact": f"{cell(t.incident.impact)} {t.incident.currency}",
            "State": t.state,
            "Days": f"{words.day(t.incident.start)} to {words.day(t.incident.end)}{', going on' if t.incident.ongoing else ''}",
            "faint": 1.0 if chosen in (None, t.incident.key) else 0.45,
            "Label": f"{t.incident.series}, {t.incident.severity}: {cell(t.incident.impact)} {t.incident.currency}",
        }
        for t in found
    ]
    names = list(HUES)
    encoding: Spec = {
        "y": {
            "field": "name",
            "type": "nominal",
            "sort": [row["name"] for row in rows],
            "title": None,
            "axis": {"labelOverlap": False, "labelFlush": False, "labelLimit": 340, "ticks": False, "domain": False, "labelPadding": 8},
        },
        "x": {"field": "start", "type": "temporal", "title": None, "axis": {"format": "%-d %b %y", "ticks": False, "labelOverlap": True}},
        "x2": {"field": "end"},
        "color": {
            "field": "Severity",
            "type": "nominal",
            "scale": {"domain": names, "range": list(HUES.values())},
            "legend": {"title": None, "orient": "bottom", "symbolType": "square"},
        },
        "opacity": {"field": "faint", "type": "quantitative", "scale": None},
        "description": _text("Label"),
        "tooltip": [_text(n) for n in ("name", "Severity", "Impact", "Days", "State")],
    }  # fmt: skip
    bars = {
        "mark": {"type": "bar", "cornerRadius": 2, "height": 12, "cursor": "pointer"},
        "encoding": encoding,
    }
    return {
        **_NEW,
        "height": 19 * len({r["name"] for r in rows}) + 20,
        "data": {"values": rows},
        "layer": [bars],
    }


def course(days: polars.DataFrame, found: Triaged, marks: Sequence[Mark]) -> Spec:
    """The cost of an incident's series by day, the band that was expected, the days of the incident, and what happened on them."""
    i = found.incident
    first = max(i.start - timedelta(42), days["date"].min())  # type: ignore[type-var]
    last = min(i.end + timedelta(28), days["date"].max())  # type: ignore[type-var]
    shown = days.filter(polars.col("date").is_between(first, last))
    rows = [
        {
            "date": day.isoformat(),
            "cost": cost,
            "expected": expected,
            "low": low,
            "high": high,
            "Day": words.day(day),
            "Cost": f"{cost:,.2f} {i.currency}" if cost is not None else "not known",
            "Expected": f"{expected:,.2f} {i.currency}" if expected is not None else "not known yet",
            "Label": f"{words.day(day)}: {cost or 0:,.2f}, expected {expected or 0:,.2f} {i.currency}",
        }
        for day, cost, expected, low, high in shown.select(
            "date", "cost", "expected", "low", "high"
        ).iter_rows()
    ]
    x: Spec = {"field": "date", "type": "temporal", "title": None, "axis": {"format": "%-d %b", "ticks": False, "labelOverlap": True, "grid": False}}  # fmt: skip
    hue = theme.line_colour()
    span = [{"start": i.start.isoformat(), "end": (i.end + timedelta(1)).isoformat()}]
    events = [
        {"date": m.day.isoformat(), "What": m.text, "Label": f"{words.day(m.day)}: {m.text}"}
        for m in marks
        if first <= m.day <= last
    ]
    value = {"type": "quantitative", "axis": _axis(f"{i.currency} a day", "~s", 5)}
    layers: list[Spec] = [
        {
            "data": {"values": span},
            "mark": {"type": "rect", "color": HUES[i.severity], "opacity": 0.13},
            "encoding": {"x": {**x, "field": "start"}, "x2": {"field": "end"}},
        },
        {
            "data": {"values": rows},
            "layer": [
                {
                    "mark": {"type": "area", "color": hue, "opacity": 0.18},
                    "encoding": {"x": x, "y": {"field": "low", **value}, "y2": {"field": "high"}},
                },
                {
                    "mark": {"type": "line", "color": hue, "strokeDash": [4, 3], "strokeWidth": 1.4},
                    "encoding": {"x": x, "y": {"field": "expected", **value}},
                },
                {
                    "mark": {
                        "type": "line",
                        "color": _ink(),
                        "strokeWidth": 2,
                        "point": {"size": 22, "color": _ink()},
                    },
                    "encoding": {
                        "x": x,
                        "y": {"field": "cost", **value},
                        "description": _text("Label"),
                        "tooltip": [_text(n) for n in ("Day", "Cost", "Expected")],
                    },
                },
            ],
        },
    ]
    if events:
        layers.append(
            {
                "data": {"values": events},
                "encoding": {"x": x, "description": _text("Label"), "tooltip": [_text("What")]},
                "layer": [
                    {"mark": {"type": "rule", "color": _ink(), "opacity": 0.55, "strokeDash": [3, 3]}},
                    {
                        "mark": {
                            "type": "point",
                            "shape": "triangle-down",
                            "filled": True,
                            "size": 70,
                            "color": _ink(),
                        },
                        "encoding": {"y": {"value": 4}},
                    },
                ],
            }
        )
    return {**_NEW, "height": _HEIGHT, "layer": layers}


def day_marks(events: Sequence[tuple[date, str]]) -> list[Mark]:
    """Marks of what happened."""
    return [Mark(day, text) for day, text in events]
