"""Charts of savings: what was realised month by month, and what to do first."""

from collections.abc import Sequence
from decimal import Decimal

import polars

from finops_core.analysis.savings import Realised
from finops_core.model import words
from finops_core.model.export import cell
from finops_core.store.savings import SavingsItem
from ui import charts, theme
from ui.charts import _HEIGHT, _NEW, Spec, _axis, _text  # the same frame as every chart


def realised(found: Sequence[Realised], currency: str) -> Spec:
    """Net savings as bars by month, an item a colour; what is signed is full, what is not is pale."""
    titles = list(dict.fromkeys(r.title for r in found))
    hues = theme.colours(titles, titles)
    data = [
        {
            "Month": f"{r.month:%b %Y}", "order": r.month.isoformat(), "Item": r.title, "net": float(r.net), "opacity": 1.0 if r.verified else 0.55,
            "Net": f"{cell(r.net)} {currency}", "Signed": "signed by finance" if r.verified else "not signed yet", "Told": r.sentence,
            "Label": f"{r.title}, {r.month:%B %Y}: {words.money(r.net, currency)} net",
        }
        for r in found
    ]  # fmt: skip
    months = list(dict.fromkeys(d["Month"] for d in sorted(data, key=lambda d: str(d["order"]))))
    return {
        **_NEW,
        "height": _HEIGHT,
        "data": {"values": data},
        "mark": {"type": "bar", "cornerRadius": 1},
        "encoding": {
            "x": {"field": "Month", "type": "ordinal", "sort": months, "title": None, "axis": {"labelAngle": 0, "ticks": False, "domain": False, "labelOverlap": "greedy"}},
            "y": {"field": "net", "type": "quantitative", "stack": "zero", "axis": _axis(f"{currency}, net", "~s", 5)},
            "color": {"field": "Item", "type": "nominal", "scale": {"domain": list(hues), "range": list(hues.values())}, "legend": {"title": None, "orient": "bottom", "columns": 1, "symbolType": "square", "labelLimit": 420}},
            "opacity": {"field": "opacity", "type": "quantitative", "scale": None},
            "description": _text("Label"),
            "tooltip": [_text(n) for n in ("Item", "Month", "Net", "Signed", "Told")],
        },
    }  # fmt: skip


def first(items: Sequence[SavingsItem], currency: str) -> Spec:
    """The items ranked by what a unit of effort is worth."""
    frame = polars.DataFrame(
        [{"Member": f"{i.title} ({i.effort})", "after": i.worth.quantize(Decimal("0.01"))} for i in items],
        {"Member": polars.String, "after": polars.Decimal(38, 18)},
    )  # fmt: skip
    hues = dict.fromkeys(frame["Member"], theme.line_colour())
    return charts.ranked(frame, "after", currency, hues, room=300) | {
        "padding": {"left": 4, "right": 46, "top": 4, "bottom": 4}
    }
