"""What was announced or is to be silent, and the deployments that stand beside anomalies."""

from functools import partial

import streamlit as st

from finops_core.errors import FarthingError
from finops_core.model import words
from finops_core.store import deployment_files
from finops_core.store import triage as kept
from finops_core.store.deployments import add as add_deployments
from ui import answers
from ui.outcomes import said, say
from ui.plain import plain
from ui.viewer import viewer

_HERE = "announced"


def show() -> None:
    """Announced events, windows of silence, and an upload of deployments."""
    found = kept.quiet(answers.state())
    with st.expander(
        "Announced events, silence and deployments", icon=":material/event_upcoming:", key="announced"
    ):
        said(_HERE)
        for q in found:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    f"**{plain(q.name)}** ({q.kind}) {_days(q)}"
                    f" {plain(' and '.join(q.where))} {plain(q.expected)}"
                )
                st.button(
                    "End",
                    key=f"quiet-{q.number}",
                    on_click=partial(_end_quiet, q.number),
                    type="tertiary",
                )
        with st.form("quiet", border=False):
            left, middle, right = st.columns(3)
            left.text_input("Name or reason", key="quiet-name")
            left.selectbox(
                "As", (kept.ANNOUNCED, kept.SUPPRESSED), key="quiet-kind", format_func=str.capitalize
            )
            middle.date_input("From", key="quiet-start")
            middle.date_input("Through", key="quiet-end")
            right.text_input(
                "Of what",
                key="quiet-where",
                placeholder="x_Team=web",
                help="Conditions separated by semicolons; empty: everything",
            )
            right.text_input("Expected", key="quiet-expected", placeholder="+40 %")
            st.form_submit_button("Add", on_click=_add_quiet)
        st.file_uploader(
            "Deployments to stand beside anomalies: CSV, JSON, or releases of GitHub or GitLab",
            type=["csv", "json"],
            key="deployments-file",
            on_change=_deployed,
        )


def _days(q: kept.Quiet) -> str:
    return words.day(q.start) if q.start == q.end else f"{words.day(q.start)} to {words.day(q.end)}"


def _add_quiet() -> None:
    typed = {
        name: st.session_state[f"quiet-{name}"]
        for name in ("name", "kind", "start", "end", "where", "expected")
    }
    where = tuple(part.strip() for part in typed["where"].split(";") if part.strip())
    try:
        added = kept.add_quiet(
            answers.state(),
            typed["kind"],
            typed["name"],
            typed["start"],
            typed["end"],
            viewer(),
            where,
            typed["expected"],
        )
    except FarthingError as error:
        say(_HERE, "bad", str(error))
        return
    for name in ("name", "where", "expected"):
        st.session_state[f"quiet-{name}"] = ""
    of = " and ".join(added.where) or "everything"
    say(
        _HERE,
        "good",
        f"{added.kind.capitalize()}: {added.name}, of {of}, {_days(added)}. What it covers is not raised",
    )


def _deployed() -> None:
    file = st.session_state["deployments-file"]
    if file is None:
        return
    try:
        told = deployment_files.read(file.getvalue(), file.name)
        say(_HERE, "good", add_deployments(answers.state(), told, viewer()).in_words())
    except FarthingError as error:
        say(_HERE, "bad", str(error))


def _end_quiet(number: int) -> None:
    try:
        kept.end_quiet(answers.state(), number, viewer())
    except FarthingError as error:
        say(_HERE, "bad", str(error))
