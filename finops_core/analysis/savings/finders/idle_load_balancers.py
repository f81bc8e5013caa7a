"""Load balancers that balance nothing."""

import polars

from finops_core.analysis.savings.finders.finder import Finder, Situation, idle, service, usage

_HOURS = r"LoadBalancerUsage|Application Gateway.*Fixed Cost|Standard Fixed Cost|Forwarding Rule Minimum"


def _idle(situation: Situation, chosen: polars.DataFrame) -> polars.DataFrame:
    """Balancers whose other charges (capacity units, bytes) cost next to nothing."""
    return idle(situation, chosen, ~usage(_HOURS))


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
