"""The anomalies page's parts: what is open, all over time, one closely with its triage, another sensitivity, and what was announced."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from urllib.parse import urlencode

import polars
import streamlit as st

from finops_core.analysis import triaging
from finops_core.analysis.breakdown import MISSING
from finops_core.analysis.events import events as happened
from finops_core.analysis.incidents import Incident, explain, series_of
from finops_core.analysis.incidents.apart import apart
from finops_core.analysis.triaging import Triaged
from finops_core.errors import FarthingError
from finops_core.model import words
from finops_core.store import deployment_files
from finops_core.store import triage as kept
from finops_core.store.deployments import add as add_deployments
from finops_core.store.deployments import deployments
from finops_core.vocabulary.dimensions import dimension
from ui import anomaly_charts, answers, charts, figures, kit, tables
from ui.figures import Figure
from ui.plain import plain
from ui.viewer import viewer

_USUAL = 0.5
_SHOWN = ("unresolved", "all", *kept.STATES)
_SAID = "anomalies-said"
_DAYS = {"90": "Last 90 days", "365": "Last 12 months", "all": "All"}


def _version() -> tuple[str, int, int, int]:
    state = answers.state()
    return (
        answers.ledger().version,
        *(state.version(kind) for kind in (kept.KIND, kept.QUIET, "deployment")),
    )


_LARGE = 2_000_000
"""Charges from which on incidents are looked for in a process of their own: it takes seconds, and a gigabyte that is not kept."""


@st.cache_resource(
    show_spinner="Looking at every day of every series, once for this version of the data", max_entries=40
)
def _found(sensitivity: float, version: tuple[str, int, int, int]) -> list[Triaged]:
    if sum(batch.rows_stored for batch in answers.ledger().current_batches()) > _LARGE:
        return apart(triaging.triaged_of, answers.ledger().home, sensitivity)
    return triaging.triaged(answers.ledger(), answers.state(), sensitivity)


@st.cache_resource(show_spinner=False, max_entries=400)
def _explained(key: str, sensitivity: float, version: tuple[str, int, int, int]) -> Incident:
    found = triaging.by_key(_found(sensitivity, version), key)
    return explain(answers.ledger(), [found.incident])[0]


def open_now() -> list[Triaged]:
    """The incidents that are open, the costliest first."""
    found = [t for t in _found(_USUAL, _version()) if t.is_open]
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
        self.found = _found(_USUAL, self.version)
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
            f" The largest {'that goes on ' if going else ''}is {first.series}, {words.money(first.impact, first.currency)}"
            f" since {words.day(first.start)}."
        )

    def figures(self) -> None:
        """What was just done, if anything; how many are open, their money, and how fast they are found and dealt with."""
        if said := st.session_state.pop(_SAID, None):
            kind, text = said
            (st.success if kind == "good" else st.error)(plain(text))
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
            anomaly_charts.strip(self.shown[:25], self.chosen),
            "anomalies",
            "Anomalies over time by severity; the table below has the figures",
        )

    def table(self) -> None:
        """By severity and money; a row is opened by choosing it."""
        if not self.shown:
            return
        table = _table(self.shown)
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
            ("Due", tables.text, "Due"),
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
            f"{len(self.shown)} shown; more than expected: {', '.join(totals) or 'nothing'}. Choose a row to look closely."
        )
        tables.downloads(lambda: table, "anomalies")

    def detail(self) -> None:
        """One closely: its sentence, its course, what contributed, and its triage."""
        if self.chosen is None:
            return
        told = triaging.by_key(self.found, self.chosen)
        incident = _explained(self.chosen, _USUAL, self.version)
        st.header(f"{incident.series}: {incident.kind}", anchor=False)
        st.markdown(f"{plain(incident.sentence[:1].upper() + incident.sentence[1:])}.")
        days = series_of(answers.ledger(), incident)
        charts.show(
            anomaly_charts.course(days, told, anomaly_charts.day_marks(_near(incident))),
            "anomaly-course",
            "Cost by day against what was expected; the contributors are in the table",
        )
        left, right = st.columns([3, 2])
        with left:
            self._contributors(incident)
        with right:
            self._triage(told)
        explained = Triaged(incident, told.triage, told.raised_at)
        with st.container(horizontal=True):
            st.download_button(
                "Summary as Markdown",
                lambda: triaging.summary(explained),
                f"incident-{incident.key}.md",
                "text/markdown",
                icon=":material/description:",
                on_click="ignore",
            )
            st.button("Close this view", on_click=_unchoose, type="tertiary")

    @staticmethod
    def _contributors(incident: Incident) -> None:
        st.subheader("What contributed", anchor=False)
        if not incident.contributors:
            st.markdown("It is spread over all of its parts alike.")
            return
        rows = polars.DataFrame(
            [
                (dimension(c.dimension).label, c.member or MISSING, c.impact, c.share)
                for c in incident.contributors
            ],
            schema={
                "By": polars.String,
                "Member": polars.String,
                "Impact": polars.Decimal(38, 18),
                "Share": polars.Float64,
            },
            orient="row",
        )
        columns: list[tables.Column] = [
            ("By", tables.text, "By"),
            ("Member", tables.text, "Member"),
            ("Impact", tables.signed, f"Impact, {incident.currency}"),
            ("Share", tables.share, "Share"),
        ]
        tables.show(rows, columns, None, "anomaly-contributors")
        before = incident.start - timedelta((incident.end - incident.start).days + 1)
        where = [str(node) for node in incident.conditions()]
        asked = {
            "where": where,
            "from": incident.start.isoformat(),
            "to": (incident.end + timedelta(1)).isoformat(),
            "currency": incident.currency,
        }
        links = [
            ("The same days in the Explorer", "explorer", {**asked, "grain": "day", "from": before.isoformat()}, "x_UsageType"),
            ("By region", "explorer", {**asked, "grain": "day", "from": before.isoformat()}, "RegionId"),
            ("What moved", "movers", asked, "x_UsageType"),
        ]  # fmt: skip
        st.markdown(
            " · ".join(
                f"[{text}](/{page}?{urlencode({**parameters, 'by': by}, doseq=True)})"
                for text, page, parameters, by in links
            )
        )

    def _triage(self, told: Triaged) -> None:
        st.subheader("Triage", anchor=False)
        cause = f" as {told.triage.cause}" if told.triage.cause else ""
        due = f"; to be taken up by {told.due:%d %b %H:%M} UTC" if told.due else ""
        st.markdown(f"**{told.state.capitalize()}**{cause}, owner {plain(told.owner) or 'nobody'}{due}")
        for step in told.triage.steps:
            note = f": {plain(step.note)}" if step.note else ""
            st.caption(f"{step.at[:16].replace('T', ' ')} {plain(step.who)} · {step.state}{note}")
        with st.form("triage", border=False):
            options = [told.state, *kept.allowed(told.state)]
            st.selectbox("State", options, key="triage-state", format_func=str.capitalize)
            st.selectbox(
                "It was",
                ("", *kept.CAUSES),
                key="triage-cause",
                format_func=lambda c: c.capitalize() or "Not known yet",
            )
            st.text_input("Owner", key="triage-owner", placeholder=told.owner)
            st.text_area("Note", key="triage-note", height=70)
            st.text_input("Link", key="triage-link", placeholder="https://…")
            st.form_submit_button("Save", type="primary", on_click=partial(_step, told))

    def sensitivity(self) -> None:
        """What the detector would have said at another sensitivity."""
        with st.expander("Another sensitivity", icon=":material/tune:"):
            given = st.query_params.get("sensitivity", "")
            try:
                usual = min(1.0, max(0.0, float(given)))
            except ValueError:
                usual = _USUAL
            st.slider(
                "Sensitivity",
                0.0,
                1.0,
                value=round(usual, 2),
                step=0.05,
                key="sensitivity",
                on_change=lambda: st.query_params.update(sensitivity=f"{st.session_state['sensitivity']:g}"),
                help="0: only what is beyond doubt; 1: whatever is unusual. The page itself stays at 0.5",
            )
            wanted = float(st.session_state.get("sensitivity", usual))
            other = _found(wanted, self.version)
            now, then = {t.incident.key: t for t in self.found}, {t.incident.key: t for t in other}
            more = [t for key, t in then.items() if key not in now]
            less = [t for key, t in now.items() if key not in then]
            st.markdown(
                f"At {wanted:g} there would be {_many(len(other))} instead of {len(self.found)}:"
                f" {len(more)} more, {len(less)} fewer."
            )
            for title, part in (("Would come", more), ("Would go", less)):
                if part:
                    table = _table(part)
                    columns: list[tables.Column] = [
                        ("What", tables.text, title),
                        ("Severity", tables.text, "Severity"),
                        ("Impact", tables.money, "Impact"),
                        ("BillingCurrency", tables.text, "Currency"),
                        ("Start", tables.text, "Since"),
                    ]
                    tables.show(table, columns, None, f"sensitivity-{title.split()[1]}", of=f"{wanted:g}")

    def known(self) -> None:
        """Announced events and windows of silence."""
        found = kept.quiet(answers.state())
        with st.expander(f"Announced events and silence ({len(found)})", icon=":material/event_upcoming:"):
            for q in found:
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.markdown(
                        f"**{plain(q.name)}** ({q.kind}) {words.day(q.start)} to {words.day(q.end)}"
                        f" {plain(' and '.join(q.where))} {plain(q.expected)}"
                    )
                    st.button(
                        "End",
                        key=f"quiet-{q.number}",
                        on_click=partial(_end_quiet, q.number),
                        type="tertiary",
                    )
            st.file_uploader(
                "Deployments to stand beside anomalies: CSV, JSON, or releases of GitHub or GitLab",
                type=["csv", "json"],
                key="deployments-file",
                on_change=_deployed,
            )
            with st.form("quiet", border=False):
                left, middle, right = st.columns(3)
                left.text_input("Name or reason", key="quiet-name")
                left.selectbox(
                    "As", (kept.ANNOUNCED, kept.SUPPRESSED), key="quiet-kind", format_func=str.capitalize
                )
                middle.date_input("From", key="quiet-start")
                middle.date_input("Through", key="quiet-end")
                right.text_input(
                    "Of what",
                    key="quiet-where",
                    placeholder="x_Team=web",
                    help="Conditions separated by semicolons; empty: everything",
                )
                right.text_input("Expected", key="quiet-expected", placeholder="+40 %")
                st.form_submit_button("Add", on_click=_add_quiet)


def _many(count: int) -> str:
    return f"{count} anomal{'y' if count == 1 else 'ies'}"


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


def _table(found: Sequence[Triaged]) -> polars.DataFrame:
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
            t.incident.series,
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


def _near(incident: Incident) -> list[tuple[date, str]]:
    """What the owner brought out around an incident, and what was announced."""
    out = happened(deployments(answers.state()))
    team = [(e.day, e.text) for e in out if not incident.owner or e.team in ("", incident.owner)]
    said = [(q.start, f"{q.kind}: {q.name}") for q in kept.quiet(answers.state())]
    first, last = incident.start - timedelta(10), incident.end + timedelta(3)
    return [(day, text) for day, text in (*team, *said) if first <= day <= last]


def _say(kind: str, text: str) -> None:
    st.session_state[_SAID] = (kind, text)


def _step(told: Triaged) -> None:
    typed = {name: st.session_state[f"triage-{name}"] for name in ("state", "cause", "owner", "note", "link")}
    to = typed["state"] if typed["state"] != told.state else None
    try:
        after = kept.move(
            answers.state(),
            told.incident.key,
            to,
            who=viewer(),
            cause=typed["cause"],
            owner=typed["owner"],
            note=typed["note"],
            link=typed["link"],
            severity=told.incident.severity,
        )
    except FarthingError as error:
        _say("bad", str(error))
        return
    for name in ("owner", "note", "link"):
        st.session_state[f"triage-{name}"] = ""
    _say("good", f"Saved: {after.state}")


def _unchoose() -> None:
    st.query_params.pop("incident", None)


def _add_quiet() -> None:
    typed = {
        name: st.session_state[f"quiet-{name}"]
        for name in ("name", "kind", "start", "end", "where", "expected")
    }
    where = tuple(part.strip() for part in typed["where"].split(";") if part.strip())
    try:
        kept.add_quiet(
            answers.state(),
            typed["kind"],
            typed["name"],
            typed["start"],
            typed["end"],
            viewer(),
            where,
            typed["expected"],
        )
    except FarthingError as error:
        _say("bad", str(error))


def _deployed() -> None:
    file = st.session_state["deployments-file"]
    if file is None:
        return
    try:
        told = deployment_files.read(file.getvalue(), file.name)
        _say("good", add_deployments(answers.state(), told, viewer()).in_words())
    except FarthingError as error:
        _say("bad", str(error))


def _end_quiet(number: int) -> None:
    try:
        kept.end_quiet(answers.state(), number, viewer())
    except FarthingError as error:
        _say("bad", str(error))
