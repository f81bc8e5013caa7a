"""The URL is where a view lives: widgets are set from it on every run, and a change of a widget is a change of the URL."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from finops_core.errors import UsageError
from finops_core.model.view import View
from ui.plain import plain

PRESENT = "present"
LOOK = "look"
"""The mover that is looked at closely, by its label."""
KEY = "key"
"""The tag key that a page is about."""
POOL = "pool"
"""The shared pool that a page is about."""
CUT = "cut"
"""What the commitments page parts its rates by."""
_OWN = (PRESENT, LOOK, KEY, POOL, CUT)
SHARED = ("metric", "where", "from", "to", "period", "versus", "currency", "display", "allocated", PRESENT)
"""What a reader keeps when going from page to page."""


def params() -> dict[str, list[str]]:
    """The parameters of the URL."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def view(usual: View) -> View:
    """The view of the URL, what it leaves out as in `usual`. A URL that cannot be read is said, and put aside."""
    given = {name: values for name, values in params().items() if name not in _OWN}
    try:
        return View.from_params(given, usual)
    except UsageError as error:
        st.warning(
            f"The link cannot be read: {plain(str(error))}. The page shows its usual view.",
            icon=":material/link_off:",
        )
        return usual


def go(changed: View, usual: View) -> None:
    """Puts a view into the URL; the page is drawn anew from it."""
    kept = {name: value for name, value in params().items() if name in _OWN}
    st.query_params.from_dict({**changed.to_params(usual), **kept})


def link(page: str, view: View) -> str:
    """The URL of another page that asks what a view asks."""
    kept = {name: value for name, value in params().items() if name == PRESENT}
    return f"/{page}?{urlencode({**view.question(), **kept}, doseq=True)}"


def shared() -> dict[str, list[str]]:
    """The parameters that a link to another page takes along."""
    return {name: values for name, values in params().items() if name in SHARED}


def is_presenting() -> bool:
    return PRESENT in st.query_params


def looked_at() -> str | None:
    """The mover that is looked at closely."""
    return st.query_params.get(LOOK)


def look_at(member: str | None) -> None:
    """Looks at a mover closely, or at none."""
    if member is None:
        st.query_params.pop(LOOK, None)
    else:
        st.query_params[LOOK] = member


def seeded(key: str, value: Any) -> str:
    """Sets a widget's value before it is drawn, and returns its key."""
    st.session_state[key] = value
    return key


def typed(name: str, value: str) -> str:
    """The key of a text field that shows a text, given to it as its usual value: another one where it holds another text.

    Setting a field to a text, as `seeded` does, takes away what a reader types while the page is being drawn.
    """
    turn = st.session_state.get(f"{name}-turn", 0)
    if st.session_state.get(f"{name}-{turn}", value) != value:
        turn = st.session_state[f"{name}-turn"] = turn + 1
    return f"{name}-{turn}"


def given(name: str, options: Sequence[str], usual: str) -> str:
    """What the URL says of a choice; what it cannot mean is said, and left out."""
    value = st.query_params.get(name)
    if value is None or value in options:
        return value or usual
    st.warning(f"There is no {name} {plain(value)} here", icon=":material/link_off:")
    return usual


def choice(
    page: str,
    label: str,
    name: str,
    options: Sequence[str],
    value: str,
    width: int,
    told: Callable[[str], str] = str,
) -> None:
    """A choice of a page that lives in the URL under its name."""
    key = f"{page}-{name}"
    st.selectbox(
        label, options, key=seeded(key, value), format_func=told, disabled=is_presenting(), width=width,
        on_change=changes(key, partial(st.query_params.__setitem__, name)),
    )  # fmt: skip


def changes(key: str, apply: Callable[[Any], None]) -> Callable[[], None]:
    """A widget's on_change: hands its new value on."""
    return lambda: apply(st.session_state[key])
