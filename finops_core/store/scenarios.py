"""Scenarios: named sets of dated adjustments to a forecast, kept in state, and as YAML between people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from finops_core.errors import InputRefused, Place, UsageError
from finops_core.store.state import State

_KIND = "scenario"
KINDS = {
    "growth": "the cost grows by so many percent a month, compounding",
    "price": "the cost changes by so many percent from the first day on",
    "launch": "so much is added a month (a launch), or saved (below 0)",
    "migration": "so many percent of the cost go over to what `to` names, evenly from the first to the last day",
    "expiry": "a commitment ends: what it covered is paid at the contracted price",
}


class Adjustment(BaseModel):
    """One dated change of what is expected."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    start: date
    end: date | None = None
    """The last day, included; None for all time after `start`."""
    where: tuple[str, ...] = ()
    """Conditions as in queries, of what changes."""
    percent: Decimal | None = None
    amount: Decimal | None = None
    """Currency per month, in `currency`."""
    currency: str | None = None
    to: Mapping[str, str] = Field(default_factory=dict)
    """Dimension → member that a migration goes to, or that a launch is booked on."""
    note: str = ""

    @model_validator(mode="after")
    def _complete(self) -> "Adjustment":
        if self.kind not in KINDS:
            raise ValueError(f"there is no kind {self.kind!r}; known are {', '.join(KINDS)}")
        if self.end is not None and self.end < self.start:
            raise ValueError("the last day is before the first")
        if self.kind in ("growth", "price", "migration") and self.percent is None:
            raise ValueError(f"a {self.kind} needs a percent")
        if self.kind == "launch" and (self.amount is None or not self.currency):
            raise ValueError("a launch needs an amount a month and its currency")
        if self.kind == "migration" and (
            not self.to or self.end is None or not 0 <= (self.percent or 0) <= 100
        ):
            raise ValueError("a migration needs where it goes (`to`), a last day, and 0 to 100 percent")
        if self.kind == "expiry" and not self.where:
            raise ValueError(
                "an expiry needs conditions that name the commitment, such as CommitmentDiscountId=…"
            )
        return self


@dataclass(frozen=True)
class Scenario:
    """A name, and what is expected otherwise."""

    name: str
    adjustments: tuple[Adjustment, ...] = ()
    description: str = ""
    owner: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > 100:
            raise UsageError("a scenario needs a name of at most 100 characters")


def scenarios(state: State) -> list[Scenario]:
    """All scenarios, by name."""
    return [
        Scenario(name, _adjustments(kept.record["adjustments"]), kept.record["description"], kept.entered_by)
        for name, kept in state.kept(_KIND).items()
    ]


def scenario(state: State, name: str) -> Scenario:
    """The scenario of a name. Raises UsageError where there is none."""
    found = {s.name: s for s in scenarios(state)}
    if name not in found:
        raise UsageError(f"there is no scenario {name!r}; known are {', '.join(found) or 'none'}")
    return found[name]


def save(state: State, found: Scenario, who: str) -> None:
    """Keeps a scenario; one of the same name is replaced."""
    record = {
        "description": found.description,
        "adjustments": [a.model_dump(mode="json", exclude_defaults=True) for a in found.adjustments],
    }
    state.keep(_KIND, {found.name: record}, who)


def remove(state: State, name: str, who: str) -> None:
    """Takes a scenario back. Raises UsageError where there is none of the name."""
    scenario(state, name)
    state.keep(_KIND, {name: None}, who)


def to_yaml(found: Scenario) -> str:
    """A scenario as people hand it on."""
    record = {
        "name": found.name,
        "description": found.description,
        "adjustments": [a.model_dump(mode="json", exclude_defaults=True) for a in found.adjustments],
    }
    return yaml.safe_dump(record, sort_keys=False, allow_unicode=True)


def from_yaml(text: str, file: str = "scenario.yaml") -> Scenario:
    """Reads a scenario. Raises InputRefused with the place of what is wrong."""
    try:
        told = yaml.load(text, yaml.BaseLoader)  # everything as text: the model reads days and numbers
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(file, line=mark.line + 1 if mark else None)
        raise InputRefused("this is no YAML", place) from error
    if not isinstance(told, dict) or set(told) - {"name", "description", "adjustments"}:
        raise InputRefused("a scenario has a name, a description and adjustments", Place(file))
    if not isinstance(told.get("adjustments", []), list):
        raise InputRefused("adjustments are a list", Place(file))
    return Scenario(
        str(told.get("name", "")),
        _adjustments(told.get("adjustments", []), file),
        str(told.get("description", "")),
    )


def adjustment(record: Mapping[str, Any]) -> Adjustment:
    """One adjustment as it was typed. Raises InputRefused with what is wrong."""
    return _adjustments([dict(record)])[0]


def _adjustments(records: list[Any], file: str = "scenario") -> tuple[Adjustment, ...]:
    found = []
    for number, record in enumerate(records, 1):
        try:
            found.append(Adjustment.model_validate(record))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            words = first["msg"].removeprefix("Value error, ")
            raise InputRefused(
                f"adjustment {number}{f', {where}' if where else ''}: {words}", Place(file)
            ) from error
    return tuple(found)
