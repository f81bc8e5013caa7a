"""A question about spend: frozen, comparable, and the same in a URL, on the command line, and in Python."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any

from finops_core.errors import UsageError

GRAINS = ("none", "day", "week", "month", "quarter", "year")
OPERATORS = ("=", "!=", "~", "!~", "in", "not in", "is null", "is not null")
_CONDITION = re.compile(
    r"^\s*(?P<dimension>.+?)(?:\s+(?P<word>not in|in)\s+|\s*(?P<sign>!=|!~|=|~)\s*)(?P<values>.*)$", re.S
)
_NULL = re.compile(r"^\s*(?P<dimension>.+?)\s+(?P<operator>is null|is not null)\s*$")


@dataclass(frozen=True)
class Condition:
    """A filter. `!=`, `!~` and `not in` keep rows without a value, so that a filter and its opposite make up the whole."""

    dimension: str
    operator: str
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise UsageError(f"there is no operator {self.operator!r}; known are {', '.join(OPERATORS)}")
        wanted = 0 if self.operator.startswith("is") else None if self.operator.endswith("in") else 1
        if wanted is not None and len(self.values) != wanted:
            raise UsageError(
                f"{self.dimension} {self.operator} takes {wanted} values, not {len(self.values)}"
            )

    def __str__(self) -> str:
        if not self.values and self.operator.startswith("is"):
            return f"{self.dimension} {self.operator}"
        if self.operator.endswith("in"):
            return f"{self.dimension} {self.operator} {','.join(_escape(v) for v in self.values)}"
        return f"{self.dimension}{self.operator}{self.values[0]}"

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Reads `Dim=value`, `Dim!=value`, `Dim in a,b`, `Dim~part`, `Dim is null` … Raises UsageError."""
        if match := _NULL.match(text):
            return cls(match["dimension"], match["operator"])
        match = _CONDITION.match(text)
        if match is None:
            raise UsageError(
                f"{text!r} is no condition: write Dim=value, Dim!=value, Dim in a,b, Dim~part or Dim is null"
            )
        operator = match["word"] or match["sign"]
        values = _split(match["values"]) if operator.endswith("in") else (match["values"],)
        return cls(match["dimension"], operator, values)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,")


def _split(text: str) -> tuple[str, ...]:
    """The values between commas; a backslash takes the next character as it is."""
    parts = [""]
    marked = False
    for character in text:
        if marked or character not in "\\,":
            parts[-1] += character
            marked = False
        elif character == ",":
            parts.append("")
        else:
            marked = True
    return tuple(parts)


Where = Mapping[str, Any] | Iterable[Condition | str] | None


def conditions(where: Where) -> tuple[Condition, ...]:
    """Conditions from a mapping (value, list of values, or None for null), from texts, or as they are."""
    if where is None:
        return ()
    if isinstance(where, Mapping):
        return tuple(_from_value(name, value) for name, value in where.items())
    return tuple(c if isinstance(c, Condition) else Condition.parse(c) for c in where)


def _from_value(name: str, value: Any) -> Condition:
    if value is None:
        return Condition(name, "is null")
    if isinstance(value, (list, tuple, set)):
        return Condition(name, "in", tuple(str(v) for v in value))
    return Condition(name, "=", (str(value),))


@dataclass(frozen=True)
class Query:
    """Metrics, by dimensions and time, over filtered charges of a half-open range of days [start, end)."""

    metrics: tuple[str, ...] | str | Sequence[str]
    by: tuple[str, ...] | Sequence[str] = ()
    grain: str = "none"
    where: tuple[Condition, ...] | Where = ()
    start: date | None = None
    end: date | None = None
    order: str | None = None
    """A column of the answer, `-column` for descending."""
    limit: int | None = field(default=None)

    def __post_init__(self) -> None:
        metrics = (self.metrics,) if isinstance(self.metrics, str) else tuple(self.metrics)
        by = (self.by,) if isinstance(self.by, str) else tuple(self.by)
        object.__setattr__(self, "metrics", metrics)
        object.__setattr__(self, "by", by)
        object.__setattr__(self, "where", conditions(self.where))
        object.__setattr__(self, "start", _day(self.start))
        object.__setattr__(self, "end", _day(self.end))
        if not metrics:
            raise UsageError("a query needs a metric")
        if self.grain not in GRAINS:
            raise UsageError(f"there is no grain {self.grain!r}; known are {', '.join(GRAINS)}")
        if self.start and self.end and self.start >= self.end:
            raise UsageError(f"the range from {self.start} to {self.end} holds no day (the end is excluded)")
        if self.limit is not None and self.limit < 0:
            raise UsageError("a limit cannot be negative")

    def to_params(self) -> dict[str, str | list[str]]:
        """As the parameters of a URL; `from_params` reads them back to an equal Query."""
        params: dict[str, str | list[str]] = {"metric": list(self.metrics)}
        if self.by:
            params["by"] = list(self.by)
        if self.grain != "none":
            params["grain"] = self.grain
        if self.where:
            params["where"] = [str(c) for c in conditions(self.where)]
        for name, value in (
            ("from", self.start),
            ("to", self.end),
            ("order", self.order),
            ("limit", self.limit),
        ):
            if value is not None:
                params[name] = str(value)
        return params

    @classmethod
    def from_params(cls, params: Mapping[str, str | Sequence[str]]) -> "Query":
        """From the parameters of a URL. Raises UsageError for what cannot be read."""

        def many(name: str) -> list[str]:
            value = params.get(name, ())
            return [value] if isinstance(value, str) else list(value)

        def one(name: str) -> str | None:
            return next(iter(many(name)), None)

        limit = one("limit")
        if limit is not None and not limit.isdecimal():
            raise UsageError(f"the limit {limit!r} is no number")
        return cls(
            metrics=tuple(many("metric")) or ("EffectiveCost",),
            by=tuple(many("by")),
            grain=one("grain") or "none",
            where=tuple(Condition.parse(text) for text in many("where")),
            start=_day(one("from")),
            end=_day(one("to")),
            order=one("order"),
            limit=int(limit) if limit is not None else None,
        )

    def but(self, **changes: Any) -> "Query":
        """The same question with some parts changed."""
        unknown = set(changes) - {f.name for f in fields(self)}
        if unknown:
            raise UsageError(f"a query has no {sorted(unknown)[0]!r}")
        return replace(self, **changes)


def _day(value: Any) -> date | None:
    if value is None or isinstance(value, date):
        return value
    text = str(value)
    try:
        return date.fromisoformat(f"{text}-01" if re.fullmatch(r"\d{4}-\d{2}", text) else text)
    except ValueError:
        raise UsageError(f"{text!r} is no date: write 2026-09-01") from None
