"""How right allocation is: a sample of charges to be confirmed by hand, read back, and the accuracy that it tells."""

from functools import partial

import polars
import streamlit as st

from finops_core.analysis import audit
from finops_core.errors import FarthingError
from finops_core.model.export import FORMATS
from finops_core.model.query import Query
from ui import address, answers, tables
from ui.figures import Figure, show
from ui.plain import plain
from ui.viewer import ask_name, signed

_SAID = "sample-said"
_SIZES = (50, 100, 200, 500)
_TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def sample() -> None:
    """Draws a sample to download, takes it back with answers, and lists the audits that were recorded."""
    st.markdown(
        "Charges drawn at random, the costlier the likelier. Fill in **correct** with yes or no where the owner is right or"
        " wrong, and hand the file back: the part that is right tells how right allocation is, money for money."
    )
    if _SAID in st.session_state:
        st.error(plain(st.session_state.pop(_SAID)), icon=":material/error:")
    past = audit.recorded(answers.state())
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        size = st.selectbox("Charges", _SIZES, index=1, width=140)
        # Another sample after every audit: who knows which charges were drawn could mend only those.
        for format, kind in _TYPES.items():
            st.download_button(
                f"Draw as {format.upper()}",
                partial(_drawn, size, len(past) + 1, format),
                f"audit-{len(past) + 1}.{format}",
                kind,
                icon=":material/casino:",
                on_click="ignore",
                key=f"draw-{format}",
            )
    confirmed = st.file_uploader(
        "The sample with its answers", type=list(_TYPES), key=f"confirmed-{len(past)}"
    )
    if confirmed is not None:
        _confirmed(confirmed.getvalue(), confirmed.name)
    if past:
        st.header("Audits", anchor=False)
        rows = [(e.at.replace("T", " ").replace("Z", " UTC"), e.who, e.reason) for e in past]
        names = ("When", "By", "Result")
        columns: list[tables.Column] = [(name, tables.text, name) for name in names]
        tables.show(
            polars.DataFrame(rows, dict.fromkeys(names, polars.String), orient="row"), columns, None, "audits"
        )


def _drawn(size: int, seed: int, format: str) -> bytes:
    return FORMATS[format](audit.sample(answers.ledger(), Query("EffectiveCost"), size, seed))


def _confirmed(data: bytes, name: str) -> None:
    try:
        found = audit.accuracy_in(data, name)
    except FarthingError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    low, high = found.interval
    accuracy = "–" if found.accuracy is None else audit.percent(found.accuracy)
    show(
        [
            Figure(
                "Accuracy",
                accuracy,
                "The part of the confirmed charges whose owner is right; target: more than 98 %",
            ),
            Figure(
                "95 % interval",
                f"{audit.percent(low)} to {audit.percent(high)}",
                "Wilson's score interval: where the accuracy of all charges lies",
            ),
            Figure(
                "Confirmed",
                f"{found.confirmed}",
                note=f"{found.unanswered} not answered" if found.unanswered else "",
            ),
        ]
    )
    st.caption(found.as_text())
    if found.confirmed:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            ask_name("audit")
            st.button(
                "Record in the audit log",
                icon=":material/verified:",
                type="primary",
                disabled=address.is_presenting(),
                on_click=_record,
                args=(found, name),
            )


def _record(found: audit.Accuracy, name: str) -> None:
    try:
        audit.record(answers.state(), found, signed("audit"), name)
    except FarthingError as error:
        st.session_state[_SAID] = str(error)
