"""What a mapping may say; docs/how-to/any-csv.md explains it to those who write one."""

import difflib
import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from finops_core.focus.columns import FOCUS_COLUMNS
from finops_core.formats.custom import dates

_SET_ELSEWHERE = {
    "BilledCost": "cost",
    "EffectiveCost": "effective_cost",
    "BillingCurrency": "currency",
    "ChargePeriodStart": "date",
    "ChargePeriodEnd": "date_end",
    "BillingPeriodStart": "billing_period",
    "BillingPeriodEnd": "billing_period",
    "ChargeCategory": "category",
    "ProviderName": "provider",
    "Tags": "tags",
}


def spell(name: str) -> str:
    """How names of columns, and values of maps, are compared: in lower case, without blanks around them."""
    return name.strip().lower()


def _text(text: str) -> str:
    text = text.strip()
    if not text:
        raise ValueError("must not be empty")
    if "\x00" in text or "\x1f" in text:
        raise ValueError("holds control characters")
    return text


def _column_name(text: str) -> str:
    if "|" in text:
        raise ValueError("a column whose name holds | cannot be mapped: rename it in the file")
    return text


def _slug(text: str) -> str:
    if not re.fullmatch("[a-z0-9][a-z0-9_-]*", text):
        raise ValueError("may only hold small letters, digits, - and _")
    return text


def _date_form(text: str) -> str:
    if text not in dates.NAMED:
        dates.pattern(text)
    return text


Text = Annotated[str, AfterValidator(_text)]
ColumnName = Annotated[Text, AfterValidator(_column_name)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _from_column(data: Any) -> Any:
    return {"column": data} if isinstance(data, str) else data


class Cell(_Model):
    """Where a value comes from: a source column, perhaps translated by `map`, or a constant `value`."""

    column: ColumnName | None = None
    value: Text | None = None
    map: dict[Text, Text] = {}
    default: Text | None = None
    """For empty cells and, where there is a map, for values that it lacks."""

    _short = model_validator(mode="before")(_from_column)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.column is None) == (self.value is None):
            raise ValueError("needs either a column or a `value`")
        if self.value is not None and (self.map or self.default):
            raise ValueError("a constant has neither `map` nor `default`")
        if len({spell(key) for key in self.map}) < len(self.map):
            raise ValueError("`map` names a value twice: case and blanks do not count")
        return self

    def constants(self) -> tuple[str, ...]:
        """All values that the mapping itself states."""
        return tuple(v for v in (self.value, *self.map.values(), self.default) if v is not None)

    def currency(self, text: str) -> str:
        """The currency of a raw text, for the independent total."""
        if self.value is not None:
            return self.value.upper()
        mapped = {spell(key): value for key, value in self.map.items()}.get(spell(text))
        fallback = self.default if self.default and (self.map or not text.strip()) else text
        return (mapped or fallback).strip().upper()


class Day(_Model):
    """A column of dates and their form (`dates`)."""

    column: ColumnName
    format: Annotated[Text, AfterValidator(_date_form)] = "iso"

    _short = model_validator(mode="before")(_from_column)

    @property
    def unit(self) -> Literal["DAY", "MONTH"]:
        """How long a charge is that only has this date."""
        return "DAY" if dates.has_day(self.format) else "MONTH"

    def month(self, text: str) -> str:
        """YYYY-MM of a raw text, for the independent total."""
        return dates.month_of(text, self.format)


class LastDay(Day):
    """The end of a charge; `inclusive` where the last day (or month) still belongs to it."""

    inclusive: bool = False


class Mapping(_Model):
    """One vendor's CSV, as the YAML says it."""

    name: Annotated[Text, AfterValidator(_slug)]
    provider: Text
    match: Annotated[list[ColumnName], Field(min_length=1)]
    """Column names that must all be in a file's header for the mapping to take it."""
    cost: ColumnName
    effective_cost: ColumnName | None = None
    currency: Cell
    date: Day
    date_end: LastDay | None = None
    billing_period: Day | None = None
    """Where the bill's month is not the month of `date`."""
    category: Cell = Cell(value="Usage")
    columns: dict[Text, Cell] = {}
    """FOCUS column → where it comes from."""
    tags: dict[Text, ColumnName] = {}
    """Tag key → source column; in YAML also a list of columns that name their keys."""
    decimal: Literal[".", ","] = "."

    @model_validator(mode="before")
    @classmethod
    def _listed_tags(cls, data: Any) -> Any:
        tags = data.get("tags") if isinstance(data, dict) else None
        if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
            return {**data, "tags": {tag: tag for tag in tags}}
        return data

    @model_validator(mode="after")
    def _fits_focus(self) -> Self:
        _check_constants("category", "ChargeCategory", self.category)
        for name, cell in self.columns.items():
            _check_column(name)
            _check_constants(f"columns.{name}", name, cell)
        return self

    @property
    def bill(self) -> Day:
        """The date whose month is the billing period."""
        return self.billing_period or self.date

    def source_columns(self) -> tuple[str, ...]:
        """All source columns that the mapping reads, each once, as it was first written."""
        days = (self.date, self.date_end, self.billing_period)
        cells = (self.currency, self.category, *self.columns.values())
        named = [
            self.cost,
            self.effective_cost,
            *(day.column for day in days if day),
            *(cell.column for cell in cells),
            *self.tags.values(),
        ]
        found: dict[str, str] = {}
        for name in named:
            if name is not None:
                found.setdefault(spell(name), name)
        return tuple(found.values())


def allowed(column: str) -> tuple[str, ...]:
    """The closed list of a FOCUS column's values; empty where any text will do."""
    return tuple(value for value in FOCUS_COLUMNS[column].allowed_values if value != "null")


def _check_column(name: str) -> None:
    if name in _SET_ELSEWHERE:
        raise ValueError(f"columns: {name} is set by `{_SET_ELSEWHERE[name]}`")
    if name not in FOCUS_COLUMNS:
        near = difflib.get_close_matches(name, FOCUS_COLUMNS, 1, 0.5)
        raise ValueError(f"columns: {name} is no FOCUS column" + (f"; {near[0]}?" if near else ""))
    if FOCUS_COLUMNS[name].type == "JSON":
        raise ValueError(f"columns: {name} holds JSON and cannot be mapped")


def _check_constants(where: str, column: str, cell: Cell) -> None:
    for constant in cell.constants():
        if allowed(column) and constant not in allowed(column):
            raise ValueError(f"{where}: {constant!r} is none of {', '.join(allowed(column))}")
        if FOCUS_COLUMNS[column].type == "Decimal" and not _is_decimal(constant):
            raise ValueError(f"{where}: {constant!r} is not a number")


def _is_decimal(text: str) -> bool:
    try:
        return Decimal(text).is_finite() and text.isascii() and "_" not in text
    except InvalidOperation:
        return False
