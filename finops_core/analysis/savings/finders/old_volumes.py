"""Volumes of the type gp2, which gp3 does for a fifth less."""

from finops_core.analysis.savings.finders.finder import Finder, usage

FINDER = Finder(
    name="gp2-volumes",
    title="Volumes of type gp2",
    why="gp3 costs a fifth less a gigabyte than gp2, with as much throughput up to a terabyte: change the type, while in use.",
    lines=usage(r"VolumeUsage\.gp2|Database.*gp2|GP2-Storage"),
    share=0.2,
    effort="S",
    risk="low",
    caveats=(
        "Volumes above a terabyte that need more than 3,000 operations a second pay for them separately on gp3",
    ),
    order=60,
)
