"""Whether shared costs are shown as they are billed, or split over those who share them: a part of the bar, and of the link."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from finops_core.analysis.showback import can_be_split
from finops_core.errors import InputRefused
from finops_core.model.view import View
from finops_core.store import rulesets
from finops_core.store.ownership import in_force
from ui import address, answers

BILLED, SPLIT = "Shared costs as billed", "Shared costs split"


def is_offered(view: View) -> bool:
    """Whether there are pools in force, and all that the view asks for is known of their parts."""
    return can_be_split(view.query) and _has_pools()


def _has_pools() -> bool:
    applied = rulesets.versions(answers.state())
    return _pools(answers.ledger().version, applied[0].number if applied else 0)


@st.cache_data(show_spinner=False, max_entries=8)
def _pools(version: str, number: int) -> bool:
    try:
        return bool(in_force(answers.ledger().home).rules.pools)
    except InputRefused:
        return False


def settled(view: View, known: bool) -> View:
    """The view, as billed where it cannot be split, which is said; `known` is whether the page knows of the choice."""
    if not view.query.allocated or (known and is_offered(view)):
        return view
    if known:
        st.info(
            "Shared costs are shown as they are billed: no rules in force share them, or parts of pools are not known by what this"
            " view asks for.",
            icon=":material/call_split:",
        )
    return view.but(allocated=False)


def choice(view: View, go: Callable[..., Any]) -> None:
    """As billed or split."""
    st.segmented_control(
        "Shared costs",
        (BILLED, SPLIT),
        key=address.seeded("bar-shared", SPLIT if view.query.allocated else BILLED),
        on_change=address.changes("bar-shared", lambda chosen: go(allocated=chosen == SPLIT)),
        help="As billed, the cost of a pool stands with whoever it is billed to; split, with those who share it, by the rules in force",
        required=True,
        label_visibility="collapsed",
    )
