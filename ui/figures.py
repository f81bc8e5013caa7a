"""Figures: a number, its change, and the line of how it came about."""

import html
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import streamlit as st

from finops_core.model import words
from ui import theme

_WIDTH, _HEIGHT, _ROOM = 240.0, 34.0, 3.0
"""Of a line, in its own units: it is stretched to the width of its card."""


@dataclass(frozen=True)
class Figure:
    """One figure. `before` adds the change, `why` is a link to what moved it; `line` are values over time; `help` explains the term."""

    label: str
    value: str
    help: str = ""
    after: Decimal | None = None
    before: Decimal | None = None
    line: Sequence[Decimal] = ()
    note: str = ""
    why: str = ""


def show(figures: Sequence[Figure], is_grid: bool = False) -> None:
    """Figures side by side. A rise of cost is red, a fall green. In a grid of several rows all are equally wide."""
    kind = "farthing-figures farthing-grid" if is_grid else "farthing-figures"
    st.html(f'<div class="{kind}">{"".join(map(_card, figures))}</div>')


def _card(figure: Figure) -> str:
    label, help = html.escape(figure.label), html.escape(figure.help)
    explained = ""
    if help:
        explained = (
            f'<button type="button" class="farthing-help" aria-label="{label}: {help}">?</button>'
            f'<span class="farthing-tip" aria-hidden="true">{help}</span>'
        )
    return (
        f'<div class="farthing-figure"><div class="farthing-label"><span title="{label}">{label}</span>{explained}</div>'
        f'<div class="farthing-value">{html.escape(figure.value)}</div>{_change(figure)}{_drawn(figure)}</div>'
    )


def _change(figure: Figure) -> str:
    if figure.after is None or figure.before is None:
        return f'<div class="farthing-change">{html.escape(figure.note)}</div>' if figure.note else ""
    difference = figure.after - figure.before
    kind, arrow = ("farthing-rise", "↑") if difference > 0 else ("farthing-fall", "↓")
    if not difference:
        kind, arrow = "", ""
    text = html.escape(words.change(figure.after, figure.before))
    if figure.why and difference:
        told = html.escape(f"{figure.label}: why did it change?")
        text = f'<a href="{html.escape(figure.why)}" target="_self" title="{told}">{text}</a>'
    return f'<div class="farthing-change {kind}"><span aria-hidden="true">{arrow}</span> {text}</div>'


def _drawn(figure: Figure) -> str:
    if len(figure.line) < 2:
        return ""
    # An SVG as an image: it has one name for who does not see it, and no parts to walk through.
    source = b64encode(line(figure.line).encode()).decode()
    return f'<img class="farthing-line" alt="{html.escape(_told(figure))}" src="data:image/svg+xml;base64,{source}">'


def _told(figure: Figure) -> str:
    """A line in words."""
    values = figure.line
    first, last, low, high = map(words.amount, (values[0], values[-1], min(values), max(values)))
    return (
        f"{figure.label} over time: {len(values)} values from {first} to {last}, lowest {low}, highest {high}"
    )


def line(values: Sequence[Decimal]) -> str:
    """Values over time as an SVG: a line from the left to the right, on ground that reaches down to 0."""
    numbers = [float(value) for value in values]
    low, high = min(0.0, *numbers), max(0.0, *numbers)
    scale = (_HEIGHT - 2 * _ROOM) / ((high - low) or 1.0)

    def height(number: float) -> float:
        return _HEIGHT - _ROOM - (number - low) * scale

    step = (_WIDTH - 2 * _ROOM) / (len(numbers) - 1)
    points = [f"{_ROOM + step * n:.1f},{height(number):.1f}" for n, number in enumerate(numbers)]
    ground = f"{_HEIGHT - _ROOM - (0 - low) * scale:.1f}"
    hue = theme.line_colour()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none">'
        f'<path d="M{_ROOM:g},{ground} L{" ".join(points)} L{_WIDTH - _ROOM:g},{ground} Z" fill="{hue}" fill-opacity="0.13"/>'
        f'<g fill="none" stroke="{hue}" stroke-linejoin="round" stroke-linecap="round">'
        f'<path d="M{" ".join(points)}" stroke-width="1.6" vector-effect="non-scaling-stroke"/>'
        f'<path d="M{points[-1]} l0.01,0" stroke-width="5" vector-effect="non-scaling-stroke"/></g></svg>'
    )
