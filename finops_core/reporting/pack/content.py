"""What a section of the pack is made of: words and tables, the same for every form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars

from finops_core.analysis.cents import rounded
from finops_core.model import words
from finops_core.reporting.situation import Situation

TEXT, MONEY, CHANGE, SHARE, COUNT, DAY = "text", "money", "change", "share", "count", "day"
Value = str | Decimal | int | date | None


@dataclass(frozen=True)
class Column:
    """A column: its label, how its values are written, and how wide it is beside the others."""

    label: str
    kind: str = TEXT
    weight: float = 1.0


@dataclass(frozen=True)
class Table:
    """Rows of exact values; `total` closes them. Money is written to the cent, each value rounded by itself."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    total: Sequence[Value] | None = None


@dataclass(frozen=True)
class Part:
    """What a section says."""

    words: Sequence[str] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True)
class Document:
    """What is written in a form: titles with their parts, and what the figures are of."""

    title: str
    provenance: str
    day: date
    """As of when; the same document has the same bytes."""
    parts: Sequence[tuple[str, Part]]


@dataclass(frozen=True)
class Section:
    """A section: its place, its title, and how it is made of a situation. Without anything to say it returns None."""

    name: str
    title: str
    order: int
    make: Callable[[Situation], Part | None]


def summed(values: polars.Series) -> Decimal:
    """The exact sum of a column of money; 0 of nothing."""
    return Decimal(values.sum() or 0)


def written(value: Value, kind: str) -> str:
    """A value for reading: money to the cent with thousands apart, shares as percent."""
    if value is None:
        return ""
    if isinstance(value, date):
        return f"{value.day} {value:%b %Y}"
    if kind in (MONEY, CHANGE) and isinstance(value, Decimal):
        cents = rounded(value)
        text = f"{abs(cents):,.2f}"
        return f"{words.MINUS}{text}" if cents < 0 else f"+{text}" if kind == CHANGE and cents > 0 else text
    if kind == SHARE and isinstance(value, Decimal):
        return words.percent(value)
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,f}"
