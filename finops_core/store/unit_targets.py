"""What a unit may cost: targets by metric and member, kept in state."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from finops_core.errors import UsageError
from finops_core.store.state import State

KIND = "unit-target"


@dataclass(frozen=True)
class UnitTarget:
    """The most that a unit should cost, in `currency`. `by` and `member` are empty for all of a metric together."""

    metric: str
    by: str
    member: str
    currency: str
    amount: Decimal

    @property
    def key(self) -> str:
        return json.dumps([self.metric, self.by, self.member, self.currency], ensure_ascii=False)


def targets(state: State) -> dict[str, UnitTarget]:
    """Key → target, those in force."""
    found = {}
    for key, kept in state.kept(KIND).items():
        metric, by, member, currency = json.loads(key)
        found[key] = UnitTarget(metric, by, member, currency, Decimal(kept.record["amount"]))
    return found


def keep(state: State, wanted: Iterable[UnitTarget], who: str) -> None:
    """Keeps targets; each takes the place of an earlier one."""
    state.keep(KIND, {t.key: {"amount": format(t.amount, "f")} for t in wanted}, who)


def remove(state: State, target: UnitTarget, who: str) -> None:
    """Takes a target back. Raises UsageError where there is none."""
    if target.key not in targets(state):
        raise UsageError(f"there is no target of {target.metric} {target.member}".rstrip())
    state.keep(KIND, {target.key: None}, who)


def amount(text: str) -> Decimal:
    """A target as it was typed. Raises UsageError for what is no amount above 0."""
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found <= 0:
        raise UsageError(f"{text!r} is no target: write an amount above 0, such as 0.05")
    return found
