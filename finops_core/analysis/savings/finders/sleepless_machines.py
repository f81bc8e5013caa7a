"""Machines of development that run at nights and weekends."""

import polars

from finops_core.analysis.savings.finders.finder import (
    MACHINES,
    PERIOD,
    Finder,
    Situation,
    is_machine,
    is_on_demand,
    is_outside_production,
    usage,
)  # fmt: skip

_ALWAYS = 0.7
"""Cost of a day of a weekend ÷ that of a working day, from which on nothing is switched off."""
_OFF = 0.65
"""Share of a week's hours without 60 hours of work."""


def _awake(situation: Situation, chosen: polars.DataFrame) -> polars.DataFrame:
    """Those that cost as much at weekends as on working days."""
    days = situation.machines_by_day.filter(is_outside_production())
    weekend = polars.col(PERIOD).dt.weekday() > 5
    found = days.group_by(MACHINES).agg(
        polars.col("cost").filter(weekend).sum().alias("weekend"),
        polars.col("cost").filter(~weekend).sum().alias("week"),
    )
    dates = polars.date_range(situation.start, situation.end, closed="left", eager=True)
    at_weekends = int((dates.dt.weekday() > 5).sum())
    a_day = polars.col("weekend") / at_weekends
    awake = found.filter(a_day >= _ALWAYS * polars.col("week") / (len(dates) - at_weekends))
    return chosen.join(awake.select(MACHINES), on=MACHINES, how="semi", nulls_equal=True).with_columns(
        polars.lit(_OFF).alias("share")
    )


FINDER = Finder(
    name="sleepless-machines",
    title="Development that never sleeps",
    why="These machines of development and test run at nights and weekends: stop them outside of 60 working hours a week.",
    lines=is_machine() & is_on_demand() & is_outside_production() & ~usage("GPU"),
    share=_awake,
    effort="M",
    risk="low",
    caveats=(
        "Told by weekends, for bills have no nights: those that sleep at nights only save less",
        "Shared test systems and teams in other time zones may need more hours",
    ),
    order=80,
)
