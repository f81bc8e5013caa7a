"""Machines outside of production that come and go: work that could be interrupted."""

import polars

from finops_core.analysis.savings.finders.finder import (
    MACHINES,
    Finder,
    Situation,
    is_machine,
    is_on_demand,
    is_outside_production,
)

_SWINGS = 2.0
"""The busiest tenth of days costs so many times a usual day where work comes in batches."""
_BATCHES = r"(?i)batch|etl|spark|train|render|worker|ci\b|build|simulation"


def _swinging(situation: Situation, chosen: polars.DataFrame) -> polars.DataFrame:
    """Those whose daily cost swings, or whose names say that they are batches."""
    found = situation.machines_by_day.group_by(MACHINES).agg(
        polars.col("cost").quantile(0.9).alias("busy"), polars.col("cost").median().alias("usual")
    )
    swings = found.filter(polars.col("busy") >= _SWINGS * polars.col("usual")).select(MACHINES)
    by_course = chosen.join(swings, on=MACHINES, how="semi", nulls_equal=True)
    named = chosen.filter(
        is_outside_production() & polars.col("ResourceId").fill_null("").str.contains(_BATCHES)
    )
    return (
        polars.concat([by_course, named])
        .unique(maintain_order=True)
        .with_columns(polars.lit(0.5).alias("share"))
    )


FINDER = Finder(
    name="spot-candidates",
    title="Work that could run on spot machines",
    why="These machines come and go as batches do: spot capacity costs half or less, for work that can be interrupted.",
    lines=is_machine() & is_on_demand(),
    share=_swinging,
    effort="M",
    risk="medium",
    caveats=(
        "Whether work can be interrupted, the bill does not show",
        "Half is a cautious discount: it changes by machine and hour",
    ),
    order=100,
)
