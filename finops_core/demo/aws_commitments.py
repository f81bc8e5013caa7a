"""The company's Savings Plans and reservations at AWS, and how they are filled by usage, in whole units."""

from dataclasses import dataclass
from datetime import date

import numpy

from finops_core.demo.money import MICRO, UNIT, Ints

_RATE = 10**4
"""Hourly rates of commitments have four decimals: hours in millionths times rate is then exact."""


@dataclass(frozen=True)
class Plan:
    """A Savings Plan: `hourly` is committed at scale 1, usage is priced `discount` below on-demand."""

    key: str
    kind: str
    account: str
    hourly: float
    discount: float
    term: str
    payment: str
    start: date
    end: date
    """The last day, included."""

    @property
    def arn(self) -> str:
        return f"arn:aws:savingsplans::{{account}}:savingsplan/{self.key}"

    @property
    def is_upfront(self) -> bool:
        return self.payment == "AllUpfront"

    def daily(self, scale: float) -> int:
        """The commitment of a day in units."""
        return round(self.hourly * scale * _RATE) * 24 * (UNIT // _RATE)

    def is_active(self, day: date) -> bool:
        return self.start <= day <= self.end


@dataclass(frozen=True)
class Reservation:
    """Reserved database instances: `count` of them at scale 1, worth `hourly` each."""

    key: str
    service: str
    usage_type: str
    account: str
    count: float
    hourly: float
    payment: str
    start: date
    end: date

    @property
    def is_upfront(self) -> bool:
        return self.payment == "All Upfront"

    def daily_hours(self, scale: float) -> int:
        """Reserved hours of a day in millionths."""
        return round(self.count * scale * 24 * MICRO)

    def worth(self, micro_hours: Ints | int) -> Ints | int:
        """What hours of the reservation are worth in units, exactly."""
        return micro_hours * round(self.hourly * _RATE)

    def is_active(self, day: date) -> bool:
        return self.start <= day <= self.end


PLANS = (
    # Bought for the data team's batch before sharing was switched on: half of it idles at weekends.
    Plan(
        "4d0c7a11-weekday",
        "ComputeSP",
        "data-prod",
        18.0,
        0.28,
        "3yr",
        "NoUpfront",
        date(2024, 7, 1),
        date(2027, 6, 30),
    ),
    Plan(
        "9be2f0c4-shared",
        "ComputeSP",
        "finch-payer",
        38.0,
        0.28,
        "1yr",
        "NoUpfront",
        date(2025, 9, 1),
        date(2026, 8, 31),
    ),
    Plan(
        "c2a95e70-frontend",
        "EC2InstanceSP:c6i.eu-west-1",
        "finch-payer",
        8.0,
        0.37,
        "1yr",
        "AllUpfront",
        date(2026, 2, 10),
        date(2027, 2, 9),
    ),
)
PLAN_OF = {"data": PLANS[0], "compute": PLANS[1], "edge": PLANS[2]}
RESERVATIONS = (
    Reservation(
        "checkout-2025-12",
        "AmazonRDS",
        "EU-InstanceUsage:db.r6g.4xl",
        "checkout-prod",
        6,
        1.5312,
        "No Upfront",
        date(2025, 12, 1),
        date(2026, 11, 30),
    ),
    Reservation(
        "marketplace-2026-01",
        "AmazonRDS",
        "EU-InstanceUsage:db.m6g.4xl",
        "marketplace-prod",
        7,
        0.9128,
        "All Upfront",
        date(2026, 1, 12),
        date(2027, 1, 11),
    ),
)
RESERVATION_OF = {"checkout-db": RESERVATIONS[0], "marketplace-db": RESERVATIONS[1]}


def fill(capacity: Ints, wanted: Ints) -> Ints:
    """How much of each resource's usage a capacity by day covers, resources in their order."""
    before = numpy.cumsum(wanted, axis=0) - wanted
    return numpy.clip(capacity[None, :] - before, 0, wanted)


def part(amounts: Ints, covered: Ints, whole: Ints) -> Ints:
    """`amounts` in the proportion covered / whole, rounded to whole units; all of it where all is covered."""
    ratio = covered / numpy.maximum(whole, 1)
    return numpy.where(covered == whole, amounts, numpy.rint(amounts * ratio).astype(numpy.int64))
