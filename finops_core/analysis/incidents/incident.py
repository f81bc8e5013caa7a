"""What is reported: an incident, what contributed to it, and what was announced and is none."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from finops_core.analysis.incidents.series_names import Series
from finops_core.model.engine import CURRENCY
from finops_core.model.query import AllOf, Condition, Node, Not, Query

METRIC = "EffectiveCost"
ACCOUNT = "SubAccountId"
USAGE = Condition("ChargeCategory", "=", ("Usage",))
NO_PLAN = Condition("ServiceName", "!~", ("support",))
USED = Condition("CommitmentDiscountStatus", "!=", ("Unused",))
WATCHED = (USAGE, NO_PLAN, USED)
"""What is watched: amortised use, so that purchases, taxes and credits raise no alarm. No support plans, which some clouds
book as use of a single day in the month, and no idle commitments, of which the same is true: they are looked at by the month."""
WATCHED_SQL = (
    "ChargeCategory = 'Usage' AND coalesce(CommitmentDiscountStatus, '') <> 'Unused'"
    " AND NOT contains(lower(coalesce(ServiceName, '')), 'support')"
)
"""WATCHED, as SQL over the charges."""
SEVERITIES = ("info", "warning", "high", "critical")
"""Mildest first."""


@dataclass(frozen=True)
class Contributor:
    """A member of a dimension, and the part of the impact that lies in it."""

    dimension: str
    member: str
    """Empty where the charges have no value."""
    impact: Decimal
    share: float
    """Of the incident's impact; more than 1 where other members moved against it."""


@dataclass(frozen=True)
class KnownEvent:
    """Something announced, or a window of silence: usage that fulfils all conditions may move on its days, both included."""

    start: date
    end: date
    conditions: tuple[Node, ...] = ()
    """None at all: everything."""
    note: str = ""


@dataclass(frozen=True)
class Incident:
    """Cost that is other than expected, reported once, at the cut that explains it best. Money is in `currency`."""

    key: str
    """Stays the same while the incident goes on."""
    cut: str
    """The dimensions in words: `x_Team × ServiceName`, or `total`."""
    dimensions: tuple[str, ...]
    members: tuple[str | None, ...]
    """A member a dimension; None where the charges have no value."""
    currency: str
    start: date
    end: date
    """The last day, included; the newest day where it is going on."""
    first_seen: date
    """The day whose costs raised it: what is told then reads no later day."""
    ongoing: bool
    direction: str
    """up | down"""
    kind: str
    """spike | level shift | runaway | slow leak | weekend leak | drop | new"""
    expected: Decimal
    """Sum over its days, as `actual`."""
    actual: Decimal
    impact: Decimal
    """actual − expected, exactly."""
    per_day: Decimal
    """Impact per day of its days."""
    severity: str
    score: float
    owner: str
    """The team that the cost belongs to; empty where none does."""
    contributors: tuple[Contributor, ...] = ()
    """By dimension, each with its largest members first."""
    deployments: tuple[str, ...] = ()
    """What the owner brought out up to three days before, newest first."""
    sentence: str = ""
    spread: Decimal = field(default=Decimal(0))
    """Half the width of the band around what was expected, per day."""

    rate: bool = False
    """Whether it is what is paid for use that changed, and the use, at list prices, did not: a commitment or discount ended."""
    without: tuple[Series, ...] = ()
    """Parts of its series in which other incidents went on: they are left out of everything that is said of it."""
    usual: tuple[float, ...] = (0.0,) * 7
    """What its days would have cost without it, by weekday, Monday first: `expected` is their sum."""

    @property
    def member_series(self) -> Series:
        """The series that it is of."""
        return Series(self.currency, self.dimensions, self.members)

    @property
    def series(self) -> str:
        """`web × AmazonEC2`, in words; `total without checkout × AmazonCloudWatch`."""
        others = ", ".join(series.in_words() for series in self.without)
        return (
            f"{self.member_series.in_words()} without {others}" if others else self.member_series.in_words()
        )

    @property
    def place(self) -> str:
        """`series` in few words: `total without 6 other incidents`."""
        many = len(self.without)
        return f"{self.member_series.in_words()} without {many} other incidents" if many > 1 else self.series

    def called(self, accounts: Mapping[str, str]) -> str:
        """`place`, with accounts by their names where they have one: `shop-prod × AmazonEC2`."""
        own, others = _called(self.member_series, accounts), tuple(_called(s, accounts) for s in self.without)
        return replace(self, members=own.members, without=others).place

    def query(self) -> Query:
        """The incident's cost on its days."""
        return Query(METRIC, where=self.conditions(), start=self.start, end=self.end + timedelta(1))

    def conditions(self) -> tuple[Node, ...]:
        """What its charges fulfil."""
        return conditions_of(self.member_series, self.without)


def _called(series: Series, accounts: Mapping[str, str]) -> Series:
    named = zip(series.dimensions, series.members, strict=True)
    members = (
        accounts.get(member, member) if name == ACCOUNT and member is not None else member
        for name, member in named
    )
    return replace(series, members=tuple(members))


def conditions_of(series: Series, without: Sequence[Series] = ()) -> tuple[Node, ...]:
    """What is watched of a series, without parts of it, as conditions."""
    others = []
    for other in without:
        own = _members(other)
        others.append(Not(own[0] if len(own) == 1 else AllOf(tuple(own))))
    return (*WATCHED, Condition(CURRENCY, "=", (series.currency,)), *_members(series), *others)


def _members(series: Series) -> list[Condition]:
    return [
        Condition(name, "is null") if member is None else Condition(name, "=", (member,))
        for name, member in zip(series.dimensions, series.members, strict=True)
    ]


def key_of(currency: str, dimensions: Sequence[str], members: Sequence[str | None], start: date) -> str:
    """The key of an incident: of the cut at which it was first reported and its first day, and of nothing else."""
    written = json.dumps([currency, list(dimensions), list(members), start.isoformat()], ensure_ascii=False)
    return hashlib.sha256(written.encode()).hexdigest()[:12]
