"""Costs in a display currency beside their own: each day at the rate in force that day, exactly; without a rate no sum.

A cost converted = Σ over days of cost × rate, where the rate is the newest one dated on or before the day. It is summed with
every digit and rounded once, half-even, at the 18th after the point: so the total does not depend on how it is broken
down. Its parts are cut off at the 18th digit, and what the total has more goes to those that lost most (largest
remainder): the currencies sum to the total, the members to their currency. Only declared rates count: none is
inverted, none is made of two others. A day with charges and without a rate leaves its members, and the total, unknown.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

import polars

from finops_core.analysis.remainders import EXACT, largest_remainder
from finops_core.errors import UsageError
from finops_core.focus.currencies import currency as code_of
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.metrics import metric
from finops_core.model.query import Query
from finops_core.store.rates import Rate

DISPLAY = "DisplayCurrency"
CONVERTED = "Converted"
MONEY = polars.Decimal(38, 18)
_PLACES, _DIGITS = 18, 38
_RATE = "rate position"
_ONE = -1
"""The position of no rate: the cost is in the display currency already."""


@dataclass(frozen=True)
class Lacking:
    """A currency without a rate on a day that it has charges on: the first such day."""

    currency: str
    day: date

    def in_words(self) -> str:
        return f"no rate for {self.currency} on {self.day}"


@dataclass(frozen=True)
class InCurrency:
    """What a billing currency costs in all, and in the display currency: None where a rate lacks, or nothing is known."""

    currency: str
    cost: Decimal | None
    converted: Decimal | None
    rates: tuple[Rate, ...]
    """The rates used, oldest first; none where it is the display currency itself."""

    def rates_in_words(self) -> str:
        """The first and the last rate used, with their dates, and how many there were."""
        if not self.rates:
            return ""
        first, last = self.rates[0], self.rates[-1]
        if first == last:
            return first.in_words()
        return f"{first.in_words()} to {last.in_words()}, {len(self.rates)} rates"


@dataclass(frozen=True)
class Conversion:
    """Costs in a display currency.

    `table`: BillingCurrency, the dimensions, the cost, DisplayCurrency, Converted (null where a rate lacks), largest cost
    first within a currency. Where there is a total, Σ Converted = Σ `currencies` = `total`, exactly.
    """

    to: str
    table: polars.DataFrame
    currencies: tuple[InCurrency, ...]
    total: Decimal | None
    """None where a rate lacks or a currency's cost is not known at all: there is no sum of some."""
    lacking: tuple[Lacking, ...]

    def rates_in_words(self) -> str:
        """The rates that were used: the tooltip of a figure."""
        return "; ".join(filter(None, (c.rates_in_words() for c in self.currencies)))

    def missing_in_words(self) -> str:
        """Why there is no total; empty where there is one."""
        unknown = (f"what is charged in {c.currency} is unknown" for c in self.currencies if c.cost is None)
        return "; ".join([*(lack.in_words() for lack in self.lacking), *unknown])


def converted(ledger: Ledger, query: Query, rates: Iterable[Rate], to: str) -> Conversion:
    """The first metric of a query, a cost, in a display currency over the query's days and conditions.

    A charge counts on the day that it begins. Raises UsageError for a metric that is no cost.
    """
    code_of(to)
    found = metric(query.metrics[0])
    if found.unit != "currency" or not found.additive:
        raise UsageError(f"only a cost is in a currency, {found.name} is not")
    daily = ledger.query(query.but(metrics=(found.name,), grain="day", order=None, limit=None))
    return convert(daily, found.name, rates, to, tuple(query.by))


def convert(
    daily: polars.DataFrame,
    cost: str,
    rates: Iterable[Rate],
    to: str,
    by: Sequence[str] = (),
    day: str = PERIOD,
) -> Conversion:
    """A table of costs by day, BillingCurrency and dimensions in a display currency, summed over its days.

    Rows whose cost is unknown need no rate. Raises UsageError for amounts that Decimal(38, 18) does not hold.
    """
    keys = list(dict.fromkeys([CURRENCY, *by]))
    ordered = sorted(rate for rate in rates if rate.to == to)
    daily = daily.with_columns(polars.col(cost).cast(MONEY))
    known = daily.filter(polars.col(cost).is_not_null())
    days = _in_force(known.select(CURRENCY, day).unique(), ordered, to, day)
    summed = (
        known.join(days, on=[CURRENCY, day])
        .group_by(*keys, _RATE)
        .agg(polars.col(cost).sum(), polars.col(day).min())
    )
    members: dict[tuple[Any, ...], Decimal | None] = {}
    with localcontext(EXACT):
        for *key, position, amount, _ in summed.sort(*keys, _RATE, nulls_last=True).iter_rows():
            product = _product(amount, ordered, position)
            before = members.get(tuple(key), Decimal(0))
            members[tuple(key)] = None if before is None or product is None else before + product
        closed, totals, total = _closed(members)
    lacks = summed.filter(polars.col(_RATE).is_null()).group_by(CURRENCY).agg(polars.col(day).min())
    used = summed.filter(polars.col(_RATE) >= 0).select(CURRENCY, _RATE).unique().sort(CURRENCY, _RATE)
    table = _table(daily, cost, keys, closed, to)
    costs = table.group_by(CURRENCY).agg(polars.col(cost).sum(), polars.col(cost).count().alias("known"))
    currencies = tuple(
        InCurrency(
            code,
            amount if count else None,
            totals.get(code),
            tuple(ordered[i] for c, i in used.iter_rows() if c == code),
        )
        for code, amount, count in costs.sort(CURRENCY).iter_rows()
    )
    lacking = tuple(Lacking(code, first) for code, first in lacks.sort(CURRENCY).iter_rows())
    known_all = all(found.cost is not None for found in currencies)
    return Conversion(to, table, currencies, total if known_all else None, lacking)


def _in_force(days: polars.DataFrame, ordered: Sequence[Rate], to: str, day: str) -> polars.DataFrame:
    """BillingCurrency and day → the position of the rate in force; null where there is none."""
    dated: dict[str, tuple[list[date], list[int]]] = {}
    for position, rate in enumerate(ordered):
        dates, positions = dated.setdefault(rate.currency, ([], []))
        dates.append(rate.day)
        positions.append(position)

    def position_of(code: str, found: date) -> int | None:
        if code == to:
            return _ONE
        dates, positions = dated.get(code, ([], []))
        newest = bisect_right(dates, found)
        return positions[newest - 1] if newest else None

    found = [position_of(*row) for row in days.iter_rows()]
    return days.with_columns(polars.Series(_RATE, found, polars.Int64))


def _product(amount: Decimal, ordered: Sequence[Rate], position: int | None) -> Decimal | None:
    if position is None:
        return None
    return amount if position == _ONE else amount * ordered[position].rate


def _closed(
    members: Mapping[tuple[Any, ...], Decimal | None],
) -> tuple[dict[tuple[Any, ...], Decimal | None], dict[str, Decimal | None], Decimal | None]:
    """Exact costs of members, whose first key is their currency: members, currencies and total at 18 digits, closed."""
    groups: dict[str, list[tuple[Any, ...]]] = {}
    for key in members:
        groups.setdefault(key[0], []).append(key)
    sums = {code: _sum([members[key] for key in keys]) for code, keys in groups.items()}
    whole = _sum(list(sums.values()))
    if whole is not None:
        total: Decimal | None = _rounded(whole)
        totals: dict[str, Decimal | None] = dict(
            zip(sums, largest_remainder([s for s in sums.values() if s is not None], total), strict=True)  # type: ignore[arg-type]
        )
    else:
        total, totals = None, {code: None if s is None else _rounded(s) for code, s in sums.items()}
    closed: dict[tuple[Any, ...], Decimal | None] = {}
    for code, keys in groups.items():
        of_currency = totals[code]
        if of_currency is None:
            closed |= {key: None if (m := members[key]) is None else _rounded(m) for key in keys}
        else:
            exact = [m for key in keys if (m := members[key]) is not None]
            closed |= zip(keys, largest_remainder(exact, of_currency), strict=True)
    for amount in (*closed.values(), *totals.values(), total):
        if amount is not None and amount.adjusted() >= _DIGITS - _PLACES:
            raise UsageError(f"a cost of {amount:.3E} is more than can be kept: is the rate right?")
    return closed, totals, total


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None


def _rounded(exact: Decimal) -> Decimal:
    return exact.scaleb(_PLACES).to_integral_value(ROUND_HALF_EVEN).scaleb(-_PLACES)


def _table(
    daily: polars.DataFrame,
    cost: str,
    keys: list[str],
    closed: Mapping[tuple[Any, ...], Decimal | None],
    to: str,
) -> polars.DataFrame:
    known = polars.col(cost).count() > 0
    members = daily.group_by(keys).agg(polars.when(known).then(polars.col(cost).sum()).alias(cost))
    members = members.sort(
        [CURRENCY, cost, *keys[1:]], descending=[False, True, *(False for _ in keys[1:])], nulls_last=True
    )
    amounts = [closed.get(key) for key in members.select(keys).iter_rows()]
    return members.select(
        *keys, cost, polars.lit(to).alias(DISPLAY), polars.Series(CONVERTED, amounts, MONEY)
    )
