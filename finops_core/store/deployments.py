"""Deployments that people or their pipelines told of, kept in state: what was brought out when, beside what it cost."""

import csv
import io
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

from finops_core.errors import InputRefused, Place, UsageError
from finops_core.store.state import State

KIND = "deployment"
COLUMNS = ("deployed_at", "team", "application", "environment", "version", "change")
"""The columns of a table of deployments."""
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)")
_LONGEST = 300


@dataclass(frozen=True, order=True)
class Deployment:
    """A version of an application that was brought out; `deployed_at` in UTC, ISO 8601. Any text but that may be empty."""

    deployed_at: str
    team: str
    application: str
    environment: str
    version: str
    change: str = ""

    @property
    def day(self) -> date:
        """The day in UTC, as that of charges."""
        return date.fromisoformat(self.deployed_at[:10])

    @property
    def key(self) -> str:
        """What there is one deployment of."""
        return json.dumps(
            [self.deployed_at, self.team, self.application, self.environment, self.version],
            ensure_ascii=False,
        )

    def in_words(self) -> str:
        """`checkout 2026.11.14-01, prod (Configuration: log level)`."""
        named = " ".join(filter(None, (self.application or self.team, self.version)))
        told = ", ".join(filter(None, (named, self.environment)))
        return f"{told} ({self.change})" if self.change else told


@dataclass(frozen=True)
class Added:
    """How many deployments were new or told otherwise, and how many were kept already."""

    added: int
    unchanged: int

    def in_words(self) -> str:
        return f"New deployments: {self.added:,}; kept already: {self.unchanged:,}"


def deployments(state: State) -> list[Deployment]:
    """All deployments, by time."""
    return sorted(Deployment(**kept.record) for kept in state.kept(KIND).values())


def add(state: State, told: Iterable[Deployment], who: str) -> Added:
    """Keeps deployments, all or none; one of the same time, team, application, environment and version is replaced."""
    known = set(deployments(state))
    wanted = {deployment.key: deployment for deployment in told}
    changed = {key: asdict(found) for key, found in wanted.items() if found not in known}
    state.keep(KIND, changed, who)
    return Added(len(changed), len(wanted) - len(changed))


def from_csv(data: bytes, name: str = "deployments.csv") -> list[Deployment]:
    """The deployments of a CSV with COLUMNS, in any order; other columns may be there.

    Raises InputRefused naming row and column of the first thing that is wrong; then none counts.
    """
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except UnicodeDecodeError as error:
        raise InputRefused("no text in UTF-8", Place(name), "Save it as CSV UTF-8") from error
    except csv.Error as error:
        raise InputRefused(f"no CSV: {error}", Place(name)) from error
    names = [text.strip().lower() for text in rows[0]] if rows else []
    missing = [column for column in COLUMNS if names.count(column) != 1]
    if missing:
        advice = f"The header has {', '.join(COLUMNS)}, each once"
        raise InputRefused(f"has no single column {missing[0]}", Place(name, 1), advice)
    found = [_read(dict(zip(names, row, strict=False)), len(row) == len(names), Place(name, number))
             for number, row in enumerate(rows[1:], start=2) if row]  # fmt: skip
    if not found:
        raise InputRefused("holds no deployments", Place(name))
    return found


def _read(cells: dict[str, str], complete: bool, place: Place) -> Deployment:
    if not complete:
        raise InputRefused("has more or fewer cells than the header", place)
    values = {column: cells[column].strip() for column in COLUMNS}
    for column, text in values.items():
        if len(text) > _LONGEST:
            raise InputRefused(f"is longer than {_LONGEST} characters", Place(place.file, place.row, column))
    try:
        values["deployed_at"] = in_utc(values["deployed_at"])
    except UsageError as error:
        raise InputRefused(str(error), Place(place.file, place.row, "deployed_at")) from error
    if not values["team"] and not values["application"]:
        raise InputRefused("names neither a team nor an application", place)
    return Deployment(**values)


def in_utc(text: str) -> str:
    """A time with its zone as ISO 8601 in UTC, to the second. Raises UsageError for anything that could be another time."""
    try:
        if not _TIME.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is no time with a zone: write 2026-11-13T16:40:00Z, or with +01:00 for Z"
        ) from None
