"""Alerts that were found, and whom they were told: kept in the state, only ever added to.

An alert is standing until a check no longer finds it. Each time it begins to stand is a firing; a notice is a firing on its way to a
channel. Before anything is sent the intent is recorded, and the result after: a process that dies in between has left a notice that is
`sending`, and the next check sends it again, which is one repeat at most.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, select

from finops_core.store.state import State
from finops_core.store.tables import RECORDS

STANDING, NOTICE, CHECKED = "alert", "alert notice", "alert check"
"""The kinds of these records in the state."""
WAITING, SENDING, SENT, FAILED = "waiting", "sending", "sent", "failed"


@dataclass(frozen=True)
class StandingAlert:
    """An alert of a rule in one of its states. Figures are plain decimals; times are UTC, ISO 8601."""

    id: str
    rule: str
    key: str
    state: str
    severity: str
    owner: str
    subject: str
    sentence: str
    link: str
    figures: dict[str, str | None]
    currency: str
    firing: int
    """How often it has begun to stand, this time included."""
    since: str
    holds: bool = True
    tacit: bool = False
    """Whether a state beyond it was told instead."""
    ended: str = ""


@dataclass(frozen=True)
class Notice:
    """A firing of an alert on its way to a channel."""

    key: str
    alert: StandingAlert
    channel: str
    digest: str
    status: str
    """waiting | sending | sent | failed"""
    attempts: int = 0
    error: str = ""
    at: str = ""
    """When it came to its status: UTC, ISO 8601."""

    @property
    def is_done(self) -> bool:
        return self.status == SENT


@dataclass(frozen=True)
class LastCheck:
    """When all rules were last looked at, and what came of it."""

    at: str
    standing: int
    failed: int


def alerts(state: State, connection: Connection | None = None) -> dict[str, StandingAlert]:
    """Id → the alert as it is or last was."""
    return {key: StandingAlert(**kept.record) for key, kept in state.kept(STANDING, connection).items()}


def record_alerts(state: State, changed: Iterable[StandingAlert], who: str, connection: Connection) -> None:
    """Records alerts that began to stand or ended."""
    state.keep(STANDING, {a.id: asdict(a) for a in changed}, who, connection)


def notices(state: State, connection: Connection | None = None) -> list[Notice]:
    """All notices as they stand."""
    return [_notice(kept.record) for kept in state.kept(NOTICE, connection).values()]


def record_notices(
    state: State, changed: Iterable[Notice], who: str, connection: Connection | None = None
) -> None:
    """Records where notices have come to."""
    state.keep(NOTICE, {n.key: asdict(n) for n in changed}, who, connection)


def history(state: State, most: int = 200) -> list[Notice]:
    """Every step of every notice, the newest first."""
    return [_notice(record) for record in _newest(state, NOTICE, most)]


def record_check(state: State, check: LastCheck, who: str) -> None:
    """Records that all rules were looked at."""
    state.keep(CHECKED, {"all": asdict(check)}, who)


def last_check(state: State) -> LastCheck | None:
    """The last time; None before the first."""
    return next((LastCheck(**record) for record in _newest(state, CHECKED, 1)), None)


def _newest(state: State, kind: str, most: int) -> list[dict[str, Any]]:
    asked = select(RECORDS.c.record).where(RECORDS.c.kind == kind).order_by(RECORDS.c.id.desc()).limit(most)
    with state.reading() as connection:
        return [json.loads(text) for text in connection.execute(asked).scalars() if text]


def _notice(record: Mapping[str, Any]) -> Notice:
    return Notice(**{**record, "alert": StandingAlert(**record["alert"])})
