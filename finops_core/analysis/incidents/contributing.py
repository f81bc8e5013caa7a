"""What an incident is made of: by dimension, the members whose cost differs most from the same weekdays of the weeks before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import polars

from finops_core.analysis.incidents.incident import METRIC, Contributor
from finops_core.model.engine import PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.query import Node, Query

METERS = ("x_UsageType", "SkuMeter", "ChargeDescription")
"""What says what was used: the first of them that an export fills."""
DIMENSIONS = (
    "x_Team", "SubAccountId", "RegionId", "ServiceName", *METERS, "x_Operation", "ResourceId"
)  # fmt: skip
"""What contributors are looked for in, the widest first."""
ACCOUNT = "SubAccountId"
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


def parts(ledger: Ledger, conditions: Sequence[Node], start: date, end: date, first: date) -> Parts:
    """What the usage that fulfils conditions costs from `start` to `end` (included) more than usual; `first` is the first
    day that anything is known of. Two questions, to the charges themselves."""
    before = max(first, start - timedelta(7 * _WEEKS))
    by = (*DIMENSIONS, "Weekday")
    query = Query(METRIC, by, where=tuple(conditions), start=start, end=end + timedelta(1))
    keys = list(DIMENSIONS)
    cost = polars.col(METRIC).cast(polars.Float64).fill_null(0.0)
    days = ledger.query(query)
    actual = days[METRIC].drop_nulls().sum() or Decimal(0)
    rows = [days.select(*keys, cost.alias("impact"))]
    if before < start:
        wanted, had = _weekdays(start, end), _weekdays(before, start - timedelta(1))
        length = sum(had.values())
        factors = {name: -wanted.get(name, 0) / count for name, count in had.items()}
        # Weekdays that the short past does not have are taken for an average day.
        missing = sum(count for name, count in wanted.items() if name not in had) / length
        past = ledger.query(query.but(start=before, end=start))
        factor = polars.col("Weekday").replace_strict(factors, return_dtype=polars.Float64) - missing
        rows.append(past.select(*keys, (cost * factor).alias("impact")))
    return Parts(polars.concat(rows).group_by(keys).agg(polars.col("impact").sum()), Decimal(actual))


def account_names(ledger: Ledger) -> dict[str, str]:
    """Account → its newest name, of those that have one; an export may have begun to tell it late."""
    query = Query(METRIC, (ACCOUNT, "SubAccountName"), "month")
    table = ledger.query(query).filter(polars.col("SubAccountName").is_not_null()).sort(PERIOD)
    return {str(account): str(name) for account, name in table.select(ACCOUNT, "SubAccountName").iter_rows()}


def _weekdays(start: date, end: date) -> dict[str, int]:
    """How many of each weekday there are, by name."""
    found: dict[str, int] = {}
    for number in range((end - start).days + 1):
        name = f"{start + timedelta(number):%A}"
        found[name] = found.get(name, 0) + 1
    return found
