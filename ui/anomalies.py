"""The anomalies of the home as the URL asks for them: what is open, all over time, and their table."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

import polars
import streamlit as st

from finops_core.analysis import triaging
from finops_core.analysis.incidents import Incident, account_names, explain
from finops_core.analysis.incidents.apart import apart, is_large
from finops_core.analysis.triaging import Triaged
from finops_core.model import words
from finops_core.store import triage as kept
from ui import anomaly_charts, answers, charts, figures, kit, tables
from ui.figures import Figure
from ui.plain import plain

USUAL = 0.5
_DRAWN = 25
"""How many incidents are drawn over time, those first that the table has first."""
_SHOWN = ("unresolved", "all", *kept.STATES)
_DAYS = {"90": "Last 90 days", "365": "Last 12 months", "all": "All"}


def _version() -> tuple[str, int, int, int]:
    state = answers.state()
    return (
        answers.ledger().version,
        *(state.version(kind) for kind in (kept.KIND, kept.QUIET, "deployment")),
    )


@st.cache_resource(
    show_spinner="Looking at every day of every series, once for this version of the data", max_entries=40
)
def found_at(sensitivity: float, version: tuple[str, int, int, int]) -> list[Triaged]:
    if is_large(answers.ledger()):
        return apart(triaging.triaged_of, answers.ledger().home, sensitivity)
    return triaging.triaged(answers.ledger(), answers.state(), sensitivity)


@st.cache_resource(show_spinner=False, max_entries=400)
def explained(key: str, sensitivity: float, version: tuple[str, int, int, int]) -> Incident:
    found = triaging.by_key(found_at(sensitivity, version), key)
    return explain(answers.ledger(), [found.incident])[0]


@st.cache_data(show_spinner=False, max_entries=4)
def _accounts(version: str) -> dict[str, str]:
    return account_names(answers.ledger())


def accounts() -> dict[str, str]:
    """Account → its name."""
    return _accounts(answers.ledger().version)


def open_now() -> list[Triaged]:
    """The incidents that are open, the costliest first."""
    found = [t for t in found_at(USUAL, _version()) if t.is_open]
    return sorted(found, key=lambda t: abs(t.incident.impact), reverse=True)


def begin(title: str) -> "Anomalies":
    """Begins the page: its title and answer. Without data it says so and stops."""
    made: list[Anomalies] = []

    def answer() -> str:
        made.append(Anomalies(title))
        return made[0].answer()

    kit.heading(title, answer)
    return made[0]


class Anomalies:
    """The incidents of the home, as the URL asks for them."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.version = _version()
        self.found = found_at(USUAL, self.version)
        moments = kept.raised(answers.state())
        if triaging.record_raised(
            answers.state(), [t for t in self.found if t.incident.key not in moments], "farthing"
        ):
            moments = kept.raised(answers.state())
        self.found = [replace(t, raised_at=moments.get(t.incident.key, "")) for t in self.found]
        self.chosen = st.query_params.get("incident")
        if self.chosen and not any(t.incident.key == self.chosen for t in self.found):
            st.warning(f"There is no anomaly {plain(self.chosen)} any more", icon=":material/link_off:")
            self.chosen = None
        self.states = self._asked("state", _SHOWN, _SHOWN[0])
        self.days = self._asked("days", tuple(_DAYS), "365")
        self.team = st.query_params.get("team")

    @staticmethod
    def _asked(name: str, known: Sequence[str], usual: str) -> str:
        given = st.query_params.get(name, usual)
        return given if given in known else usual

    @cached_property
    def unresolved(self) -> list[Triaged]:
        return [t for t in self.found if t.is_open]

    @cached_property
    def shown(self) -> list[Triaged]:
        """Those of the state, days and team that are asked for: what goes on first, then by severity and money."""
        newest = answers.spanned().end
        kept_days = [
            t
            for t in self.found
            if self.days == "all" or t.incident.end >= newest - timedelta(int(self.days))
        ]
        fits = [
            t
            for t in kept_days
            if (
                self.states == "all" or (t.is_open if self.states == "unresolved" else t.state == self.states)
            )
            and (self.team is None or t.owner == self.team)
        ]
        return sorted(fits, key=lambda t: (not t.incident.ongoing, -_rank(t), -abs(t.incident.impact)))

    def answer(self) -> str:
        """`3 open anomalies cost 4,210 USD more than expected so far; the largest is …`"""
        going = [t for t in self.unresolved if t.incident.ongoing]
        if not self.found:
            return "Nothing is other than expected in any series of this home."
        if not self.unresolved:
            return f"No anomaly is open; {len(self.found)} were dealt with or are over."
        money = " and ".join(words.money(v, c) for c, v in triaging.money_so_far(self.unresolved).items())
        first = max(going or self.unresolved, key=lambda t: abs(t.incident.impact)).incident
        many = f"{len(self.unresolved)} anomalies are" if len(self.unresolved) > 1 else "1 anomaly is"
        return (
            f"{many} open, {len(going)} of them going on: {money or 'nothing'} more than expected."
            f" The largest {'that goes on ' if going else ''}is {first.called(accounts())}, {words.money(first.impact, first.currency)}"
            f" since {words.day(first.start)}."
        )

    def figures(self) -> None:
        """How many are open, their money, and how fast they are found and dealt with."""
        going = [t for t in self.unresolved if t.incident.ongoing]
        late = [t for t in self.unresolved if t.due is not None and t.due < datetime.now(UTC)]
        times = triaging.times(self.found, triaging.arrivals(answers.ledger(), self.found))
        shown = [
            Figure(
                "Open",
                f"{len(self.unresolved):,}",
                "Neither contained nor closed",
                note=f"{len(going)} going on, {len(late)} past due",
            ),
            *(
                Figure(f"More than expected, {c}", words.amount(v), "Impact so far of those that are open")
                for c, v in list(triaging.money_so_far(self.unresolved).items())[:2]
            ),
            Figure(
                "Time to detect",
                _hours(times.detect),
                "MTTD: median from the arrival of the day's data to the first report; the target is 6 hours",
                note=f"of {times.detected}" if times.detected else "not known yet",
            ),
            Figure(
                "Time to resolve",
                _hours(times.resolve),
                "MTTR: median from the first report to contained or closed; the target is 72 hours",
                note=f"of {times.resolved}" if times.resolved else "none resolved yet",
            ),
        ]
        figures.show(shown)

    def bar(self) -> None:
        """Which are shown: by state, days and team; all in the link."""
        teams = sorted({t.owner for t in self.found if t.owner})
        with st.container(horizontal=True, vertical_alignment="bottom", key="anomalies-bar"):
            _choice("State", "state", list(_SHOWN), self.states, str.capitalize)
            _choice("Period", "days", list(_DAYS), self.days, lambda d: _DAYS[d])
            options = ["", *teams]
            _choice(
                "Team", "team", options, self.team if self.team in teams else "", lambda t: t or "All teams"
            )

    def strip(self) -> None:
        """All that are shown, over time."""
        if not self.shown:
            st.info(
                "No anomaly fits: choose another state or period."
                if self.found
                else "Nothing is other than expected: every team, service, account and region is watched by day.",
                icon=":material/check_circle:",
            )
            return
        charts.show(
            anomaly_charts.strip(self.shown[:_DRAWN], self.chosen, accounts()),
            "anomalies",
            "Anomalies over time by severity; the table below has the figures",
        )
        if len(self.shown) > _DRAWN:
            st.caption(f"The first {_DRAWN} of {len(self.shown)}; the table has all.")

    def table(self) -> None:
        """By severity and money; a row is opened by choosing it."""
        if not self.shown:
            return
        table = listed(self.shown)
        columns: list[tables.Column] = [
            ("What", tables.text, "What"),
            ("Severity", tables.text, "Severity"),
            ("Impact", tables.money, "Impact"),
            ("BillingCurrency", tables.text, "Currency"),
            ("Kind", tables.text, "Kind"),
            ("Start", tables.text, "Since"),
            ("Through", tables.text, "Through"),
            ("Owner", tables.text, "Owner"),
            ("State", tables.text, "State"),
            ("Due", lambda due: due[5:], "Due, UTC"),  # of the next days: the year goes without saying
        ]
        row = tables.show(
            table,
            columns,
            None,
            "anomalies-table",
            selectable=True,
            of=f"{self.states}{self.days}{self.team}",
        )
        if row is not None and table["Key"][row] != self.chosen:
            st.query_params["incident"] = table["Key"][row]
            st.rerun()
        totals = [f"{words.money(v, c)}" for c, v in triaging.money_so_far(self.shown).items()]
        st.caption(
            f"{len(self.shown)} shown; more than expected: {', '.join(totals) or 'nothing'}. Choose a row to look closely, below."
        )
        tables.downloads(lambda: table, "anomalies")


def _rank(found: Triaged) -> int:
    return ("info", "warning", "high", "critical").index(found.incident.severity)


def _hours(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f} h" if value < 48 else f"{value / 24:.1f} days"


def _choice(label: str, name: str, options: list[str], value: str, form: object) -> None:
    def change() -> None:
        chosen = st.session_state[f"anomalies-{name}"]
        if chosen:
            st.query_params[name] = chosen
        else:
            st.query_params.pop(name, None)

    st.selectbox(
        label,
        options,
        index=options.index(value),
        key=f"anomalies-{name}",
        format_func=form,  # type: ignore[arg-type]
        on_change=change,
        width=200,
    )


def listed(found: Sequence[Triaged]) -> polars.DataFrame:
    schema: Mapping[str, polars.DataType | type[polars.DataType]] = {
        "What": polars.String,
        "Severity": polars.String,
        "Impact": polars.Decimal(38, 18),
        "BillingCurrency": polars.String,
        "Kind": polars.String,
        "Start": polars.Date,
        "Through": polars.String,
        "Owner": polars.String,
        "State": polars.String,
        "Due": polars.String,
        "Key": polars.String,
    }
    rows = [
        (
            t.incident.called(accounts()),
            t.incident.severity.capitalize(),
            t.incident.impact,
            t.incident.currency,
            t.incident.kind,
            t.incident.start,
            "going on" if t.incident.ongoing else t.incident.end.isoformat(),
            t.owner,
            t.state + (f" ({t.triage.cause})" if t.triage.cause else ""),
            f"{t.due:%Y-%m-%d %H:%M}" if t.due else "",
            t.incident.key,
        )
        for t in found
    ]
    return polars.DataFrame(rows, schema=schema, orient="row")
