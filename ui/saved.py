"""Saved views: keeping one from the bar, the page of all, and those pinned to the Overview."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlparse

import streamlit as st

from finops_core.errors import FarthingError
from finops_core.model import words
from finops_core.model.metrics import METRICS
from finops_core.model.periods import compared
from finops_core.model.view import View
from finops_core.store.saved_views import SavedView, from_yaml, load_views, remove, save, to_yaml
from ui import address, answers, figures
from ui.figures import Figure
from ui.plain import plain
from ui.viewer import viewer

if TYPE_CHECKING:
    from ui.kit import Page

_IN_A_ROW = 4


def keeper(view: View) -> None:
    """The button by which a reader keeps the view that is open."""
    with st.popover("Save", icon=":material/bookmark_add:", help="Keep this view by a name"):
        with st.form("save-view", border=False):
            name = st.text_input("Name", max_chars=100, help="A view of the same name is replaced")
            description = st.text_input("Description", placeholder="What it is for, and who looks at it")
            owner = st.text_input("Owner", value=viewer())
            pinned = st.toggle("Show on the Overview")
            sent = st.form_submit_button("Save view", type="primary")
        if sent:
            path = urlparse(st.context.url or "").path.strip("/")
            try:
                kept = SavedView(name.strip(), path, dict(view.to_params()), owner, description, pinned)
                save(answers.state(), kept, viewer())
            except FarthingError as error:
                st.error(plain(str(error)), icon=":material/error:")
            else:
                st.success(f"Kept as {plain(kept.name)}", icon=":material/bookmark_added:")


def pinned(page: "Page") -> None:
    """The views pinned to the Overview: each one's cost and change, and the way to it."""
    views = [view for view in answers.saved_views() if view.pinned]
    if not views:
        return
    st.header("Pinned views", anchor=False)
    for start in range(0, len(views), _IN_A_ROW):
        row = views[start : start + _IN_A_ROW]
        figures.show([_figure(view, page) for view in row])
        for column, view in zip(st.columns(len(row), gap="small"), row, strict=True):
            column.markdown(f"[Open {plain(view.name)}]({view.url})")


def _figure(saved: SavedView, page: "Page") -> Figure:
    """A saved view as a figure; in words, where its link cannot be read any more."""
    try:
        view = View.from_params(saved.params, page.usual)
        currency = view.currency or page.currency
        query = view.asked(page.span.first, page.span.end, currency).but(
            by=(), grain="none", limit=None, order=None
        )
        days = view.days(page.span.first, page.span.end)
        found = answers.ask(query)[view.metric]
        past = compared(days, view.versus)
        before = None
        if past is not None:
            earlier = answers.ask(query.but(start=past.start, end=past.end))[view.metric]
            before = earlier[0] if len(earlier) else Decimal(0)
        line = answers.ask(query.but(grain=view.query.grain if view.query.grain != "none" else "month"))
    except FarthingError as error:
        return Figure(saved.name, "not readable", str(error))
    after = found[0] if len(found) else Decimal(0)
    label = f"{saved.name}, {currency}"
    help = f"{METRICS[view.metric].label}, {words.period(days)}. {saved.description}"
    return Figure(label, words.amount(after), help, after, before, list(line[view.metric]))


def summary(views: Sequence[SavedView]) -> str:
    """The saved views in a sentence."""
    if not views:
        return "A saved view is a link with a name, an owner and a description."
    shown = sum(view.pinned for view in views)
    return f"{words.counted(len(views), 'saved view')}, {shown} of them on the Overview."


def listing() -> None:
    """All saved views: open, pin, remove."""
    views = answers.saved_views()
    if not views:
        st.info(
            "Nothing is saved yet: open a view, then **Save** at the right of its bar.",
            icon=":material/bookmark:",
        )
    for view in views:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"view-{view.name}"):
            with st.container():
                st.markdown(f"**[{plain(view.name)}]({view.url})**")
                words_of = " · ".join(
                    filter(None, (view.description, f"owned by {view.owner}" if view.owner else ""))
                )
                st.caption(plain(words_of) or "No description")
            st.toggle(
                "Pinned",
                key=address.seeded(f"pin-{view.name}", view.pinned),
                on_change=_pin,
                args=(view,),
                help="Show it on the Overview",
            )
            st.button(
                "Remove",
                icon=":material/delete:",
                key=f"remove-{view.name}",
                on_click=_remove,
                args=(view.name,),
            )


def _pin(view: SavedView) -> None:
    changed = SavedView(view.name, view.page, view.params, view.owner, view.description, not view.pinned)
    save(answers.state(), changed, viewer())


def _remove(name: str) -> None:
    remove(answers.state(), name, viewer())


def exchange() -> None:
    """Saved views out of here, and into here, as YAML."""
    st.download_button(
        "Export as YAML",
        data=lambda: to_yaml(answers.saved_views()),
        file_name="farthing-views.yaml",
        mime="application/yaml",
        icon=":material/download:",
        on_click="ignore",
        disabled=not answers.saved_views(),
    )
    with st.form("import-views", border=False, clear_on_submit=True):
        file = st.file_uploader(
            "Import from YAML", type=["yaml", "yml"], help="Views of the same name are replaced"
        )
        sent = st.form_submit_button("Import")
    if sent and file is not None:
        try:
            views = from_yaml(file.getvalue().decode("utf-8", "replace"), file.name)
            load_views(answers.state(), views, viewer())
        except FarthingError as error:
            st.error(plain(str(error)), icon=":material/error:")
        else:
            st.rerun()
