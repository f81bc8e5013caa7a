"""What an action came to: kept until the page is drawn anew, and shown in the part of the page in which it was asked."""

import streamlit as st

from ui.plain import plain


def say(place: str, kind: str, text: str) -> None:
    """Keeps what was just done (good), or why it could not be (bad), for a part of a page."""
    st.session_state[f"{place}-said"] = (kind, text)


def said(place: str) -> None:
    """Shows what `say` kept for this part of the page, once."""
    with st.container():  # always there: what stands below keeps its place, and an open expander stays open
        if kept := st.session_state.pop(f"{place}-said", None):
            kind, text = kept
            (st.success if kind == "good" else st.error)(plain(text))
