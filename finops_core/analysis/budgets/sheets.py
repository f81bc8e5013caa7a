"""The shape of a budget sheet: where its table begins, which columns are months, totals, or say what a line is."""

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

from finops_core.allocation.spreadsheets import cells_of
from finops_core.analysis.budgets.cells import Forms, month
from finops_core.errors import InputRefused, Place, UsageError

_LOOKED_AT = 60
PERIOD, AMOUNT = "period", "amount"
ROLES = ("name", "owner", "metric", "where", "currency", "version", "note", PERIOD, AMOUNT)
_ROLE_NAMES = {
    "name": ("name", "budget name", "budget line"),
    "owner": ("owner", "budget owner", "responsible"),
    "metric": ("metric", "cost metric"),
    "where": ("where", "filter", "filters", "conditions"),
    "currency": ("currency", "ccy", "currency code", "billingcurrency", "billing currency"),
    "version": ("version", "scenario", "versions"),
    "note": ("note", "notes", "comment", "comments"),
    PERIOD: ("period", "month", "date", "time", "time period", "fiscal period", "billing period", "months"),
    AMOUNT: ("amount", "value", "budget", "budget amount", "plan", "planned", "planned amount", "forecast"),
}
_SUBJECTS = ("team", "cost center", "cost centre", "service")
_TOTAL_COLUMN = re.compile(
    r"fy ?'?\d{2,4}|20\d\d|(fy ?'?\d{2,4} ?)?[qh][1-4]( ?[-/']?(fy)? ?'?\d{2,4})?|20\d\d[- ]?[qh][1-4]|.*\btotals?|sum|ytd|full year|year",
    re.I,
)
_TOTAL_ROW = re.compile(r"((grand|sub)[ -]?)?totals?([ :].*)?|.+ totals?|sum|gesamt(summe)?", re.I)
_IN_THOUSANDS = re.compile(
    r"\b(in )?(thousands?|millions?)\b|'000|\b000s\b|\b(in|USD|EUR|GBP|\$|€) ?[kK]\b", re.I
)


@dataclass(frozen=True)
class Sheet:
    """A table as a spreadsheet shows it: numbered rows that are not empty, and how a CSV is divided."""

    name: str
    rows: Sequence[tuple[int, list[Any]]]
    semicolons: bool = False


@dataclass(frozen=True)
class Layout:
    """What the columns of a sheet are, by their position from 0."""

    header: int
    """The place of the header among the rows."""
    row: int
    """Its number."""
    titles: dict[int, str]
    """Every column that has a title, or an amount under it."""
    months: dict[int, date]
    """Columns of months; empty where each row has its own."""
    totals: dict[int, str]
    """Columns that add months up."""
    roles: dict[str, int]
    """What columns say of a line by their titles; see ROLES."""
    about: dict[str, str] = field(default_factory=dict)
    """`version` and `currency`, where lines above the table say them for all of it."""

    @property
    def keys(self) -> dict[int, str]:
        """The other columns: what lines are of."""
        taken = {*self.months, *self.totals, *self.roles.values()}
        return {place: title for place, title in self.titles.items() if place not in taken}


def sheet(data: bytes, name: str) -> Sheet:
    """Reads a CSV or the first sheet of a workbook. Raises InputRefused for what is no table."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        return Sheet(name, cells_of(data, name))
    mark = _divider(data.decode("utf-8-sig", "replace"))
    return Sheet(name, cells_of(data, name, mark), mark == ";")


def _divider(text: str) -> str:
    """What divides the most rows into equally many cells, at least two; lines above the table are not those."""
    return max(",;\t", key=lambda mark: _agreeing(text, mark))


def _agreeing(text: str, mark: str) -> tuple[int, int]:
    """How many of the first rows have the most usual number of cells, and that number."""
    try:
        rows = islice(csv.reader(io.StringIO(text), delimiter=mark), _LOOKED_AT)
        widths = Counter(len(row) for row in rows if len(row) > 1)
    except csv.Error:
        return 0, 0
    return max(((count, width) for width, count in widths.items()), default=(0, 0))


def words(cell: Any) -> str:
    """A cell as text on one line."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())


def is_total(text: str) -> bool:
    """Whether a line calls itself a total."""
    return _TOTAL_ROW.fullmatch(text) is not None


def letter(place: int) -> str:
    """The letter of a column: A, B … AA."""
    found = ""
    while place >= 0:
        found, place = chr(65 + place % 26) + found, place // 26 - 1
    return found


def layout(found: Sheet, forms: Forms, named: dict[str, str] | None = None) -> Layout:
    """Finds the table. `named` gives roles (ROLES) to titles that say otherwise. Raises InputRefused where there is none."""
    named = {title.casefold(): role for title, role in (named or {}).items()}
    for place, (number, cells) in enumerate(found.rows[:_LOOKED_AT]):
        roles = _roles(cells, named)
        if PERIOD in roles and AMOUNT in roles:
            return _titled(found, place, number, cells, {}, {PERIOD, AMOUNT}, roles)
        if sum(_may_be_month(cell, forms) for cell in cells) >= 2 or (
            _is_lone_month(found.rows, place, forms) and len([c for c in cells if words(c)]) > 1
        ):
            months = _months(found, number, cells, forms)
            return _titled(found, place, number, cells, months, set(), roles)
    raise InputRefused(
        "has no table of budgets: no row with months as titles, and none with a period and an amount",
        Place(found.name),
        "Give months such as 2026-01 or Jan 26 as titles of columns, or columns named period and amount",
    )


def _is_lone_month(rows: Sequence[tuple[int, list[Any]]], place: int, forms: Forms) -> bool:
    """A table of one month: its title stands above something, beside the title of what lines are of; or above a number, beside others."""
    cells = rows[place][1]
    at = [n for n, cell in enumerate(cells) if _may_be_month(cell, forms)]
    below = rows[place + 1][1] if place + 1 < len(rows) else []
    filled = [n for n, cell in enumerate(below) if words(cell)]
    if not at or at[0] == 0 or at[0] not in filled:
        return False
    if any(words(cell).casefold() in _SUBJECTS for cell in cells):
        return True
    return _roles(cells, {}) != {} and re.search(r"\d", words(below[at[0]])) is not None


def _may_be_month(cell: Any, forms: Forms) -> bool:
    try:
        return month(cell, forms) is not None
    except UsageError:
        return True


def _months(found: Sheet, number: int, cells: Sequence[Any], forms: Forms) -> dict[int, date]:
    months: dict[int, date] = {}
    for place, cell in enumerate(cells):
        try:
            value = month(cell, forms)
        except UsageError as error:
            raise InputRefused(str(error), Place(found.name, number, letter(place))) from error
        if value is None:
            continue
        if value in months.values():
            raise InputRefused(f"has {value:%B %Y} twice", Place(found.name, number, letter(place)))
        months[place] = value
    return months


def _roles(cells: Sequence[Any], named: dict[str, str]) -> dict[str, int]:
    roles: dict[str, int] = {}
    for place, cell in enumerate(cells):
        if not isinstance(cell, str):
            continue
        title = words(cell).casefold()
        plain = re.sub(r"[_\-. ]+", " ", title).strip()
        role = named.get(title) or next((r for r, names in _ROLE_NAMES.items() if plain in names), None)
        if role in ROLES and role not in roles:
            roles[role] = place
    return roles


def _titled(
    found: Sheet,
    place: int,
    number: int,
    cells: Sequence[Any],
    months: dict[int, date],
    long: set[str],
    roles: dict[str, int],
) -> Layout:
    if not long:
        roles = {role: at for role, at in roles.items() if role not in (PERIOD, AMOUNT) and at not in months}
    titles = {at: words(cell) for at, cell in enumerate(cells) if words(cell)}
    width = max((len(row) for _, row in found.rows[place:]), default=0)
    for at in range(width):
        if at not in titles and any(at < len(row) and words(row[at]) for _, row in found.rows[place + 1 :]):
            titles[at] = letter(at)
    totals = {
        at: title
        for at, title in titles.items()
        if at not in months and at not in roles.values() and _TOTAL_COLUMN.fullmatch(title) and not long
    }
    return Layout(place, number, titles, months, totals, roles, _about(found, place))


def _about(found: Sheet, place: int) -> dict[str, str]:
    """What the lines above the table say of all of it, as `Version: Budget` or in two cells."""
    about: dict[str, str] = {}
    for number, cells in found.rows[:place]:
        texts = [words(cell) for cell in cells if words(cell)]
        line = " ".join(texts)
        if _IN_THOUSANDS.search(line):
            about["multiple"] = f"row {number}: {line}"
        for role in ("version", "currency"):
            names = "|".join(_ROLE_NAMES[role])
            if match := re.search(rf"(?:^|[,;] ?)(?:{names})s? ?[:=]? (?P<value>[^:;,]+)$", line, re.I):
                about[role] = match["value"].strip()
    return about
