"""The pack as a document: A4, a cover line, sections that follow each other, tables that break between rows."""

from collections.abc import Sequence
from datetime import datetime, time

import font_roboto
from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos

from finops_core.reporting.pack.content import CHANGE, COUNT, MONEY, SHARE, Column, Table, Value, written
from finops_core.reporting.pack.making import Pack

_LEFT, _WIDTH = 16.0, 178.0
_ROW = 5.4
"""Millimetres: margin, width between the margins, height of a row."""
_INK, _QUIET, _RULE, _TINT, _ACCENT = (
    (24, 32, 44),
    (102, 112, 128),
    (208, 214, 222),
    (243, 245, 248),
    (38, 104, 176),
)
_RIGHT = (MONEY, CHANGE, SHARE, COUNT)


class _Document(FPDF):
    """A4 with the provenance of its figures at the foot of each page."""

    def __init__(self, pack: Pack) -> None:
        super().__init__("portrait", "mm", "A4")
        self.pack = pack
        self.add_font("roboto", "", font_roboto.Roboto)
        self.add_font("roboto", "B", font_roboto.RobotoMedium)
        self.set_margins(_LEFT, 16, _LEFT)
        self.set_auto_page_break(True, 22)
        self.set_title(pack.title)
        self.set_creator("Farthing")
        self.set_creation_date(datetime.combine(pack.situation.days.end, time()))
        self.alias_nb_pages()

    def footer(self) -> None:
        self.set_y(-16)
        self.set_draw_color(*_RULE)
        self.line(_LEFT, self.get_y(), _LEFT + _WIDTH, self.get_y())
        self.set_y(-14)
        self.put(self.pack.provenance, _WIDTH - 26, 7, _QUIET)
        self.put(f"page {self.page_no()} of {{nb}}", 26, 7, _QUIET, Align.R)

    def known(self, text: str) -> str:
        """A text as the font can show it; what it has no sign for is shown as �."""
        signs = self.fonts["roboto"].cmap  # type: ignore[union-attr]
        return "".join(c if ord(c) in signs else "�" for c in " ".join(text.split()))

    def put(
        self, text: str, width: float, size: float = 8.5, colour: tuple[int, int, int] = _INK, align: Align = Align.L, bold: bool = False,
        whole: bool = False,
    ) -> None:  # fmt: skip
        """One cell; what is too long for it ends with an ellipsis, or is smaller where it is `whole`, such as an amount."""
        self.set_font("roboto", "B" if bold else "", size)
        self.set_text_color(*colour)
        shown = self.known(text)
        while whole and self.get_string_width(shown) > width - 1.5:
            self.set_font_size(self.font_size_pt * 0.92)
        if self.get_string_width(shown) > width - 1.5:
            while shown and self.get_string_width(f"{shown}…") > width - 1.5:
                shown = shown[:-1]
            shown = f"{shown}…"
        self.cell(width, _ROW, shown, align=align, new_x=XPos.RIGHT, new_y=YPos.TOP)

    def paragraph(self, text: str) -> None:
        self.set_font("roboto", "", 9.5)
        self.set_text_color(*_INK)
        self.multi_cell(_WIDTH, 5.0, self.known(text), align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1.2)

    def room(self, height: float) -> None:
        """Begins a page where less than this height is left."""
        if self.get_y() + height > self.h - 22:
            self.add_page()


def to_pdf(pack: Pack) -> bytes:
    """The same bytes for the same figures."""
    document = _Document(pack)
    document.add_page()
    _cover(document, pack)
    for section, part in pack.parts:
        document.room(32)
        document.ln(4)
        document.set_font("roboto", "B", 13)
        document.set_text_color(*_ACCENT)
        document.start_section(document.known(section.title))
        document.cell(_WIDTH, 8, document.known(section.title), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        for text in part.words:
            document.room(14)
            document.paragraph(text)
        for table in part.tables:
            _table(document, table)
    return bytes(document.output())


def _cover(document: _Document, pack: Pack) -> None:
    document.set_font("roboto", "B", 20)
    document.set_text_color(*_INK)
    document.cell(_WIDTH, 11, document.known(pack.title), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    document.put("Farthing: cloud spend, to the last farthing", _WIDTH, 9, _QUIET)
    document.ln(7)


def _table(document: _Document, table: Table) -> None:
    document.room(8 + 4 * _ROW)
    if table.title:
        document.ln(1.5)
        document.put(table.title, _WIDTH, 9, _INK, bold=True)
        document.ln(_ROW)
    widths = _widths(table.columns)
    _head(document, table.columns, widths)
    for number, row in enumerate(table.rows):
        if document.get_y() + _ROW > document.h - 22:
            document.add_page()
            _head(document, table.columns, widths)
        _row(document, table.columns, widths, row, tinted=number % 2 == 1)
    if table.total is not None:
        document.room(_ROW)
        document.set_draw_color(*_INK)
        document.line(_LEFT, document.get_y(), _LEFT + _WIDTH, document.get_y())
        _row(document, table.columns, widths, table.total, bold=True)
    document.ln(3)


def _widths(columns: Sequence[Column]) -> list[float]:
    whole = sum(column.weight for column in columns)
    return [_WIDTH * column.weight / whole for column in columns]


def _head(document: _Document, columns: Sequence[Column], widths: Sequence[float]) -> None:
    document.set_fill_color(*_TINT)
    document.rect(_LEFT, document.get_y(), _WIDTH, _ROW, "F")
    for column, width in zip(columns, widths, strict=True):
        document.put(column.label, width, 8, _QUIET, Align.R if column.kind in _RIGHT else Align.L)
    document.ln(_ROW)


def _row(
    document: _Document, columns: Sequence[Column], widths: Sequence[float], row: Sequence[Value], tinted: bool = False, bold: bool = False
) -> None:  # fmt: skip
    if tinted:
        document.set_fill_color(250, 251, 252)
        document.rect(_LEFT, document.get_y(), _WIDTH, _ROW, "F")
    for column, width, value in zip(columns, widths, row, strict=True):
        is_number = column.kind in _RIGHT
        document.put(
            written(value, column.kind),
            width,
            8.5,
            _INK,
            Align.R if is_number else Align.L,
            bold,
            whole=is_number,
        )
    document.ln(_ROW)
