"""The forecast that all forecasts of a store are parts of: usage by day of every team and service, and all else by month.

Usage that is booked on few days of a month (a support plan on its last day, a fee of a marketplace) has no days to learn from: it is an
item as fees are.

One book for a metric and a version of the store. Whatever is asked (a team, a service, all of it) is a sum of its leaves, so that
children always sum to their parents; what is asked below a leaf is its share in the last four weeks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars

from finops_core.analysis.forecasting import Forecast, forecast
from finops_core.analysis.forecasts.rules import MONTHS_LOOKED_AT, USAGE, Item, Usage, expected
from finops_core.errors import UsageError
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months, month_start
from finops_core.model.query import AllOf, AnyOf, Condition, Node, Query
from finops_core.model.span import span

METRICS = ("EffectiveCost", "BilledCost")
LEAF = (CURRENCY, "x_Team", "ServiceName")
"""What usage is forecast by."""
LONGEST = 12
"""Months ahead."""
IS_USAGE = Condition("ChargeCategory", "=", (USAGE,))
NO_USAGE = Condition("ChargeCategory", "!=", (USAGE,))
_FEW_DAYS, _LEAST_MONTHS = 3, 2
_LOOKED_AT = 420
"""Days of the past that are read."""
_OWN = 300
"""Leaves that are forecast each for itself, the largest; the rest of a currency is forecast as one and split by its last four weeks."""
_RECENT = 28
_LEAVES = polars.Int64
MONEY = polars.Decimal(38, 18)
_CENTS_OF_CENTS = 6
"""Decimals that an estimate is given with, so that sums of it are exact."""


@dataclass(frozen=True)
class Book:
    """Everything that is forecast of a store from a day on."""

    metric: str
    start: date
    """The first day that is forecast: days before it are complete."""
    leaves: polars.DataFrame
    """leaf, BillingCurrency, x_Team, ServiceName, recent (cost of the last 28 days, float)."""
    days: polars.DataFrame
    """leaf, date, mean: Decimal(38, 18), of each day of the months ahead, from `start` on."""
    items: polars.DataFrame
    """BillingCurrency, x_Team, ServiceName, ChargeCategory, month, mean (what is still expected), rule, why; what is not usage, or is
    booked on few days of a month."""
    methods: polars.DataFrame
    """leaf, method, why, wape."""
    tested: polars.DataFrame
    """leaf, origin, ahead, said, came: the walk through the past."""
    quantiles: tuple[tuple[float, float], ...]

    @cached_property
    def months(self) -> tuple[date, ...]:
        """The running month and those after it."""
        return months_ahead(self.start)

    @cached_property
    def booked(self) -> polars.DataFrame:
        """LEAF of the usage that is an item: what is booked of it counts for the whole month, as of a fee."""
        return (
            self.items.filter(polars.col("ChargeCategory") == USAGE).select(LEAF).unique(maintain_order=True)
        )


def months_ahead(start: date) -> tuple[date, ...]:
    first = month_start(start)
    return tuple(add_months(first, n) for n in range(LONGEST + 1))


def complete_until(ledger: Ledger, as_of: date | None = None) -> date:
    """The day after the last one that is reported in full; as it was on a day, which is then the first that is not known."""
    known = span(ledger).complete_until
    return known if as_of is None else min(as_of, known)


def make(ledger: Ledger, metric: str, start: date) -> Book:
    """Forecasts everything from a day on, reading only what was charged before it.

    Raises UsageError for a metric that is not forecast; NothingLoaded for an empty store.
    """
    if metric not in METRICS:
        raise UsageError(f"{metric} is not forecast: ask for {' or '.join(METRICS)}")
    every = _usage(ledger, metric, start)
    few = on_few_days(every, start)
    usage = every.join(few, on=LEAF, how="anti", nulls_equal=True)
    leaves = _leaves(usage, start)
    series, shares = _series(usage, leaves)
    horizon = (add_months(month_start(start), LONGEST + 1) - start).days
    found = forecast(series, horizon) if len(series) else forecast(_nothing(), 1)
    days = _days(found, shares, start)
    return Book(
        metric,
        start,
        leaves,
        days,
        _items(_charged(ledger, metric, start, few), start, _used(leaves, days, usage, start)),
        _of_leaves(found.methods, shares),
        _of_leaves(found.tested, shares, scaled=("said", "came")),
        found.quantiles,
    )


def _usage(ledger: Ledger, metric: str, start: date) -> polars.DataFrame:
    query = Query(
        metric,
        by=LEAF[1:],
        grain="day",
        where=(IS_USAGE,),
        start=start - timedelta(_LOOKED_AT),
        end=start,
    )
    return ledger.query(query).rename({PERIOD: "date", metric: "cost"})


def on_few_days(usage: polars.DataFrame, start: date) -> polars.DataFrame:
    """LEAF of what is booked on few days of a month: in two of the last three months at least, and in all of them on three days at most.

    `usage`: LEAF, date, cost.
    """
    first = month_start(start)
    recent = usage.filter(
        (polars.col("date") >= add_months(first, -MONTHS_LOOKED_AT)) & (polars.col("cost") != 0)
    )
    months = recent.group_by(*LEAF, polars.col("date").dt.truncate("1mo").alias("month")).agg(
        polars.col("date").n_unique().alias("days")
    )
    whole = (polars.col("month") < first).sum()
    return (
        months.group_by(LEAF)
        .agg(whole.alias("months"), polars.col("days").max())
        .filter((polars.col("months") >= _LEAST_MONTHS) & (polars.col("days") <= _FEW_DAYS))
        .select(LEAF)
        .sort(LEAF)
    )


def about(leaves: polars.DataFrame) -> Node:
    """The condition that keeps the usage of leaves, among that of others of their services."""
    names = leaves["ServiceName"].drop_nulls().unique().sort().to_list()
    unnamed = Condition("ServiceName", "is null")
    named = [Condition("ServiceName", "in", tuple(names))] if names else []
    parts = (*named, *([unnamed] if leaves["ServiceName"].null_count() or not names else []))
    return AllOf((IS_USAGE, parts[0] if len(parts) == 1 else AnyOf(parts)))


def _leaves(usage: polars.DataFrame, start: date) -> polars.DataFrame:
    recent = polars.col("cost").filter(polars.col("date") >= start - timedelta(_RECENT)).sum()
    return (
        usage.group_by(LEAF)
        .agg(recent.cast(polars.Float64).alias("recent"))
        .sort("recent", *LEAF, descending=[True, False, False, False], nulls_last=True)
        .with_row_index("leaf")
        .with_columns(polars.col("leaf").cast(polars.Int64))
    )


def _series(usage: polars.DataFrame, leaves: polars.DataFrame) -> tuple[polars.DataFrame, polars.DataFrame]:
    """series_id, date, cost of what is forecast; and series_id, leaf, share of it."""
    own = polars.col("leaf") < _OWN
    named = leaves.with_columns(
        polars.when(own)
        .then(polars.format("{}", polars.col("leaf")))
        .otherwise(polars.format("rest {}", polars.col(CURRENCY)))
        .alias("series_id")
    )
    total = polars.col("recent").sum().over("series_id")
    share = polars.when(own).then(1.0).when(total != 0).then(polars.col("recent") / total).otherwise(0.0)
    shares = named.select("series_id", "leaf", share.alias("share"))
    series = (
        usage.join(named, on=LEAF, how="inner", nulls_equal=True)
        .group_by("series_id", "date")
        .agg(polars.col("cost").sum().cast(polars.Float64))
        .sort("series_id", "date")
    )
    return series, shares


def _nothing() -> polars.DataFrame:
    return polars.DataFrame(schema={"series_id": polars.String, "date": polars.Date, "cost": polars.Float64})


def _days(found: Forecast, shares: polars.DataFrame, start: date) -> polars.DataFrame:
    """leaf, date, mean; a store whose newest usage is older than `start` is forecast from there, and those days are left out."""
    return (
        _of_leaves(
            found.table.select("series_id", polars.col("period").alias("date"), "mean"), shares, ("mean",)
        )
        .filter(polars.col("date") >= start)
        .with_columns(estimate(polars.col("mean")))
    )


def estimate(value: polars.Expr) -> polars.Expr:
    """A float as money: an estimate, to the millionth, so that from here on every sum is exact."""
    return value.round(_CENTS_OF_CENTS).cast(polars.Decimal(38, _CENTS_OF_CENTS)).cast(MONEY)


def _of_leaves(
    frame: polars.DataFrame, shares: polars.DataFrame, scaled: tuple[str, ...] = ()
) -> polars.DataFrame:
    return (
        frame.join(shares, on="series_id", how="inner")
        .with_columns(polars.col(name) * polars.col("share") for name in scaled)
        .drop("series_id", "share")
    )


def _charged(ledger: Ledger, metric: str, start: date, few: polars.DataFrame) -> polars.DataFrame:
    """LEAF, ChargeCategory, month, cost: all that is not forecast by day.

    Charges of the running month count as far as they are known: those of days to come are announced by the bill itself.
    """
    first = month_start(start)

    def asked(where: Node) -> polars.DataFrame:
        by = (*LEAF[1:], "ChargeCategory")
        query = Query(
            metric,
            by=by,
            grain="month",
            where=(where,),
            start=add_months(first, -6),
            end=add_months(first, 1),
        )
        return ledger.query(query).rename({PERIOD: "month", metric: "cost"})

    found = asked(NO_USAGE)
    if few.is_empty():
        return found
    return polars.concat([found, asked(about(few)).join(few, on=LEAF, how="semi", nulls_equal=True)])


def _items(charged: polars.DataFrame, start: date, used: Mapping[str, Usage]) -> polars.DataFrame:
    first = month_start(start)
    rows = []
    for key, part in charged.group_by(*LEAF, "ChargeCategory", maintain_order=True):
        code, team, service, category = (str(k) if k is not None else None for k in key)
        amounts = dict(zip(part["month"], part["cost"], strict=True))
        so_far = amounts.pop(first, Decimal(0))
        item = Item(category or "", service or "", amounts, first)
        rule, told = expected(item, used[code or ""])
        for number, (month, amount) in enumerate(zip(months_ahead(start), told.amounts, strict=True)):
            due = still_due(Decimal(amount), so_far) if number == 0 else Decimal(amount)
            rows.append((code, team, service, category, month, round(due, _CENTS_OF_CENTS), rule, told.why))
    return polars.DataFrame(rows, schema=_ITEMS, orient="row")


def still_due(expected: Decimal, so_far: Decimal) -> Decimal:
    """What is left of a month's amount: no more than all of it, and never what takes back a charge or a credit that came unexpected."""
    least, most = sorted((Decimal(0), expected))
    return min(max(expected - so_far, least), most)


_ITEMS: dict[str, Any] = {
    CURRENCY: polars.String,
    "x_Team": polars.String,
    "ServiceName": polars.String,
    "ChargeCategory": polars.String,
    "month": polars.Date,
    "mean": MONEY,
    "rule": polars.String,
    "why": polars.String,
}


def _used(
    leaves: polars.DataFrame, days: polars.DataFrame, usage: polars.DataFrame, start: date
) -> Mapping[str, Usage]:
    """Usage by currency and month: past, and ahead with the running month as a whole."""
    month = polars.col("date").dt.truncate("1mo").alias("month")
    past = usage.group_by(CURRENCY, month).agg(polars.col("cost").sum())
    ahead = (
        days.join(leaves.select("leaf", CURRENCY), on="leaf")
        .group_by(CURRENCY, month)
        .agg(polars.col("mean").sum().alias("cost"))
    )
    found: dict[str, Usage] = {}
    codes = {*past[CURRENCY], *ahead[CURRENCY]}
    for code in codes:
        before = dict(past.filter(polars.col(CURRENCY) == code).select("month", "cost").iter_rows())
        after = dict(ahead.filter(polars.col(CURRENCY) == code).select("month", "cost").iter_rows())
        first = month_start(start)
        totals = {m: after.get(m, Decimal(0)) for m in months_ahead(start)}
        totals[first] += before.get(first, Decimal(0))
        found[code] = Usage(before, totals)
    return _WithDefault(found, Usage({}, dict.fromkeys(months_ahead(start), Decimal(0))))


class _WithDefault(dict[str, Usage]):
    """A currency in which nothing was used has a usage of nothing."""

    def __init__(self, found: Mapping[str, Usage], nothing: Usage) -> None:
        super().__init__(found)
        self._nothing = nothing

    def __missing__(self, key: str) -> Usage:
        return self._nothing
