"""Load balancers that balance nothing."""

import polars

from finops_core.analysis.savings.finders.finder import COST, Finder, Situation, of_resources, service, usage

_HARDLY = 0.02
_HOURS = r"LoadBalancerUsage|Application Gateway.*Fixed Cost|Standard Fixed Cost|Forwarding Rule Minimum"


def _idle(situation: Situation, chosen: polars.DataFrame) -> polars.DataFrame:
    """Balancers whose other charges (capacity units, bytes) cost next to nothing."""
    told = situation.lines.filter(polars.col("ResourceId").is_not_null())
    balancers = chosen["ResourceId"].drop_nulls().unique()
    others = told.filter(polars.col("ResourceId").is_in(balancers.implode()) & ~usage(_HOURS))
    sums = [
        part.group_by("ResourceId").agg(polars.col(COST).cast(polars.Float64).sum().alias(name))
        for name, part in (("hours", chosen.drop_nulls("ResourceId")), ("work", others))
    ]
    both = sums[0].join(sums[1], on="ResourceId", how="left").with_columns(polars.col("work").fill_null(0.0))
    idle = both.filter(polars.col("work") <= _HARDLY * polars.col("hours"))["ResourceId"]
    return of_resources(situation, chosen, idle).with_columns(polars.lit(1.0).alias("share"))


FINDER = Finder(
    name="idle-load-balancers",
    title="Load balancers without traffic",
    why="A load balancer is charged by the hour, and these have no requests: delete them.",
    lines=usage(_HOURS)
    & service("Load Balanc|Elastic Compute|Application Gateway|Networking|Compute Engine"),
    share=_idle,
    effort="S",
    risk="low",
    caveats=("Traffic that is too little to be charged is not seen: look at its requests first",),
    order=40,
    by_resource=True,
)
