"""One mover looked at closely: its days, service, region and usage type beside what was brought out before it moved."""

import html
from typing import TYPE_CHECKING, Any

import polars
import streamlit as st

from finops_core.analysis.breakdown import KIND, MEMBER
from finops_core.analysis.events import Event, Onset, concerned
from finops_core.analysis.movers import OTHER
from finops_core.model import drill, words
from finops_core.model.periods import Period
from finops_core.model.query import Query
from finops_core.vocabulary.dimensions import dimension
from ui import address, answers, charts
from ui.charts import Mark
from ui.plain import plain

if TYPE_CHECKING:
    from ui.moves import Moves

_SIDES = ("ServiceName", "RegionId", "x_UsageType")
_MOST = 4
_MOST_MARKS = 20
_NOBODY = "Choose a mover"


def marks(query: Query) -> list[Mark]:
    """The events of a question, to mark on a chart; none where there are too many to tell apart."""
    found = concerned(answers.events(), query) if query.grain == "day" else []
    return [Mark(event.day, event.text) for event in found] if len(found) <= _MOST_MARKS else []


def too_many(query: Query) -> str:
    """That there are events, and how to see them, where they are too many to mark."""
    found = concerned(answers.events(), query) if query.grain == "day" else []
    if len(found) <= _MOST_MARKS:
        return ""
    return f"{len(found):,} deployments within these days: filter by team or application to mark them on the chart."


def closer(moves: "Moves") -> None:
    """The choice of a mover, and what is known of the one that is chosen."""
    rows = moves.shown.table.filter(polars.col(KIND) != OTHER)
    named = {str(row[MEMBER]): row for row in rows.iter_rows(named=True)}
    if not named or not moves.found.by:
        return
    chosen = address.looked_at()
    st.header("Look closer", anchor=False)
    st.selectbox(
        "Mover",
        [_NOBODY, *named],
        key=address.seeded("look", chosen if chosen in named else _NOBODY),
        on_change=address.changes("look", lambda name: address.look_at(None if name == _NOBODY else name)),
        help="Its days beside what was brought out, and which services, regions and usage types moved",
        width=420,
    )
    if chosen in named:
        _show(moves, named[chosen])


def _show(moves: "Moves", member: dict[str, Any]) -> None:
    page = moves.page
    asked = drill.only(page.view, member).asked(page.span.first, page.span.end, page.currency)
    asked = asked.but(by=(), grain="day", order=None, limit=None)
    onset = moves.onsets.get(tuple(member[name] for name in moves.found.by))
    near = list(onset.events) if onset is not None else []
    days = asked.but(start=_from(page.days, page.compared))
    found = answers.broken_down(days, None, 1)
    events = near or concerned(answers.events(), days)
    shown = [Mark(e.day, e.text) for e in events] if len(events) <= _MOST_MARKS else []
    charts.show(
        charts.over_time(found.series, "day", page.currency, page.span.complete_until, [], marks=shown),
        "closer",
        f"{member[MEMBER]} by day, with deployments before it moved",
    )
    columns = st.columns(len(_SIDES) + 1, gap="medium")
    for column, name in zip(columns, _SIDES, strict=False):
        rows = answers.broken_down(asked.but(by=(name,)), page.compared, 1).table
        column.html(_changes(dimension(name).label, rows, page.currency))
    columns[-1].html(_timeline(onset, near))


def _from(days: Period, compared: Period | None) -> Any:
    """The first day that is drawn: that of the period before, where it is near."""
    near = compared is not None and (days.start - compared.end).days <= days.days
    return compared.start if compared is not None and near else days.start


def _changes(label: str, rows: polars.DataFrame, currency: str) -> str:
    """The members of a dimension that moved most."""
    moved = rows.filter((polars.col("change") != 0) & (polars.col(KIND) == "member"))
    moved = moved.sort(polars.col("change").abs(), descending=True).head(_MOST)
    items = [
        (str(member), words.signed(change)) for member, change in moved.select(MEMBER, "change").iter_rows()
    ]
    return listed(f"{label}, change in {currency}", items)


def _timeline(onset: Onset | None, near: list[Event]) -> str:
    if onset is None:
        return listed("Deployments", [], "No day stands out, so nothing is named")
    items = [(event.text, f"{event.day.day} {event.day:%b}") for event in near]
    title = f"Before {onset.day.day} {onset.day:%B}, when {onset.team} moved"
    return listed(title, items, "Nothing was brought out in the 3 days before")


def listed(title: str, items: list[tuple[str, str]], nothing: str = "No change") -> str:
    """A short list of what and how much."""
    rows = "".join(
        f'<li><span title="{html.escape(name)}">{html.escape(name)}</span><b>{html.escape(value)}</b></li>'
        for name, value in items
    )
    body = f"<ul>{rows}</ul>" if items else f"<p>{html.escape(nothing)}</p>"
    return f'<div class="farthing-list"><h2>{html.escape(title)}</h2>{body}</div>'


def before(onset: Onset | None, rises: bool) -> str:
    """What was brought out before a mover moved that way, for beside its sentence."""
    return plain(onset.in_words()) if onset is not None and onset.rise == rises else ""
