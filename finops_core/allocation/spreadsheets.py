"""Small tables that people edit in a spreadsheet, as text: CSV or XLSX in, rows with their numbers out."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

from finops_core.errors import InputRefused, Place

_LARGEST = 200_000_000
"""Bytes that a workbook may unpack to."""
_MOST_ROWS, _MOST_COLUMNS = 200_000, 300
Row = tuple[int, list[str]]
"""The number of a row as a spreadsheet counts, and its cells."""


def rows_of(data: bytes, name: str) -> list[Row]:
    """The rows of a table that are not empty, its header first. Raises InputRefused for what is no table.

    Of a workbook, the first sheet. A CSV is UTF-8, divided by commas, semicolons or tabs, whichever its header has most of.
    """
    return [(number, [_text(cell) for cell in cells]) for number, cells in cells_of(data, name)]


def cells_of(data: bytes, name: str, divider: str | None = None) -> list[tuple[int, list[Any]]]:
    """As `rows_of`, with the numbers and dates of a workbook as such; of a CSV whose divider may be known."""
    rows = _xlsx(data, name) if zipfile.is_zipfile(io.BytesIO(data)) else _csv(data, name, divider)
    found = list(islice(rows, _MOST_ROWS + 1))
    if not found:
        raise InputRefused("is empty", Place(name))
    if len(found) > _MOST_ROWS:
        raise InputRefused(f"has more than {_MOST_ROWS:,} rows", Place(name))
    return found


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table as CSV in UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def xlsx_bytes(header: Sequence[str], rows: Iterable[Sequence[str]], sheet: str = "Farthing") -> bytes:
    """A table as a workbook, every cell text: an account id keeps its zeros."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        page, bold, text = (
            book.add_worksheet(sheet),
            book.add_format({"bold": True}),
            book.add_format({"num_format": "@"}),
        )
        page.set_column(0, max(len(header) - 1, 0), 20, text)
        for column, title in enumerate(header):
            page.write_string(0, column, title, bold)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                if value:
                    page.write_string(number, column, value, text)
        page.freeze_panes(1, 0)
    return buffer.getvalue()


def _csv(data: bytes, name: str, divider: str | None) -> Iterator[tuple[int, list[Any]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputRefused(
            f"is no UTF-8 text: byte {error.start:,} is none",
            Place(name),
            "Save it as CSV in UTF-8, or as XLSX",
        ) from error
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=divider or max(",;\t", key=first.count), strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error as error:
        raise InputRefused(f"cannot be read as CSV: {error}", Place(name, row=number + 1)) from error


def _xlsx(data: bytes, name: str) -> Iterator[tuple[int, list[Any]]]:
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > _LARGEST:
            raise InputRefused(f"unpacks to {size:,} bytes: too large for a table of this kind", Place(name))
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        # Bounded, as one cell at the far end makes a sheet of seventeen thousand million cells.
        for number, row in enumerate(
            book.worksheets[0].iter_rows(max_col=_MOST_COLUMNS, values_only=True), 1
        ):
            if any(value is not None and str(value).strip() for value in row):
                yield number, list(row)
    except InputRefused:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged part makes it stumble over
        words = next(iter(str(error).splitlines()), "")[:200]
        raise InputRefused(f"cannot be read as a workbook: {words}", Place(name)) from error


def _text(value: Any) -> str:
    """A cell as somebody would have typed it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return value.date().isoformat()
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
