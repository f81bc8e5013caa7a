"""What a page says when there is nothing to show, or something went wrong: what, and what to do; never a traceback."""

import logging

import streamlit as st

from finops_core.errors import FarthingError
from finops_core.model.query import conditions
from finops_core.model.view import View
from ui import address
from ui.plain import plain


def no_data() -> None:
    """Before the first load."""
    st.html('<div class="farthing-head"><h1>No charges yet</h1></div>')
    st.markdown(
        "Upload an export as your cloud ships it (AWS CUR, Azure cost exports, Google Cloud billing, FOCUS, Oracle Cloud, or any"
        " CSV), or make the demo company: `farthing demo`."
    )
    st.page_link("pages/sources.py", label="Upload an export", icon=":material/upload_file:")


def no_rows(view: View, usual: View) -> None:
    """A view without rows: says which filters there are, and offers to take them away."""
    where = conditions(view.query.where)
    if where:
        chips = "; ".join(plain(c.in_words()) for c in where)
        st.info(f"No charges fit these filters within the period: {chips}.", icon=":material/filter_alt_off:")
        st.button("Remove all filters", on_click=lambda: address.go(view.but(where=()), usual))
    else:
        st.info("There are no charges within this period.", icon=":material/event_busy:")
        st.button(
            "Show everything loaded",
            on_click=lambda: address.go(view.but(start=None, end=None, period="all"), usual),
        )


def error(found: Exception) -> None:
    """An error in words. An unexpected one goes to the log with its traceback, and to the reader without."""
    if isinstance(found, FarthingError):
        st.error(plain(str(found)), icon=":material/error:")
        return
    logging.getLogger("farthing").exception("a page failed", exc_info=found)
    st.error(
        f"This view could not be drawn ({type(found).__name__}). Nothing was changed; the server's log says more."
        " Reload the page, or reset the view.",
        icon=":material/error:",
    )
