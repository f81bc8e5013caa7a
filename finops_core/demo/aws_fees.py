"""AWS: the line items that are not usage: fees of commitments, support, tax, credits and refunds.

A commitment's fee row says what of it was left idle.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy

from finops_core.demo.aws_commitments import PLANS, RESERVATIONS, Plan, Reservation
from finops_core.demo.aws_lines import COVERED, Lines, effective
from finops_core.demo.estate import accounts, shapes
from finops_core.demo.money import MICRO
from finops_core.demo.seasons import Month, month_of
from finops_core.demo.totals import MonthTotals
from finops_core.demo.usage import Usage

_TAX = 0.021
_SUPPORT = ((10_000, 0.10), (80_000, 0.07), (250_000, 0.05), (float("inf"), 0.03))
"""Business support: up to so many dollars a month, this share of the rest."""
_CREDITS = {month_of(2026, m).first: 4200 for m in (5, 6, 7, 8, 9, 10)}
_REFUND = (month_of(2026, 3).first, date(2026, 2, 17), 1236.4)


@dataclass
class Bill:
    """A month of AWS: usage rows, the rows that are not usage, and the exact totals."""

    month: Month
    usage: Usage
    lines: Lines
    extras: list[dict[str, Any]] = field(default_factory=list)
    """Rows by column; costs in units."""
    totals: MonthTotals = field(default_factory=MonthTotals)


def add_fees(made: Bill, scale: float) -> None:
    """Adds all rows that are not usage; support and tax follow from what is there before them."""
    for plan in PLANS:
        _plan_fees(made, plan, scale)
    for reservation in RESERVATIONS:
        _reservation_fees(made, reservation, scale)
    _support(made)
    _taxes(made)
    _credits(made, scale)


def _extra(made: Bill, kind: str, account: str, amount: int, effective: int, **more: Any) -> None:
    """A row that is not usage; `amount` is its unblended and net cost."""
    owner = accounts("AWS")[account]
    first, last = made.month.first, made.month.following
    made.extras.append(
        {"kind": kind, "account": owner, "unblended": amount, "net": amount, "start": first, "end": last}
        | more
    )
    made.totals.billed += amount
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
        service="AWSSupportBusiness",
        usage_type="Dollar",
        words=words,
        micro=MICRO,
        unit="Dollar",
    )


def _taxes(made: Bill) -> None:
    """Sales tax by account, on what was used."""
    lines = made.lines
    names = [s.account for s in shapes("aws")]
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
            service="AmazonEC2",
            usage_type="EU-BoxUsage:m6i.4xlarge",
            words=words,
        )
    month, day, refund = _REFUND
    if month == made.month.first:
        amount = -round(refund * scale * 100) * 10**8
        words = "Refund under the service level agreement of Amazon S3, February 2026"
        _extra(
            made,
            "Refund",
            "data-prod",
            amount,
            amount,
            service="AmazonS3",
            usage_type="EU-Requests-Tier1",
            words=words,
            start=day,
            end=day + timedelta(days=1),
        )
