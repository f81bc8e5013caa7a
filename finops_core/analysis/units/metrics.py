"""The metrics that a home knows: whose units they are, and which dimension of the charges each of their columns is."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars

from finops_core.allocation.drivers.driver import WEIGHT
from finops_core.analysis.units.definitions import UnitMetric, definitions
from finops_core.errors import FarthingError, UsageError
from finops_core.model.ledger import Ledger
from finops_core.store.unit_metrics import observations
from finops_core.store.unit_tables import DAY, METRIC, MONTHLY, QUANTITY, SCOPE, Observed
from finops_core.vocabulary.dimensions import dimension

_DIMENSIONS = {
    "product": "x_Product",
    "team": "x_Team",
    "environment": "x_Environment",
    "env": "x_Environment",
    "stage": "x_Environment",
    "costcenter": "x_CostCenter",
    "application": "x_Application",
    "app": "x_Application",
    "service": "ServiceName",
    "servicename": "ServiceName",
    "region": "RegionId",
    "account": "SubAccountId",
    "accountid": "SubAccountId",
    "subaccountid": "SubAccountId",
    "project": "SubAccountId",
    "subscription": "SubAccountId",
    "accountname": "SubAccountName",
    "provider": "ProviderName",
    "cloud": "ProviderName",
}
"""A column's name, in small letters alone → the dimension that it plainly is."""
_REVENUE = re.compile(r"revenue|turnover|sales_?(amount|value)|income|net_sales", re.IGNORECASE)
_LEVEL = re.compile(r"(customer|user|subscriber|account|seat|tenant|employee|store|device)s?$", re.IGNORECASE)
"""Names of what there is a number of on each day: summed over days they are days of each."""
CURRENCY_COLUMNS = ("currency", "billingcurrency")


@dataclass(frozen=True)
class Metric:
    """A metric of units. `table`: `date`, its columns (String), `quantity`; a row a day (or month) and members."""

    name: str
    monthly: bool
    columns: tuple[str, ...]
    mapped: Mapping[str, str]
    """Column → the dimension of charges that it is."""
    table: polars.DataFrame
    means: UnitMetric
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_revenue(self) -> bool:
        return self.means.revenue

    @property
    def unmapped(self) -> tuple[str, ...]:
        """Columns that charges know nothing of: customers, tiers. Their cost is shared by units."""
        return tuple(c for c in self.columns if c not in self.mapped and c.casefold() not in CURRENCY_COLUMNS)

    @property
    def usual(self) -> str | None:
        """The column that it is told by at first: the first that charges know."""
        return next(iter(self.mapped), None) or next(iter(self.unmapped), None)

    @property
    def first(self) -> date:
        return self.table[DAY].min()  # type: ignore[return-value]  # a metric has a row

    @property
    def unit(self) -> str:
        """One unit in words."""
        if self.means.label:
            return self.means.label
        told = self.name.replace("_", " ")
        one = told[:-1] if re.search(r"[^s]s$", told) and not told.endswith(("ies", "ses")) else told
        is_daily_sum = bool(_LEVEL.search(told)) and not (self.monthly or self.means.level)
        return f"{one}-day" if is_daily_sum else one


def known_metrics(ledger: Ledger) -> dict[str, Metric]:
    """Name → metric, revenue among them. Raises InputRefused for a spoilt file or definition."""
    return of(observations(ledger.home), definitions(ledger.home))


def of(observed: Observed, means: Mapping[str, UnitMetric]) -> dict[str, Metric]:
    """The metrics of observations, as they are defined or as their columns say."""
    found = {}
    for (name,), part in sorted(observed.frame.group_by(METRIC)):
        told = str(name)
        meaning = means.get(told, UnitMetric(metric=told, revenue=bool(_REVENUE.search(told))))
        found[told] = _metric(told, part, meaning)
    return found


def metric_named(known: Mapping[str, Metric], name: str) -> Metric:
    """Raises UsageError where there is none of the name."""
    if name not in known:
        raise UsageError(f"there is no metric of units {name!r}; known are {', '.join(known) or 'none'}")
    return known[name]


def _metric(name: str, part: polars.DataFrame, means: UnitMetric) -> Metric:
    scopes = {text: json.loads(text) for text in part[SCOPE].unique().sort()}
    told = dict.fromkeys(column for scope in scopes.values() for column in scope)
    # A currency beside units that are no money is that of another column of their file.
    columns = tuple(c for c in told if means.revenue or c.casefold() not in CURRENCY_COLUMNS)
    keys = polars.DataFrame(
        {SCOPE: list(scopes), **{c: [s.get(c) for s in scopes.values()] for c in columns}},
        dict.fromkeys((SCOPE, *columns), polars.String),
    )
    table = part.join(keys, on=SCOPE).group_by(DAY, *columns).agg(polars.col(QUANTITY).sum().cast(WEIGHT))
    table = table.sort(DAY, *columns).select(DAY, *columns, QUANTITY)
    mapped = {c: d for c in columns if (d := _dimension(c, means)) is not None}
    members = {c: tuple(table[c].drop_nulls().unique().sort()) for c in columns}
    return Metric(name, bool(part[MONTHLY].any()), columns, mapped, table, means, members)


def _dimension(column: str, means: UnitMetric) -> str | None:
    if column in means.columns:
        return means.columns[column] or None
    plain = re.sub(r"[^a-z]", "", column.casefold().removeprefix("x_"))
    if plain in _DIMENSIONS:
        return _DIMENSIONS[plain]
    if not (column.startswith(("x_", "tag:")) or column[:1].isupper()):
        return None  # `count` or `tags` are words of a file, and no dimensions that it means
    try:
        return dimension(column).name
    except FarthingError:
        return None
