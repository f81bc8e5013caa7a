"""A question about spend: frozen, comparable, and the same in a URL, on the command line, and in Python."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any

from finops_core.errors import UsageError
from finops_core.vocabulary.conditions import AllOf, AnyOf, Condition, Node, Not, Where, conditions
from finops_core.vocabulary.dimensions import canonical

__all__ = ["GRAINS", "AllOf", "AnyOf", "Condition", "Node", "Not", "Query", "Where", "conditions"]

GRAINS = ("none", "day", "week", "month", "quarter", "year")


@dataclass(frozen=True)
class Query:
    """Metrics, by dimensions and time, over filtered charges of a half-open range of days [start, end)."""

    metrics: tuple[str, ...] | str | Sequence[str]
    by: tuple[str, ...] | Sequence[str] = ()
    grain: str = "none"
    where: tuple[Node, ...] | Where = ()
    start: date | None = None
    end: date | None = None
    order: str | None = None
    """A column of the answer, `-column` for descending."""
    limit: int | None = field(default=None)
    allocated: bool = False
    """Whether the cost of shared pools is split over those who share it (see `finops_core.store.sharing`)."""

    def __post_init__(self) -> None:
        metrics = (self.metrics,) if isinstance(self.metrics, str) else tuple(dict.fromkeys(self.metrics))
        by = tuple(dict.fromkeys(canonical(n) for n in ((self.by,) if isinstance(self.by, str) else self.by)))
        object.__setattr__(self, "metrics", metrics)
        object.__setattr__(self, "by", by)
        object.__setattr__(self, "where", conditions(self.where))
        object.__setattr__(self, "start", _day(self.start))
        object.__setattr__(self, "end", _day(self.end))
        if not metrics:
            raise UsageError("a query needs a metric")
        for name in set(metrics) & set(by):
            raise UsageError(f"{name} cannot be measured and grouped by in one query: ask for one of the two")
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
        if self.allocated:
            params["allocated"] = "yes"
        return params

    @classmethod
    def from_params(cls, params: Mapping[str, str | Sequence[str]]) -> "Query":
        """From the parameters of a URL. Raises UsageError for what cannot be read."""

        def many(name: str) -> list[str]:
            value = params.get(name, ())
            return [value] if isinstance(value, str) else list(value)

        def one(name: str) -> str | None:
            return next(iter(many(name)), None)

        limit, allocated = one("limit"), one("allocated")
        if allocated not in (None, "yes", "no"):
            raise UsageError(f"allocated is yes or no, not {allocated!r}")
        if limit is not None and not limit.isdecimal():
            raise UsageError(f"the limit {limit!r} is no number")
        return cls(
            metrics=tuple(many("metric")) or ("EffectiveCost",),
            by=tuple(many("by")),
            grain=one("grain") or "none",
            where=tuple(many("where")),
            start=_day(one("from")),
            end=_day(one("to")),
            order=one("order"),
            limit=int(limit) if limit is not None else None,
            allocated=allocated == "yes",
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
