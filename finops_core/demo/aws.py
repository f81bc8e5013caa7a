"""AWS: the line items of a month, by the rules of the Cost and Usage Report.

A covered row carries its on-demand price and a negation takes it back; a commitment's fee row says what was left idle.
The company's Enterprise Discount Program takes 6 % off usage, shown in the Net columns, not off commitments.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy

from finops_core.demo.aws_commitments import (
    PLAN_OF,
    PLANS,
    RESERVATION_OF,
    RESERVATIONS,
    Plan,
    Reservation,
    fill,
    part,
)
from finops_core.demo.estate import Shape, accounts, shapes
from finops_core.demo.incidents import Incident
from finops_core.demo.money import MICRO, Ints, cost, share
from finops_core.demo.seasons import Month, month_of
from finops_core.demo.totals import MonthTotals
from finops_core.demo.usage import Usage, use

NET = 0.94
_TAX = 0.021
_SPOT_LIST = 0.7776
_SUPPORT = ((10_000, 0.10), (80_000, 0.07), (250_000, 0.05), (float("inf"), 0.03))
"""Business support: up to so many dollars a month, this share of the rest."""
_CREDITS = {month_of(2026, m).first: 4200 for m in (5, 6, 7, 8, 9, 10)}
_REFUND = (month_of(2026, 3).first, date(2026, 2, 17), 1236.4)
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


@dataclass
class Bill:
    """A month of AWS: usage rows, the rows that are not usage, and the exact totals."""

    month: Month
    usage: Usage
    lines: Lines
    extras: list[dict[str, Any]] = field(default_factory=list)
    """Rows by column; costs in units."""
    totals: MonthTotals = field(default_factory=MonthTotals)


def bill(month: Month, scale: float, seed: int, incidents: Sequence[Incident]) -> Bill:
    """The bill of a month."""
    estate = shapes("aws")
    usage = use(estate, month, scale, seed, incidents, "aws")
    made = Bill(month, usage, _usage_lines(estate, usage, month, scale))
    _count_usage(made, estate, incidents)
    for plan in PLANS:
        _plan_fees(made, plan, scale)
    for reservation in RESERVATIONS:
        _reservation_fees(made, reservation, scale)
    _support(made)
    _taxes(made, estate)
    _credits(made, scale)
    made.totals.rows = (
        int((made.lines.kind != NEGATION).sum())
        + len(made.extras)
        + sum(1 for row in made.extras if row.get("idle"))
    )
    return made


def rates(estate: Sequence[Shape]) -> tuple[Any, Any]:
    """Rate paid and public on-demand rate of each workload."""
    paid = numpy.array([s.rate for s in estate])
    public = numpy.array([_SPOT_LIST if "SpotUsage" in s["usage_type"] else s.rate for s in estate])
    return paid, public


def _usage_lines(estate: Sequence[Shape], usage: Usage, month: Month, scale: float) -> Lines:
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
    return numpy.where(lines.kind == USAGE, lines.net, lines.plan + lines.reservation) * (
        lines.kind != NEGATION
    )


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
        extra = [
            share(cost(micro[rows], rate), NET).sum() for micro in (made.usage.micro, made.usage.usual)
        ]
        if extra[0] != extra[1]:
            totals.incidents[incident.key] = int(extra[0] - extra[1])


def _extra(
    made: Bill, kind: str, account: str, amount: int, billed: int, effective: int, **more: Any
) -> None:
    """A row that is not usage; `amount` is its unblended and net cost."""
    owner = accounts("AWS")[account]
    first, last = made.month.first, made.month.following
    made.extras.append(
        {"kind": kind, "account": owner, "unblended": amount, "net": amount, "start": first, "end": last} | more
    )
    made.totals.billed += billed
    made.totals.effective += effective
    made.totals.add_team("", effective)


def _plan_fees(made: Bill, plan: Plan, scale: float) -> None:
    number = PLANS.index(plan)
    mine = (made.lines.commitment == number) & (made.lines.kind == COVERED)
    daily = plan.daily(scale)
    code = "ComputeSavingsPlans"
    usage_type = f"{plan.kind}:{plan.term}{plan.payment}"
    common = {"commitment": number, "service": code, "usage_type": usage_type, "unit": "Hrs"}
    for column, day in enumerate(made.month.days):
        if not plan.is_active(day):
            continue
        used = int(made.lines.plan[mine & (made.lines.day == column)].sum())
        dates = {"start": day, "end": day + timedelta(days=1)}
        if day == plan.start and plan.is_upfront:
            term = daily * ((plan.end - plan.start).days + 1)
            words = f"{plan.term} {plan.kind} all upfront fee"
            _extra(
                made,
                "SavingsPlanUpfrontFee",
                plan.account,
                term,
                term,
                0,
                **common,
                **dates,
                words=words,
                micro=MICRO,
            )
        fee = 0 if plan.is_upfront else daily
        words = f"{plan.term} {plan.kind} {'all' if plan.is_upfront else 'no'} upfront hourly fee"
        _extra(
            made,
            "SavingsPlanRecurringFee",
            plan.account,
            fee,
            fee,
            daily - used,
            **common,
            **dates,
            words=words,
            micro=24 * MICRO,
            committed=daily,
            used=used,
            idle=daily - used > 0,
        )


def _reservation_fees(made: Bill, reservation: Reservation, scale: float) -> None:
    month = made.month
    first = max(month.first, reservation.start)
    active = [d for d in month.days if reservation.is_active(d)]
    if not active:
        return
    number = len(PLANS) + RESERVATIONS.index(reservation)
    hours = reservation.daily_hours(scale)
    used = int(made.lines.reservation[made.lines.commitment == number].sum())
    idle = int(reservation.worth(hours * len(active))) - used
    common = {
        "commitment": number,
        "service": reservation.service,
        "usage_type": reservation.usage_type,
        "unit": "Hrs",
    }
    count = f"{reservation.count * scale:g} x {reservation.usage_type}"
    if reservation.is_upfront and reservation.start >= month.first:
        term = int(reservation.worth(hours * ((reservation.end - reservation.start).days + 1)))
        day = reservation.start
        _extra(
            made,
            "Fee",
            reservation.account,
            term,
            term,
            0,
            **common,
            start=day,
            end=day + timedelta(days=1),
            micro=MICRO,
            words=f"Upfront fee for {count}, 1 year, all upfront",
        )
    # AWS bills the month's fee on its first day; what is idle is known to date.
    left = (min(month.following, reservation.end + timedelta(days=1)) - first).days
    fee = 0 if reservation.is_upfront else int(reservation.worth(hours * left))
    _extra(
        made,
        "RIFee",
        reservation.account,
        fee,
        fee,
        idle,
        **common,
        start=first,
        end=first + timedelta(days=1),
        micro=hours * left,
        words=f"Recurring fee for {count}, 1 year, {reservation.payment.lower()}",
        idle=idle > 0,
        **{"idle_upfront" if reservation.is_upfront else "idle_recurring": idle},
    )


def _support(made: Bill) -> None:
    spent = made.totals.billed / 10**10
    fee, floor = 0.0, 0.0
    for limit, rate in _SUPPORT:
        fee += max(0.0, min(spent, limit) - floor) * rate
        floor = limit
    amount = round(fee * 100) * 10**8
    words = "AWS Support (Business)"
    _extra(
        made,
        "Fee",
        "finch-payer",
        amount,
        amount,
        amount,
        service="AWSSupportBusiness",
        usage_type="Dollar",
        words=words,
        micro=MICRO,
        unit="Dollar",
    )


def _taxes(made: Bill, estate: Sequence[Shape]) -> None:
    """Sales tax by account, on what was used."""
    lines = made.lines
    names = [s.account for s in estate]
    order = list(dict.fromkeys(names))
    at = numpy.array([order.index(n) for n in names])[made.usage.shape[lines.resource]]
    sums = numpy.zeros(len(order), dtype=numpy.int64)
    numpy.add.at(sums, at, effective(lines))
    for name, amount in zip(order, sums, strict=True):
        tax = round(int(amount) * _TAX / 10**8) * 10**8
        if tax:
            _extra(
                made,
                "Tax",
                name,
                tax,
                tax,
                tax,
                service="AmazonEC2",
                usage_type="",
                words="Tax of type US Sales Tax",
            )


def _credits(made: Bill, scale: float) -> None:
    worth = _CREDITS.get(made.month.first)
    if worth:
        amount = -round(worth * scale * 100) * 10**8
        words = "AWS Migration Acceleration Program credit"
        _extra(
            made,
            "Credit",
            "fulfilment-prod",
            amount,
            amount,
            amount,
            service="AmazonEC2",
            usage_type="EU-BoxUsage:m6i.4xlarge",
            words=words,
        )
    month, day, worth = _REFUND
    if month == made.month.first:
        amount = -round(worth * scale * 100) * 10**8
        words = "Refund under the service level agreement of Amazon S3, February 2026"
        _extra(
            made,
            "Refund",
            "data-prod",
            amount,
            amount,
            amount,
            service="AmazonS3",
            usage_type="EU-Requests-Tier1",
            words=words,
            start=day,
            end=day + timedelta(days=1),
        )
