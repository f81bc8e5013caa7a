"""The pack of a month as downloads: made when it is asked for."""

from datetime import date

import streamlit as st

from finops_core.reporting.pack import Pack, make
from ui import documents
from ui.scorecard import Version, situated, version


@st.cache_resource(show_spinner="Making the pack: every analysis is asked", max_entries=6)
def _pack(month: date, at: Version) -> Pack:
    return Pack(situated(month, at))


@st.cache_data(show_spinner="Writing the pack", max_entries=12)
def _file(month: date, form: str, at: Version) -> bytes:
    return make(_pack(month, at), form)


def offer(month: date) -> None:
    """The pack of a month in its forms."""
    st.header(
        f"The pack of {month:%B %Y}",
        anchor=False,
        help="Summary, spend, variance, forecast, anomalies, commitments, unit cost, savings, ownership, risks and actions, in one document",
    )
    with st.container(horizontal=True, gap="small", key="pack"):
        documents.buttons("pack", f"farthing-pack-{month:%Y-%m}", lambda form: _file(month, form, version()))
