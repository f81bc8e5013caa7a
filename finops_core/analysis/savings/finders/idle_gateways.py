"""NAT gateways that hardly anything goes through."""

import polars

from finops_core.analysis.savings.finders.finder import COST, Finder, Situation, of_resources, usage

_HARDLY = 0.02
"""Of what its hours cost."""


def _idle(situation: Situation, chosen: polars.DataFrame) -> polars.DataFrame:
    """Gateways whose traffic costs next to nothing, of those whose hours are told by resource."""
    own = situation.lines.filter(polars.col("ResourceId").is_not_null())
    hours = own.filter(usage(r"NatGateway-Hours|NAT Gateway$|Gateway uptime"))
    traffic = own.filter(usage(r"NatGateway-Bytes|Data Processed|NAT Gateway.*data"))
    sums = [
        part.group_by("ResourceId").agg(polars.col(COST).cast(polars.Float64).sum().alias(name))
        for name, part in (("hours", hours), ("traffic", traffic))
    ]
    both = (
        sums[0].join(sums[1], on="ResourceId", how="left").with_columns(polars.col("traffic").fill_null(0.0))
    )
    idle = both.filter(polars.col("traffic") <= _HARDLY * polars.col("hours"))["ResourceId"]
    return of_resources(situation, chosen, idle).with_columns(polars.lit(1.0).alias("share"))


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
