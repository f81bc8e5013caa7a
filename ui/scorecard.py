"""The scorecard page's parts: the indicators as cards and as a table, and what they should reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars
import streamlit as st

from finops_core.errors import FarthingError
from finops_core.reporting.scorecard import TREND, Line, scorecard, told
from finops_core.reporting.scorecard.kpi import MET, MISSED, NEAR, UNKNOWN
from finops_core.reporting.situation import Situation, situation
from finops_core.store import savings, triage
from finops_core.store.budgets import KIND as BUDGETS
from finops_core.store.kpi_targets import KIND as TARGETS
from finops_core.store.kpi_targets import KpiTarget, keep, typed
from ui import address, answers, figures, kit, tables
from ui.figures import Figure
from ui.plain import plain
from ui.viewer import viewer

_SAID = "scorecard-said"
_MARKS = {MET: "●", NEAR: "◐", MISSED: "○", UNKNOWN: "–"}
Version = tuple[str, tuple[int, ...]]


def version() -> Version:
    """What the scorecard depends on: the charges, and what people typed."""
    state = answers.state()
    kinds = (TARGETS, BUDGETS, savings.KIND, triage.KIND, triage.QUIET, "tag exception")
    return answers.ledger().version, tuple(state.version(kind) for kind in kinds)


@st.cache_resource(show_spinner=False, max_entries=24)
def situated(month: date, at: Version) -> Situation:
    """A month of the home; the scorecard and the pack ask the same one."""
    return situation(answers.ledger(), month)


@st.cache_resource(show_spinner="Asking every analysis, once for this version of the data", max_entries=48)
def _lines(month: date, months: int, at: Version) -> list[Line]:
    return scorecard(situated(month, at), months)


def begin(title: str) -> "Scorecard":
    """Begins the page: its title, its answer, and the month of the URL. Without data it says so and stops."""
    found: list[Scorecard] = []

    def answer() -> str:
        span = answers.spanned()
        names = [f"{m:%Y-%m}" for m in reversed(span.months)]
        asked = address.given("month", names, f"{span.usual_month:%Y-%m}")
        month = date.fromisoformat(f"{asked}-01")
        found.append(Scorecard(month, _lines(month, 1, version()), names))
        return found[0].answer()

    kit.heading(title, answer)
    return found[0]


@dataclass
class Scorecard:
    """The indicators of a month."""

    month: date
    lines: list[Line]
    """Of the month alone; `cards` adds the course."""
    months: Sequence[str]

    def answer(self) -> str:
        """`In October 2026, 9 of 15 indicators met their target; coverage and tags missed it.`"""
        known = [line for line in self.lines if line.value is not None]
        met = [line for line in known if line.state == MET]
        missed = list(dict.fromkeys(line.kpi.label.lower() for line in known if line.state == MISSED))
        told_of = (
            f"; missed: {', '.join(missed[:4])}{' and more' if len(missed) > 4 else ''}" if missed else ""
        )
        return (
            f"In {self.month:%B %Y}, {len(met)} of {len(known)} known indicators met their target{told_of}."
        )

    def bar(self) -> None:
        """The month; it is in the URL."""
        address.choice("scorecard", "Month", "month", self.months, f"{self.month:%Y-%m}", 140)

    def cards(self) -> None:
        """Each indicator with its target, by currency; then the same with their course, which takes longer."""
        place = st.empty()
        with place.container():
            self._cards()
        self.lines = _lines(self.month, TREND, version())
        with place.container():
            self._cards()

    def _cards(self) -> None:
        for currency in dict.fromkeys(line.currency for line in self.lines):
            own = [line for line in self.lines if line.currency == currency]
            st.header(currency or "Of all currencies", anchor=False)
            figures.show([_card(line) for line in own], is_grid=True)

    def table(self) -> None:
        """The same as a table, with owners and where to look further."""
        rows = [
            (line.kpi.label, line.currency or "all", told(line.value, line.kpi.unit), told(line.target, line.kpi.unit), line.state, line.owner,
             " → ".join(told(value, line.kpi.unit) for _, value in line.trend), line.kpi.description)
            for line in self.lines
        ]  # fmt: skip
        names = ("label", "currency", "value", "target", "state", "owner", "trend", "description")
        frame = polars.DataFrame(rows, dict.fromkeys(names, polars.String), orient="row")
        labels = (
            "Indicator",
            "Currency",
            "Actual",
            "Target",
            "State",
            "Owner",
            "Last six months",
        )
        tables.show(
            frame,
            [(n, tables.text, label) for n, label in zip(names[:-1], labels, strict=True)],
            None,
            "scorecard-table",
        )
        tables.downloads(lambda: frame, f"scorecard-{self.month:%Y-%m}")
        pages = dict.fromkeys((line.kpi.label, line.kpi.page) for line in self.lines)
        st.caption("More on: " + " · ".join(f"[{plain(label)}](/{page})" for label, page in pages))

    def targets(self) -> None:
        """What an indicator should reach, and who answers for it."""
        if _SAID in st.session_state:
            kind, text = st.session_state.pop(_SAID)
            (st.error if kind == "error" else st.success)(plain(text))
        kpis = {line.kpi.name: line.kpi for line in self.lines}
        with (
            st.expander("Set a target", icon=":material/flag:", key="scorecard-targets"),
            st.form("kpi-target", border=False),
            st.container(horizontal=True, vertical_alignment="bottom"),
        ):
            name = st.selectbox("Indicator", list(kpis), format_func=lambda n: kpis[n].label, width=280)
            target = st.text_input("Target", placeholder="90 % or 72; empty: as shipped", width=240)
            owner = st.text_input("Who answers for it", placeholder="as shipped", width=200)
            if st.form_submit_button("Keep", icon=":material/check:"):
                try:
                    keep(answers.state(), str(name), KpiTarget(typed(target), owner), viewer())
                    st.session_state[_SAID] = ("done", f"The target of {kpis[str(name)].label} is kept")
                except FarthingError as error:
                    st.session_state[_SAID] = ("error", str(error))
                st.rerun()


def _card(line: Line) -> Figure:
    unit = line.kpi.unit
    return Figure(
        f"{_MARKS[line.state]} {line.kpi.label}",
        told(line.value, unit),
        f"{line.kpi.description}. Answers for it: {line.owner}",
        line=[value for _, value in line.trend if value is not None],
        note=f"{line.state}: {'at least' if line.kpi.better == 'up' else 'at most'} {told(line.target, unit)}",
    )
