""" "Not mine": a reader proposes another owner for charges. It waits here until somebody who keeps the rules decides.

Accepting makes a rule of it, which its caller adds to the rules and applies as their next version; here nothing is applied.
"""

from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from finops_core.errors import UsageError
from finops_core.focus.charges import OWNER_COLUMNS
from finops_core.store import audit
from finops_core.store.state import State, now
from finops_core.vocabulary.conditions import conditions

KIND = "owner proposal"
"""The kind of these records in the state: `State.version(KIND)` changes with each."""
OPEN, ACCEPTED, REJECTED = "open", "accepted", "rejected"


@dataclass(frozen=True)
class Proposal:
    """Charges that fit `condition` would get `value` in an owner column such as x_Team."""

    id: int
    condition: str
    """As a Query's `where` writes it."""
    column: str
    value: str
    reason: str
    proposed_by: str
    at: str
    """UTC, ISO 8601."""
    state: str = OPEN
    """open | accepted | rejected"""
    decided_by: str = ""
    decided_reason: str = ""
    since: str = ""
    """The first day of the charges that are meant, ISO 8601; of all days, where there is none."""

    def rule(self) -> dict[str, Any]:
        """The rule that it would be: name, its first day if there is one, the column to set, and the condition."""
        return {
            "name": f"proposal {self.id}: {self.value}",
            **({"from": self.since} if self.since else {}),
            "set": {self.column: self.value},
            "when": self.condition,
        }


def propose(
    state: State, condition: str, column: str, value: str, reason: str, who: str, since: date | None = None
) -> Proposal:
    """Puts a proposal into the queue, about charges from a day on or, without one, of all days. Raises UsageError for a condition that cannot be read or is none, a column that is
    no owner's, and where value, reason or who is missing."""
    read = conditions(condition)
    if not read or not condition.strip():
        raise UsageError("a proposal says which charges it is about")
    if column not in OWNER_COLUMNS:
        raise UsageError(f"{column!r} is no owner column; known are {', '.join(OWNER_COLUMNS)}")
    if not value.strip():
        raise UsageError("a proposal names the owner that it proposes")
    _insist(reason, who)
    with state.writing() as connection:
        number = max((p.id for p in _all(state, connection)), default=0) + 1
        text = " and ".join(str(node) for node in read)
        day = since.isoformat() if since is not None else ""
        found = Proposal(number, text, column, value.strip(), reason.strip(), who, now(), since=day)
        _keep(state, connection, found, "owner proposed", who, reason)
    return found


def proposals(state: State) -> list[Proposal]:
    """All proposals ever made, the newest first."""
    return _all(state)


def open_proposals(state: State) -> list[Proposal]:
    """The proposals that wait for a decision, the oldest first."""
    return [proposal for proposal in reversed(_all(state)) if proposal.state == OPEN]


def accept(state: State, number: int, who: str, reason: str) -> dict[str, Any]:
    """Accepts a proposal; returns its rule {name, from, set, when}. Raises UsageError where it is not open, or reason or who is
    missing."""
    return _decide(state, number, ACCEPTED, who, reason).rule()


def reject(state: State, number: int, who: str, reason: str) -> Proposal:
    """Rejects a proposal. Raises UsageError as `accept` does."""
    return _decide(state, number, REJECTED, who, reason)


def _decide(state: State, number: int, decision: str, who: str, reason: str) -> Proposal:
    _insist(reason, who)
    with state.writing() as connection:
        found = {proposal.id: proposal for proposal in _all(state, connection)}.get(number)
        if found is None:
            raise UsageError(f"there is no proposal {number}")
        if found.state != OPEN:
            raise UsageError(f"proposal {number} was {found.state} by {found.decided_by}")
        decided = replace(found, state=decision, decided_by=who, decided_reason=reason.strip())
        _keep(state, connection, decided, f"owner proposal {decision}", who, reason)
    return decided


def _insist(reason: str, who: str) -> None:
    if not reason.strip() or not who.strip():
        raise UsageError("say who you are, and why: both are kept with the proposal")


def _keep(
    state: State, connection: Connection, proposal: Proposal, action: str, who: str, reason: str
) -> None:
    state.keep(KIND, {f"{proposal.id:08d}": asdict(proposal)}, who, connection)
    audit.append(state, action, f"proposal {proposal.id}", who, reason, proposal.rule(), connection)


def _all(state: State, connection: Connection | None = None) -> list[Proposal]:
    kept = state.kept(KIND, connection).values()
    return [Proposal(**one.record) for one in reversed(list(kept))]
