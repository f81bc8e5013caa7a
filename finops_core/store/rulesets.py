"""Applied versions of the allocation rules: sets of text files with author, reason and time, numbered 1, 2, 3 …

Only ever added to: an older version is put back as a new one. What the files say is the business of the allocation room,
which checks them before they come here.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from finops_core.errors import UsageError
from finops_core.store import audit
from finops_core.store.state import State, now
from finops_core.store.tables import RULE_TEXTS, RULE_VERSIONS

SUBJECT = "allocation rules"
"""The subject of these changes in the audit log."""


@dataclass(frozen=True)
class Applied:
    """A version without its texts: who put it in force, when (UTC, ISO 8601) and why."""

    number: int
    at: str
    author: str
    reason: str
    hashes: dict[str, str]
    """Name of a file, such as `allocation.yaml` → the SHA-256 of its text."""


@dataclass(frozen=True)
class Version(Applied):
    """A version with its texts."""

    files: dict[str, str] = field(repr=False)
    """Name of a file → its text."""


def apply(
    state: State,
    files: Mapping[str, str],
    author: str,
    reason: str,
    details: Mapping[str, Any] | None = None,
) -> Version:
    """Puts a set of files in force as the next version, with its entry in the audit log; both or neither.

    `details` go to that entry beside the version's number and its files: the money that it moves, for instance. Raises
    UsageError without author or reason, for a name that is no relative path, and where the same files are in force.
    """
    with state.writing() as connection:
        return _apply(state, connection, files, author, reason, "rules applied", details or {})


def undo(state: State, number: int, author: str, reason: str) -> Version:
    """Puts the files of an older version in force again, as a new version. Raises UsageError as `apply` does, and where
    there is no such version."""
    with state.writing() as connection:
        older = _read(connection, number)
        if older is None:
            raise UsageError(f"there is no version {number} of the allocation rules")
        details = {"files_of_version": number}
        return _apply(state, connection, older.files, author, reason, "rules put back", details)


def in_force(state: State) -> Version | None:
    """The newest version; None before the first."""
    with state.reading() as connection:
        return _read(connection, None)


def version(state: State, number: int) -> Version:
    """The version of a number. Raises UsageError where there is none."""
    with state.reading() as connection:
        found = _read(connection, number)
    if found is None:
        raise UsageError(f"there is no version {number} of the allocation rules")
    return found


def versions(state: State) -> list[Applied]:
    """All versions, the newest first, without their texts."""
    with state.reading() as connection:
        rows = connection.execute(select(RULE_VERSIONS).order_by(RULE_VERSIONS.c.number.desc())).all()
    return [_applied(row) for row in rows]


def altered(state: State) -> list[int]:
    """The versions whose kept files are not those that the audit log has hashes of."""
    logged = {
        entry.details.get("version"): entry.details.get("files")
        for entry in audit.entries(state, subject=SUBJECT)
    }
    with state.reading() as connection:
        kept = {row.sha256: row.text for row in connection.execute(select(RULE_TEXTS))}
    sound = {digest for digest, text in kept.items() if _sha256(text) == digest}
    return [
        found.number
        for found in reversed(versions(state))
        if logged.get(found.number) != found.hashes or not sound.issuperset(found.hashes.values())
    ]


def difference(before: Version | Mapping[str, str] | None, after: Version | Mapping[str, str] | None) -> str:
    """What changed between two sets of files, as a unified diff, file by file in the order of their names; '' if nothing."""
    old, new = _texts(before), _texts(after)
    parts = []
    for name in sorted({*old, *new}):
        lines = difflib.unified_diff(
            _lines(old.get(name, "")),
            _lines(new.get(name, "")),
            f"a/{name}" if name in old else "/dev/null",
            f"b/{name}" if name in new else "/dev/null",
        )
        text = "".join(lines)
        if not text and (name in old) != (name in new):
            text = f"--- {f'a/{name}' if name in old else '/dev/null'}\n+++ {f'b/{name}' if name in new else '/dev/null'}\n"
        parts.append(text)
    return "".join(parts)


def refuse_blank(author: str, reason: str) -> None:
    """Raises UsageError where nobody says who applies a version, or why."""
    if not author.strip() or not reason.strip():
        raise UsageError("say who applies the rules, and why: author and reason are kept with the version")


def _texts(files: Version | Mapping[str, str] | None) -> Mapping[str, str]:
    return files.files if isinstance(files, Version) else files or {}


def _lines(text: str) -> list[str]:
    """Lines for a diff: one that does not end is told from one that does."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n\\ No newline at end of file\n"
    return lines


def _apply(
    state: State,
    connection: Connection,
    files: Mapping[str, str],
    author: str,
    reason: str,
    action: str,
    details: Mapping[str, Any],
) -> Version:
    refuse_blank(author, reason)
    if not files:
        raise UsageError("a version of the allocation rules has at least one file")
    for name in files:
        path = PurePosixPath(name)
        if not name.strip() or path.is_absolute() or ".." in path.parts or "\\" in name:
            raise UsageError(f"{name!r} is no name of a rule file: it is a path below the folder of rules")
    hashes = {name: _sha256(files[name]) for name in sorted(files)}
    current = _newest(connection)
    if current is not None and current.hashes == hashes:
        raise UsageError(f"nothing changed: version {current.number} has the same files")
    known = set(connection.execute(select(RULE_TEXTS.c.sha256)).scalars())
    fresh = {digest: files[name] for name, digest in hashes.items() if digest not in known}
    if fresh:
        connection.execute(insert(RULE_TEXTS), [{"sha256": d, "text": t} for d, t in fresh.items()])
    number, at = (current.number if current else 0) + 1, now()
    connection.execute(
        insert(RULE_VERSIONS).values(
            number=number, at=at, author=author, reason=reason, files=json.dumps(hashes)
        )
    )
    said = {**details, "version": number, "files": hashes}
    audit.append(state, action, SUBJECT, author, reason, said, connection)
    return Version(number, at, author, reason, hashes, {name: files[name] for name in hashes})


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _newest(connection: Connection) -> Applied | None:
    row = connection.execute(select(RULE_VERSIONS).order_by(RULE_VERSIONS.c.number.desc()).limit(1)).first()
    return _applied(row) if row else None


def _read(connection: Connection, number: int | None) -> Version | None:
    """A version with its texts; the newest for None."""
    if number is None:
        found = _newest(connection)
    else:
        row = connection.execute(select(RULE_VERSIONS).where(RULE_VERSIONS.c.number == number)).first()
        found = _applied(row) if row else None
    if found is None:
        return None
    wanted = select(RULE_TEXTS).where(RULE_TEXTS.c.sha256.in_(set(found.hashes.values())))
    texts = {row.sha256: row.text for row in connection.execute(wanted)}
    files = {name: texts[digest] for name, digest in found.hashes.items()}
    return Version(found.number, found.at, found.author, found.reason, found.hashes, files)


def _applied(row: Row[Any]) -> Applied:
    return Applied(row.number, row.at, row.author, row.reason, json.loads(row.files))
