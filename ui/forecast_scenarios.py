"""Supposing otherwise: the scenario that is chosen, adjustments to add to it, and scenarios as files."""

from functools import partial

import streamlit as st

from finops_core.errors import FarthingError
from finops_core.model import words
from finops_core.model.query import Query
from finops_core.store import scenarios as kept
from finops_core.store.scenarios import KINDS, Adjustment, Scenario
from ui import answers
from ui.forecast import Forecasting
from ui.plain import plain
from ui.viewer import viewer


def show(forecasting: Forecasting) -> None:
    """Supposing otherwise: adjustments with dates, kept by name."""
    with st.expander("Scenarios", icon=":material/alt_route:", expanded=forecasting.scenario is not None):
        st.markdown(
            "A scenario is a set of dated adjustments. Choose one above to see the forecast under it; the link keeps it."
        )
        current = kept.scenario(answers.state(), forecasting.scenario) if forecasting.scenario else None
        if current is not None:
            for adjustment in current.adjustments:
                st.markdown(f"- {plain(_in_words(adjustment))}")
            st.download_button(
                "YAML",
                kept.to_yaml(current),
                f"scenario-{current.name}.yaml",
                icon=":material/download:",
                on_click="ignore",
            )
            st.button("Remove this scenario", on_click=partial(_removed, current.name), type="tertiary")
        with st.form("forecast-adjust", border=False):
            left, middle, right = st.columns(3)
            left.text_input("Scenario", value=forecasting.scenario or "", key="adjust-name")
            left.selectbox(
                "What happens",
                list(KINDS),
                key="adjust-kind",
                format_func=lambda k: f"{k.capitalize()}: {KINDS[k]}",
            )
            middle.date_input("From", value=forecasting.book.months[1], key="adjust-start")
            middle.date_input("Through", value=None, key="adjust-end", help="Empty: for good")
            right.text_input("Percent", key="adjust-percent")
            right.text_input(f"Amount a month, {forecasting.page.currency}", key="adjust-amount")
            left.text_input(
                "Of what",
                key="adjust-where",
                placeholder="x_Team=search",
                help="Conditions as in the bar's filters, separated by semicolons",
            )
            right.text_input(
                "To whom",
                key="adjust-to",
                placeholder="x_Team=platform",
                help="For migrations and launches",
            )
            st.form_submit_button(
                "Add adjustment", type="primary", on_click=partial(_adjusted, forecasting.page.currency)
            )
        st.file_uploader("A scenario as YAML", type=["yaml", "yml"], key="scenario-file", on_change=_uploaded)
    if said := st.session_state.pop("scenario-said", None):
        kind, text = said
        (st.success if kind == "good" else st.error)(plain(text))


def _in_words(a: Adjustment) -> str:
    when = f"from {words.day(a.start)}" + (f" through {words.day(a.end)}" if a.end else "")
    what = (
        f"{a.percent:f} %"
        if a.percent is not None
        else f"{a.amount:f} {a.currency} a month"
        if a.amount is not None
        else ""
    )
    of = f" of {', '.join(a.where)}" if a.where else ""
    to = f" to {', '.join(f'{k} {v}' for k, v in a.to.items())}" if a.to else ""
    return " ".join(f"{a.kind.capitalize()} {what}{of}{to} {when}".split())


def _say(kind: str, text: str) -> None:
    st.session_state["scenario-said"] = (kind, text)


def _adjusted(currency: str) -> None:
    typed = {
        name: str(st.session_state[f"adjust-{name}"] or "").strip()
        for name in ("name", "percent", "amount", "where", "to")
    }
    record = {
        "kind": st.session_state["adjust-kind"],
        "start": st.session_state["adjust-start"],
        "end": st.session_state["adjust-end"],
        "where": tuple(part.strip() for part in typed["where"].split(";") if part.strip()),
        "percent": typed["percent"] or None,
        "amount": typed["amount"] or None,
        "currency": currency if typed["amount"] else None,
        "to": dict(part.split("=", 1) for part in typed["to"].split(";") if "=" in part),
    }
    try:
        added = kept.adjustment(record)
        Query("EffectiveCost", where=added.where)  # conditions that cannot be read are said here
        before = {s.name: s for s in kept.scenarios(answers.state())}.get(typed["name"])
        found = Scenario(
            typed["name"],
            (*(before.adjustments if before else ()), added),
            before.description if before else "",
        )
        kept.save(answers.state(), found, viewer())
    except FarthingError as error:
        _say("bad", str(error))
        return
    st.query_params["scenario"] = typed["name"]
    _say("good", f"Kept in {typed['name']}")


def _uploaded() -> None:
    file = st.session_state["scenario-file"]
    if file is None:
        return
    try:
        found = kept.from_yaml(file.getvalue().decode("utf-8", "replace"), file.name)
        kept.save(answers.state(), found, viewer())
    except FarthingError as error:
        _say("bad", str(error))
        return
    st.query_params["scenario"] = found.name
    _say("good", f"Kept: {found.name}")


def _removed(name: str) -> None:
    kept.remove(answers.state(), name, viewer())
    st.query_params.pop("scenario", None)
