"""One item of the backlog closely: its evidence, what was measured, its history, the next step; and a form for new ideas."""

from datetime import date
from decimal import Decimal

import streamlit as st

from finops_core.errors import FarthingError
from finops_core.model import words
from finops_core.model.query import Query, conditions
from finops_core.model.view import View
from finops_core.store import savings as store
from finops_core.store.savings import DONE, VERIFIED, SavingsItem
from ui import address, answers
from ui.plain import plain
from ui.savings import SAID, Savings
from ui.viewer import ask_name, signed


def draw(page: Savings) -> None:
    """The chosen item, and a new one."""
    if SAID in st.session_state:
        kind, text = st.session_state.pop(SAID)
        (st.error if kind == "error" else st.success)(plain(text))
    key = st.query_params.get("item")
    chosen = next((i for i in page.items if i.key == key), None)
    if key and chosen is None:
        st.warning(f"There is no item {plain(key)}", icon=":material/link_off:")
    if chosen is not None:
        _closely(page, chosen)
    with st.expander("Propose a saving", icon=":material/add:", key="savings-new"):
        _propose(page)


def _closely(page: Savings, item: SavingsItem) -> None:
    st.header(f"{item.key}: {item.title}", anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(plain(item.hypothesis) or "No hypothesis was written.")
        days = f"{item.baseline_start} to {item.baseline_end}" if item.baseline_start else "none yet"
        st.markdown(
            f"{item.kind.capitalize()}, {item.recurrence}; expected {words.money(item.expected_monthly, item.currency)}"
            f"{' a month' if item.recurrence == store.RECURRING else ''}; risk {item.risk}, effort {item.effort}. Baseline: {days}; volume: {plain(item.volume)}."
        )
        view = View(
            Query(item.metric, by=("ServiceName",), grain="day", where=conditions(list(item.where))),
            period="12-months",
        )
        st.markdown(f"[Its charges in the explorer]({address.link('explorer', view)})")
        for one in [r for r in page.everything if r.key == item.key]:
            st.caption(plain(one.sentence))
    with right:
        for step in item.steps:
            amount = f", {words.money(Decimal(step.amount), item.currency)} net" if step.amount else ""
            st.markdown(
                f"**{step.state}** by {plain(step.who)}, {step.at[:10]}{amount}{': ' + plain(step.note) if step.note else ''}"
            )
        _steps(page, item)


def _steps(page: Savings, item: SavingsItem) -> None:
    with st.form(f"saving-{item.key}", border=False):
        to = st.selectbox("Next", store.NEXT[item.state], format_func=str.capitalize)
        note = st.text_input("Note", placeholder="Why, or what was found")
        ask_name(f"saving-{item.key}")
        day = st.date_input(
            "Shows from",
            value=item.done_on or answers.spanned().complete_until,
            help="For done: the first day on which it shows",
        )
        if st.form_submit_button("Take the step", icon=":material/check:"):
            net = [r.net for r in page.everything if r.key == item.key]
            try:
                shows = day if to == DONE and isinstance(day, date) else None
                amount = sum(net, Decimal(0)) if to == VERIFIED and net else None
                store.move(
                    answers.state(), item.key, str(to), signed(f"saving-{item.key}"), note, shows, amount
                )
                st.session_state[SAID] = ("done", f"{item.key} is {to}")
            except FarthingError as error:
                st.session_state[SAID] = ("error", str(error))
            st.rerun()


def _propose(page: Savings) -> None:
    with st.form("saving-new", border=False, clear_on_submit=False):
        title = st.text_input("What", placeholder="Smaller machines for search")
        where = st.text_input(
            "Its charges",
            placeholder="x_Team=search; ServiceName=Amazon Elastic Compute Cloud",
            help="Conditions as on the command line, with ; between them",
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            expected = st.text_input(f"Expected a month, {page.currency}", placeholder="1200", width=190)
            owner = st.text_input("Owner", width=160)
            effort = st.selectbox("Effort", list(store.EFFORTS), index=1, width=100)
            kind = st.selectbox("Kind", store.KINDS, format_func=str.capitalize, width=140)
            volume = st.text_input("Volume", value="none", help="none, usage, or units:METRIC", width=150)
            span = answers.spanned()
            days = st.date_input("Baseline", value=(span.first, span.complete_until), width=240)
        ask_name("saving-new")
        if st.form_submit_button("Propose", icon=":material/add:"):
            first, last = (days[0], days[-1]) if isinstance(days, tuple) and days else (None, None)
            try:
                record = {
                    "title": title, "where": where, "expected_monthly": expected, "currency": page.currency, "owner": owner, "effort": effort,
                    "kind": kind, "volume": volume, "baseline_start": first, "baseline_end": last,
                }  # fmt: skip
                (added,) = store.add(answers.state(), [record], signed("saving-new"))
                st.session_state[SAID] = ("done", f"{added.key} is in the backlog")
                st.query_params["item"] = added.key
            except FarthingError as error:
                st.session_state[SAID] = ("error", str(error))
            st.rerun()
