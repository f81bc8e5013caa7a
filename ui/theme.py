"""Colours and style. A member keeps its colour wherever it is shown: it follows from its rank in the whole ledger."""

from collections.abc import Sequence

import streamlit as st

PALETTE = (
    "#2f74b5",
    "#e0892b",
    "#2f9c78",
    "#b5558f",
    "#7c6fc4",
    "#c4a11f",
    "#59abc9",
    "#a65a36",
    "#6f9440",
    "#d8705f",
    "#4d7f8c",
    "#9a7b4f",
)
"""Distinct for readers who are colour-blind as far as twelve hues can be, and visible on both grounds."""
REST = "#97a3af"
RISE = "#c2503f"
FALL = "#2f8f66"
"""Marks of charts, on both grounds."""
_LIGHT = {
    "rise": "#b3372f",
    "fall": "#23704a",
    "muted": "#566370",
    "border": "#d5dce3",
    "raised": "#ffffff",
    "chosen": "#1f5f8b",
    "line": "#2f74b5",
}
_DARK = {
    "rise": "#f08a80",
    "fall": "#6cc596",
    "muted": "#9aa7b4",
    "border": "#35404c",
    "raised": "#232b35",
    "chosen": "#7db9e8",
    "line": "#5c9fd6",
}
"""Colours of text and small things: 4.5 of contrast or more with the theme's grounds."""


def is_dark() -> bool:
    """Whether the reader looks at the dark theme."""
    return getattr(st.context.theme, "type", None) == "dark"


def line_colour() -> str:
    """The colour of small lines beside figures."""
    return (_DARK if is_dark() else _LIGHT)["line"]


def colours(members: Sequence[str], ranking: Sequence[str]) -> dict[str, str]:
    """Member → colour: by its rank in `ranking`, the next free one where two would be alike."""
    rank = {name: position for position, name in enumerate(ranking)}
    taken: dict[int, str] = {}
    for name in sorted(members, key=lambda m: rank.get(m, len(rank))):
        wanted = rank.get(name, sum(name.encode())) % len(PALETTE)
        free = [(wanted + step) % len(PALETTE) for step in range(len(PALETTE))]
        slot = next((s for s in free if s not in taken), wanted)
        taken.setdefault(slot, name)
    found = {name: PALETTE[slot] for slot, name in taken.items()}
    return {name: found.get(name, REST) for name in members}


_STYLE = """
<style>
[data-testid="stMainBlockContainer"] {padding: 1.6rem 2rem 3rem 2rem; max-width: 1760px}
[data-testid="stHeader"] {height: 1.6rem; min-height: 1.6rem; background: transparent}
[data-testid="stSidebar"] {width: 220px !important; min-width: 220px !important}
[data-testid="stSidebarHeader"] {height: 1.6rem; margin: 0; padding: .4rem .6rem}
[data-testid="stSidebarContent"] {padding: 0 .6rem}
[data-testid="stSidebarUserContent"] {padding: 0 .2rem}
[data-testid="stForm"] [data-testid="InputInstructions"] {display: none}
[data-testid="stDataFrame"] {font-variant-numeric: tabular-nums}
[data-testid="stMainBlockContainer"] :is(h2, h3) {font-size: 1.1rem; font-weight: 600; padding: .4rem 0 0 0}
[data-testid="stCaptionContainer"] {opacity: 1; color: %(muted)s} [data-testid="stCaptionContainer"] p {color: inherit}
[data-testid="stButtonGroup"] [data-selected="true"] p {color: %(chosen)s}
.st-key-bar label p, .st-key-choice label p {font-size: .8rem; opacity: .8}
:is(.st-key-bar, .st-key-forecast-choice) [data-variant="segmented_control"] {min-height: 2.5rem}
.farthing-head {display: flex; flex-wrap: wrap; gap: .35rem .7rem; align-items: center}
.farthing-head h1 {font-size: 1.5rem; font-weight: 650; margin: 0 .4rem 0 0; padding: 0}
.farthing-answer {font-size: 1.06rem; line-height: 1.45; margin: .35rem 0 .1rem 0; max-width: 80rem}
.farthing-answer a {color: %(chosen)s}
.farthing-badge {font-size: .78rem; padding: .1rem .5rem; border-radius: .5rem; text-decoration: none !important;
  white-space: nowrap; border: 1px solid currentColor}
.farthing-badge:hover {text-decoration: underline !important}
a.farthing-good {color: %(fall)s !important} a.farthing-bad {color: %(rise)s !important}
a.farthing-plain {color: %(muted)s !important}
.farthing-figures {display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .7rem;
  font-variant-numeric: tabular-nums}
.farthing-grid {grid-template-columns: repeat(auto-fill, minmax(max(12.8rem, 100%% / 6), 1fr))}
.farthing-figure {position: relative; display: flex; flex-direction: column; border: 1px solid %(border)s; border-radius: .4rem;
  padding: .55rem .8rem .35rem .8rem; min-width: 0}
.farthing-label {display: flex; gap: .3rem; align-items: center; font-size: .86rem; color: %(muted)s; line-height: 1.4}
.farthing-label > span:first-child {overflow: hidden; text-overflow: ellipsis; white-space: nowrap}
.farthing-value {font-size: 1.5rem; font-weight: 600; line-height: 1.3; white-space: nowrap}
.farthing-change {font-size: .84rem; line-height: 1.35; color: %(muted)s}
.farthing-change a {color: inherit; text-decoration: underline dotted; text-underline-offset: .22em}
.farthing-rise {color: %(rise)s} .farthing-fall {color: %(fall)s}
.farthing-line {display: block; width: 100%%; height: 34px; margin-top: auto; padding-top: .15rem}
.farthing-help {flex: none; width: 1rem; height: 1rem; padding: 0; border: 1px solid currentColor; border-radius: 50%%;
  background: none; color: inherit; font-size: .68rem; line-height: 1; cursor: help}
.farthing-tip {display: none; position: absolute; z-index: 20; left: -1px; right: -1px; top: 2.1rem; padding: .5rem .7rem;
  border: 1px solid %(border)s; border-radius: .4rem; background: %(raised)s; font-size: .8rem; line-height: 1.35;
  box-shadow: 0 4px 14px rgba(0, 0, 0, .18)}
.farthing-help:hover + .farthing-tip, .farthing-help:focus-visible + .farthing-tip {display: block}
[data-testid="stMainBlockContainer"] .farthing-list h2 {font-size: .86rem; font-weight: 400; color: %(muted)s; padding: 0; margin: 0 0 .2rem 0}
.farthing-list ul {list-style: none; margin: 0; padding: 0; font-size: .9rem}
.farthing-list li {display: flex; justify-content: space-between; gap: .8rem; margin: 0; padding: .12rem 0}
.farthing-list li span {overflow: hidden; text-overflow: ellipsis; display: -webkit-box; -webkit-line-clamp: 3;
  -webkit-box-orient: vertical}
.farthing-list li b {font-weight: 600; white-space: nowrap; font-variant-numeric: tabular-nums}
.farthing-list p {margin: 0; font-size: .9rem}
.farthing-question {display: flex; flex-wrap: wrap; gap: .2rem 1.6rem; font-size: 1rem}
.farthing-question span {color: %(muted)s; margin-right: .4rem}
.farthing-brand {font-weight: 700; font-size: 1.15rem; letter-spacing: .01em; margin: 0 0 .2rem .5rem}
.farthing-brand small {display: block; font-weight: 400; font-size: .76rem; opacity: .75}
.farthing-group {font-size: .76rem; opacity: .75; margin: .5rem 0 -.7rem .5rem}
</style>
"""
_PRESENT = """
<style>
html {font-size: 20px}
[data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"], [data-testid="stExpandSidebarButton"] {display: none}
.farthing-answer {font-size: 1.3rem}
</style>
"""


def apply(present: bool) -> None:
    """Writes the style into the page; `present` is for a shared screen: larger, without the sidebar."""
    st.html(_STYLE % (_DARK if is_dark() else _LIGHT) + (_PRESENT if present else ""))
