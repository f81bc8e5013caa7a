"""The frame around every page: the sidebar, whose links keep the reader's period and filters, and errors in words."""

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from ui import address, states, theme


def view(name: str, title: str, icon: str, default: bool = False) -> "st.Page":
    """The page of pages/NAME.py, which answers at /NAME (the default one at /), with a Material symbol."""
    path = "" if default else name.replace("_", "-")
    return st.Page(f"pages/{name}.py", title=title, icon=f":material/{icon}:", url_path=path, default=default)


def run(page: "st.Page", groups: Mapping[str, Sequence["st.Page"]]) -> None:
    """Draws the sidebar and the page."""
    theme.apply(address.is_presenting())
    with st.sidebar:
        st.html('<div class="farthing-brand">Farthing<small>Cloud spend, to the last farthing</small></div>')
        for group, pages in groups.items():
            st.html(f'<div class="farthing-group">{group}</div>')
            for target in pages:
                st.page_link(target, query_params=address.shared(), width="stretch")
        st.space("small")
        st.toggle(
            "Present",
            key=address.seeded("present", address.is_presenting()),
            on_change=_present,
            help="For a shared screen: larger type, no sidebar, filters locked. Leave it with the button on the page.",
        )
    if address.is_presenting():
        st.button(
            "Stop presenting", icon=":material/close_fullscreen:", on_click=_stop_presenting, type="tertiary"
        )
    try:
        page.run()
    except Exception as error:
        states.error(error)


def _present() -> None:
    if st.session_state["present"]:
        st.query_params[address.PRESENT] = "1"
    else:
        _stop_presenting()


def _stop_presenting() -> None:
    st.query_params.pop(address.PRESENT, None)


def insist() -> None:
    """Begins again in the frame where a page runs without it.

    Until app.py has run once in a process, Streamlit takes the folder pages/ for an app of its older kind: whoever opens
    the first link after a start gets the bare page.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
