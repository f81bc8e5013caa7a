"""Plans of purchases, and who has signed them. Kept in state; each step is in the audit log.

A plan is proposed, signed by as many people as its lines ask for, none of whom proposed it, and then bought; or it is withdrawn.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection

from finops_core.errors import UsageError
from finops_core.store import audit
from finops_core.store.state import State, now

KIND = "purchase plan"
PROPOSED, SIGNED, BOUGHT, WITHDRAWN = STATES = ("proposed", "signed", "bought", "withdrawn")


@dataclass(frozen=True)
class PlannedPurchase:
    """A line of a plan, as it was proposed; money as text in `currency`."""

    what: str
    plan: str
    currency: str
    hourly: str
    total: str
    """What is committed over the whole term."""
    saves: str
    """Expected a month."""
    role: str
    people: int


@dataclass(frozen=True)
class Signature:
    role: str
    who: str
    at: str
    note: str = ""


@dataclass(frozen=True)
class PurchasePlan:
    """A plan and where it stands."""

    key: str
    proposer: str
    at: str
    lines: tuple[PlannedPurchase, ...]
    assumptions: tuple[str, ...] = ()
    signatures: tuple[Signature, ...] = ()
    closed: str = ""
    """bought or withdrawn."""

    @property
    def asked(self) -> dict[str, int]:
        """Role → how many people of it must sign."""
        found: dict[str, int] = {}
        for line in self.lines:
            found[line.role] = max(found.get(line.role, 0), line.people)
        return found

    @property
    def missing(self) -> dict[str, int]:
        """Role → how many signatures are still wanted."""
        have = {role: sum(s.role == role for s in self.signatures) for role in self.asked}
        return {role: count - have[role] for role, count in self.asked.items() if count > have[role]}

    @property
    def state(self) -> str:
        return self.closed or (PROPOSED if self.missing else SIGNED)


def purchase_plans(state: State) -> list[PurchasePlan]:
    """All plans, the newest first."""
    return sorted(
        (_read(key, k.record) for key, k in state.kept(KIND).items()), key=lambda p: p.key, reverse=True
    )


def propose(
    state: State, lines: Sequence[PlannedPurchase], assumptions: Sequence[str], who: str
) -> PurchasePlan:
    """Keeps a plan. Raises UsageError for one without lines."""
    if not lines:
        raise UsageError("there is nothing to buy, and so nothing to sign")
    with state.writing() as connection:
        number = len(state.kept(KIND, connection)) + 1
        found = PurchasePlan(f"P-{number:03}", who, now(), tuple(lines), tuple(assumptions))
        _keep(state, found, who, "purchase plan proposed", "", connection)
    return found


def sign(state: State, key: str, role: str, who: str, note: str = "") -> PurchasePlan:
    """Adds a signature. Raises UsageError for a role that is not asked, who proposed it, and who has signed already."""
    with state.writing() as connection:
        before = _of(state, key, connection)
        if before.closed:
            raise UsageError(f"{key} is {before.closed}")
        if role not in before.missing:
            wanted = ", ".join(f"{role} ({count})" for role, count in before.missing.items()) or "none"
            raise UsageError(f"{key} wants no signature of {role!r}; wanted are {wanted}")
        people = {before.proposer.casefold(), *(s.who.casefold() for s in before.signatures)}
        if who.casefold() in people:
            raise UsageError(f"{who} proposed {key} or has signed it: somebody else must")
        after = replace(before, signatures=(*before.signatures, Signature(role, who, now(), note.strip())))
        _keep(state, after, who, "purchase plan signed", role, connection)
    return after


def close(state: State, key: str, how: str, who: str, note: str = "") -> PurchasePlan:
    """Says that a plan was bought, which needs all signatures, or withdraws it. Raises UsageError."""
    with state.writing() as connection:
        before = _of(state, key, connection)
        if how not in (BOUGHT, WITHDRAWN) or before.closed:
            raise UsageError(f"{key} is {before.state}, and cannot become {how}")
        if how == BOUGHT and before.missing:
            raise UsageError(f"{key} still wants signatures: {', '.join(before.missing)}")
        after = replace(before, closed=how)
        _keep(state, after, who, f"purchase plan {how}", note, connection)
    return after


def _of(state: State, key: str, connection: Connection) -> PurchasePlan:
    kept = state.kept(KIND, connection).get(key)
    if kept is None:
        raise UsageError(f"there is no purchase plan {key!r}")
    return _read(key, kept.record)


def _keep(
    state: State, found: PurchasePlan, who: str, action: str, reason: str, connection: Connection
) -> None:
    record = asdict(found)
    record.pop("key")
    state.keep(KIND, {found.key: record}, who, connection)
    audit.append(state, action, f"purchase plan {found.key}", who, reason, {"state": found.state}, connection)


def _read(key: str, record: dict[str, Any]) -> PurchasePlan:
    told = dict(record)
    told["lines"] = tuple(PlannedPurchase(**line) for line in told["lines"])
    told["signatures"] = tuple(Signature(**signature) for signature in told["signatures"])
    told["assumptions"] = tuple(told["assumptions"])
    return PurchasePlan(key=key, **told)
