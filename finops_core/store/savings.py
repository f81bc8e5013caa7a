"""The savings backlog: what could be saved, who does it, and what finance has signed. Kept in state; each step is in the audit log.

An item goes idea → approved → doing → done → verified, or is rejected. Who verifies is neither its owner, nor who proposed it, nor who said
that it is done: nobody signs their own savings.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from finops_core.errors import UsageError
from finops_core.store import audit
from finops_core.store.batches import plain
from finops_core.store.state import State, now, typed_amount
from finops_core.vocabulary.conditions import Node, conditions

KIND = "saving"
IDEA, APPROVED, DOING, DONE, VERIFIED, REJECTED = STATES = (
    "idea",
    "approved",
    "doing",
    "done",
    "verified",
    "rejected",
)
NEXT = {
    IDEA: (APPROVED, DOING, DONE, REJECTED),
    APPROVED: (DOING, DONE, IDEA, REJECTED),
    DOING: (DONE, APPROVED, REJECTED),
    DONE: (VERIFIED, DOING, REJECTED),
    VERIFIED: (DONE,),
    REJECTED: (IDEA,),
}
REDUCTION, AVOIDANCE = KINDS = ("reduction", "avoidance")
RECURRING, ONCE = RECURRENCES = ("recurring", "one-time")
EFFORTS = {"S": 1, "M": 3, "L": 8}
"""Effort → what it weighs: days, a sprint, a project."""
RISKS = ("low", "medium", "high")
METRICS = ("EffectiveCost", "BilledCost")
NO_VOLUME, USAGE = "none", "usage"
UNITS = "units:"
"""A volume is none, the metered usage of the same charges, or `units:METRIC` of the units of business."""
_LONGEST = 4000


@dataclass(frozen=True)
class SavingsItem:
    """One item. Money in `currency`."""

    key: str
    title: str
    currency: str
    expected_monthly: Decimal
    """What it should save a month; of a one-time saving, in all."""
    where: tuple[str, ...]
    """The evidence: conditions of the charges that become less."""
    baseline_start: date | None = None
    baseline_end: date | None = None
    """The days [start, end) that it is measured against."""
    done_on: date | None = None
    """The first day on which it shows."""
    metric: str = METRICS[0]
    kind: str = REDUCTION
    recurrence: str = RECURRING
    volume: str = NO_VOLUME
    hypothesis: str = ""
    owner: str = ""
    proposer: str = ""
    effort: str = "M"
    risk: str = "low"
    confidence: Decimal = Decimal("0.8")
    """How likely it is that so much is saved, 0 to 1."""
    cost_once: Decimal = Decimal(0)
    """What doing it costs, once; and each month, as long as it saves."""
    cost_monthly: Decimal = Decimal(0)
    opportunity: str = ""
    """The key of what it was found as; empty where a person thought of it."""
    note: str = ""
    state: str = IDEA
    steps: tuple["Step", ...] = ()

    @property
    def conditions(self) -> tuple[Node, ...]:
        return conditions(list(self.where))

    @property
    def is_measured(self) -> bool:
        """Whether there is something to measure: it is done, and there are days before and after."""
        return (
            self.state in (DONE, VERIFIED) and None not in (self.baseline_start, self.baseline_end, self.done_on)
        )  # fmt: skip

    @property
    def worth(self) -> Decimal:
        """Expected money a month, as likely as it is, for each unit of effort: what to do first."""
        return self.expected_monthly * self.confidence / EFFORTS[self.effort]

    @property
    def doers(self) -> set[str]:
        """Who may not verify it."""
        said = {step.who for step in self.steps if step.state == DONE}
        return {name.casefold() for name in (self.owner, self.proposer, *said) if name}


@dataclass(frozen=True)
class Step:
    """One entry of an item's history."""

    state: str
    who: str
    at: str
    """UTC, ISO 8601."""
    note: str = ""
    amount: str = ""
    """What was realised, net, when it was verified."""


_MONEY = ("expected_monthly", "confidence", "cost_once", "cost_monthly")
_DAYS = ("baseline_start", "baseline_end", "done_on")
TYPED = tuple(f.name for f in fields(SavingsItem) if f.name not in ("key", "state", "steps"))
"""What people may change; the rest changes by steps."""
COLUMNS = ("key", *TYPED, "state")
"""The columns of a table of items, as CSV in and out."""


def items(state: State) -> list[SavingsItem]:
    """All items by their numbers."""
    return [_read(key, kept.record) for key, kept in sorted(state.kept(KIND).items(), key=_number)]


def item(state: State, key: str) -> SavingsItem:
    """The item of a key. Raises UsageError where there is none."""
    kept = state.kept(KIND).get(key)
    if kept is None:
        raise UsageError(f"there is no savings item {key!r}")
    return _read(key, kept.record)


def add(state: State, wanted: Sequence[Mapping[str, Any]], who: str) -> list[SavingsItem]:
    """Adds items, all or none, by what TYPED says of them; texts are read as people type them. Returns them with their keys.

    One found as an opportunity that is in the backlog already is not added again. Raises UsageError for the first that is wrong.
    """
    drafts = [read(record, proposer=who) for record in wanted]
    with state.writing() as connection:
        known = state.kept(KIND, connection)
        told = {kept.record["opportunity"] for kept in known.values() if kept.record["opportunity"]}
        last = max((int(key.partition("-")[2]) for key in known), default=0)
        found = []
        for draft in drafts:
            if draft.opportunity and draft.opportunity in told:
                continue
            last += 1
            told.add(draft.opportunity)
            found.append(replace(draft, key=f"S-{last:03}", state=IDEA, steps=(Step(IDEA, who, now(), ""),)))
        for one in found:
            _keep(state, one, who, "saving proposed", one.title, connection)
    return found


def change(state: State, key: str, changes: Mapping[str, Any], who: str) -> SavingsItem:
    """Changes what is typed of an item. Of one that is verified nothing changes: take it back to done first. Raises UsageError."""
    with state.writing() as connection:
        before = _of(state, key, connection)
        if before.state == VERIFIED:
            raise UsageError(f"{key} is verified: take it back to done before it is changed")
        unknown = set(changes) - set(TYPED)
        if unknown:
            raise UsageError(f"a savings item has no {', '.join(sorted(unknown))}")
        typed = {name: getattr(before, name) for name in TYPED} | dict(changes)
        after = replace(read(typed, before.proposer), key=key, state=before.state, steps=before.steps)
        _keep(state, after, who, "saving changed", ", ".join(sorted(changes)), connection)
    return after


def move(
    state: State, key: str, to: str, who: str, note: str = "", done_on: date | None = None, amount: Decimal | None = None
) -> SavingsItem:  # fmt: skip
    """Takes an item to another state. Returns it.

    Done needs the day from which it shows (by default today), verified the net amount that was measured, and somebody who neither owns it,
    nor proposed it, nor said that it is done. Raises UsageError for a step that is not allowed; it says which are.
    """
    with state.writing() as connection:
        before = _of(state, key, connection)
        if to not in STATES:
            raise UsageError(f"there is no state {to!r}; known are {', '.join(STATES)}")
        if to not in NEXT[before.state]:
            raise UsageError(f"a saving that is {before.state} can become {' or '.join(NEXT[before.state])}, not {to}")  # fmt: skip
        if to == REJECTED and not note.strip():
            raise UsageError("say why it is rejected, for whoever has the idea again")
        if to == VERIFIED:
            _insist_on_another(before, who, amount)
        shows = done_on or before.done_on or date.fromisoformat(now()[:10]) if to == DONE else before.done_on
        step = Step(to, who, now(), note.strip()[:_LONGEST], plain(amount) if amount is not None else "")
        after = replace(before, state=to, done_on=shows, steps=(*before.steps, step))
        _keep(state, after, who, f"saving {to}", note, connection)
    return after


def _insist_on_another(before: SavingsItem, who: str, amount: Decimal | None) -> None:
    if who.casefold() in before.doers:
        raise UsageError(f"{who} owns {before.key}, proposed it or said that it is done: somebody else must verify it")  # fmt: skip
    if not before.is_measured:
        raise UsageError(f"{before.key} has no baseline to be measured against: state its days first")
    if amount is None:
        raise UsageError(
            f"nothing is measured of {before.key} yet: a saving is verified once a whole day shows it"
        )


def read(record: Mapping[str, Any], proposer: str = "") -> SavingsItem:
    """An item as it was typed. Raises UsageError that names the field of the first thing that is wrong."""
    told = {name: record[name] for name in TYPED if record.get(name) not in (None, "")}
    for name in _MONEY:
        if name in told:
            told[name] = told[name] if isinstance(told[name], Decimal) else _typed(name, str(told[name]))
    for name in _DAYS:
        if name in told and not isinstance(told[name], date):
            told[name] = _day(name, str(told[name]))
    if isinstance(told.get("where"), str):
        told["where"] = tuple(part.strip() for part in re.split(r"\s*;\s*", told["where"]) if part.strip())
    told["where"] = tuple(str(node) for node in conditions(list(told.get("where", ()))))
    for name in ("title", "currency", "expected_monthly"):
        if name not in told:
            raise UsageError(f"a savings item needs {'an' if name[0] in 'aeiou' else 'a'} {name}")
    found = SavingsItem(key="", **{**told, "proposer": told.get("proposer") or proposer})
    _check(found)
    return found


def _check(found: SavingsItem) -> None:
    choices = {
        "kind": KINDS, "recurrence": RECURRENCES, "effort": tuple(EFFORTS), "risk": RISKS, "metric": METRICS,
    }  # fmt: skip
    for name, allowed in choices.items():
        if getattr(found, name) not in allowed:
            raise UsageError(f"{name} is one of {', '.join(allowed)}, not {getattr(found, name)!r}")
    if found.volume not in (NO_VOLUME, USAGE) and not found.volume.startswith(UNITS):
        raise UsageError(f"volume is {NO_VOLUME}, {USAGE} or {UNITS}METRIC, not {found.volume!r}")
    if not 0 <= found.confidence <= 1:
        raise UsageError("confidence is a share of 0 to 1")
    if found.expected_monthly < 0 or found.cost_once < 0 or found.cost_monthly < 0:
        raise UsageError("what is expected, and what it costs, is 0 or more")
    if not found.where:
        raise UsageError("a savings item needs its evidence: conditions of the charges that become less")
    if (found.baseline_start is None) != (found.baseline_end is None):
        raise UsageError("a baseline has a first day and the day after its last")
    if found.baseline_start and found.baseline_end and found.baseline_start >= found.baseline_end:
        raise UsageError(f"the baseline from {found.baseline_start} to {found.baseline_end} holds no day")
    if found.baseline_end and found.done_on and found.baseline_end > found.done_on:
        raise UsageError("the baseline ends before the saving shows: it would be measured against itself")
    if len(found.title) > 200 or any(len(text) > _LONGEST for text in (found.note, found.hypothesis)):
        raise UsageError(f"a title has at most 200 characters, a note {_LONGEST:,}")


def _typed(name: str, text: str) -> Decimal:
    try:
        return typed_amount(text)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        raise UsageError(f"{name}: {text!r} is no day: write 2026-03-01") from None


def _keep(
    state: State, found: SavingsItem, who: str, action: str, reason: str, connection: Connection
) -> None:
    record = asdict(found) | {name: plain(getattr(found, name)) for name in _MONEY}
    record |= {name: value.isoformat() if (value := getattr(found, name)) else None for name in _DAYS}
    record |= {"where": list(found.where)}
    record.pop("key")
    state.keep(KIND, {found.key: record}, who, connection)
    details = {
        "state": found.state, "owner": found.owner, "expected_monthly": plain(found.expected_monthly), "currency": found.currency,
    }  # fmt: skip
    audit.append(state, action, f"saving {found.key}", who, reason, details, connection)


def _of(state: State, key: str, connection: Connection) -> SavingsItem:
    kept = state.kept(KIND, connection).get(key)
    if kept is None:
        raise UsageError(f"there is no savings item {key!r}")
    return _read(key, kept.record)


def _read(key: str, record: Mapping[str, Any]) -> SavingsItem:
    told = dict(record)
    told |= {name: Decimal(told[name]) for name in _MONEY}
    told |= {name: date.fromisoformat(told[name]) if told[name] else None for name in _DAYS}
    told |= {"where": tuple(told["where"]), "steps": tuple(Step(**step) for step in told["steps"])}
    return SavingsItem(key=key, **told)


def _number(entry: tuple[str, object]) -> tuple[int, str]:
    digits = entry[0].partition("-")[2]
    return (int(digits) if digits.isdigit() else 0, entry[0])
