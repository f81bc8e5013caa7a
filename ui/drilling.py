"""Drilling down: a click on a mark, a chosen row of a table, and the way back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from finops_core.analysis.breakdown import KIND, MEMBER
from finops_core.model import drill
from ui import address, charts
from ui.plain import plain

if TYPE_CHECKING:
    from ui.kit import Page

_MARK = "mark"


def trail(page: "Page") -> None:
    """The members that were chosen on the way down, each a way back."""
    crumbs = drill.trail(page.view)
    if not crumbs:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="trail"):
        for number, crumb in enumerate(crumbs):
            if number:
                st.markdown(":material/chevron_right:", width="content")
            if number == len(crumbs) - 1:
                st.markdown(f"**{plain(crumb.label)}**", width="content")
                continue
            st.button(
                plain(crumb.label),
                key=f"crumb-{number}",
                type="tertiary",
                on_click=address.go,
                args=(crumb.view, page.usual),
            )


def chart(page: "Page", drawn: charts.Spec, key: str, words: str) -> None:
    """A chart whose members are opened by a click."""
    if not page.query.by or page.view.chart == "heat" or address.is_presenting():
        charts.show(drawn, key, words)
        return

    def opened() -> None:
        marks = st.session_state[f"{key}-drawn"]["selection"].get(_MARK, [])
        member = _member(page, marks[0].get(MEMBER)) if marks else None
        if member is not None:
            address.go(drill.into(page.view, member), page.usual)

    with st.container(key=key):
        st.vega_lite_chart(
            spec=charts.selectable(drawn, _MARK, MEMBER),
            alt=words,
            width="stretch",
            key=f"{key}-drawn",
            on_select=opened,
            selection_mode=_MARK,
        )


def _member(page: "Page", label: str | None) -> dict[str, Any] | None:
    """The dimensions of a member, by its label; None for Other, which is no member."""
    rows = page.breakdown.table.filter(
        (page.breakdown.table[MEMBER] == label) & (page.breakdown.table[KIND] == "member")
    )
    return rows.row(0, named=True) if len(rows) else None


def actions(page: "Page", member: Mapping[str, Any]) -> None:
    """What can be done with a chosen member."""
    steps = {
        "Drill down": (":material/arrow_downward:", drill.into(page.view, member)),
        "Only this": (":material/filter_alt:", drill.only(page.view, member)),
        "Its charges": (":material/receipt_long:", drill.only(page.view, member).but(table="charges")),
    }
    if len(page.query.by) == 1:
        steps["Without this"] = (":material/filter_alt_off:", drill.without(page.view, member))
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="actions"):
        st.markdown(f"**{plain(str(member[MEMBER]))}**", width="content")
        for label, (icon, view) in steps.items():
            st.button(label, icon=icon, key=f"action-{label}", on_click=address.go, args=(view, page.usual))
