"""Figures: a number, its change, and the line of how it came about."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import streamlit as st
from streamlit.elements.metric import DeltaArrow, DeltaColor

from finops_core.model import words
from ui.plain import plain


@dataclass(frozen=True)
class Figure:
    """One figure. `before` adds the change; `line` are values over time; `help` explains the term."""

    label: str
    value: str
    help: str = ""
    after: Decimal | None = None
    before: Decimal | None = None
    line: Sequence[Decimal] = ()
    note: str = ""


def show(figures: Sequence[Figure]) -> None:
    """Figures side by side. A rise of cost is red, a fall green."""
    for column, figure in zip(st.columns(len(figures), gap="small"), figures, strict=True):
        change, direction = None, Decimal(0)
        if figure.after is not None and figure.before is not None:
            change, direction = words.change(figure.after, figure.before), figure.after - figure.before
        column.metric(
            plain(figure.label),
            figure.value,
            delta=change if change is not None else figure.note or None,
            delta_color=_COLOUR[(direction > 0) - (direction < 0)],
            delta_arrow=_ARROW[(direction > 0) - (direction < 0)],
            help=figure.help or None,
            border=True,
            chart_data=[float(v) for v in figure.line] if len(figure.line) > 1 else None,
            chart_type="bar" if _FEW < len(figure.line) <= _MOST_BARS else "area",
            height="stretch",
        )


_FEW, _MOST_BARS = 12, 31
_COLOUR: dict[int, DeltaColor] = {1: "red", -1: "green", 0: "off"}
_ARROW: dict[int, DeltaArrow] = {1: "up", -1: "down", 0: "off"}
