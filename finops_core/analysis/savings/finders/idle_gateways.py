"""NAT gateways that hardly anything goes through."""

import polars

from finops_core.analysis.savings.finders.finder import Finder, Situation, idle, usage


def _idle(situation: Situation, chosen: polars.DataFrame) -> polars.DataFrame:
    """Gateways whose traffic costs next to nothing, of those whose hours are told by resource."""
    return idle(situation, chosen, usage(r"NatGateway-Bytes|Data Processed|NAT Gateway.*data"))


FINDER = Finder(
    name="idle-gateways",
    title="NAT gateways without traffic",
    why="A NAT gateway is charged by the hour, and nothing goes through these: delete them, or share one.",
    lines=usage(r"NatGateway-Hours|NAT Gateway$|Gateway uptime"),
    share=_idle,
    effort="S",
    risk="medium",
    caveats=("It may stand by for another zone: look at its route tables before it is deleted",),
    order=30,
    by_resource=True,
)
