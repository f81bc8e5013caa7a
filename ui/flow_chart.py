"""The flow of cost from sources to owners: three columns of bars, and ribbons as thick as what flows between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import altair as alt
import polars
from altair.utils.schemapi import debug_mode

from finops_core.allocation.owners import DIRECT, RULE, SHARED, UNALLOCATED
from finops_core.analysis.flow import COST, EXEMPT, HOW, NOBODY, NOBODYS, OWNER, SOURCE
from finops_core.model import words
from finops_core.model.export import cell
from ui import theme
from ui.charts import Spec

_COLUMNS = (SOURCE, HOW, OWNER)
_HEIGHT = 400.0
_SLOT, _GAP, _WIDTH = 15.0, 5.0, 0.022
"""The least room of a bar, between bars (both in pixels), and the width of a bar as a part of the way between columns."""
_HUES = {
    DIRECT: theme.PALETTE[0],
    RULE: theme.PALETTE[2],
    SHARED: theme.PALETTE[4],
    UNALLOCATED: theme.RISE,
    EXEMPT: theme.REST,
    "other": theme.PALETTE[11],
}
_unchecked = debug_mode(False)


@dataclass(frozen=True)
class Bar:
    """A member of a column: where it stands, in pixels from the top, and its exact cost."""

    column: int
    name: str
    top: float
    height: float
    cost: Decimal


@dataclass(frozen=True)
class Ribbon:
    """What flows from a bar to one of the next column; starts and ends in pixels from the top."""

    column: int
    source: str
    target: str
    kind: str
    start: float
    end: float
    height: float
    cost: Decimal


@dataclass(frozen=True)
class Layout:
    """Where everything stands. What flows backwards (credits that exceed cost) has no ribbon: `backwards` counts it."""

    bars: tuple[Bar, ...]
    ribbons: tuple[Ribbon, ...]
    backwards: int


def layout(rows: polars.DataFrame, height: float = _HEIGHT) -> Layout:
    """Places a flow (`finops_core.analysis.flow.Flow.top`) in three columns of the height."""
    links = [_links(rows, 0), _links(rows, 1)]
    thick = [_thicknesses(rows, links, column) for column in range(3)]
    scale = _scale(thick, height)
    tops: list[dict[str, float]] = []
    bars: list[Bar] = []
    for column, sizes in enumerate(thick):
        slots = {name: max(size * scale, _SLOT) for name, size in sizes.items()}
        y = (height - sum(slots.values()) - _GAP * max(len(slots) - 1, 0)) / 2
        tops.append({})
        costs = _costs(rows, _COLUMNS[column])
        for name, slot in slots.items():
            thickness = sizes[name] * scale
            tops[column][name] = y + (slot - thickness) / 2
            bars.append(Bar(column, name, tops[column][name], max(thickness, 1.0), costs[name]))
            y += slot + _GAP
    ribbons: list[Ribbon] = []
    for column in (0, 1):
        out, into = dict(tops[column]), dict(tops[column + 1])
        order = {name: place for place, name in enumerate(thick[column + 1])}
        first = {name: place for place, name in enumerate(thick[column])}
        for source, target, kind, cost in sorted(links[column], key=lambda k: (first[k[0]], order[k[1]])):
            if cost > 0:
                size = float(cost) * scale
                ribbons.append(Ribbon(column, source, target, kind, out[source], into[target], size, cost))
                out[source] += size
                into[target] += size
    backwards = sum(cost < 0 for column in links for *_, cost in column)
    return Layout(tuple(bars), tuple(ribbons), backwards)


def _links(rows: polars.DataFrame, column: int) -> list[tuple[str, str, str, Decimal]]:
    """From, to, kind of the way, cost."""
    keys = [*_COLUMNS[column : column + 2], "Kind"]
    return list(rows.group_by(keys, maintain_order=True).agg(polars.col(COST).sum()).iter_rows())


def _costs(rows: polars.DataFrame, name: str) -> dict[str, Decimal]:
    return dict(rows.group_by(name).agg(polars.col(COST).sum()).iter_rows())


def _thicknesses(
    rows: polars.DataFrame, links: Sequence[list[tuple[str, str, str, Decimal]]], column: int
) -> dict[str, float]:
    """Member → what flows through it, forwards only, the thickest first; what nobody owns last."""
    through: dict[str, list[float]] = {name: [0.0, 0.0] for name in rows[_COLUMNS[column]].unique()}
    for side, of in ((0, column - 1), (1, column)):
        for source, target, _, cost in links[of] if 0 <= of < 2 else ():
            through[target if side == 0 else source][side] += max(float(cost), 0.0)
    sizes = {name: max(sides) for name, sides in through.items()}
    kinds = dict(rows.select(HOW, "Kind").iter_rows()) if column == 1 else {}
    order = list(_HUES)

    def place(name: str) -> tuple[int, int, float, str]:
        group = order.index(kinds[name]) if name in kinds else 0
        last = (
            (NOBODY, NOBODYS).index(name) + 2
            if name in (NOBODY, NOBODYS)
            else int(name.startswith("Other ("))
        )
        return group, last, -sizes[name], name

    return {name: sizes[name] for name in sorted(sizes, key=place)}


def _scale(thick: Sequence[Mapping[str, float]], height: float) -> float:
    """Pixels for a unit of cost, such that the fullest column just fits."""
    low, high = 0.0, height / (max((sum(sizes.values()) for sizes in thick), default=0.0) or 1.0)
    for _ in range(50):
        middle = (low + high) / 2
        needed = [
            sum(max(size * middle, _SLOT) for size in sizes.values()) + _GAP * max(len(sizes) - 1, 0)
            for sizes in thick
        ]
        low, high = (middle, high) if max(needed) <= height else (low, middle)
    return low


@_unchecked
def chart(rows: polars.DataFrame, currency: str, hues: Mapping[str, str]) -> Spec:
    """The flow of `layout`, labelled directly; `hues` are the owners' colours."""
    placed = layout(rows)
    scale_x = alt.Scale(domain=[-0.36, 2.36], nice=False, zero=False)
    scale_y = alt.Scale(domain=[0, _HEIGHT], reverse=True, nice=False)
    x = alt.X("x:Q", axis=None, scale=scale_x)
    y = alt.Y("y:Q", axis=None, scale=scale_y)
    drawn = alt.layer(
        _ribbons(placed, currency, x, y),
        _bars(placed, currency, hues, x, y, dict(rows.select(HOW, "Kind").iter_rows())),
        *_labels(placed, rows, x, y),
    ).properties(height=_HEIGHT + 10)
    found: Spec = drawn.to_dict(validate=False)
    return found


def _ribbons(placed: Layout, currency: str, x: alt.X, y: alt.Y) -> alt.Chart:
    data = [
        {
            "id": number,
            "x0": r.column + _WIDTH,
            "x1": r.column + 1 - _WIDTH,
            "start": r.start,
            "end": r.end,
            "height": max(r.height, 0.6),
            "hue": _HUES[r.kind],
            "From": r.source,
            "To": r.target,
            "Cost": f"{cell(r.cost)} {currency}",
        }
        for number, r in enumerate(placed.ribbons)
    ]
    return (
        alt.Chart(alt.Data(values=data))
        .transform_calculate(t="sequence(0, 1.04, 0.05)")
        .transform_flatten(["t"])
        .transform_calculate(
            x="datum.x0 + (datum.x1 - datum.x0) * datum.t",
            y="datum.start + (datum.end - datum.start) * datum.t * datum.t * (3 - 2 * datum.t)",
            y2="datum.y + datum.height",
        )
        .mark_area(opacity=0.38, aria=False)
        .encode(
            x=x,
            y=y,
            y2="y2:Q",
            detail="id:N",
            color=alt.Color("hue:N", scale=None),
            tooltip=["From:N", "To:N", "Cost:N"],
        )
    )


def _bars(
    placed: Layout, currency: str, hues: Mapping[str, str], x: alt.X, y: alt.Y, kinds: Mapping[str, str]
) -> alt.Chart:
    titles = ("Billed by", "Found its owner by", "Owned by")
    data = [
        {
            "x": bar.column - _WIDTH,
            "x2": bar.column + _WIDTH,
            "y": bar.top,
            "y2": bar.top + bar.height,
            "hue": (theme.REST, _HUES[kinds.get(bar.name, "other")], hues.get(bar.name, theme.REST))[
                bar.column
            ]
            if bar.name != NOBODY
            else theme.RISE,
            "Column": titles[bar.column],
            "Member": bar.name,
            "Cost": f"{cell(bar.cost)} {currency}",
            "Label": f"{titles[bar.column]} {bar.name}: {cell(bar.cost)} {currency}",
        }
        for bar in placed.bars
    ]
    return (
        alt.Chart(alt.Data(values=data))
        .mark_rect(cornerRadius=1)
        .encode(
            x=x,
            x2="x2:Q",
            y=y,
            y2="y2:Q",
            color=alt.Color("hue:N", scale=None),
            description="Label:N",
            tooltip=["Column:N", "Member:N", "Cost:N"],
        )
    )


def _labels(placed: Layout, rows: polars.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Names and amounts: left of the first column, right of the others, on ground of their own."""
    ink, ground = ("#e4e9ee", "#12171d") if theme.is_dark() else ("#1c2733", "#ffffff")
    data = [
        {
            "x": bar.column + (-_WIDTH * 1.6 if bar.column == 0 else _WIDTH * 1.6),
            "y": bar.top + bar.height / 2,
            "side": "left" if bar.column == 0 else "right",
            "label": f"{_short(bar.name)}  {words.amount(bar.cost)}",
        }
        for bar in placed.bars
    ]
    found = []
    for side, align in (("left", "right"), ("right", "left")):
        base = (
            alt.Chart(alt.Data(values=[row for row in data if row["side"] == side]))
            .encode(x=x, y=y, text="label:N")
        )  # fmt: skip
        halo = base.mark_text(
            align=align, fontSize=12, stroke=ground, strokeWidth=3.5, opacity=0.75, aria=False
        )
        found += [halo, base.mark_text(align=align, fontSize=12, color=ink, aria=False)]
    return found


def _short(name: str) -> str:
    return name if len(name) <= 34 else f"{name[:33]}…"
