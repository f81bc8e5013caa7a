"""The pack as a workbook: a sheet a section, money as numbers to the cent.

Where a column has amounts that a spreadsheet's 15 digits cannot hold, a column `LABEL (exact)`, behind all others of its table, has
them as text.
"""

import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import xlsxwriter

from finops_core.analysis.cents import rounded
from finops_core.model.export import EXACT, is_held
from finops_core.reporting.pack.content import (
    CHANGE,
    COUNT,
    DAY,
    MONEY,
    SHARE,
    TEXT,
    Column,
    Document,
    Table,
    Value,
)

_FORMATS = {
    MONEY: "#,##0.00",
    CHANGE: "+#,##0.00;-#,##0.00;0.00",
    SHARE: "0.0 %",
    COUNT: "#,##0",
    DAY: "yyyy-mm-dd",
}


def to_xlsx(pack: Document) -> bytes:
    """The same sections, words and tables as the document."""
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "default_date_format": "yyyy-mm-dd",
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": pack.title, "comments": pack.provenance, "created": pack.day})
        styles = {
            (kind, bold): book.add_format({"num_format": form, "bold": bold})
            for kind, form in _FORMATS.items()
            for bold in (False, True)
        }
        bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        title = book.add_format({"bold": True, "font_size": 14})
        for name, part in pack.parts:
            sheet = book.add_worksheet(name[:31])
            sheet.set_column(0, 0, 34)
            sheet.set_column(1, 12, 16)
            sheet.write_string(0, 0, f"{name}: {pack.title}", title)
            row = 2
            for text in part.words:
                sheet.merge_range(row, 0, row, 7, text, wrap)
                sheet.set_row(row, 15 * (1 + len(text) // 115))
                row += 1
            for table in map(_with_exact, part.tables):
                row += 1
                if table.title:
                    sheet.write_string(row, 0, table.title, bold)
                    row += 1
                for column, told in enumerate(table.columns):
                    sheet.write_string(row, column, told.label, bold)
                rows = [(line, False) for line in table.rows] + (
                    [(table.total, True)] if table.total is not None else []
                )
                for line, is_total in rows:
                    row += 1
                    for column, (value, told) in enumerate(zip(line, table.columns, strict=True)):
                        _write(
                            sheet,
                            row,
                            column,
                            value,
                            told.kind,
                            styles.get((told.kind, is_total)),
                            bold if is_total else None,
                        )
                row += 1
    return buffer.getvalue()


def _with_exact(table: Table) -> Table:
    """The table with a column of text for each column of amounts that has some that are not held."""
    rows = [*table.rows, *([table.total] if table.total is not None else [])]
    wide = [
        place
        for place, column in enumerate(table.columns)
        if not all(is_held(_in_cents(row[place], column.kind)) for row in rows)
    ]
    if not wide:
        return table

    def widened(row: Sequence[Value]) -> list[Value]:
        cents = [_in_cents(row[place], table.columns[place].kind) for place in wide]
        return [*row, *(None if value is None else f"{value:f}" for value in cents)]

    columns = [*table.columns, *(Column(f"{table.columns[place].label}{EXACT}", TEXT) for place in wide)]
    total = None if table.total is None else widened(table.total)
    return Table(table.title, columns, [widened(row) for row in table.rows], total)


def _in_cents(value: Value, kind: str) -> Decimal | None:
    """An amount as it is written; None for what is none."""
    return rounded(value) if isinstance(value, Decimal) and kind in (MONEY, CHANGE) else None


def _write(
    sheet: object, row: int, column: int, value: Value, kind: str, style: object, plain: object
) -> None:
    if value is None:
        return
    amount = _in_cents(value, kind)
    if amount is not None:
        sheet.write_number(row, column, float(amount), style)  # type: ignore[attr-defined]
    elif isinstance(value, Decimal) and kind == SHARE:
        sheet.write_number(row, column, float(value), style)  # type: ignore[attr-defined]
    elif isinstance(value, int):
        sheet.write_number(row, column, value, style)  # type: ignore[attr-defined]
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value, style)  # type: ignore[attr-defined]
    else:
        sheet.write_string(row, column, str(value), plain)  # type: ignore[attr-defined]
