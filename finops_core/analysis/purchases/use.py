"""Use on demand that purchases could cover, as series by day or by hour; and what several purchases take of the same use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy
import polars
from numpy.typing import NDArray

from finops_core.analysis.commitments import HOUR, leftovers_by_day, leftovers_by_hour
from finops_core.analysis.commitments.families import family
from finops_core.analysis.commitments.hours import MANY
from finops_core.analysis.purchases.futures import LEAST, Floats, futures
from finops_core.analysis.purchases.plans import Plan
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.query import Condition, Where, conditions

PLACE = ("ServiceName", "RegionId")
USAGE_TYPE = "x_UsageType"
_KEYS = [CURRENCY, *PLACE, USAGE_TYPE]
_PAST = 364
_HOURS_FROM = 126
"""Days that are read by the hour: eighteen weeks."""
_FUTURES = {1: 400, 24: 100}
"""Futures that are drawn, by columns a day."""


@dataclass(frozen=True)
class Uncovered:
    """Use on demand that nothing covers, before a day: by day of up to a year, and by hour of eighteen weeks where charges are."""

    by_day: polars.DataFrame
    """ChargePeriod, BillingCurrency, ServiceName, RegionId, x_UsageType, on_demand."""
    by_hour: polars.DataFrame
    """The same with ChargePeriodStart; empty where charges are by the day."""
    end: date

    @classmethod
    def read(cls, ledger: Ledger, services: Sequence[str], end: date, where: Where = ()) -> "Uncovered":
        asked = (*conditions(where), Condition("ServiceName", "in", tuple(dict.fromkeys(services))))
        by = (*PLACE, USAGE_TYPE)
        days = leftovers_by_day(ledger, by, end - timedelta(_PAST), end, asked)
        return cls(days, leftovers_by_hour(ledger, by, end - timedelta(_HOURS_FROM), end, asked), end)

    def only(self, keys: polars.DataFrame) -> "Uncovered":
        """The use of some currencies, services, regions and usage types (those of the columns that `keys` has)."""
        by_day, by_hour = (
            frame.join(keys, on=keys.columns, how="semi", nulls_equal=True)
            for frame in (self.by_day, self.by_hour)
        )
        return Uncovered(by_day, by_hour, self.end)

    def of_plan(self, plan: Plan) -> "Uncovered":
        """The use that a plan is for."""
        keys = self.by_day.select("ServiceName", USAGE_TYPE).unique()
        kept = [plan.covers(service, kind) for service, kind in keys.iter_rows()]
        return self.only(keys.filter(polars.Series(kept, dtype=polars.Boolean)))

    def families(self) -> list[str]:
        """The families of machines that have use, in the order of their names."""
        kinds = self.by_day[USAGE_TYPE].unique().to_list()
        return sorted({found for kind in kinds if (found := family(None, kind)) is not None})

    def days(self) -> Floats:
        """By day from the first day that has any; days without any are 0."""
        first = self.by_day[PERIOD].min()
        if not isinstance(first, date):
            return numpy.zeros(0)
        days = numpy.zeros((self.end - first).days)
        at = (self.by_day[PERIOD] - first).dt.total_days().to_numpy()
        numpy.add.at(days, at, self.by_day["on_demand"].cast(polars.Float64).to_numpy())
        return days

    def hours(self) -> Floats | None:
        """By hour, each as if all hours of a day were like it, from the first whole day; None where too few are known."""
        found = self.by_hour
        if found.is_empty() or found[HOUR].dt.hour().n_unique() < MANY:
            return None
        first = found[HOUR].min()
        assert isinstance(first, datetime)
        begin = datetime.combine(first.date() + timedelta(1), time())
        hours = numpy.zeros(max(0, (self.end - begin.date()).days * 24))
        own = found.filter(found[HOUR] >= begin)
        at = ((own[HOUR] - begin).dt.total_seconds() // 3600).cast(polars.Int64).to_numpy()
        inside = at < len(hours)
        numpy.add.at(hours, at[inside], own["on_demand"].cast(polars.Float64).to_numpy()[inside] * 24)
        return hours if len(hours) >= LEAST * 24 else None


@dataclass(frozen=True)
class Claim:
    """What a purchase may cover: the use that a plan is for, in a currency and some regions (none: everywhere)."""

    currency: str
    plan: Plan
    regions: tuple[str, ...] = ()

    def covers(self, currency: str, service: str | None, region: str | None, usage: str | None) -> bool:
        return (
            currency == self.currency
            and (not self.regions or region in self.regions)
            and self.plan.covers(service, usage)
        )


class Parcels:
    """Futures of use, told apart by which claims could cover it, so that no use is covered twice."""

    def __init__(self, uncovered: Uncovered, claims: Sequence[Claim], days: int, supposed: float) -> None:
        told: dict[frozenset[Claim], list[tuple[str | None, ...]]] = {}
        for key in uncovered.by_day.select(_KEYS).unique(maintain_order=True).iter_rows():
            takers = frozenset(claim for claim in claims if claim.covers(*key))
            if takers:
                told.setdefault(takers, []).append(key)
        schema = dict.fromkeys(_KEYS, polars.String())
        parts = {
            takers: uncovered.only(polars.DataFrame(keys, schema, orient="row"))
            for takers, keys in told.items()
        }
        hours = {takers: part.hours() for takers, part in parts.items()}
        self.per_day = 24 if any(known is not None for known in hours.values()) else 1
        """Columns of each future a day: each is use a day at that hour."""
        self.count = _FUTURES[self.per_day]
        self._days = days
        self._left: dict[frozenset[Claim], Floats] = {}
        for takers, part in parts.items():
            known = hours[takers]
            if known is not None:
                drawn = futures(known, days, supposed, self.count, per_day=24)
            else:
                past = part.days()
                past = numpy.concatenate([numpy.zeros(max(0, LEAST - len(past))), past])
                drawn = numpy.repeat(futures(past, days, supposed, self.count), self.per_day, axis=1)
            self._left[takers] = drawn

    def left(self, claim: Claim) -> Floats:
        """The use that a claim could still cover: futures × days (or hours)."""
        nothing = numpy.zeros((self.count, self._days * self.per_day))
        return sum((use for takers, use in self._left.items() if claim in takers), nothing)

    def take(self, claim: Claim, level: float, inside: NDArray[numpy.bool_]) -> Floats:
        """Covers up to a level a day of what is left to a claim, within some days (or hours), and returns what was covered. Of use that
        others could cover too, as much is taken as of the rest, in proportion."""
        whole = self.left(claim)
        covered = numpy.minimum(whole, level) * inside[None, :]
        kept = 1 - numpy.divide(covered, whole, out=numpy.zeros_like(whole), where=whole > 0)
        for takers in self._left:
            if claim in takers:
                self._left[takers] = self._left[takers] * kept
        return covered
