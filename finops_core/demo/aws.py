"""AWS: the bill of a month, and what a correct reader finds in it."""

from collections.abc import Sequence

import numpy

from finops_core.demo.aws_fees import Bill, add_fees
from finops_core.demo.aws_lines import NEGATION, NET, USAGE, effective, usage_lines
from finops_core.demo.estate import Shape, shapes
from finops_core.demo.incidents import Incident
from finops_core.demo.money import cost, share
from finops_core.demo.seasons import Month
from finops_core.demo.usage import use


def bill(month: Month, scale: float, seed: int, incidents: Sequence[Incident]) -> Bill:
    """The bill of a month."""
    estate = shapes("aws")
    usage = use(estate, month, scale, seed, incidents, "aws")
    made = Bill(month, usage, usage_lines(estate, usage, month, scale))
    _count_usage(made, estate, incidents)
    add_fees(made, scale)
    made.totals.rows = (
        int((made.lines.kind != NEGATION).sum())
        + len(made.extras)
        + sum(1 for row in made.extras if row.get("idle"))
    )
    return made


def _count_usage(made: Bill, estate: Sequence[Shape], incidents: Sequence[Incident]) -> None:
    lines, totals = made.lines, made.totals
    costs = effective(lines)
    totals.billed = int(lines.net[lines.kind == USAGE].sum())
    totals.effective = int(costs.sum())
    sums = numpy.zeros(len(estate), dtype=numpy.int64)
    numpy.add.at(sums, made.usage.shape[lines.resource], costs)
    for shape, amount in zip(estate, sums, strict=True):
        totals.add_team(shape.team, int(amount))
    for incident in incidents:
        if incident.provider != "aws":
            continue
        rows = [estate[s].key == incident.workload for s in made.usage.shape]
        rate = next(s.rate for s in estate if s.key == incident.workload)
        extra = [share(cost(micro[rows], rate), NET).sum() for micro in (made.usage.micro, made.usage.usual)]
        if extra[0] != extra[1]:
            totals.incidents[incident.key] = int(extra[0] - extra[1])
