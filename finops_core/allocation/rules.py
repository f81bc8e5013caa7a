"""Allocation rules and shared pools, as they are written in allocation.yaml.

Entries of one name are revisions of one rule: on a day, that of the latest `from` on or before it is in force. A rule's place
in the order is that of its first entry. Days are those of ChargePeriodStart (UTC); `to` is excluded.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from finops_core.allocation import methods, values
from finops_core.allocation.drivers import DriverSpec
from finops_core.allocation.kinds import is_applied, readable
from finops_core.allocation.methods import POOL, AnyMethod, Method
from finops_core.allocation.patterns import pattern
from finops_core.errors import FarthingError
from finops_core.focus.charges import ALLOCATION_COLUMNS, OWNER_COLUMNS
from finops_core.vocabulary.conditions import AllOf, AnyOf, Condition, Node, Not, conditions

CENTRAL = "central"
"""As a fallback: the cost stays with nobody."""


def _conditions(written: Any, info: ValidationInfo) -> tuple[Node, ...]:
    """Conditions from a text, a list of texts, or a mapping. Raises ValueError."""
    try:
        found = conditions(written)
        forbidden = set(ALLOCATION_COLUMNS) & {name for node in found for name in node.dimensions}
        for node in found:
            _check_patterns(node, is_applied(info))
    except FarthingError as error:
        raise ValueError(str(error)) from error
    except (TypeError, AttributeError) as error:
        raise ValueError("is a condition such as ServiceName=A, or a list of conditions") from error
    if not found:
        raise ValueError("holds no condition: leave `when` away where a rule is for all charges")
    if forbidden:
        raise ValueError(f"{sorted(forbidden)[0]} is what rules find: it cannot be asked for")
    return found


def _check_patterns(node: Node, applied: bool) -> None:
    if isinstance(node, Not):
        _check_patterns(node.part, applied)
    elif isinstance(node, (AnyOf, AllOf)):
        for part in node.parts:
            _check_patterns(part, applied)
    elif isinstance(node, Condition) and node.operator in ("matches", "not matches"):
        pattern(node.values[0], applied)


def _day(written: Any, info: ValidationInfo) -> Any:
    """A day is written out: a number alone would be taken for seconds since 1970, as it was once."""
    if is_applied(info):
        return written
    if isinstance(written, str) and not re.fullmatch(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T00:00:00Z?)?", written.strip()
    ):
        raise ValueError(f"{written!r} is no date: write 2026-09-01")
    return written.strip() if isinstance(written, str) else written


Day = Annotated[date, BeforeValidator(_day)]
When = Annotated[Any, BeforeValidator(_conditions)]
OwnerColumn = Annotated[str, BeforeValidator(lambda name: _owner_column(name))]
Name = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$"), AfterValidator(readable)
]


def _owner_column(name: Any) -> Any:
    if name not in OWNER_COLUMNS:
        raise ValueError(f"{name!r} is no owner column; known are {', '.join(OWNER_COLUMNS)}")
    return name


class _Dated(BaseModel):
    """What is in force on days [from, to)."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    name: Name
    since: Day | None = Field(default=None, alias="from")
    until: Day | None = Field(default=None, alias="to")
    when: When = ()
    description: str = ""

    @model_validator(mode="after")
    def _some_days(self) -> "_Dated":
        if self.since and self.until and self.since >= self.until:
            raise ValueError(f"from {self.since} to {self.until} holds no day (the end is excluded)")
        return self


class Rule(_Dated):
    """Names the owner of the charges that fulfil all its conditions: owner column → where its value comes from."""

    set: dict[OwnerColumn, Annotated[values.Value, BeforeValidator(values.parse)]] = Field(min_length=1)


def _fallback(written: Any, info: ValidationInfo) -> Any:
    return CENTRAL if written == CENTRAL else methods.parse(written, info)


class Pool(_Dated):
    """Cost that is shared: the charges that fulfil all the conditions, split over the consumers of a method.

    Where the method has no facts for a day, the fallback splits, then all consumers of the month evenly.
    """

    when: When
    over: OwnerColumn = "x_Team"
    split: AnyMethod
    fallback: Annotated[Any, BeforeValidator(_fallback)] = Field(
        default_factory=lambda: methods.kinds()["direct"].model_validate({"direct": "all"})
    )
    why: str = ""
    approved_by: str = ""

    def methods(self) -> tuple[Method, ...]:
        """The method and, unless the cost then stays central, the fallback."""
        return (self.split, self.fallback) if isinstance(self.fallback, Method) else (self.split,)

    def drivers(self) -> tuple[DriverSpec, ...]:
        """What it is split by that is measured, by its method and by its fallback."""
        return tuple(spec for method in self.methods() for spec in method.drivers())

    def feeds(self) -> tuple[str, ...]:
        """The names of other pools that may get a part of it."""
        return tuple(
            dict.fromkeys(
                n.removeprefix(POOL) for m in self.methods() for n in m.names() if n.startswith(POOL)
            )
        )


class Directory(BaseModel):
    """A file of facts about owners: CSV, or a YAML list; a column is its key. Columns `from` and `to` date its rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    file: str = Field(pattern=r"^[\w][\w. -]*\.(csv|yaml|yml)$")
    key: str


class _Lookup(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    directory: str
    field: str


class Rules(BaseModel):
    """All of allocation.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    owner: OwnerColumn = "x_Team"
    """The column that says whether a charge is allocated."""
    directories: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Directory] = {}
    rules: list[Rule] = []
    consumers: dict[OwnerColumn, _Lookup] = {}
    """What else is known of who shares a pool: owner column → the directory that has it by the consumer's name."""
    pools: list[Pool] = []


Entry = TypeVar("Entry", bound=_Dated)


def in_order(entries: Sequence[Entry]) -> list[Entry]:
    """The revisions of all rules, each with the days on which it is in force, in the order in which they are asked."""
    places = {entry.name: place for place, entry in reversed(list(enumerate(entries)))}
    found = []
    for entry in entries:
        later = [
            other.since
            for other in entries
            if other.name == entry.name and other.since and (entry.since is None or other.since > entry.since)
        ]
        ends = [day for day in (entry.until, *later) if day is not None]
        until = min(ends) if ends else None
        if entry.since is None or until is None or entry.since < until:
            found.append(entry.model_copy(update={"until": until}))
    return sorted(found, key=lambda entry: places[entry.name])


def twice(entries: Iterable[_Dated]) -> tuple[int, str] | None:
    """The first entry that has name and `from` of an earlier one: its place and the words for it."""
    seen = set()
    for place, entry in enumerate(entries):
        if (entry.name, entry.since) in seen:
            return place, f"there are two entries {entry.name!r} from {entry.since or 'the beginning'}"
        seen.add((entry.name, entry.since))
    return None
