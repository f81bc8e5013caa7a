"""What an incident is made of: by dimension, the members whose cost differs most from the same weekdays of the weeks before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars

from finops_core.analysis.incidents.incident import ACCOUNT, METRIC, WATCHED_SQL, Contributor
from finops_core.analysis.incidents.series_names import Series
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.query import Node, Query

METERS = ("x_UsageType", "SkuMeter", "ChargeDescription")
"""What says what was used: the first of them that an export fills."""
DIMENSIONS = (
    "x_Team", "SubAccountId", "RegionId", "ServiceName", *METERS, "x_Operation", "ResourceId"
)  # fmt: skip
"""What contributors are looked for in, the widest first."""
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKS = 4
_SHOWN = 5
_LEAST_SHARE = 0.02
_TOLD = 0.5
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Parts:
    """`changes`: DIMENSIONS, impact (float: actual − usual); a row a combination."""

    changes: polars.DataFrame
    actual: Decimal
    """What the days cost, exactly."""

    @property
    def impact(self) -> float:
        return float(self.changes["impact"].sum())

    def of(self, *dimensions: str) -> polars.DataFrame:
        """The dimensions and their members' impact, that in the incident's direction first, the largest first."""
        sign = 1.0 if self.impact >= 0 else -1.0
        found = self.changes.group_by(dimensions).agg(polars.col("impact").sum())
        return found.sort(
            (polars.col("impact") * sign).round(6), *dimensions, descending=[True] + [False] * len(dimensions)
        )

    def share(self, impact: float) -> float:
        return impact / self.impact if self.impact else 0.0

    def meter(self) -> str:
        """The one of METERS that most of it is told by."""
        for dimension in METERS:
            unknown = self.changes.filter(polars.col(dimension).is_null())["impact"].sum()
            if abs(self.share(float(unknown))) < _TOLD:
                return dimension
        return METERS[-1]

    def contributors(self) -> tuple[Contributor, ...]:
        """The largest of each dimension; those with hardly any share, and dimensions that say nothing, are left out."""
        found = []
        meter = self.meter()
        for dimension in DIMENSIONS:
            table = self.of(dimension)
            if (dimension in METERS and dimension != meter) or table[dimension].is_null().all():
                continue
            for member, impact in table.head(_SHOWN).iter_rows():
                share = self.share(impact)
                if share >= _LEAST_SHARE:
                    money = Decimal(str(impact)).quantize(_CENT)
                    found.append(Contributor(dimension, member or "", money, round(share, 4)))
        return tuple(found)


def parts(
    ledger: Ledger, series: Series, without: Sequence[Series], start: date, end: date, first: date
) -> Parts:
    """What a series, without parts of it, costs from `start` to `end` (included) more than usual, by DIMENSIONS; `first` is the first day that
    anything is known of. One question, to the charges themselves; in SQL, for compiling it would take longer than the answer."""
    before = max(first, start - timedelta(7 * _WEEKS))
    values: dict[str, Any] = {"start": start, "before": before, "end": end + timedelta(1)}
    own = [WATCHED_SQL, _is_of(series, values), *(f"NOT ({_is_of(other, values)})" for other in without)]
    named = ", ".join(DIMENSIONS)
    statement = f"""
        SELECT {named}, isodow(ChargePeriodStart) AS weekday,
               coalesce(sum({METRIC}) FILTER (ChargePeriodStart >= $start), 0) AS now,
               coalesce(sum({METRIC}) FILTER (ChargePeriodStart < $start), 0) AS past
        FROM charges
        WHERE {" AND ".join(own)}
              AND ChargePeriodStart >= $before AND ChargePeriodStart < $end
        GROUP BY ALL"""
    found = ledger.frame(statement, values)
    factors = _factors(before, start, end)
    usual = polars.col("past").cast(polars.Float64) * polars.col("weekday").replace_strict(
        factors, default=0.0, return_dtype=polars.Float64
    )
    changes = found.select(*DIMENSIONS, (polars.col("now").cast(polars.Float64) - usual).alias("impact"))
    return Parts(
        changes.group_by(DIMENSIONS).agg(polars.col("impact").sum()), Decimal(found["now"].sum() or 0)
    )


def _is_of(series: Series, values: dict[str, Any]) -> str:
    """SQL: whether a charge is of a series. Adds the values that it names."""
    conditions = []
    for name, member in ((CURRENCY, series.currency), *zip(series.dimensions, series.members, strict=True)):
        value = f"value{len(values)}"
        values[value] = member
        conditions.append(f"{name} IS NOT DISTINCT FROM ${value}")
    return " AND ".join(conditions)


def moved(
    ledger: Ledger, conditions: Sequence[Node], days: tuple[date, date], incident: date, first: date
) -> float:
    """What usage that fulfils conditions cost more than usual in days (both included) of an incident; usual is what was
    before its first day."""
    start, end = days
    before = max(first, incident - timedelta(7 * _WEEKS))
    query = Query(METRIC, ("Weekday",), where=tuple(conditions), start=start, end=end + timedelta(1))
    cost = polars.col(METRIC).cast(polars.Float64).fill_null(0.0)
    now = float(ledger.query(query).select(cost.sum()).item())
    if before >= incident:
        return now
    past = ledger.query(query.but(start=before, end=incident)).select("Weekday", cost)
    factors = _factors(before, incident, end, start)
    usual = (factors.get(_NAMES.index(name) + 1, 0.0) * float(money) for name, money in past.iter_rows())
    return now - sum(usual)


def account_names(ledger: Ledger) -> dict[str, str]:
    """Account → its newest name, of those that have one; an export may have begun to tell it late."""
    query = Query(METRIC, (ACCOUNT, "SubAccountName"), "month")
    table = ledger.query(query).filter(polars.col("SubAccountName").is_not_null()).sort(PERIOD)
    return {str(account): str(name) for account, name in table.select(ACCOUNT, "SubAccountName").iter_rows()}


def _factors(before: date, until: date, end: date, start: date | None = None) -> dict[int, float]:
    """Weekday (1: Monday) → by what its cost of the days from `before` up to `until` is multiplied to be the usual cost of
    the days from `start` (by default `until`) to `end`. Weekdays that a short past does not have count as an average day."""
    wanted, had = _weekdays(start or until, end), _weekdays(before, until - timedelta(1))
    missing = sum(count for weekday, count in wanted.items() if weekday not in had)
    length = sum(had.values())
    return {weekday: wanted.get(weekday, 0) / count + missing / length for weekday, count in had.items()}


def _weekdays(start: date, end: date) -> dict[int, int]:
    """How many of each weekday (1: Monday) there are."""
    found: dict[int, int] = {}
    for number in range((end - start).days + 1):
        weekday = (start + timedelta(number)).isoweekday()
        found[weekday] = found.get(weekday, 0) + 1
    return found
