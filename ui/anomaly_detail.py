"""One anomaly closely: its sentence, its course, what contributed, and its triage."""

from datetime import date, timedelta
from functools import partial
from urllib.parse import quote, urlencode

import polars
import streamlit as st

from finops_core.analysis import triaging
from finops_core.analysis.breakdown import MISSING
from finops_core.analysis.events import events as happened
from finops_core.analysis.incidents import Contributor, Incident, series_of
from finops_core.analysis.incidents.incident import ACCOUNT
from finops_core.analysis.triaging import Triaged
from finops_core.errors import FarthingError
from finops_core.model import words
from finops_core.store import triage as kept
from finops_core.store.deployments import deployments
from finops_core.vocabulary.dimensions import dimension
from ui import anomaly_charts, answers, charts, tables
from ui.anomalies import USUAL, Anomalies, accounts, explained
from ui.outcomes import said, say
from ui.plain import plain
from ui.viewer import viewer

_IN_LINKS = ":/?#[]@!$&'*+,;=%~"


def show(page: Anomalies) -> None:
    """One closely: its sentence, its course, what contributed, and its triage."""
    if page.chosen is None:
        return
    told = triaging.by_key(page.found, page.chosen)
    incident = explained(page.chosen, USUAL, page.version)
    st.header(plain(f"{incident.called(accounts())}: {incident.kind}"), anchor=False)
    st.markdown(f"{plain(incident.sentence[:1].upper() + incident.sentence[1:])}.")
    days = series_of(answers.ledger(), incident)
    charts.show(
        anomaly_charts.course(days, told, anomaly_charts.day_marks(_near(incident))),
        "anomaly-course",
        "Cost by day against what was expected; the contributors are in the table",
    )
    st.caption(
        "Line: what it cost; dashes: what was expected, in its band; shaded: the days of the incident; triangles: deployments and announced events."
    )
    left, right = st.columns([3, 2])
    with left:
        _contributors(incident)
    with right:
        _triage(told)
    whole = Triaged(incident, told.triage, told.raised_at)
    with st.container(horizontal=True):
        st.download_button(
            "Summary as Markdown",
            lambda: triaging.summary(whole),
            f"incident-{incident.key}.md",
            "text/markdown",
            icon=":material/description:",
            on_click="ignore",
        )
        st.button("Close this view", on_click=_unchoose, type="tertiary")


def _contributors(incident: Incident) -> None:
    st.subheader("What contributed", anchor=False)
    if not incident.contributors:
        st.markdown("It is spread over all of its parts alike.")
        return
    rows = polars.DataFrame(
        [(dimension(c.dimension).label, _member(c), c.impact, c.share) for c in incident.contributors],
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
    tables.show(rows, columns, None, "anomaly-contributors", half=True)
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


def _member(c: Contributor) -> str:
    """A member, an account with its name."""
    name = accounts().get(c.member) if c.dimension == ACCOUNT else None
    return f"{name} ({c.member})" if name and name != c.member else c.member or MISSING


def _triage(told: Triaged) -> None:
    st.subheader("Triage", anchor=False)
    cause = f" as {told.triage.cause}" if told.triage.cause else ""
    due = f"; to be taken up by {told.due:%d %b %H:%M} UTC" if told.due else ""
    st.markdown(f"**{told.state.capitalize()}**{cause}, owner {plain(told.owner) or 'nobody'}{due}")
    for step in told.triage.steps:
        note = f": {plain(step.note)}" if step.note else ""
        link = f" · {_link(step.link)}" if step.link else ""
        st.caption(f"{words.stamp(step.at)} {plain(step.who)} · {step.state}{note}{link}")
    said("triage")
    known = f"{told.triage.cause.capitalize()}, as before" if told.triage.cause else "Not known yet"
    with st.form("triage", border=False):
        options = [told.state, *kept.allowed(told.state)]
        st.selectbox("State", options, key=_key(told, "state"), format_func=str.capitalize)
        st.selectbox(
            "It was",
            ("", *kept.CAUSES),
            key=_key(told, "cause"),
            format_func=lambda c: c.capitalize() or known,
        )
        st.text_input("Owner", key=_key(told, "owner"), placeholder=told.owner)
        st.text_area("Note", key=_key(told, "note"), height=70)
        st.text_input("Link", key=_key(told, "link"), placeholder="https://…")
        st.form_submit_button("Save", type="primary", on_click=partial(_step, told))


def _key(told: Triaged, name: str) -> str:
    """Of this incident alone: what is typed for one is not found in the form of another."""
    return f"triage-{name}-{told.incident.key}"


def _link(url: str) -> str:
    if not kept.is_link(url):
        return plain(url)
    return f"[{plain(url)}]({quote(url, safe=_IN_LINKS)})"


def _near(incident: Incident) -> list[tuple[date, str]]:
    """What the owner brought out around an incident, and what was announced."""
    out = happened(deployments(answers.state()))
    team = [(e.day, e.text) for e in out if not incident.owner or e.team in ("", incident.owner)]
    said = [(q.start, f"{q.kind}: {q.name}") for q in kept.quiet(answers.state())]
    first, last = incident.start - timedelta(10), incident.end + timedelta(3)
    return [(day, text) for day, text in (*team, *said) if first <= day <= last]


def _step(told: Triaged) -> None:
    typed = {name: st.session_state[_key(told, name)] for name in ("state", "cause", "owner", "note", "link")}
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
        say("triage", "bad", str(error))
        return
    for name in ("cause", "owner", "note", "link"):
        st.session_state[_key(told, name)] = ""
    say("triage", "good", f"Saved: {after.state}")


def _unchoose() -> None:
    st.query_params.pop("incident", None)
