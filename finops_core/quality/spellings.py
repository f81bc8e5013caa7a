"""Values of tags that are meant to be another one: near misses, and proposals to spell them like it."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from finops_core.errors import UsageError
from finops_core.store import audit
from finops_core.store.state import State

KIND = "spelling proposal"
PROPOSED, REJECTED = "spelling proposed", "spelling rejected"
"""What the audit log calls these."""
_SUBJECT = "spelling "
FURTHEST = 2
"""The largest edit distance of a near miss: a letter more, less, other, or two neighbours swapped, each counts 1."""
_MANY_TIMES = 3
"""Without a list of allowed values, how much more money a value must carry to be the one that a misspelt one meant."""
_TARGETS, _CANDIDATES = 300, 3000
"""How many values are compared by edit distance, the costliest; case and blanks are compared for all."""
_PARTS = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class NearMiss:
    """A value, the one it seems to mean, why, and the EffectiveCost that carries it."""

    value: str
    proposed: str
    why: str
    """case | blanks | edit distance 1 | edit distance 2 | known spelling | edit distance 1 from production"""
    cost: Decimal


def near_misses(
    costs: Mapping[str, Decimal], allowed: Collection[str] | None, known: Mapping[str, str] | None = None
) -> list[NearMiss]:
    """The near misses among values with their cost, costliest first.

    `known`: a spelling in lower case → the value that it is known to mean; a near miss of it means the same.
    With allowed values, of those that are not allowed; else of those that a value of more cost differs from in case or
    blanks only, or one of three times the cost in at most two letters (one, where it has less than six). Names that
    differ in their digits or in a part of one letter, as team-1 and team-2, are different names.
    """
    order = sorted(costs, key=lambda v: (-abs(costs[v]), v))
    meant = known or {}
    found: dict[str, tuple[str, str] | None]
    if allowed is not None:
        wrong = [v for v in order if v not in allowed]
        found = {v: _meant(v, sorted(allowed), meant, costs) for v in wrong[:_CANDIDATES]}
    else:
        found = {v: _dominating(v, order, costs) for v in order[:_CANDIDATES]}
        found |= {v: (target, why) for v, target, why in _same_but_case(order[_CANDIDATES:], order)}
    hits = [NearMiss(v, hit[0], hit[1], costs[v]) for v, hit in found.items() if hit is not None]
    return sorted(hits, key=lambda m: (-abs(m.cost), m.value))


def _plain(value: str) -> str:
    return " ".join(value.split()).casefold()


def _same(value: str, target: str) -> str | None:
    """How two values differ that are the same but for blanks and case."""
    if " ".join(value.split()) == " ".join(target.split()):
        return "blanks"
    return "case" if _plain(value) == _plain(target) else None


def _same_but_case(values: Sequence[str], order: Sequence[str]) -> list[tuple[str, str, str]]:
    first: dict[str, str] = {}
    for value in order:
        first.setdefault(_plain(value), value)
    targets = [(v, first[_plain(v)]) for v in values]
    return [(v, target, _same(v, target) or "case") for v, target in targets if target != v]


def _meant(
    value: str, allowed: Sequence[str], known: Mapping[str, str], costs: Mapping[str, Decimal]
) -> tuple[str, str] | None:
    """The allowed value that a value means: by a known spelling, else by the nearest value or spelling."""
    if _plain(value) in known:
        return known[_plain(value)], "known spelling"
    if near := _nearest(value, allowed, costs, FURTHEST):
        return near
    spelt = _nearest(value, sorted(known), costs, FURTHEST)
    return (known[spelt[0]], f"{spelt[1]} from {spelt[0]}") if spelt else None


def _nearest(
    value: str, targets: Sequence[str], costs: Mapping[str, Decimal], furthest: int
) -> tuple[str, str] | None:
    """The nearest target, of several the costliest, and why it is near."""
    ranked = []
    for target in targets:
        why = _same(value, target)
        far = 0 if why else distance(_plain(value), _plain(target), furthest)
        if far <= furthest and 2 * far <= min(len(value), len(target)):
            ranked.append((far, -costs.get(target, Decimal(0)), target, why or f"edit distance {far}"))
    return min(ranked)[2:] if ranked else None


def _dominating(value: str, order: Sequence[str], costs: Mapping[str, Decimal]) -> tuple[str, str] | None:
    """The value of more cost that a value seems to mean."""
    for target in order:
        if target == value:
            break
        if why := _same(value, target):
            return target, why
    bound = abs(costs[value]) * _MANY_TIMES
    furthest = FURTHEST if len(value) >= 6 else 1 if len(value) >= 3 else 0
    targets = [
        t for t in order[:_TARGETS] if t != value and abs(costs[t]) >= bound and not _numbered(value, t)
    ]
    return _nearest(value, targets, costs, furthest) if furthest else None


def _numbered(one: str, other: str) -> bool:
    """Whether two names differ in digits, or in a part of one letter: as those of a series do."""
    if _DIGITS.findall(one) != _DIGITS.findall(other):
        return True
    left, right = (_PARTS.findall(_plain(text)) for text in (one, other))
    return len(left) == len(right) and any(
        a != b and min(len(a), len(b)) == 1 for a, b in zip(left, right, strict=True)
    )


def distance(one: str, other: str, most: int) -> int:
    """The edit distance with swaps of neighbours (optimal string alignment); `most` + 1 where it is larger than `most`."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return min(last[-1], most + 1)


def propose_spelling(
    state: State, key: str, values: Collection[str], value: str, who: str, reason: str
) -> None:
    """Keeps the proposal that values of a tag key be spelt as another one, with its entry in the audit log; a rule has to
    be made of it to count. What is proposed already is left as it is.

    Raises UsageError where there is no value, or one that is to become itself, and without who.
    """
    wrong = sorted(set(values))
    if not wrong or not all(v.strip() for v in wrong) or not value.strip():
        raise UsageError("a spelling needs the values as they are, and the one that they should be")
    if value in wrong:
        raise UsageError(f"{value!r} is spelt like itself already")
    name = _name(key, wrong, value)
    record = {"key": key, "values": wrong, "value": value, "reason": reason}
    with state.writing() as connection:
        kept = state.kept(KIND, connection).get(name)
        if kept is None or kept.record != record:
            state.keep(KIND, {name: record}, who, connection)
            audit.append(state, PROPOSED, _SUBJECT + name, who, reason, record, connection)


def _name(key: str, values: Collection[str], value: str) -> str:
    return f"{key}: {', '.join(values)} → {value}"[:400]


@dataclass(frozen=True)
class SpellingProposal:
    """What somebody proposed, and when."""

    key: str
    values: tuple[str, ...]
    value: str
    reason: str
    by: str
    at: str


def spelling_proposals(state: State) -> list[SpellingProposal]:
    """The proposals in force."""
    return [
        SpellingProposal(
            kept.record["key"],
            tuple(kept.record["values"]),
            kept.record["value"],
            kept.record["reason"],
            kept.entered_by,
            kept.entered_at,
        )
        for kept in state.kept(KIND).values()
    ]


def reject_spelling(state: State, proposal: SpellingProposal, who: str, reason: str) -> None:
    """Takes a proposal back, with its entry in the audit log. Raises UsageError without who or reason, and where it is not
    in force any more."""
    if not who.strip() or not reason.strip():
        raise UsageError("say who you are, and why: both are kept in the audit log")
    name = _name(proposal.key, proposal.values, proposal.value)
    with state.writing() as connection:
        if name not in state.kept(KIND, connection):
            raise UsageError(f"somebody took {name!r} back already")
        state.keep(KIND, {name: None}, who, connection)
        audit.append(state, REJECTED, _SUBJECT + name, who, reason, connection=connection)


@dataclass(frozen=True)
class RejectedSpelling:
    """A proposal that somebody took back, as the audit log tells it."""

    spelling: str
    """Such as `team: serach → search`."""
    who: str
    at: str
    reason: str


def rejected_spellings(state: State) -> list[RejectedSpelling]:
    """All spellings that were ever rejected, the newest first."""
    return [
        RejectedSpelling(entry.subject.removeprefix(_SUBJECT), entry.who, entry.at, entry.reason)
        for entry in audit.entries(state, action=REJECTED)
    ]
