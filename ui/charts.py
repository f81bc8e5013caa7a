"""Charts, in the language of Vega-Lite. Each draws exactly the rows of a table; tooltips and accessible descriptions carry the
exact figures.

They are written out, for building them with a library's objects took longer than the question did.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars
import streamlit as st

from finops_core.model import words
from finops_core.model.engine import PERIOD
from finops_core.model.export import cell
from finops_core.model.periods import bucket_end, bucket_start
from ui import theme

Spec = dict[str, Any]
_NEW: Spec = {"$schema": "https://vega.github.io/schema/vega-lite/v6.json"}
_HEIGHT = 330
_FEW = 8
"""So many periods have bars of a fixed width."""
_CHOSEN_FROM = "members"
ALONG_TIME = ("bars", "lines", "share")
"""What `over_time` draws."""


@dataclass(frozen=True)
class Mark:
    """Something that happened on a day."""

    day: date
    text: str


def _drawn(series: polars.DataFrame, grain: str, currency: str, complete_until: date) -> polars.DataFrame:
    """The rows of a chart: numbers to draw, words to read."""
    series = series.filter(polars.col("cost").is_not_null())
    totals = series.group_by(PERIOD).agg(polars.col("cost").sum().alias("total"))
    rows = series.join(totals, on=PERIOD).sort(PERIOD)
    unfinished = [bucket_end(start, grain) > complete_until for start in rows[PERIOD]]
    return rows.with_columns(
        polars.Series("Period", [words.bucket(start, grain) for start in rows[PERIOD]]),
        polars.Series("Cost", [f"{cell(v)} {currency}" for v in rows["cost"]]),
        polars.Series(
            "Label",
            [
                f"{m}, {p}: {cell(v)} {currency}"
                for m, p, v in rows.select("Member", PERIOD, "cost").iter_rows()
            ],
        ),
        polars.Series(
            "Of its period",
            [words.percent(c / t if t else None) for c, t in zip(rows["cost"], rows["total"], strict=True)],
        ),
        polars.Series("State", ["incomplete" if u else "complete" for u in unfinished]),
        polars.col("cost").cast(polars.Float64).alias("value"),
    )


def over_time(
    series: polars.DataFrame,
    grain: str,
    currency: str,
    complete_until: date,
    ranking: Sequence[str],
    chart: str = "bars",
    marks: Sequence[Mark] = (),
) -> Spec:
    """Cost by period and member: `bars` stacked, `lines`, or `share` of each period. `series` as `Breakdown.series`.

    `marks` are events: a thin vertical line each, where there is a period that holds it.
    """
    rows = _drawn(series, grain, currency, complete_until)
    order = (
        rows.group_by("Member", "Kind")
        .agg(polars.col("value").abs().sum())
        .sort(["Kind", "value"], descending=[False, True])
    )
    members = list(order["Member"])
    named = [m for m, kind in zip(order["Member"], order["Kind"], strict=True) if kind == "member"]
    hues = {**theme.colours(named, ranking), **{m: theme.REST for m in members if m not in named}}
    rows = rows.with_columns(polars.Series("rank", [members.index(m) for m in rows["Member"]]))
    periods = list(dict.fromkeys(rows["Period"]))
    shown = ("Period", "Member", "value", "rank", "Cost", "Of its period", "State", "Label")
    across = {
        "field": "Period",
        "type": "ordinal",
        "sort": periods,
        "title": None,
        "axis": {
            "labelAngle": 0,
            "labelOverlap": "greedy",
            "labelPadding": 6,
            "ticks": False,
            "domainOpacity": 0.4,
        },
    }
    encoding: Spec = {
        "x": across,
        "y": {"field": "value", "type": "quantitative", "axis": _axis(currency, "~s", 5)},
        "color": {
            "field": "Member",
            "type": "nominal",
            "sort": members,
            "scale": {"domain": members, "range": [hues[m] for m in members]},
            "legend": _legend(members) if len(members) > 1 else None,
        },
        "order": {"field": "rank", "type": "quantitative"},
        "description": _text("Label"),
        "tooltip": [_text(name) for name in ("Member", "Period", "Cost", "Of its period", "State")],
    }
    mark: Spec = {"type": "line", "point": {"size": 28}, "strokeWidth": 2.2}
    if chart != "lines":
        mark = {"type": "bar", "cornerRadius": 1, **({"size": 84} if len(periods) <= _FEW else {})}
        encoding["y"]["stack"] = "zero"
        encoding["opacity"] = {
            "field": "State",
            "type": "nominal",
            "scale": {"domain": ["complete", "incomplete"], "range": [1.0, 0.45]},
            "legend": None,
        }
    if chart == "share":
        encoding["y"] |= {"stack": "normalize", "axis": _axis("share", "%", 5)}
    layers = [{"data": {"values": rows.select(shown).to_dicts()}, "mark": mark, "encoding": encoding}]
    if events := _events(marks, grain, periods):
        layers.append(_rules(events, across))
    return {**_NEW, "height": _HEIGHT, "layer": layers}


def _events(marks: Sequence[Mark], grain: str, periods: Sequence[str]) -> list[dict[str, str]]:
    """Marks by the period that they lie in, for the periods that are drawn."""
    found: dict[str, list[str]] = {}
    for mark in marks:
        found.setdefault(words.bucket(bucket_start(mark.day, grain), grain), []).append(mark.text)
    return [
        {"Period": period, "What": "; ".join(texts), "Label": f"{period}: {'; '.join(texts)}"}
        for period, texts in found.items()
        if period in periods
    ]


def _rules(events: list[dict[str, str]], across: Spec) -> Spec:
    """Thin vertical lines, with a head to point at."""
    encoding = {"x": across, "description": _text("Label"), "tooltip": [_text("Period"), _text("What")]}
    hue = _ink()
    return {
        "data": {"values": events},
        "encoding": encoding,
        "layer": [
            {"mark": {"type": "rule", "color": hue, "opacity": 0.55, "strokeDash": [3, 3]}},
            {
                "mark": {"type": "point", "shape": "triangle-down", "filled": True, "size": 70, "color": hue, "opacity": 0.9},
                "encoding": {"y": {"value": 4}},
            },
        ],
    }  # fmt: skip


def _axis(title: str | None, form: str, ticks: int) -> Spec:
    """An axis of values. Each label has its own unit: with that of the largest, zero would be `0k` and 200 `0.2k`."""
    label = {"labelExpr": "format(datum.value, '~s')"} if form == "~s" else {}
    return {"format": form, "title": title, "tickCount": ticks, "domain": False, "ticks": False, "gridOpacity": 0.5} | label  # fmt: skip


def _text(field: str) -> Spec:
    return {"field": field, "type": "nominal"}


_LAPTOP = 1080
"""Pixels that a chart has across on a screen of 1440."""


def _legend(members: Sequence[str]) -> Spec:
    """A legend below, with as many columns as the longest name leaves room for on a laptop."""
    wide = min(max(map(len, members)) * 7 + 30, _LAPTOP // 2)
    columns = max(2, min(5, _LAPTOP // wide))
    return {
        "title": None,
        "orient": "bottom",
        "columns": columns,
        "labelLimit": _LAPTOP // columns - 30,
        "symbolType": "square",
        "symbolSize": 90,
        "offset": 10,
        "padding": 0,
        "rowPadding": 2,
    }


def ranked(rows: polars.DataFrame, value: str, currency: str, hues: Mapping[str, str] | None = None, room: int = 230) -> Spec:  # fmt: skip
    """Horizontal bars of members (columns Member and `value`, Decimal) in their order; negative ones to the left.

    `hues` by member; without, what is more is red and what is less is green. What is not known has no bar. `room`: pixels for a name.
    """
    known = rows.filter(polars.col(value).is_not_null())
    data = [
        {
            "Member": m,
            "value": float(v),
            "Cost": f"{cell(v)} {currency}",
            "label": words.signed(v) if value == "change" else words.amount(v),
            "hue": hues.get(m, theme.REST) if hues is not None else theme.RISE if v > 0 else theme.FALL,
            "Label": f"{m}: {cell(v)} {currency}",
            "end": max(float(v), 0.0),
        }
        for m, v in zip(known["Member"], known[value], strict=True)
    ]
    common: Spec = {
        "y": {
            "field": "Member",
            "type": "nominal",
            "sort": [d["Member"] for d in data],
            "title": None,
            "axis": {"labelLimit": room, "ticks": False, "domain": False, "labelPadding": 8},
        },
        "description": _text("Label"),
        "tooltip": [_text("Member"), _text("Cost")],
    }
    bars = {"x": {"field": "value", "type": "quantitative", "axis": None}, "color": _hue()}
    ends = {"x": {"field": "end", "type": "quantitative"}, "text": _text("label")}
    return {
        **_NEW,
        "data": {"values": data},
        "height": 28 * max(len(data), 1) + 10,
        "layer": [
            {"mark": {"type": "bar", "cornerRadius": 1}, "encoding": common | bars},
            {"mark": {"type": "text", "align": "left", "dx": 5, "color": _ink()}, "encoding": common | ends},
        ],
    }


def _hue() -> Spec:
    """The colour that a row says."""
    return {"field": "hue", "type": "nominal", "scale": None}


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def heat(days: polars.DataFrame, currency: str) -> Spec:
    """Days as cells, weeks across and weekdays down, darker where more was spent. `days` as `analysis.weekdays`."""
    data = [
        {
            "Week": f"{week.day} {week:%b}",
            "Weekday": _WEEKDAYS[weekday - 1],
            "value": float(cost),
            "Day": words.day(day),
            "Cost": f"{cell(cost)} {currency}",
            "Label": f"{words.day(day)}: {cell(cost)} {currency}",
        }
        for day, week, weekday, cost in days.select("Day", "Week", "Weekday", "cost").sort("Day").iter_rows()
        if cost is not None
    ]
    weeks = list(dict.fromkeys(row["Week"] for row in data))
    plain: Spec = {"ticks": False, "domain": False}
    return {
        **_NEW,
        "height": _HEIGHT,
        "data": {"values": data},
        "mark": {"type": "rect", "cornerRadius": 2, "stroke": "transparent", "strokeWidth": 2},
        "encoding": {
            "x": {
                "field": "Week",
                "type": "ordinal",
                "sort": weeks,
                "title": "week of",
                "axis": {**plain, "labelAngle": 0, "labelOverlap": "parity"},
            },
            "y": {"field": "Weekday", "type": "ordinal", "sort": _WEEKDAYS, "title": None, "axis": plain},
            "color": {
                "field": "value",
                "type": "quantitative",
                "scale": {"scheme": "blues"},
                "legend": {"title": currency, "format": "~s", "orient": "right", "gradientLength": 200},
            },
            "description": _text("Label"),
            "tooltip": [_text("Day"), _text("Weekday"), _text("Cost")],
        },
    }


def picture(chart: Spec, form: str, title: str) -> bytes:
    """The chart as `png` or `svg`, on white, with a title: for slides and documents."""
    import vl_convert

    drawn = {
        **chart,
        "title": {"text": title, "anchor": "start", "fontSize": 16, "offset": 14},
        "width": 1100,
        "background": "white",
        "padding": 20,
        "config": {"view": {"stroke": None}, "axis": {"gridColor": "#e3e7eb"}},
    }
    if form == "png":
        return vl_convert.vegalite_to_png(drawn, scale=2)
    return vl_convert.vegalite_to_svg(drawn).encode()


@dataclass(frozen=True)
class Step:
    """One bar of a waterfall: an amount that stands for itself (`total`), or a change on top of those before it."""

    label: str
    value: Decimal
    total: bool = False


def waterfall(steps: Sequence[Step], currency: str) -> Spec:
    """From one total down to another by changes, each where the one above it ends."""
    ends, end = [], Decimal(0)
    for step in steps:
        start = Decimal(0) if step.total else end
        end = start + step.value
        ends.append((float(start), float(end)))
    low, high = _between(ends)
    data = [
        {
            "number": number,
            "Step": step.label,
            # A total is a bar from the edge: the empty room before the changes is not drawn.
            "start": min(max(start, low), high),
            "end": end,
            "right": max(start, end, low),
            "Amount": f"{cell(step.value)} {currency}",
            "label": words.amount(step.value) if step.total else words.signed(step.value),
            "hue": theme.REST if step.total else theme.RISE if step.value > 0 else theme.FALL,
            "Label": f"{step.label}: {cell(step.value)} {currency}",
        }
        for number, (step, (start, end)) in enumerate(zip(steps, ends, strict=True))
    ]
    common: Spec = {
        "y": {
            "field": "number",
            "type": "ordinal",
            "title": None,
            "axis": {
                "labelExpr": f"{json.dumps([step.label for step in steps])}[datum.value]",
                "labelLimit": 230,
                "labelPadding": 8,
                "ticks": False,
                "domain": False,
            },
        },
        "description": _text("Label"),
        "tooltip": [_text("Step"), _text("Amount")],
    }
    scale = {"domain": [low, high], "nice": False, "zero": False}
    across = {"type": "quantitative", "scale": scale}
    bars = {
        "x": {"field": "start", **across, "axis": _axis(currency, "~s", 6)},
        "x2": {"field": "end"},
        "color": _hue(),
    }
    ends = {"x": {"field": "right", **across}, "text": _text("label")}
    text = {"type": "text", "align": "left", "dx": 5, "color": _ink(), "fontSize": 12}
    return {
        **_NEW,
        "data": {"values": data},
        "height": max(27 * len(data) + 40, 160),
        "layer": [
            {"mark": {"type": "bar", "cornerRadius": 1}, "encoding": common | bars},
            {"mark": text, "encoding": common | ends},
        ],
    }


def _between(ends: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The range to draw: the changes, and of the room between them and 0 no more than they take themselves."""
    inner = [end for _, end in ends]
    low, high = min(0.0, *inner), max(0.0, *inner)
    room = (max(inner) - min(inner)) or max(abs(low), abs(high)) or 1.0
    low = max(low, min(inner) - room)
    high = min(high, max(inner) + room)
    return low, high + (high - low) * 0.09


def _ink() -> str:
    return "#e4e9ee" if theme.is_dark() else "#1c2733"


def selectable(chart: Spec, name: str, field: str) -> Spec:
    """The chart, of which a mark of the first layer can be chosen by a click, as the selection `name` of its `field`."""
    first, *others = chart["layer"]
    point = {"name": name, "select": {"type": "point", "fields": [field]}, "views": [_CHOSEN_FROM]}
    return {**chart, "params": [point], "layer": [{"name": _CHOSEN_FROM, **first}, *others]}


def show(chart: Any, key: str, description: str) -> None:
    """Draws a chart, a Spec or one of Altair's, over the whole width, with a description for readers who do not see it."""
    drawn: Spec = chart if isinstance(chart, dict) else chart.to_dict(validate=False)
    with st.container(key=key):
        st.vega_lite_chart(spec=drawn, alt=description, width="stretch")
