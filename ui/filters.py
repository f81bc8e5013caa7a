"""Filters: the maker, which joins a condition to those there are, and the chips that take them off."""

from typing import Any

import streamlit as st

from finops_core.errors import UsageError
from finops_core.model import words
from finops_core.model.query import Condition, Node, conditions
from finops_core.model.span import Span
from finops_core.model.view import View
from finops_core.vocabulary.dimensions import DIMENSIONS, dimension
from finops_core.vocabulary.places import Place, among, joined, places
from ui import address, answers, shared_costs
from ui.plain import plain

_OPERATORS = {
    "in": "is",
    "not in": "is not",
    "~": "contains",
    "!~": "does not contain",
    "^=": "begins with",
    "matches": "matches",
    "is null": "is empty",
    "is not null": "is not empty",
}


def groupable() -> list[str]:
    """The dimensions that a reader is offered to group and filter by: those with a label of their own first."""
    named = [d for d in DIMENSIONS.values() if d.kind == "text" and d.group != "More"]
    others = [d for d in DIMENSIONS.values() if d.kind == "text" and d.group == "More"]
    return [d.name for d in (*named, *others)]


def label(name: str) -> str:
    return dimension(name).label


def maker(view: View, usual: View, span: Span, currency: str) -> None:
    """A condition, chosen or written, and where it is joined to the filters that there are."""
    # What is inside is asked when it is opened: the members of a dimension, with their cost.
    popover = st.popover("Filter", icon=":material/filter_list:", key="filter", on_change="rerun")
    if not popover.open:
        return
    where = conditions(view.query.where)
    with popover:
        place = _place(where)
        chosen, written = st.tabs(["Choose", "Write"])
        with chosen:
            added = _chosen(view.but(where=among(where, place)), span, currency)
        with written:
            added = _written(" and ".join(map(str, where))) or added
        if st.button("Add filter", type="primary", disabled=added is None) and added is not None:
            address.go(view.but(where=joined(where, place, added)), usual)
            st.rerun()


def _chosen(view: View, span: Span, currency: str) -> Node | None:
    """A condition on one dimension."""
    name = st.selectbox(
        "Dimension", groupable(), format_func=label, key="filter-dimension", help="What to filter by"
    )
    st.caption(dimension(name).description)
    operator = st.selectbox("Condition", list(_OPERATORS), format_func=_OPERATORS.get, key="filter-operator")
    values = _values(view, span, currency, name, operator)
    return Condition(name, operator, tuple(values)) if values or operator.startswith("is") else None


def _written(question: str) -> Node | None:
    """Any condition, as text: that of a link, of the command line and of Python."""
    text = st.text_input(
        "Condition as text",
        key=f"filter-written-{question}",
        placeholder="(ServiceName~compute or tag:team is null) and Day>=2026-09-01",
        help="=, !=, in, not in, ~ (contains), ^= (begins with), matches, <, >, between, is null; joined by and, or, not and brackets",
    )
    if not text:
        return None
    try:
        return Condition.parse(text)
    except UsageError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def _place(where: tuple[Node, ...]) -> Place | None:
    """Where the condition is joined to the filters that there are; None: it must hold beside them all."""
    if not where:
        return None
    return st.selectbox(
        "Holds",
        [None, *places(where)],
        format_func=lambda place: "as well as all others" if place is None else place.in_words(),
        key="filter-place",
        help="“or” widens a filter: one of its ways must hold; “and” narrows one of its ways",
    )


def _values(view: View, span: Span, currency: str, name: str, operator: str) -> list[str]:
    if operator.startswith("is"):
        return []
    if operator not in ("in", "not in"):
        words_for = (
            "A regular expression (RE2)" if operator == "matches" else "Upper and lower case are the same"
        )
        text = st.text_input("Text", key=f"filter-text-{name}", help=words_for)
        return [text] if text else []
    found = answers.members(name, view.asked(span.first, span.end, currency))
    costs = {v: c for v, c in zip(found[name], found[view.metric], strict=True) if v not in (None, "")}
    return st.multiselect(
        "Values",
        list(costs),
        format_func=lambda v: f"{v} ({words.money(costs[v], currency)})" if v in costs else v,
        key=f"filter-values-{name}",
        accept_new_options=True,
        placeholder="Type to search",
        help="The costliest first, within the period and the other filters",
    )


def chips(view: View, go: Any, shared: bool) -> None:
    where = conditions(view.query.where)
    if not where and not shared:
        return
    with st.container(horizontal=True, gap="small", key="chips"):
        if shared:
            shared_costs.choice(view, go)
        for position, condition in enumerate(where):
            rest = (*where[:position], *where[position + 1 :])
            st.button(
                plain(condition.in_words()),
                icon=":material/close:",
                key=f"chip-{position}",
                help="Remove this filter",
                on_click=go,
                kwargs={"where": rest},
            )
