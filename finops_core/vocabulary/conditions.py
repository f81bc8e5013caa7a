"""Filters: conditions on dimensions, and their and, or and not. Frozen, hashable, and the same after a way through text.

How they are written, and how a text is read, says `finops_core.vocabulary.where`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from finops_core.errors import UsageError
from finops_core.vocabulary.dimensions import TAG, canonical, filterable, is_text, tag_key

_ONE = {"=", "!=", "~", "!~", "^=", "!^=", ">=", ">", "<", "<=", "matches", "not matches"}
_MANY = {"in", "not in"}
_NONE = {"is null", "is not null"}
RANGES = (">=", ">", "<", "<=", "between")
OPERATORS = (
    *("=", "!=", "~", "!~", "^=", "!^=", "in", "not in", "matches", "not matches"),
    *RANGES,
    *("is null", "is not null"),
)
OPPOSITES = {
    "=": "!=",
    "~": "!~",
    "^=": "!^=",
    "in": "not in",
    "matches": "not matches",
    "is null": "is not null",
}
"""Operator → the one that keeps all other rows, those without a value among them."""
_WORDS = {
    "=": "is",
    "!=": "is not",
    "in": "is",
    "not in": "is not",
    "~": "contains",
    "!~": "does not contain",
    "^=": "begins with",
    "!^=": "does not begin with",
    "matches": "matches",
    "not matches": "does not match",
    ">=": "is at least",
    ">": "is more than",
    "<": "is less than",
    "<=": "is at most",
    "between": "is between",
    "is null": "is empty",
    "is not null": "is not empty",
}
_PLAIN_KEY = re.compile(r"(?!(?i:and|or)$)[\w./:@+-]+")
_SPECIAL = re.compile(r'["\\(),]|^[=~^<>!]|\b(?:and|or|not)\b|\bis\s+(?:not\s+)?null$', re.I)


@dataclass(frozen=True)
class Condition:
    """A filter on one dimension.

    `!=`, `!~`, `!^=`, `not in` and `not matches` keep rows without a value, so that a filter and its opposite make up
    the whole. `~` and `^=` take upper and lower case for the same; `matches` is a regular expression (RE2) found
    anywhere in the value. `between` includes both ends; a day as the upper end of times is that whole day.
    Raises UsageError for a dimension or an operator that does not exist, and for a wrong number of values.
    """

    dimension: str
    operator: str
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise UsageError(f"there is no operator {self.operator!r}; known are {', '.join(OPERATORS)}")
        name = canonical(self.dimension)
        filterable(name)
        object.__setattr__(self, "dimension", name)
        object.__setattr__(self, "values", tuple(self.values))
        for text in (name, *self.values):
            if not is_text(text):
                raise UsageError(f"{text!r} is no text: a part of it is no character")
        wanted = 0 if self.operator in _NONE else 2 if self.operator == "between" else 1
        if self.operator not in _MANY and len(self.values) != wanted:
            raise UsageError(
                f"{self.dimension} {self.operator} takes {wanted} value{'s' * (wanted != 1)}, not {len(self.values)}"
            )

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that are asked about."""
        return (self.dimension,)

    def __str__(self) -> str:
        name = _written_name(self.dimension)
        written = [quoted(value) for value in self.values]
        if self.operator in _NONE:
            return f"{name} {self.operator}"
        if self.operator in _MANY:
            return f"{name} {self.operator} {','.join(written) or '()'}"
        if self.operator == "between":
            return f"{name} between {written[0]} and {written[1]}"
        blank = " " if self.operator[-1].isalpha() else ""
        return f"{name}{blank}{self.operator}{blank}{written[0]}"

    def in_words(self) -> str:
        """For people: `Service is A, B, C and 2 more`."""
        values = " and ".join(self.values) if self.operator == "between" else ", ".join(self.values[:3])
        if len(self.values) > 3:
            values += f" and {len(self.values) - 3} more"
        return f"{filterable(self.dimension).label} {_WORDS[self.operator]} {values}".strip()

    @staticmethod
    def parse(text: str) -> "Node":
        """Reads `Dim=value`, `Dim in a,b`, `(A=1 or B~x) and not C is null` …: see `finops_core.vocabulary.where`."""
        from finops_core.vocabulary.where import parse  # which reads into these classes

        return parse(text)


class _Joined:
    """What AnyOf and AllOf have in common."""

    parts: "tuple[Node, ...]"
    word = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        if len(self.parts) < 2:
            raise UsageError(f"{type(self).__name__} joins two conditions or more, not {len(self.parts)}")

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that are asked about, each once."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.dimensions))

    def __str__(self) -> str:
        return f" {self.word} ".join(_enclosed(part, str(part)) for part in self.parts)

    def in_words(self) -> str:
        """For people: `Service is A or Region is B`."""
        return f" {self.word} ".join(_enclosed(part, part.in_words()) for part in self.parts)


@dataclass(frozen=True)
class AnyOf(_Joined):
    """At least one of the parts holds."""

    parts: "tuple[Node, ...]"
    word = "or"


@dataclass(frozen=True)
class AllOf(_Joined):
    """All of the parts hold."""

    parts: "tuple[Node, ...]"
    word = "and"


@dataclass(frozen=True)
class Not:
    """Every row that the part does not keep, those without a value among them."""

    part: "Node"

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that are asked about."""
        return self.part.dimensions

    def __str__(self) -> str:
        return f"not {_enclosed(self.part, str(self.part))}"

    def in_words(self) -> str:
        """For people: `not (Service is A)`."""
        return f"not ({self.part.in_words()})"


Node = Condition | AnyOf | AllOf | Not
Where = Mapping[str, Any] | Iterable[Node | str] | Node | str | None


def conditions(where: Where) -> tuple[Node, ...]:
    """Conditions that must all hold, from a mapping (value, list of values, or None for null), from texts, or as they are."""
    if where is None:
        return ()
    if isinstance(where, Mapping):
        return tuple(_from_value(name, value) for name, value in where.items())
    if isinstance(where, (str, Condition, AnyOf, AllOf, Not)):
        where = (where,)
    return tuple(Condition.parse(c) if isinstance(c, str) else c for c in where)


def quoted(value: str) -> str:
    """A value as it is written in a condition: in quotes where it could be read otherwise."""
    plain = value and value == value.strip() and value.isprintable() and not _SPECIAL.search(value)
    return value if plain else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _written_name(name: str) -> str:
    if not name.startswith(TAG):
        return name
    key = tag_key(name)
    return (
        name if _PLAIN_KEY.fullmatch(key) else TAG + '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )


def _enclosed(part: Node, text: str) -> str:
    return f"({text})" if isinstance(part, (AnyOf, AllOf)) else text


def _from_value(name: str, value: Any) -> Node:
    if value is None:
        return Condition(name, "is null")
    if isinstance(value, (list, tuple, set, frozenset)):
        some = Condition(name, "in", tuple(str(v) for v in value if v is not None))
        if None not in value:
            return some
        missing = Condition(name, "is null")
        return AnyOf((some, missing)) if some.values else missing
    return Condition(name, "=", (str(value),))
