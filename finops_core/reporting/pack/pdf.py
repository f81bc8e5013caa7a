"""The pack as a document: A4, a cover line, sections that follow each other, tables that break between rows."""

from collections.abc import Sequence

from fpdf.enums import Align, XPos, YPos

from finops_core.analysis.paper import ACCENT, INK, QUIET, ROW, WIDTH, Paper
from finops_core.reporting.pack.content import (
    CHANGE,
    COUNT,
    MONEY,
    SHARE,
    Column,
    Document,
    Table,
    Value,
    written,
)

_RIGHT = (MONEY, CHANGE, SHARE, COUNT)


def to_pdf(pack: Document) -> bytes:
    """The same bytes for the same figures."""
    document = Paper(pack.title, pack.provenance, pack.day)
    document.add_page()
    _cover(document, pack)
    for name, part in pack.parts:
        document.room(32)
        document.ln(4)
        document.set_font("roboto", "B", 13)
        document.set_text_color(*ACCENT)
        document.start_section(document.known(name))
        document.cell(WIDTH, 8, document.known(name), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        for text in part.words:
            document.room(14)
            _paragraph(document, text)
        for table in part.tables:
            _table(document, table)
    return bytes(document.output())


def _paragraph(document: Paper, text: str) -> None:
    document.set_font("roboto", "", 9.5)
    document.set_text_color(*INK)
    document.multi_cell(WIDTH, 5.0, document.known(text), align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    document.ln(1.2)


def _cover(document: Paper, pack: Document) -> None:
    document.set_font("roboto", "B", 20)
    document.set_text_color(*INK)
    document.cell(WIDTH, 11, document.known(pack.title), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    document.put("Farthing: cloud spend, to the last farthing", 9, QUIET)
    document.ln(7)


def _table(document: Paper, table: Table) -> None:
    document.room(8 + 4 * ROW)
    if table.title:
        document.ln(1.5)
        document.put(table.title, bold=True)
        document.ln(ROW)
    widths = _widths(table.columns)
    _head(document, table.columns, widths)
    for number, row in enumerate(table.rows):
        if document.room(ROW):
            _head(document, table.columns, widths)
        _row(document, table.columns, widths, row, tinted=number % 2 == 1)
    if table.total is not None:
        document.room(ROW)
        document.rule(0.2, INK)
        _row(document, table.columns, widths, table.total, bold=True)
    document.ln(3)


def _widths(columns: Sequence[Column]) -> list[float]:
    whole = sum(column.weight for column in columns)
    return [WIDTH * column.weight / whole for column in columns]


def _head(document: Paper, columns: Sequence[Column], widths: Sequence[float]) -> None:
    document.tint(WIDTH, ROW)
    for column, width in zip(columns, widths, strict=True):
        document.put(column.label, 8, QUIET, Align.R if column.kind in _RIGHT else Align.L, width)
    document.ln(ROW)


def _row(
    document: Paper, columns: Sequence[Column], widths: Sequence[float], row: Sequence[Value], tinted: bool = False, bold: bool = False
) -> None:  # fmt: skip
    if tinted:
        document.tint(WIDTH, ROW, colour=(250, 251, 252))
    for column, width, value in zip(columns, widths, row, strict=True):
        is_number = column.kind in _RIGHT
        document.put(
            written(value, column.kind),
            8.5,
            align=Align.R if is_number else Align.L,
            width=width,
            bold=bold,
            whole=is_number,
        )
    document.ln(ROW)
