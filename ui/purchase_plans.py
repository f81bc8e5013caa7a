"""Plans of purchases on the commitments page: the document of what is recommended, proposed, signed and bought."""

from collections.abc import Sequence

import streamlit as st

from finops_core.analysis.purchases import Recommendation, plans
from finops_core.errors import FarthingError
from finops_core.reporting.pack import FORMS
from finops_core.reporting.purchase_plan import assumptions, document, lines
from finops_core.store import purchase_plans as store
from finops_core.store.purchase_plans import BOUGHT, WITHDRAWN, PurchasePlan
from ui import answers, documents
from ui.plain import plain
from ui.viewer import ask_name, signed

_SAID = "purchase-plans-said"


def offer(found: Sequence[Recommendation], scenario: str) -> None:
    """The plan of all that is recommended as a file, and a button that proposes it."""
    risk = plans(answers.ledger().home).risk
    start = answers.spanned().complete_until
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="purchase-plan"):
        documents.buttons(
            "purchase-plan",
            f"farthing-purchase-plan-{scenario}",
            lambda form: FORMS[form](document(found, scenario, risk, start)),
        )
        ask_name("plan-new")
        st.button(
            "Propose this plan",
            icon=":material/approval:",
            on_click=_propose,
            args=(list(found), scenario, risk),
        )


def standing() -> None:
    """The plans that are kept, who has signed them, and who must."""
    found = store.purchase_plans(answers.state())
    if _SAID in st.session_state:
        kind, text = st.session_state.pop(_SAID)
        (st.error if kind == "error" else st.success)(plain(text))
    if not found:
        return
    st.header(
        "Plans and signatures",
        anchor=False,
        help="Who proposed a plan does not sign it, and nobody signs twice; roles and amounts stand in rules/plans.yaml",
    )
    for one in found[:5]:
        _draw(one)


def _draw(one: PurchasePlan) -> None:
    with st.expander(f"{one.key}: {one.state}, {len(one.lines)} purchases, proposed by {plain(one.proposer)} on {one.at[:10]}", icon=":material/approval:", key=f"plan-{one.key}"):  # fmt: skip
        for line in one.lines:
            st.markdown(
                f"- {plain(line.what)}: {plain(line.plan)}, {line.hourly} {line.currency} an hour; saves {line.saves} {line.currency} a month; {plain(line.role)} signs"
            )
        for signature in one.signatures:
            st.caption(
                plain(
                    f"Signed as {signature.role} by {signature.who} on {signature.at[:10]}{': ' + signature.note if signature.note else ''}"
                )
            )
        if one.closed:
            return
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            ask_name(f"plan-{one.key}")
            for role, count in one.missing.items():
                st.button(
                    f"Sign as {role} ({count} wanted)",
                    key=f"sign-{one.key}-{role}",
                    on_click=_step,
                    args=(one.key, role),
                )
            if not one.missing:
                st.button("It was bought", key=f"bought-{one.key}", on_click=_close, args=(one.key, BOUGHT))
            st.button("Withdraw", key=f"withdraw-{one.key}", on_click=_close, args=(one.key, WITHDRAWN))


def _propose(found: list[Recommendation], scenario: str, risk: float) -> None:
    try:
        kept = store.propose(
            answers.state(), lines(found), assumptions(found, scenario, risk), signed("plan-new")
        )
        st.session_state[_SAID] = ("done", f"{kept.key} is proposed, and wants {', '.join(kept.asked)}")
    except FarthingError as error:
        st.session_state[_SAID] = ("error", str(error))


def _step(key: str, role: str) -> None:
    try:
        after = store.sign(answers.state(), key, role, signed(f"plan-{key}"))
        st.session_state[_SAID] = ("done", f"{key} is {after.state}")
    except FarthingError as error:
        st.session_state[_SAID] = ("error", str(error))


def _close(key: str, how: str) -> None:
    try:
        after = store.close(answers.state(), key, how, signed(f"plan-{key}"))
        st.session_state[_SAID] = ("done", f"{key} is {after.state}")
    except FarthingError as error:
        st.session_state[_SAID] = ("error", str(error))
