"""The flow of cost from sources to owners: three columns of bars, and ribbons as thick as what flows between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars

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


def chart(rows: polars.DataFrame, currency: str, hues: Mapping[str, str]) -> Spec:
    """The flow of `layout`, labelled directly; `hues` are the owners' colours."""
    placed = layout(rows)
    kinds = dict(rows.select(HOW, "Kind").iter_rows())
    layers = [_ribbons(placed, currency), _bars(placed, currency, hues, kinds), *_labels(placed)]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "height": _HEIGHT + 10,
        "layer": layers,
    }


def _x(field: str = "x") -> Spec:
    scale = {"domain": [-0.36, 2.36], "nice": False, "zero": False}
    return {"field": field, "type": "quantitative", "axis": None, "scale": scale}


def _y(field: str = "y") -> Spec:
    scale = {"domain": [0, _HEIGHT], "reverse": True, "nice": False}
    return {"field": field, "type": "quantitative", "axis": None, "scale": scale}


def _nominal(*fields: str) -> list[Spec]:
    return [{"field": field, "type": "nominal"} for field in fields]


def _ribbons(placed: Layout, currency: str) -> Spec:
    """Areas that are as thick everywhere as they are at their ends, eased from one height to the other."""
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
    eased = "datum.t * datum.t * (3 - 2 * datum.t)"
    return {
        "data": {"values": data},
        "transform": [
            {"calculate": "sequence(0, 1.04, 0.05)", "as": "t"},
            {"flatten": ["t"]},
            {"calculate": "datum.x0 + (datum.x1 - datum.x0) * datum.t", "as": "x"},
            {"calculate": f"datum.start + (datum.end - datum.start) * {eased}", "as": "y"},
            {"calculate": "datum.y + datum.height", "as": "y2"},
        ],
        "mark": {"type": "area", "opacity": 0.38, "aria": False},
        "encoding": {
            "x": _x(),
            "y": _y(),
            "y2": {"field": "y2"},
            "detail": {"field": "id", "type": "nominal"},
            "color": {"field": "hue", "type": "nominal", "scale": None},
            "tooltip": _nominal("From", "To", "Cost"),
        },
    }


def _bars(placed: Layout, currency: str, hues: Mapping[str, str], kinds: Mapping[str, str]) -> Spec:
    titles = ("Billed by", "Found its owner by", "Owned by")

    def hue(bar: Bar) -> str:
        if bar.name == NOBODY:
            return theme.RISE
        of_column = (theme.REST, _HUES[kinds.get(bar.name, "other")], hues.get(bar.name, theme.REST))
        return of_column[bar.column]

    data = [
        {
            "x": bar.column - _WIDTH,
            "x2": bar.column + _WIDTH,
            "y": bar.top,
            "y2": bar.top + bar.height,
            "hue": hue(bar),
            "Column": titles[bar.column],
            "Member": bar.name,
            "Cost": f"{cell(bar.cost)} {currency}",
            "Label": f"{titles[bar.column]} {bar.name}: {cell(bar.cost)} {currency}",
        }
        for bar in placed.bars
    ]
    return {
        "data": {"values": data},
        "mark": {"type": "rect", "cornerRadius": 1},
        "encoding": {
            "x": _x(),
            "x2": {"field": "x2"},
            "y": _y(),
            "y2": {"field": "y2"},
            "color": {"field": "hue", "type": "nominal", "scale": None},
            "description": _nominal("Label")[0],
            "tooltip": _nominal("Column", "Member", "Cost"),
        },
    }


def _labels(placed: Layout) -> list[Spec]:
    """Names and amounts: left of the first column, right of the others, on ground of their own."""
    ink, ground = ("#e4e9ee", "#12171d") if theme.is_dark() else ("#1c2733", "#ffffff")
    found: list[Spec] = []
    for align, sign, columns in (("right", -1, (0,)), ("left", 1, (1, 2))):
        data = [
            {
                "x": bar.column + sign * _WIDTH * 1.6,
                "y": bar.top + bar.height / 2,
                "label": f"{_short(bar.name)}  {words.amount(bar.cost)}",
            }
            for bar in placed.bars
            if bar.column in columns
        ]
        halo: Spec = {"stroke": ground, "strokeWidth": 3.5, "opacity": 0.75}
        found += [
            {
                "data": {"values": data},
                "mark": {"type": "text", "align": align, "fontSize": 12, "aria": False, **look},
                "encoding": {"x": _x(), "y": _y(), "text": {"field": "label", "type": "nominal"}},
            }
            for look in (halo, {"color": ink})
        ]
    return found


def _short(name: str) -> str:
    return name if len(name) <= 34 else f"{name[:33]}…"
