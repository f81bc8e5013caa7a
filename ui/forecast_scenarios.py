"""Supposing otherwise: the scenario that is chosen, adjustments to add to it, and scenarios as files."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from finops_core.errors import FarthingError, UsageError
from finops_core.model import words
from finops_core.model.periods import add_months
from finops_core.model.query import Query
from finops_core.store import scenarios as kept
from finops_core.store.scenarios import KINDS, Adjustment, Scenario
from finops_core.vocabulary.dimensions import dimension
from ui import answers
from ui.forecast import Forecasting
from ui.outcomes import said, say
from ui.plain import plain
from ui.viewer import viewer

_HERE = "scenario"


def show(forecasting: Forecasting) -> None:
    """Supposing otherwise: adjustments with dates, kept by name."""
    with st.expander(
        "Scenarios", icon=":material/alt_route:", expanded=forecasting.scenario is not None, key="scenarios"
    ):
        said(_HERE)
        st.markdown(
            "A scenario is a set of dated adjustments. Choose one above to see the forecast under it; the link keeps it."
        )
        if forecasting.scenario:
            _current(kept.scenario(answers.state(), forecasting.scenario))
        with st.form("forecast-adjust", border=False):
            left, middle, right = st.columns(3)
            left.text_input("Scenario", value=forecasting.scenario or "", key="adjust-name")
            middle.date_input("From", value=forecasting.book.months[1], key="adjust-start")
            right.date_input("Through", value=None, key="adjust-end", help="Empty: for good")
            left.selectbox(
                "What happens",
                list(KINDS),
                key="adjust-kind",
                format_func=str.capitalize,
                help="; ".join(f"**{k.capitalize()}**: {plain(text)}" for k, text in KINDS.items()),
            )
            middle.text_input("Percent", key="adjust-percent", help="Of growth: a month")
            right.text_input(f"Amount a month, {forecasting.page.currency}", key="adjust-amount")
            left.text_input(
                "Of what",
                key="adjust-where",
                placeholder="x_Team=search",
                help="Conditions as in the bar's filters, separated by semicolons",
            )
            middle.text_input(
                "To whom",
                key="adjust-to",
                placeholder="x_Team=platform",
                help="For migrations and launches: where it goes, separated by semicolons",
            )
            st.form_submit_button(
                "Add adjustment", type="primary", on_click=partial(_adjusted, forecasting.page.currency)
            )
        st.file_uploader("A scenario as YAML", type=["yaml", "yml"], key="scenario-file", on_change=_uploaded)


def _current(found: Scenario) -> None:
    """The adjustments of the scenario that is chosen, each to be taken out."""
    for place, adjustment in enumerate(found.adjustments):
        with st.container(horizontal=True, vertical_alignment="center", key=f"adjustment-{place}"):
            st.markdown(plain(_in_words(adjustment)), width="content")
            st.button(
                "Take out",
                key=f"take-out-{place}",
                on_click=partial(_taken_out, found, place),
                type="tertiary",
                icon=":material/close:",
            )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "YAML",
            kept.to_yaml(found),
            f"scenario-{found.name}.yaml",
            icon=":material/download:",
            on_click="ignore",
        )
        st.button("Remove this scenario", on_click=partial(_removed, found.name), type="tertiary")


def _in_words(a: Adjustment) -> str:
    when = f"from {words.day(a.start)}" + (f" through {words.day(a.end)}" if a.end else "")
    what = (
        f"{a.percent:f} %{' a month' if a.kind == 'growth' else ''}"
        if a.percent is not None
        else f"{a.amount:f} {a.currency} a month"
        if a.amount is not None
        else ""
    )
    of = f" of {', '.join(a.where)}" if a.where else ""
    to = f" to {', '.join(f'{k} {v}' for k, v in a.to.items())}" if a.to else ""
    return " ".join(f"{a.kind.capitalize()} {what}{of}{to} {when}".split())


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
    }
    try:
        added = kept.adjustment({**record, "to": _members(typed["to"])})
        note = _unmatched((added,))
        before = {s.name: s for s in kept.scenarios(answers.state())}.get(typed["name"])
        found = Scenario(
            typed["name"],
            (*(before.adjustments if before else ()), added),
            before.description if before else "",
        )
        kept.save(answers.state(), found, viewer())
    except FarthingError as error:
        say(_HERE, "bad", str(error))
        return
    st.query_params["scenario"] = typed["name"]
    say(_HERE, "good", f"Kept in {typed['name']}{note}")


def _members(text: str) -> dict[str, str]:
    """`x_Team=platform; x_Product=shop`, by dimension."""
    found = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        name, sign, member = part.partition("=")
        if not (sign and name.strip() and member.strip()):
            raise UsageError(f"{part!r} does not say to whom: write x_Team=platform")
        found[dimension(name.strip()).name] = member.strip()
    return found


def _unmatched(adjustments: Sequence[Adjustment]) -> str:
    """What no charge of the last months fulfils, in words; conditions that cannot be read are refused here."""
    empty = []
    for a in adjustments:
        asked = Query("EffectiveCost", where=a.where, start=add_months(answers.spanned().complete_until, -3))
        if a.where and a.kind != "launch" and answers.ask(asked).is_empty():
            empty.append(" and ".join(a.where))
    return (
        f". No charge of the last three months fulfils {', '.join(empty)}: that changes nothing"
        if empty
        else ""
    )


def _uploaded() -> None:
    file = st.session_state["scenario-file"]
    if file is None:
        return
    try:
        found = kept.from_yaml(file.getvalue().decode("utf-8", "replace"), file.name)
        note = _unmatched(found.adjustments)
        kept.save(answers.state(), found, viewer())
    except FarthingError as error:
        say(_HERE, "bad", str(error))
        return
    st.query_params["scenario"] = found.name
    say(_HERE, "good", f"Kept: {found.name}{note}")


def _taken_out(found: Scenario, place: int) -> None:
    """Leaves one adjustment out of a scenario; the scenario stays, also without any."""
    left = tuple(a for at, a in enumerate(found.adjustments) if at != place)
    kept.save(answers.state(), replace(found, adjustments=left), viewer())
    say(_HERE, "good", f"Taken out: {_in_words(found.adjustments[place])}")


def _removed(name: str) -> None:
    kept.remove(answers.state(), name, viewer())
    st.query_params.pop("scenario", None)
