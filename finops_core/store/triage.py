"""What people made of incidents: states, owners, notes; and what was announced or is not to be heard. Kept in state, only ever added to.

An incident goes open → acknowledged → explained → contained → closed; steps may be skipped forwards, and what is closed may be opened
again. What it was (expected, waste, error, price, growth) is said with `explained` and stays.
"""

import re
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from finops_core.errors import UsageError
from finops_core.store.state import State, now
from finops_core.vocabulary.conditions import conditions

KIND, RAISED, QUIET = "triage", "incident raised", "known event"
"""The kinds of these records in the state."""
OPEN, ACKNOWLEDGED, EXPLAINED, CONTAINED, CLOSED = STATES = (
    "open",
    "acknowledged",
    "explained",
    "contained",
    "closed",
)
CAUSES = ("expected", "waste", "error", "price", "growth")
NOT_REAL = "expected"
"""The cause that says that nothing was wrong."""
ANNOUNCED, SUPPRESSED = "announced", "suppressed"
_LONGEST = 4000
_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)


@dataclass(frozen=True)
class Step:
    """One entry of an incident's history."""

    incident: str
    state: str
    cause: str = ""
    owner: str = ""
    note: str = ""
    link: str = ""
    severity: str = ""
    """As it was when the step was taken."""
    who: str = ""
    at: str = ""
    """UTC, ISO 8601."""


@dataclass(frozen=True)
class Triage:
    """Where an incident stands: its steps, the oldest first."""

    steps: tuple[Step, ...] = ()

    @property
    def state(self) -> str:
        return self.steps[-1].state if self.steps else OPEN

    @property
    def cause(self) -> str:
        return next((s.cause for s in reversed(self.steps) if s.cause), "")

    @property
    def owner(self) -> str:
        """Who was named last; empty where nobody was."""
        return next((s.owner for s in reversed(self.steps) if s.owner), "")

    @property
    def links(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(s.link for s in self.steps if s.link))

    def since(self, *states: str) -> str:
        """When it first came to one of some states after it was opened last; '' where it did not."""
        opened = max((n for n, s in enumerate(self.steps) if s.state == OPEN), default=-1)
        return next((s.at for s in self.steps[opened + 1 :] if s.state in states), "")


@dataclass(frozen=True)
class Quiet:
    """An announced event, or a window in which nothing is to be heard; both days included."""

    number: int
    kind: str
    """announced | suppressed"""
    name: str
    start: date
    end: date
    where: tuple[str, ...] = ()
    """Conditions as in queries; none is everything."""
    expected: str = ""
    """What is expected of an announced event, in words: `+40 %`."""
    who: str = ""
    at: str = ""


def triage(state: State) -> dict[str, Triage]:
    """Incident → where it stands, of all that anybody did something about."""
    return {key: _read(kept.record) for key, kept in state.kept(KIND).items()}


def move(
    state: State,
    incident: str,
    to: str | None = None,
    *,
    who: str,
    cause: str = "",
    owner: str = "",
    note: str = "",
    link: str = "",
    severity: str = "",
) -> Triage:
    """Takes an incident to a state (by default the one it is in), with what was found out. Returns where it stands.

    Raises UsageError for a step that is not allowed (it says which are), an unknown cause, one without a state that explains, and
    a step that says nothing, and a link that is none.
    """
    with state.writing() as connection:
        before = _of(state, incident, connection)
        wanted = to or before.state
        _insist(before, wanted, cause, link.strip(), (to, cause, owner, note, link))
        step = Step(incident, wanted, cause, owner.strip(), note.strip(), link.strip(), severity, who, now())
        after = Triage((*before.steps, step))
        state.keep(KIND, {incident: {"steps": [asdict(s) for s in after.steps]}}, who, connection)
    return after


def allowed(before: str) -> tuple[str, ...]:
    """The states that may follow one: those further on; from closed, open again."""
    return (OPEN,) if before == CLOSED else STATES[STATES.index(before) + 1 :]


def _insist(before: Triage, wanted: str, cause: str, link: str, said: tuple[str | None, ...]) -> None:
    if not any(said):
        raise UsageError("a step of triage says something: a state, a cause, an owner, a note or a link")
    if wanted not in STATES:
        raise UsageError(f"there is no state {wanted!r}; known are {', '.join(STATES)}")
    if wanted != before.state and wanted not in allowed(before.state):
        raise UsageError(
            f"an incident that is {before.state} can become {' or '.join(allowed(before.state))}, not {wanted}"
        )
    if cause and cause not in CAUSES:
        raise UsageError(f"there is no cause {cause!r}; known are {', '.join(CAUSES)}")
    if wanted == EXPLAINED and not (cause or before.cause):
        raise UsageError(f"explained as what? One of {', '.join(CAUSES)}")
    if any(len(text or "") > _LONGEST for text in said):
        raise UsageError(f"a note has at most {_LONGEST:,} characters")
    if link and not is_link(link):
        raise UsageError(f"{link!r} is no link: write https://…, or http://…")


def is_link(text: str) -> bool:
    """Whether a text is a link that can be followed: of the web, and nothing that runs."""
    return _LINK.fullmatch(text) is not None


def raise_all(state: State, incidents: dict[str, str], who: str) -> int:
    """Records when incidents (key → the day whose costs raised them) were first reported; those already recorded stay.

    Returns how many were new.
    """
    with state.writing() as connection:
        known = state.kept(RAISED, connection)
        fresh = {key: {"first_seen": day} for key, day in incidents.items() if key not in known}
        state.keep(RAISED, fresh, who, connection)
    return len(fresh)


def raised(state: State) -> dict[str, str]:
    """Incident → when it was first reported (UTC, ISO 8601)."""
    return {key: kept.entered_at for key, kept in state.kept(RAISED).items()}


def add_quiet(
    state: State,
    kind: str,
    name: str,
    start: date,
    end: date,
    who: str,
    where: tuple[str, ...] = (),
    expected: str = "",
) -> Quiet:
    """Announces an event, or suppresses. Raises UsageError for a name that is missing, days that are none, and conditions that
    cannot be read."""
    if not name.strip():
        raise UsageError("say why: a name or a reason, for whoever wonders later")
    if end < start:
        raise UsageError(f"the last day, {end}, is before the first, {start}")
    read = tuple(str(node) for node in conditions(where))
    with state.writing() as connection:
        number = max((int(key) for key in _every(state, connection)), default=0) + 1
        found = Quiet(number, kind, name.strip(), start, end, read, expected.strip(), who, now())
        record = asdict(replace(found, who="", at="")) | {
            "start": start.isoformat(),
            "end": end.isoformat(),
            "ended": False,
        }
        state.keep(QUIET, {str(number): record}, who, connection)
    return found


def end_quiet(state: State, number: int, who: str) -> None:
    """Takes an announcement or a suppression back. Raises UsageError where there is none of the number."""
    with state.writing() as connection:
        kept = _every(state, connection).get(str(number))
        if kept is None or kept["ended"]:
            raise UsageError(f"there is no announcement or suppression {number}")
        state.keep(QUIET, {str(number): {**kept, "ended": True}}, who, connection)


def quiet(state: State) -> list[Quiet]:
    """Announcements and suppressions in force, by their days."""
    found = []
    for kept in state.kept(QUIET).values():
        record = dict(kept.record)
        if record.pop("ended"):
            continue
        record |= {
            "start": date.fromisoformat(record["start"]),
            "end": date.fromisoformat(record["end"]),
            "where": tuple(record["where"]),
            "who": kept.entered_by,
            "at": kept.entered_at,
        }
        found.append(Quiet(**record))
    return sorted(found, key=lambda q: (q.start, q.end, q.number))


def _every(state: State, connection: Connection) -> dict[str, dict[str, Any]]:
    return {key: kept.record for key, kept in state.kept(QUIET, connection).items()}


def _of(state: State, incident: str, connection: Connection) -> Triage:
    kept = state.kept(KIND, connection).get(incident)
    return _read(kept.record) if kept is not None else Triage()


def _read(record: dict[str, Any]) -> Triage:
    return Triage(tuple(Step(**step) for step in record["steps"]))
