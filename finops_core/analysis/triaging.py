"""Incidents with what people made of them: due times, what triage teaches the detector, times to detect and to resolve, summaries."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import median

from finops_core.analysis.detection import Settings
from finops_core.analysis.incidents import Incident, KnownEvent, explain, find
from finops_core.errors import UsageError
from finops_core.model.ledger import Ledger
from finops_core.model.query import conditions
from finops_core.store import triage as kept
from finops_core.store.batches import plain
from finops_core.store.home import Home
from finops_core.store.state import State
from finops_core.store.triage import CLOSED, CONTAINED, NOT_REAL, OPEN, Triage
from finops_core.vocabulary.dimensions import dimension

DUE = {
    "critical": timedelta(hours=4),
    "high": timedelta(hours=24),
    "warning": timedelta(days=3),
    "info": timedelta(days=7),
}
"""How soon after an incident was raised somebody must have taken it up."""
TARGETS = {"MTTD": timedelta(hours=6), "MTTR": timedelta(hours=72)}
_MARKS = re.compile(r"([\\`*_\[\]<>|])")
_STEP, _MOST, _LEAST = 1.5, 4.0, 0.5


@dataclass(frozen=True)
class Triaged:
    """An incident, where it stands, and when it was first reported."""

    incident: Incident
    triage: Triage
    raised_at: str = ""
    """UTC, ISO 8601; empty where that was not recorded."""

    @property
    def state(self) -> str:
        return self.triage.state

    @property
    def is_open(self) -> bool:
        """Whether anything is still to be done."""
        return self.state not in (CONTAINED, CLOSED)

    @property
    def owner(self) -> str:
        """Who was named in triage, else the team that the cost belongs to."""
        return self.triage.owner or self.incident.owner

    @property
    def due(self) -> datetime | None:
        """By when somebody must have taken it up; None once somebody has, and where it was not recorded when it was raised."""
        if self.state != OPEN or not self.raised_at:
            return None
        return _moment(self.raised_at) + DUE[self.incident.severity]

    @property
    def hours_to_resolve(self) -> float | None:
        """From first reported to contained or closed."""
        done = self.triage.since(CONTAINED, CLOSED)
        return _hours(self.raised_at, done) if self.raised_at and done else None


def triaged(
    ledger: Ledger, state: State, sensitivity: float = 0.5, as_of: date | None = None, explained: bool = False
) -> list[Triaged]:
    """The incidents of a home with what people made of them, the newest first: announced and suppressed ones left out, each series judged
    as triage has taught (`learned`)."""
    found = find(ledger, as_of, Settings(sensitivity=sensitivity), known_events(state), explained=False)
    standing = kept.triage(state)
    taught = learned((i, standing[i.key]) for i in found if i.key in standing)
    if taught:
        again = find(
            ledger,
            as_of,
            Settings(sensitivity=sensitivity, by_series=taught),
            known_events(state),
            explained=False,
        )
        # What somebody has dealt with stays on the list, whatever it has taught.
        heard = {i.key for i in again}
        found = [i for i in found if i.key in heard or i.key in standing]
    if explained:
        found = explain(ledger, found)
    moments = kept.raised(state)
    return [Triaged(i, standing.get(i.key, Triage()), moments.get(i.key, "")) for i in found]


def triaged_of(home: Home, sensitivity: float = 0.5) -> list[Triaged]:
    """As `triaged`, of a home that is opened for it: what a process of its own does (`finops_core.analysis.incidents.apart`)."""
    return triaged(Ledger(home), State(home), sensitivity)


def record_raised(state: State, found: Iterable[Triaged], who: str) -> int:
    """Records that incidents are reported now, those that were not yet. Returns how many were new."""
    return kept.raise_all(state, {t.incident.key: str(t.incident.first_seen) for t in found}, who)


def known_events(state: State) -> list[KnownEvent]:
    """Announcements and suppressions as the search for incidents takes them."""
    return [KnownEvent(q.start, q.end, conditions(q.where), q.name) for q in kept.quiet(state)]


def learned(judged: Iterable[tuple[Incident, Triage]]) -> dict[str, float]:
    """Series → the factor on what it takes to be raised: × 1.5 for each incident found to be expected, ÷ 1.5 for each real one.

    Between 0.5 and 4, so that no series is ever silenced by its past, or heard at every noise; real are waste, error, price and growth.
    """
    found: dict[str, float] = {}
    for incident, standing in judged:
        if standing.cause:
            factor = _STEP if standing.cause == NOT_REAL else 1 / _STEP
            name = incident.member_series.id
            found[name] = min(_MOST, max(_LEAST, found.get(name, 1.0) * factor))
    return {name: factor for name, factor in found.items() if factor != 1.0}


@dataclass(frozen=True)
class Times:
    """Medians, in hours; None where nothing is known."""

    detect: float | None
    """From the arrival of the day's data to the first report."""
    resolve: float | None
    """From the first report to contained or closed."""
    detected: int
    resolved: int


def times(found: Sequence[Triaged], arrived: Mapping[str, str]) -> Times:
    """Median times of incidents. `arrived`: incident → when the data of the day that raised it was loaded (UTC, ISO 8601)."""
    detect = [
        max(_hours(arrived[t.incident.key], t.raised_at), 0.0)
        for t in found
        if t.raised_at and t.incident.key in arrived
    ]
    resolve = [hours for t in found if (hours := t.hours_to_resolve) is not None]
    return Times(
        median(detect) if detect else None, median(resolve) if resolve else None, len(detect), len(resolve)
    )


def arrivals(ledger: Ledger, found: Sequence[Triaged]) -> dict[str, str]:
    """Incident → when the month of the day that raised it was loaded, before it was reported: the newest such load."""
    batches = ledger.batches()
    result = {}
    for t in found:
        month = f"{t.incident.first_seen:%Y-%m}"
        loads = [
            b.loaded_at for b in batches if b.billing_period == month and b.loaded_at <= (t.raised_at or "9")
        ]
        if loads:
            result[t.incident.key] = max(loads)
    return result


def by_key(found: Sequence[Triaged], key: str) -> Triaged:
    """The incident of a key, or of its beginning. Raises UsageError where there is none, or several."""
    fits = [t for t in found if t.incident.key.startswith(key)] if key else []
    if len(fits) != 1:
        raise UsageError(
            f"there is no incident {key!r}: `farthing anomalies` lists them"
            if not fits
            else f"{key!r} begins several keys"
        )
    return fits[0]


def explained(ledger: Ledger, found: Triaged) -> Triaged:
    """With contributors, deployments and sentence."""
    return replace(found, incident=explain(ledger, [found.incident])[0])


def summary(found: Triaged) -> str:
    """A post-incident summary as Markdown, of an explained incident: its figures are those of its query."""
    i, standing = found.incident, found.triage
    lines = [
        f"# {i.series}: {i.kind} from {i.start}{'' if i.ongoing else f' to {i.end}'}",
        "",
        f"{i.sentence[:1].upper()}{i.sentence[1:]}.",
        "",
        "| | |",
        "|---|---|",
        f"| Impact | {plain(i.impact)} {i.currency} ({i.severity}) |",
        f"| Actual | {plain(i.actual)} {i.currency} |",
        f"| Expected | {plain(i.expected)} {i.currency} |",
        f"| Days | {i.start} to {i.end}{', going on' if i.ongoing else ''} |",
        f"| First seen | {i.first_seen}{f', reported {found.raised_at}' if found.raised_at else ''} |",
        f"| Owner | {found.owner or 'nobody'} |",
        f"| State | {found.state}{f', {standing.cause}' if standing.cause else ''} |",
        "",
        "## What contributed",
        "",
        *(
            f"- {dimension(c.dimension).label} {c.member or '(none)'}: {plain(c.impact)} {i.currency} ({c.share:.0%})"
            for c in i.contributors
        ),
        "",
        "## What was brought out before",
        "",
        *(f"- {text}" for text in i.deployments),
        *(["- nothing that is known of"] if not i.deployments else []),
        "",
        "## What was done",
        "",
        *(f"- {_told(step)}" for step in standing.steps),
        *(["- nothing yet"] if not standing.steps else []),
        "",
        "## What follows",
        "",
        *(f"- <{link}>" for link in standing.links),
        "- [ ] What would have prevented it:",
        "- [ ] What would have shown it sooner:",
    ]
    return "\n".join(lines) + "\n"


def _told(step: kept.Step) -> str:
    what = (
        step.state
        + (f" as {step.cause}" if step.cause else "")
        + (f", owner {step.owner}" if step.owner else "")
    )
    return (
        f"{step.at} {step.who}: {what}"
        + (f". {_on_a_line(step.note)}" if step.note else "")
        + (f" (<{step.link}>)" if step.link else "")
    )


def _on_a_line(text: str) -> str:
    """What somebody typed, as a part of a line of Markdown that it does not break, with no marks of its own."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def money_so_far(found: Iterable[Triaged]) -> dict[str, Decimal]:
    """Currency → the impact of incidents that cost more than expected."""
    result: dict[str, Decimal] = {}
    for t in found:
        if t.incident.impact > 0:
            result[t.incident.currency] = result.get(t.incident.currency, Decimal(0)) + t.incident.impact
    return result


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _hours(start: str, end: str) -> float:
    return (_moment(end) - _moment(start)).total_seconds() / 3600
