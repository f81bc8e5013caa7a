"""Snapshots that become ever more."""

from datetime import timedelta

import polars

from finops_core.analysis.savings.finders.finder import COST, CURRENCY, DAYS, Finder, Situation, usage

_AGO = 90
_GREW = 1.2
_BY = [CURRENCY, "x_Team", "SubAccountId", "x_UsageType"]
_KIND = (
    r"EBS:SnapshotUsage|Snapshots?( Usage)?$|Snapshot.*(LRS|ZRS)|Storage PD Snapshot|RDS:ChargedBackupUsage"
)


def _grown(situation: Situation, chosen: polars.DataFrame) -> polars.DataFrame:
    """Those that cost a fifth more than three months ago; what they grew by is what an expiry would take away."""
    start = situation.start - timedelta(_AGO)
    past = situation.lines_of(start, start + timedelta(DAYS)).filter(usage(_KIND))
    sums = [
        part.group_by(_BY).agg(polars.col(COST).cast(polars.Float64).sum().alias(name))
        for name, part in (("now", chosen), ("before", past))
    ]
    both = sums[0].join(sums[1], on=_BY, nulls_equal=True)  # what is new has not grown yet
    grown = both.filter((polars.col("before") > 0) & (polars.col("now") > _GREW * polars.col("before")))
    share = grown.with_columns((1 - polars.col("before") / polars.col("now")).alias("share"))
    return chosen.join(share.select(*_BY, "share"), on=_BY, nulls_equal=True)


FINDER = Finder(
    name="growing-snapshots",
    title="Snapshots that become ever more",
    why="These snapshots cost a fifth more than three months ago: give their policy an expiry, or move old ones to the archive.",
    lines=usage(_KIND),
    share=_grown,
    effort="S",
    risk="medium",
    caveats=("Some may have to be kept by law or contract", "What grew with the disks themselves stays"),
    order=70,
)
