"""Costs of all currencies in one: the figure, the choice of the display currency, and the table of rates."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import streamlit as st

from finops_core.errors import FarthingError
from finops_core.focus.currencies import CURRENCIES
from finops_core.model import words
from finops_core.model.metrics import METRICS
from finops_core.model.span import Span
from finops_core.model.view import View
from finops_core.store import rates as store
from finops_core.store.batches import plain as digits
from finops_core.store.rates import Rate, targets
from ui import address, answers, books
from ui.figures import Figure
from ui.plain import plain

if TYPE_CHECKING:
    from ui.kit import Page

_SAID = "rates-said"
_NOTHING = ""


def display(view: View, span: Span) -> str | None:
    """The display currency: the view's; where there are several currencies, the one that most rates lead to."""
    known = targets(answers.rates())
    if not known:
        return None
    return view.display or (known[0] if len(span.currencies) > 1 else None)


def choice(view: View, span: Span, go: Callable[..., None]) -> None:
    """Which currency costs are shown in beside their own; nothing without rates."""
    known = targets(answers.rates())
    if not known:
        return
    shown = display(view, span) or _NOTHING
    options = list(dict.fromkeys([*known, shown, *([_NOTHING] if len(span.currencies) == 1 else [])]))
    st.selectbox(
        "Show also in",
        options,
        key=address.seeded("bar-display", shown),
        on_change=address.changes("bar-display", lambda code: go(display=code or None)),
        format_func=lambda code: code or "Nothing",
        help="All currencies in one, at the rates of Sources & upload; each charge at the rate of its day",
        width=120,
    )


def total(page: "Page") -> list[Figure]:
    """The page's cost over all its currencies in the display currency; no figure without rates or for a count."""
    to = display(page.view, page.span)
    if to is None or METRICS[page.view.metric].unit != "currency":
        return []
    asked = page.view.but(currency=None).asked(page.span.first, page.span.end)
    found = answers.converted(asked, to)
    if found.total is None:
        missing = found.missing_in_words()
        return [Figure(f"All in {to}", "no sum", f"A sum of some would mislead: {missing}", note=missing)]
    parts = [
        f"{words.money(c.cost, c.currency)} are {words.money(c.converted, to)}: {c.rates_in_words()}"
        for c in found.currencies
        if c.rates
    ]
    how = f"{METRICS[page.view.metric].label} of all currencies, each day at the rate in force"
    return [Figure(f"All in {to}", words.amount(found.total), "; ".join([how, *parts]))]


def rates_form() -> None:
    """The table of rates; upload a CSV, type one in, take one back."""
    found = answers.rates()
    with st.expander(f"Exchange rates ({len(found):,})", icon=":material/currency_exchange:", key="rates"):
        st.caption(
            "For figures in one currency beside the originals. A rate holds from its day on until a newer one; only rates that"
            " stand here are used, none is turned round. Without a rate there is no sum."
        )
        with (
            st.container()
        ):  # always there, so that what is below keeps its place, and an open popover stays open
            if _SAID in st.session_state:
                st.success(st.session_state.pop(_SAID), icon=":material/check:")
        if found:
            _table(found)
        _typed(found)
        with st.container(horizontal=True):
            _upload()
            if found:
                st.download_button("Download CSV", store.to_csv(found), "rates.csv", "text/csv")
                _remove(found)


def _table(found: Sequence[Rate]) -> None:
    rows = [
        {"From day": r.day.isoformat(), "From": r.currency, "To": r.to, "Rate": digits(r.rate)}
        for r in reversed(found)
    ]
    books.lines_table(rows, "rates-table", ("Rate",))


def _typed(found: Sequence[Rate]) -> None:
    own = () if answers.ledger().is_empty() else answers.spanned().currencies
    codes = list(dict.fromkeys([*own, *sorted(CURRENCIES)]))
    into = list(dict.fromkeys([*targets(found), *own[1:], *codes]))
    with st.form("rate", border=True), st.container(horizontal=True, vertical_alignment="bottom"):
        day = st.date_input("From day", format="YYYY-MM-DD", width=150)
        code = st.selectbox("1 unit of", codes, width=110)
        text = st.text_input("is", placeholder="0.9234", width=180)
        to = st.selectbox("units of", into, width=110)
        sent = st.form_submit_button("Keep rate", type="primary")
    if sent:
        _do(lambda: _enter([store.typed_rate(_iso(day), code, to, text.strip())]))


def _iso(day: Any) -> str:
    return day.isoformat() if isinstance(day, date) else ""


def _upload() -> None:
    with st.popover("Upload CSV", icon=":material/upload:"):
        st.markdown("Columns `date,from,to,rate`, such as `2026-03-01,USD,EUR,0.9234`")
        file = st.file_uploader("Rates", type="csv", key="rates-file")
        if st.button("Keep rates", type="primary", disabled=file is None) and file is not None:
            _do(lambda: _enter(store.from_csv(file.getvalue(), file.name)))


def _remove(found: Sequence[Rate]) -> None:
    with st.popover("Remove a rate", icon=":material/delete:"):
        named = {rate.in_words(): rate for rate in reversed(found)}
        chosen = st.selectbox("Rate", list(named), key="rates-chosen")
        if st.button("Remove", type="primary") and chosen is not None:
            _do(lambda: _taken_back(named[chosen]))


def _enter(entered: Sequence[Rate]) -> str:
    return store.enter(answers.state(), entered, books.viewer()).in_words()


def _taken_back(rate: Rate) -> str:
    store.remove(answers.state(), rate.day, rate.currency, rate.to, books.viewer())
    return f"{rate.in_words()} is removed"


def _do(change: Callable[[], str]) -> None:
    """Makes a change and draws the page anew; what is refused is said."""
    try:
        said = change()
    except FarthingError as error:
        st.error(plain(str(error)), icon=":material/error:")
    else:
        st.session_state[_SAID] = said
        st.rerun()
