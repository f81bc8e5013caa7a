"""Budgets and finance's forecasts: amounts by month that people imported or typed, kept in state; a correction is a newer row."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import select

from finops_core.errors import UsageError
from finops_core.focus.currencies import currency as code_of
from finops_core.store.batches import plain
from finops_core.store.state import State
from finops_core.store.tables import RECORDS
from finops_core.vocabulary.conditions import AllOf, Condition, Node, conditions

KIND = "budget"
BUDGET = "budget"
"""The version that a month is held against unless another is asked for."""
METRICS = ("EffectiveCost", "BilledCost")
_PLACES, _DIGITS = 18, 20
_LONGEST_NAME, _LONGEST_VERSION = 120, 40


@dataclass(frozen=True)
class BudgetLine:
    """What a part of the cost may come to in one month, in one version of the plan. Frozen, checked, and comparable."""

    name: str
    owner: str
    metric: str
    """EffectiveCost or BilledCost."""
    where: str
    """Which charges count, as a condition of a Query: `x_Team=web`; empty counts all."""
    currency: str
    month: date
    """Its first day."""
    amount: Decimal
    version: str = BUDGET
    """`budget`, `forecast 1`, `forecast 2` …"""
    note: str = ""

    def __post_init__(self) -> None:
        for label, text, most in (
            ("name", self.name, _LONGEST_NAME),
            ("version", self.version, _LONGEST_VERSION),
        ):
            if not text.strip() or len(text) > most or text != text.strip():
                raise UsageError(f"a budget's {label} is a text of at most {most} characters, not {text!r}")
        if self.metric not in METRICS:
            raise UsageError(f"budgets are of {' or '.join(METRICS)}, not of {self.metric!r}")
        code_of(self.currency)
        if self.month.day != 1:
            raise UsageError(f"a budget is for a whole month: {self.month} is no first day")
        exponent = self.amount.as_tuple().exponent
        fits = isinstance(exponent, int) and -exponent <= _PLACES and self.amount.adjusted() < _DIGITS
        if not self.amount.is_finite() or not fits:
            raise UsageError(
                f"{self.amount} is no amount with at most {_DIGITS} digits before and {_PLACES} after the point"
            )
        object.__setattr__(self, "where", condition_text(self.where))

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Its conditions, which must all hold."""
        return conditions(self.where or None)

    @property
    def key(self) -> str:
        """What there is one amount of: its version, name, metric, currency and month."""
        return json.dumps(
            [self.version, self.name, self.metric, self.currency, f"{self.month:%Y-%m}"], ensure_ascii=False
        )


@lru_cache(maxsize=4096)
def condition_text(where: str) -> str:
    """A condition in its one spelling. Raises UsageError for what cannot be read."""
    found = conditions(where.strip() or None)
    return " and ".join(str(node) for node in found) if len(found) < 2 else str(AllOf(found))


def of_member(dimension: str, member: str | None) -> str:
    """The condition of one member of a dimension; None are the charges without one."""
    return str(Condition(dimension, "is null") if member is None else Condition(dimension, "=", (member,)))


@dataclass(frozen=True)
class Entered:
    """How many amounts were new, replaced an earlier one, or were kept already."""

    added: int
    replaced: int
    unchanged: int

    def in_words(self) -> str:
        return f"New amounts: {self.added:,}; replaced: {self.replaced:,}; kept already: {self.unchanged:,}"


def budgets(state: State) -> list[BudgetLine]:
    """All amounts in force, by version, name and month."""
    found = [_line(kept.record) for kept in state.kept(KIND).values()]
    return sorted(found, key=lambda line: (line.version, line.name, line.metric, line.currency, line.month))


def versions(lines: Iterable[BudgetLine]) -> list[str]:
    """The versions of some lines: `budget` first, then by name, forecast 10 after forecast 9."""
    names = {line.version for line in lines}
    return sorted(names, key=lambda name: (name != BUDGET, name.rstrip("0123456789"), _number(name), name))


def _number(name: str) -> int:
    digits = name[len(name.rstrip("0123456789")) :]
    return int(digits) if digits else 0


def enter(state: State, entered: Iterable[BudgetLine], who: str) -> Entered:
    """Keeps amounts, all or none; each replaces an earlier one of its key. Raises UsageError where two share a key."""
    wanted: dict[str, BudgetLine] = {}
    for line in entered:
        if line.key in wanted:
            raise UsageError(
                f"two amounts for {line.name!r}, {line.version}, {line.currency}, {line.month:%Y-%m}"
            )
        wanted[line.key] = line
    known = {line.key: line for line in budgets(state)}
    changed = {key: line for key, line in wanted.items() if known.get(key) != line}
    state.keep(KIND, {key: _record(line) for key, line in changed.items()}, who)
    replaced = len(changed.keys() & known.keys())
    return Entered(len(changed) - replaced, replaced, len(wanted) - len(changed))


def remove(state: State, lines: Sequence[BudgetLine], who: str) -> None:
    """Takes amounts back. Raises UsageError where one is not there."""
    known = state.kept(KIND)
    for line in lines:
        if line.key not in known:
            raise UsageError(f"there is no amount for {line.name!r}, {line.version}, {line.month:%Y-%m}")
    state.keep(KIND, {line.key: None for line in lines}, who)


@dataclass(frozen=True)
class Change:
    """One row as it was entered: the amount, or that it was taken back (None), by whom and when (UTC, ISO 8601)."""

    version: str
    name: str
    metric: str
    currency: str
    month: str
    amount: Decimal | None
    before: Decimal | None
    """The amount that it replaced; None for the first."""
    entered_by: str
    entered_at: str
    note: str


def history(state: State) -> list[Change]:
    """Everything that was ever entered, newest first."""
    statement = select(RECORDS).where(RECORDS.c.kind == KIND).order_by(RECORDS.c.id)
    with state.reading() as connection:
        rows = connection.execute(statement).mappings().all()
    found: list[Change] = []
    last: dict[str, Decimal | None] = {}
    for row in rows:
        record = json.loads(row["record"]) if row["record"] is not None else None
        amount = Decimal(record["amount"]) if record is not None else None
        version, name, metric, currency, month = json.loads(row["key"])
        found.append(
            Change(
                version, name, metric, currency, month, amount, last.get(row["key"]), row["entered_by"],
                row["entered_at"], record["note"] if record is not None else "taken back",
            )
        )  # fmt: skip
        last[row["key"]] = amount
    return found[::-1]


def _record(line: BudgetLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "owner": line.owner,
        "metric": line.metric,
        "where": line.where,
        "currency": line.currency,
        "month": f"{line.month:%Y-%m}",
        "amount": plain(line.amount),
        "version": line.version,
        "note": line.note,
    }


def _line(record: dict[str, Any]) -> BudgetLine:
    month, amount = date.fromisoformat(f"{record['month']}-01"), Decimal(record["amount"])
    return BudgetLine(**{**record, "month": month, "amount": amount})
