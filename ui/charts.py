"""Charts. Each draws exactly the rows of a table; tooltips and accessible descriptions carry the exact figures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import altair as alt
import polars
import streamlit as st
from altair.utils.schemapi import debug_mode

from finops_core.model import words
from finops_core.model.engine import PERIOD
from finops_core.model.export import cell
from finops_core.model.periods import bucket_end
from ui import theme

_HEIGHT = 330
_unchecked = debug_mode(False)
"""Altair checks each part of a chart as it is made, which takes twice as long as to make it. What is here is tested."""


def _drawn(series: polars.DataFrame, grain: str, currency: str, complete_until: date) -> polars.DataFrame:
    """The rows of a chart: numbers to draw, words to read."""
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


@_unchecked
def over_time(
    series: polars.DataFrame,
    grain: str,
    currency: str,
    complete_until: date,
    ranking: Sequence[str],
    chart: str = "bars",
) -> alt.Chart:
    """Cost by period and member: `bars` stacked, `lines`, or `share` of each period. `series` as `Breakdown.series`."""
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
    base = alt.Chart(
        alt.Data(
            values=rows.select(
                "Period",
                "Member",
                "value",
                "rank",
                "Cost",
                "Of its period",
                "State",
                "Label",
            ).to_dicts()
        )
    ).encode(
        x=alt.X(
            "Period:O",
            sort=periods,
            title=None,
            axis=alt.Axis(
                labelAngle=0, labelOverlap="greedy", labelPadding=6, ticks=False, domainOpacity=0.4
            ),
        ),
        color=alt.Color(
            "Member:N",
            sort=members,
            scale=alt.Scale(domain=members, range=[hues[m] for m in members]),
            legend=_legend(members),
        ),
        order=alt.Order("rank:Q"),
        description="Label:N",
        tooltip=["Member:N", "Period:O", "Cost:N", "Of its period:N", "State:N"],
    )
    quantity = alt.Axis(format="~s", title=currency, tickCount=5, domain=False, ticks=False, gridOpacity=0.5)
    if chart == "lines":
        drawn = base.mark_line(point=alt.OverlayMarkDef(size=28), strokeWidth=2.2).encode(
            y=alt.Y("value:Q", axis=quantity)
        )
    else:
        y = alt.Y("value:Q", axis=quantity, stack="zero")
        if chart == "share":
            y = alt.Y(
                "value:Q",
                stack="normalize",
                axis=alt.Axis(
                    format="%", title="share", tickCount=5, domain=False, ticks=False, gridOpacity=0.5
                ),
            )
        bars = base.mark_bar(cornerRadius=1, size=84) if len(periods) <= 8 else base.mark_bar(cornerRadius=1)
        drawn = bars.encode(
            y=y,
            opacity=alt.Opacity(
                "State:N", scale=alt.Scale(domain=["complete", "incomplete"], range=[1.0, 0.45]), legend=None
            ),
        )
    return drawn.properties(height=_HEIGHT)


def _legend(members: Sequence[str]) -> alt.Legend | None:
    if len(members) < 2:
        return None
    return alt.Legend(
        title=None,
        orient="bottom",
        columns=5,
        labelLimit=230,
        symbolType="square",
        symbolSize=90,
        offset=10,
        padding=0,
        rowPadding=2,
    )


@_unchecked
def ranked(
    rows: polars.DataFrame, value: str, currency: str, hues: Mapping[str, str] | None = None
) -> alt.LayerChart:
    """Horizontal bars of members (columns Member and `value`, Decimal) in their order; negative ones to the left.

    `hues` by member; without, what is more is red and what is less is green.
    """
    data = [
        {
            "Member": m,
            "value": float(v),
            "Cost": f"{cell(v)} {currency}",
            "label": words.signed(v) if value == "change" else words.amount(v),
            "hue": hues.get(m, theme.REST) if hues is not None else theme.RISE if v > 0 else theme.FALL,
            "Label": f"{m}: {cell(v)} {currency}",
        }
        for m, v in zip(rows["Member"], rows[value], strict=True)
    ]
    base = alt.Chart(alt.Data(values=data)).encode(
        y=alt.Y(
            "Member:N",
            sort=[d["Member"] for d in data],
            title=None,
            axis=alt.Axis(labelLimit=230, ticks=False, domain=False, labelPadding=8),
        ),
        description="Label:N",
        tooltip=["Member:N", "Cost:N"],
    )
    bars = base.mark_bar(cornerRadius=1).encode(
        x=alt.X("value:Q", axis=None), color=alt.Color("hue:N", scale=None)
    )
    labels = (
        base.mark_text(align="left", dx=5, color=_ink())
        .encode(x=alt.X("end:Q"), text="label:N")
        .transform_calculate(end="max(datum.value, 0)")
    )
    return alt.layer(bars, labels).properties(height=28 * max(len(data), 1) + 10)


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@_unchecked
def heat(days: polars.DataFrame, currency: str) -> alt.Chart:
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
    ]
    return (
        alt.Chart(alt.Data(values=data))
        .mark_rect(cornerRadius=2, stroke="transparent", strokeWidth=2)
        .encode(
            x=alt.X(
                "Week:O",
                sort=list(dict.fromkeys(row["Week"] for row in data)),
                title="week of",
                axis=alt.Axis(labelAngle=0, labelOverlap="greedy", ticks=False, domain=False),
            ),
            y=alt.Y("Weekday:O", sort=_WEEKDAYS, title=None, axis=alt.Axis(ticks=False, domain=False)),
            color=alt.Color(
                "value:Q",
                scale=alt.Scale(scheme="blues"),
                legend=alt.Legend(title=currency, format="~s", orient="right", gradientLength=200),
            ),
            description="Label:N",
            tooltip=["Day:N", "Weekday:N", "Cost:N"],
        )
        .properties(height=_HEIGHT)
    )


def picture(chart: alt.TopLevelMixin, form: str, title: str) -> bytes:
    """The chart as `png` or `svg`, on white, with a title: for slides and documents."""
    import vl_convert

    drawn = {
        **spec(chart),
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


@_unchecked
def waterfall(steps: Sequence[Step], currency: str) -> alt.LayerChart:
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
    base = alt.Chart(alt.Data(values=data)).encode(
        y=alt.Y(
            "number:O",
            title=None,
            axis=alt.Axis(
                labelExpr=f"{json.dumps([step.label for step in steps])}[datum.value]",
                labelLimit=230,
                labelPadding=8,
                ticks=False,
                domain=False,
            ),
        ),
        description="Label:N",
        tooltip=["Step:N", "Amount:N"],
    )
    scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    axis = alt.Axis(format="~s", title=currency, tickCount=6, domain=False, ticks=False, gridOpacity=0.5)
    bars = base.mark_bar(cornerRadius=1).encode(
        x=alt.X("start:Q", scale=scale, axis=axis), x2="end:Q", color=alt.Color("hue:N", scale=None)
    )
    labels = base.mark_text(align="left", dx=5, color=_ink(), fontSize=12).encode(
        x=alt.X("right:Q", scale=scale), text="label:N"
    )
    return alt.layer(bars, labels).properties(height=max(27 * len(data) + 40, 160))


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


def spec(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """The chart in the language of Vega-Lite, as it was written: checking it against its schema takes longer than to draw it."""
    found: dict[str, Any] = chart.to_dict(validate=False)
    return found


def show(chart: alt.TopLevelMixin, key: str, description: str) -> None:
    """Draws a chart over the whole width, with a description for readers who do not see it."""
    with st.container(key=key):
        st.vega_lite_chart(spec=spec(chart), alt=description, width="stretch")
