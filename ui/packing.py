"""The pack of a month as downloads: made when it is asked for."""

from datetime import date

import streamlit as st

from finops_core.reporting.pack import Pack, make
from finops_core.reporting.situation import situation
from ui import answers
from ui.scorecard import Version, version

_FORMS = {
    "pdf": ("PDF", "application/pdf", "picture_as_pdf"),
    "xlsx": ("Workbook", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "table"),
    "md": ("Markdown", "text/markdown", "article"),
}


@st.cache_resource(show_spinner="Making the pack: every analysis is asked", max_entries=6)
def _pack(month: date, at: Version) -> Pack:
    return Pack(situation(answers.ledger(), month))


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
        for form, (label, mime, icon) in _FORMS.items():
            st.download_button(
                label, data=lambda form=form: _file(month, form, version()), file_name=f"farthing-pack-{month:%Y-%m}.{form}", mime=mime,
                icon=f":material/{icon}:", key=f"pack-{form}", on_click="ignore",
            )  # fmt: skip
