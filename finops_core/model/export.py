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
    """UTF-8 with a header; a missing value is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(frame.columns)
    writer.writerows(["" if v is None else v for v in row] for row in _rows(frame))
    return text.getvalue().encode()


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
    """A workbook of one sheet. Money that a spreadsheet's 15 digits cannot hold exactly is written as text."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
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
                    if Decimal(repr(float(value))) == value:
                        sheet.write_number(number, column, float(value), money)
                    else:
                        sheet.write_string(number, column, plain(value))
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
