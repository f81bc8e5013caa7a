"""An answer as a file: money as plain decimals, time as ISO 8601, columns by their FOCUS names."""

import csv
import io
import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars

from finops_core.store.batches import plain

EXACT = " (exact)"
"""What the name of a column of a workbook ends with that has the values of another one with every digit, as text."""
_DIGITS = 15
"""Digits of a number that a spreadsheet holds."""


def cell(value: Any) -> Any:
    """A value as csv and json carry it: exact decimals as text without exponent, times as ISO text, None as it is."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return value


def _rows(frame: polars.DataFrame) -> list[list[Any]]:
    return [[cell(v) for v in row] for row in frame.iter_rows()]


def to_csv(frame: polars.DataFrame) -> bytes:
    """UTF-8 with a header; a missing value is an empty field, and no number has an exponent."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(frame.columns)
    writer.writerows(["" if v is None else _without_exponent(v) for v in row] for row in _rows(frame))
    return text.getvalue().encode()


def _without_exponent(value: Any) -> Any:
    return plain(Decimal(repr(value))) if isinstance(value, float) and "e" in repr(value) else value


def to_json(frame: polars.DataFrame) -> bytes:
    """A list of objects; money as strings."""
    rows = [dict(zip(frame.columns, row, strict=True)) for row in _rows(frame)]
    return (json.dumps(rows, ensure_ascii=False, indent=1, default=str) + "\n").encode()


def to_parquet(frame: polars.DataFrame) -> bytes:
    """Parquet; money as DECIMAL(38,18)."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def to_xlsx(frame: polars.DataFrame) -> bytes:
    """A workbook of one sheet. Amounts are numbers, the nearest that a spreadsheet's 15 digits hold, so that they can be summed.

    Where a column has values that these digits cannot hold, a column `NAME (exact)`, behind all others, has its values as text.
    """
    exact = {
        f"{name}{EXACT}": [None if v is None else str(cell(v)) for v in frame[name]]
        for name in frame.columns
        if not all(map(is_held, frame[name]))
    }
    return _sheet(frame.with_columns(polars.Series(name, texts) for name, texts in exact.items()), float)


def to_xlsx_for_editing(frame: polars.DataFrame) -> bytes:
    """A workbook that is changed and read back: no column twice, and what 15 digits cannot hold is text in its own cell."""
    return _sheet(frame, lambda value: float(value) if is_held(value) else plain(value))


def is_held(value: Any) -> bool:
    """Whether a spreadsheet holds a value exactly; of numbers it keeps 15 digits."""
    if isinstance(value, Decimal):
        return len("".join(map(str, value.as_tuple().digits)).strip("0")) <= _DIGITS
    return not isinstance(value, int) or len(str(abs(value)).rstrip("0")) <= _DIGITS


def _sheet(frame: polars.DataFrame, number_of: Callable[[Decimal], float | str]) -> bytes:
    import xlsxwriter

    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet("Farthing")
        bold, money, day = (
            book.add_format({"bold": True}),
            book.add_format({"num_format": "#,##0.00"}),
            book.add_format({"num_format": "yyyy-mm-dd"}),
        )
        sheet.write_row(0, 0, frame.columns, bold)
        for number, row in enumerate(frame.iter_rows(), start=1):
            for column, value in enumerate(row):
                if isinstance(value, Decimal):
                    sheet.write(number, column, number_of(value), money)
                elif isinstance(value, (date, datetime)):
                    sheet.write_datetime(number, column, value, day)
                elif value is not None:
                    sheet.write(number, column, value)
        sheet.autofit()
        sheet.freeze_panes(1, 0)
    return buffer.getvalue()


def to_table(frame: polars.DataFrame) -> bytes:
    """Plain columns for a terminal; numbers to the right."""
    rows = [["" if v is None else str(v) for v in row] for row in _rows(frame)]
    widths = [
        max(len(name), *(len(r[i]) for r in rows)) if rows else len(name)
        for i, name in enumerate(frame.columns)
    ]
    numeric = [frame.schema[name].is_numeric() for name in frame.columns]
    lines = [
        "  ".join(
            v.rjust(w) if n else v.ljust(w) for v, w, n in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in [frame.columns, ["-" * w for w in widths], *rows]
    ]
    return ("\n".join(lines) + "\n").encode()


FORMATS: dict[str, Callable[[polars.DataFrame], bytes]] = {
    "table": to_table,
    "csv": to_csv,
    "json": to_json,
    "parquet": to_parquet,
    "xlsx": to_xlsx,
}
FOR_EDITING: dict[str, Callable[[polars.DataFrame], bytes]] = {**FORMATS, "xlsx": to_xlsx_for_editing}
"""The formats of a table that is changed and read back."""
