"""A4 pages for documents: one font, one margin, the provenance of the figures at the foot of each page."""

from datetime import date, datetime, time
from typing import cast

import font_roboto
from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, XPos, YPos

LEFT, WIDTH, ROW, FOOT = 16.0, 178.0, 5.4, 22.0
"""Millimetres: margin, width between the margins, height of a row, what is kept free at the foot."""
INK, QUIET, RULE, TINT, ACCENT = (
    (24, 32, 44),
    (102, 112, 128),
    (208, 214, 222),
    (243, 245, 248),
    (38, 104, 176),
)
Colour = tuple[int, int, int]
_LINES = MethodReturnValue.LINES


class Paper(FPDF):
    """A document, dated by its figures: the same bytes for the same figures."""

    def __init__(self, title: str, provenance: str, day: date) -> None:
        super().__init__("portrait", "mm", "A4")
        self.provenance = provenance
        self.add_font("roboto", "", font_roboto.Roboto)
        self.add_font("roboto", "B", font_roboto.RobotoMedium)
        self.set_margins(LEFT, 16, LEFT)
        self.set_auto_page_break(True, FOOT)
        self.set_title(title)
        self.set_creator("Farthing")
        self.set_creation_date(datetime.combine(day, time()))
        self.alias_nb_pages()

    def footer(self) -> None:
        self.set_y(-16)
        self.rule(0.2)
        self.set_y(-14)
        self.put(self.provenance, 7, QUIET, width=WIDTH - 26)
        self.put(f"page {self.page_no()} of {{nb}}", 7, QUIET, Align.R, width=26)

    def known(self, text: str) -> str:
        """A text as the font can show it; what it has no sign for is shown as �."""
        signs = self.fonts["roboto"].cmap  # type: ignore[union-attr]
        return "".join(c if ord(c) in signs else "�" for c in " ".join(text.split()))

    def put(
        self,
        text: str,
        size: float = 9,
        colour: Colour = INK,
        align: Align = Align.L,
        width: float = WIDTH,
        height: float = ROW,
        bold: bool = False,
        last: bool = False,
        whole: bool = False,
    ) -> None:
        """One cell; what is too long for it ends with an ellipsis, or is smaller where it is a `whole`, such as an amount.
        `last` ends the row."""
        self.set_font("roboto", "B" if bold else "", size)
        self.set_text_color(*colour)
        while whole and self.get_string_width(self.known(text)) > width - 2:
            self.set_font_size(self.font_size_pt * 0.9)
        shown = self.fitting(text, width)
        ends = (XPos.LMARGIN, YPos.NEXT) if last else (XPos.RIGHT, YPos.TOP)
        self.cell(width, height, shown, align=align, new_x=ends[0], new_y=ends[1])

    def fitting(self, text: str, width: float) -> str:
        """A text within a width, in the font that is set."""
        shown = self.known(text)
        if self.get_string_width(shown) <= width - 2:
            return shown
        while shown and self.get_string_width(f"{shown}…") > width - 2:
            shown = shown[:-1]
        return f"{shown}…"

    def lines(self, text: str, width: float) -> list[str]:
        """All of a text in lines within a width, in the font that is set; a word that is longer is cut."""
        found = self.multi_cell(width, text=self.known(text), align=Align.L, dry_run=True, output=_LINES)
        return cast("list[str]", found)

    def rule(self, thick: float, colour: Colour = RULE) -> None:
        """A line across the page, here."""
        self.set_draw_color(*colour)
        self.set_line_width(thick)
        self.line(LEFT, self.get_y(), LEFT + WIDTH, self.get_y())

    def tint(self, width: float, height: float, left: float = LEFT, colour: Colour = TINT) -> None:
        """A background for what is written next, here."""
        self.set_fill_color(*colour)
        self.rect(left, self.get_y(), width, height, "F")

    def room(self, height: float) -> bool:
        """Begins a page where less than this height is left; returns whether it did."""
        if self.get_y() + height <= self.h - FOOT:
            return False
        self.add_page()
        return True
