"""What happened beside a cost: deployments and changes of the rules, those that a question is about, and those before a rise."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

import polars

from finops_core.model import words
from finops_core.model.engine import PERIOD, uses_cube
from finops_core.model.ledger import Ledger
from finops_core.model.query import Condition, Query, conditions
from finops_core.store.audit import Entry
from finops_core.store.deployments import Deployment
from finops_core.store.rulesets import SUBJECT

TEAM = "x_Team"
_OF = {"x_Team": "team", "x_Application": "application", "x_Environment": "environment"}
"""Dimension → what of an event it says."""
_BEFORE = timedelta(3)
"""How long before a change its cause is looked for."""
_LOOKED_AT = timedelta(35)
_FAR, _NOTICED = 5.0, 0.05
"""A day is other than usual by so many medians of the usual difference, and by this share of a usual day."""


@dataclass(frozen=True)
class Event:
    """Something that happened on a day, in UTC. What is empty is not known, and then a filter does not leave it out."""

    day: date
    text: str
    team: str = ""
    application: str = ""
    environment: str = ""


def events(deployments: Iterable[Deployment], changes: Iterable[Entry] = ()) -> list[Event]:
    """All that happened, by day: deployments, and the changes of rules of the audit log. Another kind of event is added here."""
    found = [Event(d.day, d.in_words(), d.team, d.application, d.environment) for d in deployments]
    found += [
        Event(date.fromisoformat(e.at[:10]), f"{e.action} by {e.who}{f': {e.reason}' if e.reason else ''}")
        for e in changes
        if e.subject == SUBJECT
    ]
    return sorted(found, key=lambda event: (event.day, event.text))


def concerned(found: Iterable[Event], query: Query) -> list[Event]:
    """The events of a query's days that its conditions on team, application and environment do not leave out."""
    kept = [e for e in found if (query.start is None or e.day >= query.start) and (query.end is None or e.day < query.end)]  # fmt: skip
    for condition in conditions(query.where):
        if isinstance(condition, Condition) and condition.dimension in _OF:
            kept = [event for event in kept if _fits(event, condition)]
    return kept


def _fits(event: Event, condition: Condition) -> bool:
    value = str(getattr(event, _OF[condition.dimension])).casefold()
    named = {text.casefold() for text in condition.values}
    if condition.operator in ("=", "in"):
        return not value or value in named
    return condition.operator not in ("!=", "not in") or value not in named


@dataclass(frozen=True)
class Onset:
    """The day from which a team's cost was other than before, and what was brought out by then, up to three days before."""

    day: date
    team: str
    rise: bool
    events: tuple[Event, ...]

    def in_words(self) -> str:
        """`3 deployments of checkout in the 3 days up to 14 November, the last: …`; empty where there was none."""
        count = len(self.events)
        if not count:
            return ""
        what = f"{words.counted(count, 'deployment')} of {self.team}"
        last = self.events[-1]
        told = f"{last.text} on {last.day.day} {last.day:%B}"
        until = f"in the 3 days up to {self.day.day} {self.day:%B}"
        return f"{what} {until}: {told}" if count == 1 else f"{what} {until}, the last: {told}"


def onsets(ledger: Ledger, query: Query, found: Sequence[Event]) -> dict[tuple[object, ...], Onset]:
    """The onset of each member of a query that has one within its days, by the values of its dimensions.

    A day is compared with that of a week before; from the onset on two days running differ by far more than days did in
    the five weeks before. Of several teams it is the one whose cost went furthest. One question, asked only where a
    cube answers it; else none is known.
    """
    by = tuple(query.by)
    if not found or query.start is None or not _answered_by_cube(query):
        return {}
    asked = query.but(
        metrics=query.metrics[:1],
        by=tuple(dict.fromkeys([*by, TEAM])),
        grain="day",
        start=query.start - _LOOKED_AT,
        order=None,
        limit=None,
    )
    cost = polars.col(asked.metrics[0]).cast(polars.Float64).fill_null(0)  # to compare, not to show
    days = ledger.query(asked).select(*asked.by, PERIOD, cost.alias("cost"))
    result = {}
    for key, rows in (days.partition_by(list(by), as_dict=True) if by else {(): days}).items():
        onset = _largest(rows, query.start, found)
        if onset is not None:
            result[key] = onset
    return result


def _answered_by_cube(query: Query) -> bool:
    return uses_cube(query.but(by=tuple(dict.fromkeys([*query.by, TEAM])), grain="day"))


def _largest(rows: polars.DataFrame, start: date, found: Sequence[Event]) -> Onset | None:
    """The onset of the team whose cost went furthest."""
    best: tuple[float, date, str] | None = None
    for (team,), own in rows.partition_by([TEAM], as_dict=True).items():
        daily = dict(own.group_by(PERIOD).agg(polars.col("cost").sum()).iter_rows())
        day = _onset(daily, start) if team else None
        if day is None:
            continue
        usual = sum(daily.get(day - timedelta(n), 0.0) for n in range(1, 8)) / 7
        moved = sum(cost - usual for of, cost in daily.items() if of >= day)
        if best is None or abs(moved) > abs(best[0]):
            best = (moved, day, str(team))
    if best is None:
        return None
    moved, day, team = best
    near = (e for e in found if e.team.casefold() == team.casefold() and day - _BEFORE <= e.day <= day)
    return Onset(day, team, moved > 0, tuple(near))


def _onset(daily: Mapping[date, float], start: date) -> date | None:
    """The first day, from `start` on, that differs from the week before as days do not."""
    week = timedelta(7)
    differences = {day: daily[day] - daily.get(day - week, 0.0) for day in sorted(daily)}
    first = min(daily) + week
    usual = [abs(d) for day, d in differences.items() if first <= day < start]
    if not usual:
        return None
    far = max(_FAR * float(median(usual)), _NOTICED * float(median(map(abs, daily.values()))))
    for day in (day for day in differences if day >= start):
        here, next_day = differences[day], differences.get(day + timedelta(1))
        if abs(here) > far and (next_day is None or (abs(next_day) > far and next_day * here > 0)):
            return day
    return None
