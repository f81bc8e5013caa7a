"""The pack as a document: A4, a cover line, sections that follow each other, tables that break between rows."""

from collections.abc import Sequence

from fpdf.enums import Align, XPos, YPos

from finops_core.analysis.paper import ACCENT, INK, LEFT, QUIET, ROW, WIDTH, Colour, Paper
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

_SIZE, _SMALL = 8.5, 8.0
"""Points: of rows, of the names of columns."""
_LINE = 3.9
"""Millimetres from one line of a cell to the next."""
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
    grid = _Grid(document, table.columns)
    grid.head()
    for number, row in enumerate(table.rows):
        is_last = number == len(table.rows) - 1 and table.total is not None  # a total does not stand alone
        grid.row(row, tinted=number % 2 == 1, below=ROW if is_last else 0)
    if table.total is not None:
        document.room(ROW)
        document.rule(0.2, INK)
        grid.row(table.total, bold=True)
    document.ln(3)


class _Grid:
    """The rows of a table on paper. What is too long for its cell goes on below: paper has nothing to point at."""

    def __init__(self, document: Paper, columns: Sequence[Column]) -> None:
        whole = sum(column.weight for column in columns)
        self.document, self.columns = document, columns
        self.widths = [WIDTH * column.weight / whole for column in columns]

    def head(self) -> None:
        """The names of the columns."""
        cells = self._cells([column.label for column in self.columns], _SMALL, False, wraps=True)
        self.document.tint(WIDTH, _height(cells))
        self._draw(cells, _SMALL, QUIET)

    def row(self, row: Sequence[Value], tinted: bool = False, bold: bool = False, below: float = 0) -> None:
        """A row, on a new page with its head where there is no room for it and for what has to stand below (mm)."""
        texts = [written(value, column.kind) for column, value in zip(self.columns, row, strict=True)]
        cells = self._cells(texts, _SIZE, bold)
        if self.document.room(_height(cells) + below):
            self.head()
        if tinted:
            self.document.tint(WIDTH, _height(cells), colour=(250, 251, 252))
        self._draw(cells, _SIZE, INK, bold)

    def _cells(self, texts: Sequence[str], size: float, bold: bool, wraps: bool = False) -> list[list[str]]:
        """The lines of each cell; an amount has one, whatever its length."""
        self.document.set_font("roboto", "B" if bold else "", size)
        return [
            self.document.lines(text, width) if wraps or column.kind not in _RIGHT else [text]
            for column, width, text in zip(self.columns, self.widths, texts, strict=True)
        ]

    def _draw(self, cells: list[list[str]], size: float, colour: Colour, bold: bool = False) -> None:
        top = self.document.get_y()
        for line in range(max(map(len, cells))):
            self.document.set_xy(LEFT, top + line * _LINE)
            for column, width, lines in zip(self.columns, self.widths, cells, strict=True):
                is_number = column.kind in _RIGHT
                text = lines[line] if line < len(lines) else ""
                align = Align.R if is_number else Align.L
                self.document.put(text, size, colour, align, width, bold=bold, whole=is_number)
        self.document.set_xy(LEFT, top + _height(cells))


def _height(cells: list[list[str]]) -> float:
    """Millimetres that a row takes."""
    return ROW + _LINE * (max(map(len, cells)) - 1)
