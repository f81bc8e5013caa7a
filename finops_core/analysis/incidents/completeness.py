"""Which of the newest days are all there: an export goes on growing for a day or two, and a half day is no drop."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars

from finops_core.analysis.detection import Settings
from finops_core.model.engine import PERIOD

SOURCE = "x_Source"
_SILENT = timedelta(7)
"""A source that brings nothing for longer has ended; one that brings nothing for less is late, and then so is the end."""
_GROWS = timedelta(3)
"""A day that was loaded so much later is complete."""
_FAR_BELOW = 0.7
"""A newest day below this share of what its weekday usually costs is taken for incomplete."""
_WHOLE = 0.98


@dataclass(frozen=True)
class Loads:
    """What is known of how sources are loaded: the day of the last load, and, where it could be learned, by age of a day
    (0: the newest) the share of its final cost that is usually there."""

    loaded: Mapping[str, date]
    shares: Mapping[str, Mapping[int, float]]


def last_day(days: polars.DataFrame, loads: Loads) -> date:
    """The last day that can be judged. `days`: x_Source, ChargePeriod, cost; of one currency.

    Sources are as far as the one that is the latest; where nothing is known of how a source grows, its last two days
    count only if they are not far below what they usually cost.
    """
    newest = dict(days.group_by(SOURCE).agg(polars.col(PERIOD).max()).iter_rows())
    last: date = max(newest.values())
    alive = sorted(source for source, day in newest.items() if last - day <= _SILENT)
    found: date = min(newest[source] for source in alive)
    for source in alive:
        if source in loads.shares or loads.loaded.get(source, last) - newest[source] > _GROWS:
            continue
        own = days.filter(polars.col(SOURCE) == source)
        daily = dict(own.group_by(PERIOD).agg(polars.col("cost").sum()).iter_rows())
        for day in (newest[source] - timedelta(1), newest[source]):
            if _is_far_below(daily, day):
                found = min(found, day - timedelta(1))
    return found


def _is_far_below(daily: Mapping[date, float], day: date) -> bool:
    past = sorted(daily[d] for n in range(1, 5) if (d := day - timedelta(7 * n)) in daily)
    return len(past) >= 2 and daily.get(day, 0.0) < _FAR_BELOW * past[(len(past) - 1) // 2]


def shares_of(days: polars.DataFrame, loads: Loads) -> dict[int, float]:
    """Age → share of the final cost of all sources together that is usually there; empty where nothing is learned."""
    last: date | None = days[PERIOD].max()  # type: ignore[assignment]
    if last is None:
        return {}
    recent = days.filter(polars.col(PERIOD) > last - 4 * _SILENT)
    costs = dict(recent.group_by(SOURCE).agg(polars.col("cost").sum()).sort(SOURCE).iter_rows())
    total = sum(costs.values())
    grows = {
        source: loads.shares[source]
        for source in costs
        if source in loads.shares and loads.loaded.get(source, last) - last <= _GROWS
    }
    if total <= 0 or not grows:
        return {}
    ages = sorted({age for shares in grows.values() for age in shares})
    return {
        age: sum(cost * grows.get(source, {}).get(age, 1.0) for source, cost in costs.items()) / total
        for age in ages
    }


def judged(settings: Settings, last: date, shares: Mapping[int, float]) -> Settings:
    """The settings for the newest days, unless somebody has said which days are complete."""
    growing = [age for age, share in shares.items() if share < _WHOLE]
    if not growing or settings.complete_until is not None:
        return settings
    return replace(settings, complete_until=last - timedelta(max(growing) + 1), usual_share=dict(shares))
