"""Reads chosen columns of a table as text, and text as exact quantities and UTC days; each refusal names row and column."""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import duckdb
import polars

from finops_core.allocation.drivers.driver import WEIGHT
from finops_core.errors import InputRefused, Place
from finops_core.formats.expressions import identifier
from finops_core.ingest.files import Examined, ExportFile, damage_in_words, examine, refuse
from finops_core.ingest.read import read

ROW = "x_Row"
PLACES = Decimal(1).scaleb(-18)
LARGEST = Decimal(10) ** 20
ROUNDING = Context(prec=80, rounding=ROUND_HALF_EVEN)
_PLAIN = r"^[0-9]{1,19}(\.[0-9]{1,18})?$"
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:.*)?")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}(-01)?")
_YEARS = range(1970, 2200)

Chosen = Mapping[str, str]
"""Our name of a column → the file's."""


@dataclass(frozen=True)
class Rows:
    """Rows of a table: x_Row (as a spreadsheet counts) and the chosen columns under our names, as text without blanks
    around it; null where the cell is empty."""

    table: Examined
    columns: Chosen
    frame: polars.DataFrame

    def refuse(self, what: str, row: int | None, column: str | None, advice: str = "") -> InputRefused:
        """A refusal of a cell, its column under our name."""
        return refuse(self.table, what, advice, row, self.columns[column] if column else None)

    def where(self, holds: polars.Expr) -> "Rows":
        return Rows(self.table, self.columns, self.frame.filter(holds))


def tables(file: Path, choose: Callable[[Examined], Chosen]) -> Iterator[Rows]:
    """The chosen columns of a CSV (perhaps zipped) or a parquet file. Raises InputRefused."""
    for table in examine(ExportFile(file, file.name)):
        if table.header.kind == "json":
            raise refuse(table, "JSON has no columns for this driver", "Give it a CSV or a parquet file")
        chosen = choose(table)
        with TemporaryDirectory() as workspace, duckdb.connect() as connection, damage_in_words(table):
            raw = read(table, Path(workspace), connection)
            sql = {column.name: column.sql for column in raw.header.columns}
            cells = "".join(
                f", nullif(trim(CAST({sql[name]} AS VARCHAR)), '') AS {identifier(ours)}"
                for ours, name in chosen.items()
            )
            found = connection.sql(f"SELECT {ROW}{cells} FROM {raw.relation} ORDER BY {ROW}").to_arrow_table()
        yield Rows(table, chosen, cast(polars.DataFrame, polars.from_arrow(found)))


def column(table: Examined, name: str) -> str:
    """The column of this name, in any spelling of upper and lower case. Raises InputRefused that names the nearest."""
    names = {n.strip().lower(): n for n in table.header.names} | {n: n for n in table.header.names}
    found = names.get(name) or names.get(name.strip().lower())
    if found is None:
        near = difflib.get_close_matches(name, table.header.names, 1, 0.4)
        advice = f"Is it {near[0]!r}?" if near else f"It has {', '.join(table.header.names[:12])}"
        raise refuse(table, f"there is no column {name!r}", advice, row=1)
    return found


def quantities(rows: Rows, name: str) -> polars.Series:
    """A column of quantities as Decimal(38,18): exact, 0 or more; what has more digits after the point is rounded at the
    18th, half to even. Raises InputRefused for blanks, words, NaN, and what is negative or 10²⁰ or more."""
    cells = rows.frame[name].cast(polars.String)
    plain = cells.str.contains(_PLAIN).fill_null(False)
    found = cells.set(~plain, None).cast(WEIGHT)
    if not plain.all():
        numbers = rows.frame.select(ROW, cells).filter(~plain)
        rest = [_quantity(rows, name, row, text) for row, text in numbers.iter_rows()]
        found = found.scatter(plain.not_().arg_true(), polars.Series(rest, dtype=WEIGHT))
    if (found.cast(polars.Float64).sum() or 0) > float(LARGEST) * 0.99:
        raise rows.refuse("the quantities are too large to add up", None, name, "Choose a larger unit")
    return found


def _quantity(rows: Rows, name: str, row: int, text: str | None) -> Decimal:
    if text is None:
        raise rows.refuse("holds no quantity", row, name, "Write 0 where nothing was used")
    try:
        return quantity(text)
    except ValueError as error:
        raise rows.refuse(str(error), row, name) from None


def quantity(text: str | Decimal) -> Decimal:
    """One quantity, as `quantities` reads a column. Raises ValueError."""
    value = number(text)
    if value < 0:
        raise ValueError(f"{text} is negative, and usage never is")
    return value


def number(text: str | Decimal) -> Decimal:
    """A number of either sign. Raises ValueError."""
    if isinstance(text, str) and not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no number: write it with a decimal point and no thousands mark")
    try:
        value = ROUNDING.quantize(Decimal(text), PLACES)
    except InvalidOperation:
        raise ValueError(f"{text} is no number of less than 10^20") from None
    if abs(value) >= LARGEST:
        raise ValueError(f"{text} is too large: choose a larger unit")
    return value


def days(rows: Rows, name: str, months: bool = False) -> polars.Series:
    """A column of days (or of months, as their first day) as Date; moments count on their UTC day. Raises InputRefused."""
    cells = rows.frame[name].cast(polars.String)
    read: dict[str, date] = {}
    for text in cells.unique():
        try:
            read[text] = _month(text) if months else moment(text).date()
        except ValueError as error:
            row = rows.frame.filter(cells.eq_missing(text))[ROW][0]
            raise rows.refuse(str(error), row, name) from None
    return cells.replace_strict(list(read), list(read.values()), return_dtype=polars.Date)


@lru_cache(4096)
def moment(text: str | None) -> datetime:
    """An ISO date or time as a moment in UTC; without an offset it is one in UTC already. Raises ValueError."""
    try:
        if text is None or not _MOMENT.fullmatch(text):
            raise ValueError
        found = datetime.fromisoformat(text.removesuffix(" UTC"))
        if found.year not in _YEARS:
            raise ValueError
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        what = f"{text!r} is no date" if text else "holds no date"
        raise ValueError(f"{what}: write 2026-03-01") from None


def _month(text: str | None) -> date:
    try:
        if text is None or not _MONTH.fullmatch(text[:10]):
            raise ValueError
        if int(text[:4]) not in _YEARS:
            raise ValueError
        return date.fromisoformat(f"{text[:7]}-01")
    except ValueError:
        what = f"{text!r} is no month" if text else "holds no month"
        raise ValueError(f"{what}: write 2026-03") from None


def refuse_days_twice(found: Mapping[str, polars.Series]) -> None:
    """Raises InputRefused where a day stands in two files of one driver: it would count twice."""
    seen: dict[date, str] = {}
    for name, column_of_days in found.items():
        for day in column_of_days.unique().sort():
            if day in seen:
                raise InputRefused(
                    f"the day {day} is also in {seen[day]}", Place(name), "Leave one of the two files out"
                )
        seen |= dict.fromkeys(column_of_days.unique(), name)
