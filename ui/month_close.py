"""The form that closes a month, or takes its close back."""

import streamlit as st

from finops_core.analysis import closing
from finops_core.analysis.closing import NotComplete
from finops_core.errors import FarthingError
from finops_core.store import closes
from ui import answers
from ui.plain import plain
from ui.viewer import ask_name, signed

_SAID, _FORM = "statements-said", "close-month"
_ANYWAY = "Close it although it is not complete"


def form(period: str, name: str, is_closed: bool) -> None:
    """Asks who and why, closes the month or reopens it, and says what came of it."""
    if _SAID in st.session_state:
        st.success(st.session_state.pop(_SAID), icon=":material/check:")
    verb, icon = ("Reopen", "lock_open") if is_closed else ("Close", "lock")
    doubts = [] if is_closed else closing.doubts(answers.batches(), period)
    with st.popover(f"{verb} {name}", icon=f":material/{icon}:"), st.form(_FORM, border=False):
        for doubt in doubts:
            st.warning(plain(doubt), icon=":material/warning:")
        ask_name(_FORM)
        reason = st.text_input(
            "Reason", placeholder="Month end", help="Kept with the month and in the audit log"
        )
        anyway = st.checkbox(_ANYWAY) if doubts else False
        sent = st.form_submit_button(f"{verb} month", type="primary")
    if not sent:
        return
    try:
        _change(period, is_closed, reason, anyway)
    except FarthingError as error:
        st.error(plain(str(error)), icon=":material/error:")
    else:
        st.session_state[_SAID] = f"{name} is {'open again' if is_closed else 'closed'}"
        st.rerun()


def _change(period: str, is_closed: bool, reason: str, anyway: bool) -> None:
    ledger, state, who = answers.ledger(), answers.state(), signed(_FORM)
    if is_closed:
        closes.reopen(state, period, who, reason)
        return
    try:
        closing.close(ledger, state, period, who, reason, anyway)
    except NotComplete as error:
        raise NotComplete(f"{error}. Tick “{_ANYWAY}” to close it all the same, and say why") from None
