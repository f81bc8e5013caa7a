"""The filter bar, the same on every page: period, comparison, cost metric, group by, grain, currency, and filters as chips.

On a shared screen it is a line to read.
"""

import html
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import streamlit as st

from finops_core.model import words
from finops_core.model.metrics import METRICS
from finops_core.model.periods import NAMED_PERIODS, Period, compared
from finops_core.model.query import GRAINS, conditions
from finops_core.model.span import Span
from finops_core.model.view import View
from ui import address, currencies, filters, saved, shared_costs

CUSTOM = "custom"
COSTS = tuple(name for name, m in METRICS.items() if m.group == "Cost")
_VERSUS = {"previous": "Period before", "year": "A year before", "none": "Nothing"}
_MOST_DIMENSIONS = 3


@dataclass(frozen=True)
class Parts:
    """Which parts of the bar a page has beside metric and filters."""

    period: bool = True
    """Period and comparison; without them the page says itself which days it is of."""
    group: bool = True
    grain: bool = True
    display: bool = True
    """The choice of a currency to show all others in, where there are rates."""
    shared: bool = True
    """Whether shared costs are as billed or split, where there are pools."""


EVERYTHING = Parts()


def draw(view: View, usual: View, span: Span, currency: str, parts: Parts) -> None:
    """Draws the bar. Each change goes to the URL."""
    if address.is_presenting():
        _read_only(view, span, currency, parts)
        return

    def go(**changes: Any) -> None:
        address.go(view.but(**changes), usual)

    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="bar"):
        if parts.period:
            _period(view, span, go)
            _versus(view, span, go)
        st.selectbox(
            "Cost",
            list(dict.fromkeys([*COSTS, view.metric])),
            format_func=lambda name: METRICS[name].label,
            key=address.seeded("bar-metric", view.metric),
            on_change=address.changes("bar-metric", lambda name: go(metrics=(name,))),
            help="; ".join(f"**{METRICS[n].label}**: {METRICS[n].description}" for n in COSTS),
            width=145,
        )
        if parts.group:
            _group(view, go)
        if parts.grain:
            st.selectbox(
                "Per",
                [g for g in GRAINS if g != "none"],
                key=address.seeded("bar-grain", view.query.grain),
                on_change=address.changes("bar-grain", lambda grain: go(grain=grain)),
                format_func=str.capitalize,
                width=98,
            )
        if len(span.currencies) > 1:
            st.segmented_control(
                "Currency",
                span.currencies,
                key=address.seeded("bar-currency", currency),
                on_change=address.changes("bar-currency", lambda code: go(currency=code or currency)),
                help="Costs in different currencies are never added up",
                required=True,
            )
        if parts.display:
            currencies.choice(view, span, go)
        filters.maker(view, usual, span, currency)
        saved.keeper(view)
    filters.chips(view, go, parts.shared and shared_costs.is_offered(view))


def _read_only(view: View, span: Span, currency: str, parts: Parts) -> None:
    """What is asked, in words: nothing to touch, and large enough for the last row."""
    days = view.days(span.first, span.end)
    past = compared(days, view.versus)
    shown = {}
    if parts.period:
        shown["Period"] = words.period(days)
        shown["Compared with"] = words.period(past) if past is not None else "nothing"
    shown["Cost"] = METRICS[view.metric].label
    if parts.group and view.query.by:
        shown["By"] = ", ".join(map(filters.label, view.query.by))
    if parts.grain:
        shown["Per"] = view.query.grain
    shown["Currency"] = currency
    display = currencies.display(view, span) if parts.display else None
    if display:
        shown["Also in"] = display
    if parts.shared and view.query.allocated:
        shown["Shared costs"] = "split over those who share them"
    where = conditions(view.query.where)
    if where:
        shown["Filters"] = "; ".join(c.in_words() for c in where)
    items = "".join(f"<div><span>{name}</span>{html.escape(value)}</div>" for name, value in shown.items())
    st.html(f'<div class="farthing-question">{items}</div>')


def _period(view: View, span: Span, go: Any) -> None:
    days = view.days(span.first, span.end)

    def choose(name: str) -> None:
        if name == CUSTOM:
            go(start=days.start, end=days.end)
        else:
            go(period=name, start=None, end=None)

    st.selectbox(
        "Period",
        [*NAMED_PERIODS, CUSTOM],
        format_func=lambda name: NAMED_PERIODS[name].label if name != CUSTOM else "Custom days",
        key=address.seeded("bar-period", CUSTOM if view.is_custom else view.period),
        on_change=address.changes("bar-period", choose),
        help=f"{words.period(days)}. “This” and “last” follow the loaded data, not the clock",
        width=135,
    )
    if view.is_custom:
        _days("bar-days", "First and last day", days, lambda chosen: go(start=chosen.start, end=chosen.end))


def _days(key: str, label: str, days: Period, go: Callable[[Period], None]) -> None:
    """Two days, the first and the last of a period."""

    def choose(value: tuple[date, ...]) -> None:
        if len(value) == 2:
            go(Period(value[0], value[1] + timedelta(1)))

    st.date_input(
        label,
        key=address.seeded(key, (days.start, days.end - timedelta(1))),
        on_change=address.changes(key, choose),
        format="YYYY-MM-DD",
        width=230,
    )


def _versus(view: View, span: Span, go: Any) -> None:
    past = compared(view.days(span.first, span.end), view.versus)
    is_custom = view.versus not in _VERSUS

    def choose(name: str) -> None:
        days = past or view.days(span.first, span.end)
        go(versus=f"{days.start}..{days.end}" if name == CUSTOM else name)

    st.selectbox(
        "Compare with",
        [*_VERSUS, CUSTOM],
        format_func=lambda name: _VERSUS.get(name, "Custom days"),
        key=address.seeded("bar-versus", CUSTOM if is_custom else view.versus),
        on_change=address.changes("bar-versus", choose),
        help="The period before has the same make: whole months for whole months, the same days of a month to date",
        width=140,
    )
    if is_custom and past is not None:
        _days(
            "bar-versus-days",
            "First and last day compared with",
            past,
            lambda days: go(versus=f"{days.start}..{days.end}"),
        )


def _group(view: View, go: Any) -> None:
    options = list(dict.fromkeys([*filters.groupable(), *view.query.by]))
    st.multiselect(
        "Group by",
        options,
        key=address.seeded("bar-group", list(view.query.by)),
        on_change=address.changes("bar-group", lambda names: go(by=tuple(names))),
        format_func=filters.label,
        max_selections=_MOST_DIMENSIONS,
        placeholder="Nothing: one total",
        help="Up to three dimensions; for a tag, filter or link with tag:KEY",
        width=215,
    )
