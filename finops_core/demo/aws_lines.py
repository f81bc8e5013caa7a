"""AWS: what was used in a month as line items, by the rules of the Cost and Usage Report.

A covered row carries its on-demand price and a negation takes it back. The company's Enterprise Discount Program takes
6 % off usage, shown in the Net columns, and nothing off commitments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from finops_core.demo.aws_commitments import PLAN_OF, PLANS, RESERVATION_OF, RESERVATIONS, fill, part
from finops_core.demo.estate import Shape
from finops_core.demo.money import MICRO, Ints, cost, share
from finops_core.demo.seasons import Month
from finops_core.demo.usage import Usage

NET = 0.94
_SPOT_LIST = 0.7776
TYPES = ("Usage", "SavingsPlanCoveredUsage", "DiscountedUsage", "SavingsPlanNegation")
USAGE, COVERED, DISCOUNTED, NEGATION = range(4)


@dataclass
class Lines:
    """Rows of usage, a column an array. `resource` indexes the month's resources; costs in units."""

    resource: Ints
    day: Ints
    kind: Ints
    micro: Ints
    unblended: Ints
    net: Ints
    public: Ints
    plan: Ints
    """Effective cost of the covered part; `commitment` says whose."""
    reservation: Ints
    commitment: Ints

    @classmethod
    def join(cls, pieces: Sequence["Lines"]) -> "Lines":
        return cls(*(numpy.concatenate([getattr(p, name) for p in pieces]) for name in cls.__annotations__))

    def take(self, order: Ints) -> "Lines":
        return Lines(*(getattr(self, name)[order] for name in self.__annotations__))


def rates(estate: Sequence[Shape]) -> tuple[Any, Any]:
    """Rate paid and public on-demand rate of each workload."""
    paid = numpy.array([s.rate for s in estate])
    public = numpy.array([_SPOT_LIST if "SpotUsage" in s["usage_type"] else s.rate for s in estate])
    return paid, public


def usage_lines(estate: Sequence[Shape], usage: Usage, month: Month, scale: float) -> Lines:
    paid, public = (rate[usage.shape][:, None] for rate in rates(estate))
    demand, listed = cost(usage.micro, paid), cost(usage.micro, public)
    micro = usage.micro.copy()
    pieces: list[Lines] = []
    of_shape = [s.commitment for s in estate]
    for key, plan in PLAN_OF.items():
        rows = numpy.flatnonzero(numpy.array([c == key for c in of_shape])[usage.shape])
        capacity = numpy.array([plan.daily(scale) if plan.is_active(d) else 0 for d in month.days])
        effective = share(demand[rows], 1 - plan.discount)
        covered = fill(capacity, effective)
        own, hours = part(demand[rows], covered, effective), part(micro[rows], covered, effective)
        number = PLANS.index(plan)
        pieces.append(_lines(rows, COVERED, hours, own, own, own, covered, own * 0, number))
        pieces.append(_negations(rows, usage.shape[rows], own, number))
        demand[rows] -= own
        listed[rows] -= own
        micro[rows] -= hours
    for key, reservation in RESERVATION_OF.items():
        rows = numpy.flatnonzero(numpy.array([c == key for c in of_shape])[usage.shape])
        reserved = reservation.daily_hours(scale)
        capacity = numpy.array([reserved if reservation.is_active(d) else 0 for d in month.days])
        hours = fill(capacity, micro[rows])
        own, nothing = part(demand[rows], hours, micro[rows]), hours * 0
        worth = numpy.asarray(reservation.worth(hours))
        number = len(PLANS) + RESERVATIONS.index(reservation)
        pieces.append(_lines(rows, DISCOUNTED, hours, nothing, nothing, own, nothing, worth, number))
        demand[rows] -= own
        listed[rows] -= own
        micro[rows] -= hours
    rows = numpy.arange(len(usage.shape))
    nothing = demand * 0
    pieces.append(_lines(rows, USAGE, micro, demand, share(demand, NET), listed, nothing, nothing, -1))
    lines = Lines.join(pieces)
    return lines.take(numpy.lexsort((lines.kind, lines.resource, lines.day)))


def _lines(
    rows: Ints,
    kind: int,
    micro: Ints,
    unblended: Ints,
    net: Ints,
    public: Ints,
    plan: Ints,
    reservation: Ints,
    commitment: int,
) -> Lines:
    """Rows of one kind from matrices of resources by days, where anything was used."""
    at, day = numpy.nonzero((micro > 0) | (unblended > 0) | (plan > 0))
    same = numpy.ones(len(at), dtype=numpy.int64)
    return Lines(
        rows[at],
        day,
        same * kind,
        micro[at, day],
        unblended[at, day],
        net[at, day],
        public[at, day],
        plan[at, day],
        reservation[at, day],
        same * commitment,
    )


def _negations(rows: Ints, shape: Ints, own: Ints, number: int) -> Lines:
    """One negation per plan, workload and day; `resource` is the workload's first."""
    firsts = numpy.flatnonzero(numpy.diff(shape, prepend=-1))
    sums = numpy.add.reduceat(own, firsts, axis=0) if len(rows) else own
    nothing = sums * 0
    at, day = numpy.nonzero(sums)
    same = numpy.ones(len(at), dtype=numpy.int64)
    amount = -sums[at, day]
    empty = nothing[at, day]
    return Lines(
        rows[firsts][at],
        day,
        same * NEGATION,
        empty + MICRO,
        amount,
        amount,
        empty,
        empty,
        empty,
        same * number,
    )


def effective(lines: Lines) -> Ints:
    """EffectiveCost of usage rows in units."""
    committed = lines.plan + lines.reservation
    found: Ints = numpy.where(lines.kind == USAGE, lines.net, committed) * (lines.kind != NEGATION)
    return found
