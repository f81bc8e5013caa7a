"""A forecast under a scenario: what each adjustment changes, month by month, on the members that it concerns."""

import calendar
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars

from finops_core.analysis.forecasts.asked import asked
from finops_core.analysis.forecasts.book import MONEY, Book
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months
from finops_core.model.query import Condition, Node, Query, conditions
from finops_core.store.scenarios import Adjustment, Scenario

_PLACES = 6
_RECENT = 28


def supposed(ledger: Ledger, book: Book, query: Query, months: int, scenario: Scenario) -> polars.DataFrame:
    """What a scenario changes: ChargePeriod, BillingCurrency, the dimensions, `change` (Decimal), per month; members that change."""
    by = tuple(d for d in query.by if d != CURRENCY)
    keys = [PERIOD, CURRENCY, *by]
    found = [_EFFECTS[a.kind](ledger, book, query, months, a) for a in scenario.adjustments]
    if not found:
        return (
            asked(ledger, book, query, months)
            .table.select(*keys, polars.lit(0).cast(MONEY).alias("change"))
            .head(0)
        )
    return (
        polars.concat([frame.select(*keys, polars.col("change").cast(MONEY)) for frame in found])
        .group_by(keys)
        .agg(polars.col("change").sum())
        .sort(keys)
    )


def _share(adjustment: Adjustment, month: date, start: date) -> Decimal:
    """The share of the days of a month that are still forecast, on which an adjustment is in force."""
    first, last = max(month, start), add_months(month, 1) - timedelta(1)
    days = (last - first).days + 1
    begin, end = max(first, adjustment.start), min(last, adjustment.end or last)
    return Decimal(max((end - begin).days + 1, 0)) / days if days > 0 else Decimal(0)


def _concerned(
    ledger: Ledger, book: Book, query: Query, months: int, adjustment: Adjustment
) -> polars.DataFrame:
    where = (*conditions(query.where), *conditions(adjustment.where))
    return asked(ledger, book, query.but(where=where), months).table


def _by_month(frame: polars.DataFrame, factor: Callable[[date], Decimal]) -> polars.DataFrame:
    """The rest of each month times a factor of the month, as `change`."""
    changes = [
        round(rest * factor(month), _PLACES) for month, rest in frame.select(PERIOD, "rest").iter_rows()
    ]
    return frame.with_columns(polars.Series("change", changes, MONEY))


def _price(ledger: Ledger, book: Book, query: Query, months: int, a: Adjustment) -> polars.DataFrame:
    rate = (a.percent or Decimal(0)) / 100
    return _by_month(_concerned(ledger, book, query, months, a), lambda m: rate * _share(a, m, book.start))


def _growth(ledger: Ledger, book: Book, query: Query, months: int, a: Adjustment) -> polars.DataFrame:
    rate = 1 + (a.percent or Decimal(0)) / 100

    def grown(month: date) -> Decimal:
        passed = (month.year - a.start.year) * 12 + month.month - a.start.month
        if passed < 0:
            return Decimal(0)
        until = (
            passed
            if a.end is None
            else min(passed, (a.end.year - a.start.year) * 12 + a.end.month - a.start.month)
        )
        return (
            Decimal(rate) ** until * (1 + (rate - 1) / 2) - 1
            if passed == until
            else Decimal(rate) ** (until + 1) - 1
        )

    return _by_month(_concerned(ledger, book, query, months, a), grown)


def _launch(ledger: Ledger, book: Book, query: Query, months: int, a: Adjustment) -> polars.DataFrame:
    """An amount is the query's if the query has no condition that the launch's member does not meet by name."""
    by = [d for d in query.by if d != CURRENCY]
    told = {**_named(query.but(where=a.where)), **a.to, CURRENCY: a.currency or ""}
    fits = all(told.get(name, value) == value for name, value in _named(query).items())
    rows = []
    for month in book.months[:months] if fits else ():
        length = calendar.monthrange(month.year, month.month)[1]
        left = length if month > book.start else (add_months(month, 1) - book.start).days
        amount = (a.amount or Decimal(0)) * _share(a, month, book.start) * left / length
        rows.append((month, a.currency, *(told.get(d) for d in by), round(amount, _PLACES)))
    schema: dict[str, Any] = {
        PERIOD: polars.Date,
        CURRENCY: polars.String,
        **dict.fromkeys(by, polars.String),
        "change": MONEY,
    }
    return polars.DataFrame(rows, schema=schema, orient="row")


def _migration(ledger: Ledger, book: Book, query: Query, months: int, a: Adjustment) -> polars.DataFrame:
    assert a.end is not None
    moved = (a.percent or Decimal(0)) / 100
    length = (a.end - a.start).days + 1

    def gone(month: date) -> Decimal:
        first, last = max(month, book.start), add_months(month, 1) - timedelta(1)
        days = [(first + timedelta(n) - a.start).days + 1 for n in range((last - first).days + 1)]
        return moved * Decimal(sum(min(max(d, 0), length) for d in days)) / (length * max(len(days), 1))

    # What leaves is that of the adjustment's own conditions; it arrives where the query can see it, if it looks there.
    free = query.but(where=tuple(n for n in conditions(query.where) if not _about(n, a.to)))
    leaves = _by_month(_concerned(ledger, book, query, months, a), gone)
    leaves = leaves.with_columns((-polars.col("change")).cast(MONEY).alias("change"))
    arrives = _by_month(_concerned(ledger, book, free, months, a), gone)
    if any(a.to.get(name, value) != value for name, value in _named(query).items()):
        return leaves
    by = [d for d in query.by if d in a.to]
    arrives = arrives.with_columns(polars.lit(a.to[d]).alias(d) for d in by)
    return polars.concat([leaves, arrives])


def _expiry(ledger: Ledger, book: Book, query: Query, months: int, a: Adjustment) -> polars.DataFrame:
    """What the commitment covered cost less than contracted, by day of the last four weeks: that is paid from then on."""
    by = tuple(d for d in query.by if d != CURRENCY)
    used = Condition("CommitmentDiscountStatus", "=", ("Used",))
    unused = Condition("CommitmentDiscountStatus", "=", ("Unused",))

    def recent(condition: Condition, metrics: tuple[str, ...]) -> polars.DataFrame:
        where = (*conditions(query.where), *conditions(a.where), condition)
        days = (book.start - timedelta(_RECENT), book.start)
        return ledger.query(Query(metrics, by=by, where=where, start=days[0], end=days[1]))

    covered = recent(used, ("ContractedCost", "EffectiveCost"))
    idle = recent(unused, ("EffectiveCost",)).rename({"EffectiveCost": "idle"})
    keys = [CURRENCY, *by]
    joined = covered.join(idle, on=keys, how="full", coalesce=True, nulls_equal=True).fill_null(0)
    rows = []
    for row in joined.iter_rows(named=True):
        more = row["ContractedCost"] - row["EffectiveCost"] - row["idle"]
        for month in book.months[:months]:
            first = max(month, book.start)
            days = (add_months(month, 1) - first).days
            amount = more / _RECENT * days * _share(a, month, book.start)
            rows.append((month, *(row[k] for k in keys), round(amount, _PLACES)))
    schema: dict[str, Any] = {PERIOD: polars.Date, **dict.fromkeys(keys, polars.String), "change": MONEY}
    return polars.DataFrame(rows, schema=schema, orient="row")


def _named(query: Query) -> dict[str, str]:
    """Dimension → the one member that a query's conditions leave of it."""
    return {
        n.dimension: str(n.values[0])
        for n in conditions(query.where)
        if isinstance(n, Condition) and n.operator == "=" and len(n.values) == 1
    }


def _about(node: Node, to: Mapping[str, str]) -> bool:
    return isinstance(node, Condition) and node.dimension in to


_EFFECTS: dict[str, Callable[[Ledger, Book, Query, int, Adjustment], polars.DataFrame]] = {
    "price": _price,
    "growth": _growth,
    "launch": _launch,
    "migration": _migration,
    "expiry": _expiry,
}


def with_scenario(
    ledger: Ledger, book: Book, query: Query, months: int, scenario: Scenario
) -> polars.DataFrame:
    """A forecast under a scenario: the columns of `Asked.table`, its figures moved by what changes, and `change`."""
    by = [d for d in query.by if d != CURRENCY]
    keys = [PERIOD, CURRENCY, *by]
    base = asked(ledger, book, query, months).table
    change = supposed(ledger, book, query, months, scenario)
    joined = base.join(change, on=keys, how="full", coalesce=True, nulls_equal=True)
    figures = [name for name in base.columns if name not in keys]
    moved = ("mean", "p10", "p50", "p90", "rest")
    return (
        joined.with_columns(polars.col(*figures, "change").fill_null(0).cast(MONEY))
        .with_columns((polars.col(name) + polars.col("change")).cast(MONEY).alias(name) for name in moved)
        .select(*base.columns, "change")
        .sort(PERIOD, CURRENCY, "mean", descending=[False, False, True])
    )
