"""Who is looking, and the field in which a reader says so where no proxy does."""

import streamlit as st

from finops_core.errors import UsageError

_REMEMBERED = "viewer-name"
_LABEL, _HELP = "Your name", "Kept in the audit log with what you do; remembered until you leave"


def viewer() -> str:
    """Who is looking, as a proxy in front of the app says it, or as the reader last said."""
    return known() or remembered() or "unnamed"


def known() -> str:
    """Who is looking, as a proxy in front of the app says it; empty where none does."""
    headers = st.context.headers
    return headers.get("X-Forwarded-User") or headers.get("X-Forwarded-Email") or ""


def remembered() -> str:
    """The name that the reader last gave in this session; empty before."""
    return str(st.session_state.get(_REMEMBERED, ""))


def remember(name: str) -> None:
    """Keeps a name for the next form of the session."""
    st.session_state[_REMEMBERED] = name.strip()


def ask_name(form: str) -> None:
    """The field for a name in a form that writes to the audit log; nothing where a proxy says who is looking."""
    if known():
        return
    field, given = f"name-{form}", f"name-given-{form}"
    # A name that was given in another form comes in once; what is typed here, or emptied, stays.
    if field not in st.session_state or st.session_state.get(given) != remembered():
        st.session_state[field] = st.session_state.get(field) or remembered()
    st.session_state[given] = remembered()
    st.text_input(_LABEL, key=field, width=200, help=_HELP)


def signed(form: str) -> str:
    """Who sends a form that asked for a name, remembered. Raises UsageError where the field is empty."""
    name = known() or str(st.session_state.get(f"name-{form}", "")).strip()
    if not name:
        raise UsageError("Say who you are: your name is kept in the audit log with what you do")
    if not known():
        remember(name)
    return name
