"""Closed months: the figures of a billing period as they were when finance took them, with the versions they came from.

A close is a record in the state and an entry in the audit log, which has a hash of its figures; so is a reopening. What the
figures are, and what changed since, is reckoned in `finops_core.analysis.closing`.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection

from finops_core.errors import UsageError
from finops_core.store import audit
from finops_core.store.state import State

KIND = "month close"
"""The kind of these records in the state: `State.version(KIND)` changes with each."""
Row = dict[str, str | None]
"""Names and values as text; costs as plain decimals with every digit."""


@dataclass(frozen=True)
class Close:
    """A closed month."""

    period: str
    """The billing period, as 2026-09."""
    lake_version: int
    rules_version: int | None
    """The version of the allocation rules in force; None before the first."""
    through: str
    """The last day with charges, ISO 8601; '' where the month has none."""
    figures: list[Row]
    """By BillingCurrency, x_Team, x_CostCenter, Pool (None: direct), ServiceName, x_Product: BilledCost and EffectiveCost."""
    adjustments: list[Row]
    """What this month's statement adds for earlier closed months: by BillingPeriod, BillingCurrency, x_Team, x_CostCenter,
    Pool."""
    reason: str
    doubts: list[str]
    """Why the month was not complete, where it was closed all the same."""
    closed_by: str = ""
    closed_at: str = ""
    """UTC, ISO 8601."""


def period_of(text: str) -> str:
    """A billing period as 2026-09. Raises UsageError for anything else."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise UsageError(f"{text!r} is no billing period: write 2026-09")
    return text


def closes(state: State, connection: Connection | None = None) -> dict[str, Close]:
    """The closed months, by period, earliest first."""
    return {
        period: replace(Close(**kept.record), closed_by=kept.entered_by, closed_at=kept.entered_at)
        for period, kept in state.kept(KIND, connection).items()
    }


def keep(
    state: State, connection: Connection, close: Close, who: str, totals: Mapping[str, Mapping[str, str]]
) -> None:
    """Keeps a closed month, in a transaction of `State.writing`. `totals` (costs by currency) go to the audit log.

    Raises UsageError where the month is closed already, and without who or reason.
    """
    insist(who, close.reason)
    closed = closes(state, connection).get(close.period)
    if closed is not None:
        raise UsageError(
            f"{close.period} was closed by {closed.closed_by} on {closed.closed_at[:10]}: what changed since is"
            " in the next open month's statement, and reopening it takes the close back"
        )
    state.keep(KIND, {close.period: asdict(close)}, who, connection)
    details = {
        "lake_version": close.lake_version,
        "rules_version": close.rules_version,
        "through": close.through,
        "totals": {currency: dict(costs) for currency, costs in totals.items()},
        "doubts": close.doubts,
        "figures_sha256": _digest(close.figures),
        "adjustments_sha256": _digest(close.adjustments),
    }
    audit.append(state, "month closed", f"month {close.period}", who, close.reason, details, connection)


def reopen(state: State, period: str, who: str, reason: str) -> None:
    """Takes a close back. Raises UsageError where the month is not closed, and where the statement of a later closed month
    has an adjustment for it, which would then count twice; and without who or reason."""
    insist(who, reason)
    with state.writing() as connection:
        known = closes(state, connection)
        if period_of(period) not in known:
            raise UsageError(f"{period} is not closed")
        stating = [
            c.period for c in known.values() if any(r["BillingPeriod"] == period for r in c.adjustments)
        ]
        if stating:
            raise UsageError(
                f"the closed statement of {stating[-1]} has an adjustment for {period}: reopen {stating[-1]} first"
            )
        state.keep(KIND, {period: None}, who, connection)
        audit.append(state, "month reopened", f"month {period}", who, reason, connection=connection)


def insist(who: str, reason: str) -> None:
    """Raises UsageError where it is not said who closes or reopens a month, or why."""
    if not who.strip() or not reason.strip():
        raise UsageError("say who you are, and why: both are kept with the month and in the audit log")


def altered(state: State) -> list[str]:
    """The closed months whose kept figures are not those that the audit log has a hash of."""
    return [close.period for close in closes(state).values() if not _is_as_closed(state, close)]


def _is_as_closed(state: State, close: Close) -> bool:
    newest: Sequence[audit.Entry] = audit.entries(state, "month closed", f"month {close.period}", 1)
    wanted = {"figures_sha256": _digest(close.figures), "adjustments_sha256": _digest(close.adjustments)}
    return bool(newest) and wanted.items() <= newest[0].details.items()


def _digest(rows: Any) -> str:
    text = json.dumps(rows, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
