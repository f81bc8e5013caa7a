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
[data-testid="stMetricValue"], [data-testid="stMetricDelta"], [data-testid="stDataFrame"] {font-variant-numeric: tabular-nums}
[data-testid="stMetric"] {padding: 0}
[data-testid="stMetric"] > div:first-child {padding: .6rem .85rem .2rem .85rem}
[data-testid="stMetricChart"] {padding: 0 .5rem .3rem .5rem}
[data-testid="stMetricValue"] {font-size: 1.5rem; font-weight: 600; line-height: 1.25}
[data-testid="stMainBlockContainer"] h3 {font-size: 1.1rem; font-weight: 600; padding: .4rem 0 0 0}
.st-key-bar label p, .st-key-choice label p {font-size: .8rem; opacity: .8}
.farthing-head {display: flex; flex-wrap: wrap; gap: .35rem .7rem; align-items: center}
.farthing-head h1 {font-size: 1.5rem; font-weight: 650; margin: 0 .4rem 0 0; padding: 0}
.farthing-answer {font-size: 1.06rem; line-height: 1.45; margin: .35rem 0 .1rem 0; max-width: 80rem}
.farthing-badge {font-size: .78rem; padding: .1rem .5rem; border-radius: .5rem; text-decoration: none !important;
  white-space: nowrap; border: 1px solid currentColor}
.farthing-badge:hover {text-decoration: underline !important}
a.farthing-good {color: %(fall)s !important} a.farthing-bad {color: %(rise)s !important}
a.farthing-plain {color: inherit !important; opacity: .75}
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
.st-key-bar [data-testid="stSelectbox"] {min-width: 11rem}
</style>
"""


def apply(present: bool) -> None:
    """Writes the style into the page; `present` is for a shared screen: larger, without the sidebar."""
    st.html(_STYLE % {"fall": FALL, "rise": RISE} + (_PRESENT if present else ""))
