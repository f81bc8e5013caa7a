"""The audit log: everything that changes who owns a charge, who did it, when and why. Only ever added to.

Each entry carries the hash of the one before it, so that an entry that was edited, taken out or moved is found. The last
entries can be cut off without a trace in what remains: keep `head` somewhere else, and `verify` against it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from finops_core.errors import UsageError
from finops_core.store.state import State, now
from finops_core.store.tables import AUDIT

BEGINNING = "0" * 64
"""What the first entry follows."""


@dataclass(frozen=True)
class Entry:
    """One change, and its place in the chain."""

    id: int
    """1, 2, 3 … without a gap."""
    at: str
    """UTC, ISO 8601."""
    who: str
    action: str
    """What was done, such as `rules applied`."""
    subject: str
    """What it was done to, such as `rules` or `month 2026-09`."""
    reason: str
    details: dict[str, Any]
    """JSON values only; money as text."""
    previous_hash: str
    hash: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Head:
    """The newest entry's number and hash: to be kept outside of the state, as `ID:HASH`."""

    id: int
    hash: str

    def __str__(self) -> str:
        return f"{self.id}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Reads `12:ab34…`. Raises UsageError."""
        if not re.fullmatch(r"\d{1,9}:[0-9a-f]{64}", text):
            raise UsageError(f"{text!r} is no head of the audit log: it is written as ID:HASH")
        number, _, digest = text.partition(":")
        return cls(int(number), digest)


def append(
    state: State,
    action: str,
    subject: str,
    who: str,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    connection: Connection | None = None,
) -> Entry:
    """Adds an entry at the end of the log.

    With the connection of `State.writing` it is part of that transaction: the change and its entry are there together, or
    neither is. Raises UsageError without an action or without saying who.
    """
    if not action.strip() or not who.strip():
        raise UsageError("an entry of the audit log says what was done, and who did it")
    text = _canonical(dict(details or {}))
    with nullcontext(connection) if connection is not None else state.writing() as asked:
        last = asked.execute(select(AUDIT.c.id, AUDIT.c.hash).order_by(AUDIT.c.id.desc()).limit(1)).first()
        fields = {
            "id": last.id + 1 if last else 1,
            "at": now(),
            "who": who,
            "action": action,
            "subject": subject,
            "reason": reason,
            "details": text,
            "previous_hash": last.hash if last else BEGINNING,
        }
        fields["hash"] = _hash(fields)
        asked.execute(insert(AUDIT).values(**fields))
    return _entry(fields)


def entries(
    state: State, action: str | None = None, subject: str | None = None, limit: int | None = None
) -> list[Entry]:
    """The entries of an action and a subject, or all; the newest first, at most `limit` of them."""
    statement = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
    if action is not None:
        statement = statement.where(AUDIT.c.action == action)
    if subject is not None:
        statement = statement.where(AUDIT.c.subject == subject)
    with state.reading() as connection:
        return [_entry(dict(row)) for row in connection.execute(statement).mappings()]


def head(state: State) -> Head:
    """The end of the log as it is now; number 0 while it is empty."""
    newest = entries(state, limit=1)
    return Head(newest[0].id, newest[0].hash) if newest else Head(0, BEGINNING)


def verify(state: State, remembered: Head | None = None) -> list[int]:
    """The numbers of entries where the chain is broken; none where nobody has touched the log.

    That is an entry that is not what its hash says, or does not follow the one before it: where entries are missing, the
    one after them. With a head that was kept elsewhere, also its number where the log has no such entry any more.
    """
    broken: list[int] = []
    previous, number = BEGINNING, 0
    found = remembered is None or remembered == Head(0, BEGINNING)
    with state.reading() as connection:
        for row in connection.execute(select(AUDIT).order_by(AUDIT.c.id)).mappings():
            fields = {name: value for name, value in row.items() if name != "hash"}
            follows = row["previous_hash"] == previous and row["id"] == number + 1
            if not follows or _hash(fields) != row["hash"]:
                broken.append(row["id"])
            previous, number = row["hash"], row["id"]
            found = found or Head(number, previous) == remembered
    if not found and remembered is not None and remembered.id not in broken:
        broken.append(remembered.id)
    return broken


def _canonical(value: Mapping[str, Any]) -> str:
    """JSON that is the same for the same values: keys sorted, no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _hash(fields: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(fields).encode()).hexdigest()


def _entry(row: Mapping[str, Any]) -> Entry:
    try:
        details = json.loads(row["details"])
    except ValueError:
        details = row["details"]
    return Entry(**{**row, "details": details if isinstance(details, dict) else {"unreadable": details}})
