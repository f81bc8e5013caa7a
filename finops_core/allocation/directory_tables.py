"""Directories of owners as tables for a spreadsheet, and back: many rows changed at once, each checked."""

import csv
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Any

import yaml

from finops_core.allocation import written
from finops_core.allocation.rules import Directory, Rules
from finops_core.allocation.ruleset import FILE, FIRST_DAY, LAST_DAY
from finops_core.allocation.spreadsheets import csv_bytes, rows_of, xlsx_bytes
from finops_core.errors import InputRefused, Place, UsageError

SINCE, UNTIL = "from", "to"
"""The columns that date a row."""
_AND = "; "
"""Between the values of a list in one cell."""
Table = tuple[list[str], list[list[str]]]


def directory_as_csv(files: Mapping[str, str], name: str) -> bytes:
    """A directory of a rule set as CSV. Raises UsageError where there is none of the name."""
    return csv_bytes(*_table(files, name))


def directory_as_xlsx(files: Mapping[str, str], name: str) -> bytes:
    """A directory of a rule set as a workbook, all cells text. Raises UsageError where there is none of the name."""
    header, rows = _table(files, name)
    return xlsx_bytes(header, rows, name[:31])


def directory_from(files: Mapping[str, str], name: str, data: bytes, uploaded: str) -> dict[str, str]:
    """A rule set's files with a directory replaced by an edited table, CSV or XLSX; the same where nothing changed.

    Raises InputRefused with the row of `uploaded` for a row with too many cells, without a key or with a malformed date, and
    for a key that is there twice for the same days; UsageError where there is no directory of the name.
    """
    directory = _directory(files, name)
    (_, names), *rows = rows_of(data, uploaded)
    header = [title.strip() for title in names]
    while header and not header[-1]:
        header.pop()
    if len({title.casefold() for title in header}) < len(header) or "" in header:
        raise InputRefused("a column has no name, or one that is there twice", Place(uploaded, row=1))
    if directory.key not in header:
        raise InputRefused(
            f"has no column {directory.key!r}", Place(uploaded, row=1), f"It has {', '.join(header)}"
        )
    table = []
    for number, cells in rows:
        if any(cell.strip() for cell in cells[len(header) :]):
            raise InputRefused("has more cells than the header", Place(uploaded, row=number))
        row = [cell.strip() for cell in (*cells, *[""] * len(header))][: len(header)]
        for title, cell in zip(header, row, strict=True):
            if "\n" in cell or "\r" in cell:
                raise InputRefused("holds several lines", Place(uploaded, number, title))
        table.append((number, row))
    _check(directory, header, table, uploaded, _listing(files, directory))
    fresh = [row for _, row in table]
    if (header, fresh) == _table(files, name):
        return dict(files)
    return {**files, directory.file: _text(files, directory, header, fresh)}


def _directory(files: Mapping[str, str], name: str) -> Directory:
    rules = written.read(files[FILE], FILE).validated(Rules)
    if name not in rules.directories:
        known = ", ".join(rules.directories) or "none"
        raise UsageError(f"there is no directory {name!r}; known are {known}")
    return rules.directories[name]


def _table(files: Mapping[str, str], name: str) -> Table:
    directory = _directory(files, name)
    text = files.get(directory.file, "")
    if directory.file.endswith(".csv"):
        (_, header), *rows = rows_of(text.encode(), directory.file)
        return [title.strip() for title in header], [[cell.strip() for cell in cells] for _, cells in rows]
    _, entries = _yaml_entries(text, directory.file)
    header = list(dict.fromkeys(title for entry in entries for title in entry))
    return header, [[_cell(entry.get(title, ""), directory.file) for title in header] for entry in entries]


def _yaml_entries(text: str, file: str) -> tuple[str | None, list[dict[str, Any]]]:
    """The name that the list stands under, if any, and its entries."""
    data = written.read(text, file).data
    over = None
    if isinstance(data, dict) and len(data) == 1:
        ((over, data),) = data.items()
    if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
        raise InputRefused("must be a list of entries", Place(file))
    return over, data


def _cell(value: Any, file: str) -> str:
    parts = value if isinstance(value, list) else [value]
    if not all(isinstance(part, str) for part in parts) or (
        isinstance(value, list) and any(";" in p for p in parts)
    ):
        raise UsageError(f"{file} holds what no cell of a table can: change it in an editor")
    return _AND.join(part.strip() for part in parts)


def _listing(files: Mapping[str, str], directory: Directory) -> set[str]:
    """The columns of a YAML directory that hold lists."""
    if directory.file.endswith(".csv"):
        return set()
    _, entries = _yaml_entries(files.get(directory.file, ""), directory.file)
    return {title for entry in entries for title, value in entry.items() if isinstance(value, list)}


def _check(
    directory: Directory,
    header: list[str],
    table: list[tuple[int, list[str]]],
    uploaded: str,
    listing: set[str],
) -> None:
    """Refuses what the rules would refuse, naming the row of the uploaded file."""
    spans: dict[str, list[tuple[date, date, int]]] = {}
    for number, cells in table:
        row = dict(zip(header, cells, strict=True))
        since = _day(row, SINCE, uploaded, number) or FIRST_DAY
        until = _day(row, UNTIL, uploaded, number) or LAST_DAY
        if since >= until:
            raise InputRefused(
                f"from {since} to {until} holds no day (the end is excluded)", Place(uploaded, number, SINCE)
            )
        written_keys = row[directory.key]
        for key in written_keys.split(";") if directory.key in listing else [written_keys]:
            if not key.strip():
                raise InputRefused(f"{directory.key} is empty", Place(uploaded, number, directory.key))
            for start, end, other in spans.setdefault(key.strip(), []):
                if since < end and start < until:
                    raise InputRefused(
                        f"{key.strip()!r} is in row {other:,} already, for the same days",
                        Place(uploaded, number, directory.key),
                    )
            spans[key.strip()].append((since, until, number))


def _day(row: Mapping[str, str], name: str, uploaded: str, number: int) -> date | None:
    if not row.get(name):
        return None
    try:
        return date.fromisoformat(row[name])
    except ValueError:
        raise InputRefused(
            f"{row[name]!r} is no date: write 2026-09-01", Place(uploaded, number, name)
        ) from None


def _lines(text: str) -> dict[tuple[str, ...], str]:
    """The lines of a CSV by their cells: a row that stays is written as it was, so that a difference shows what changed."""
    found = {}
    for line in text.removeprefix("\ufeff").splitlines():
        with suppress(csv.Error):  # a part of a cell of several lines is no row
            found[tuple(cell.strip() for cell in next(csv.reader([line], strict=True), []))] = line
    return found


def _text(files: Mapping[str, str], directory: Directory, header: list[str], rows: list[list[str]]) -> str:
    """The directory's file: CSV stays CSV, and YAML stays a list of the same form."""
    if directory.file.endswith(".csv"):
        before = files.get(directory.file, "")
        lines = _lines(before)
        kept = [lines.get(tuple(row)) or csv_bytes(row, ()).decode().rstrip("\n") for row in (header, *rows)]
        end = "\r\n" if "\r\n" in before else "\n"
        return "".join(line + end for line in kept)
    over, _ = _yaml_entries(files.get(directory.file, ""), directory.file)
    listing = _listing(files, directory)
    entries = [
        {
            title: [part.strip() for part in cell.split(";")] if title in listing else cell
            for title, cell in zip(header, row, strict=True)
            if cell
        }
        for row in rows
    ]
    data = entries if over is None else {over: entries}
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120))
