"""Who gets which share of each pool, day by day and currency by currency; and the SQL that splits costs by such shares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import polars

from finops_core.allocation import methods
from finops_core.allocation.drivers import DriverSpec
from finops_core.allocation.methods import POOL, Facts, Method, Per, Shares
from finops_core.allocation.rules import CENTRAL, Pool
from finops_core.allocation.ruleset import KEY, SINCE, UNTIL, RuleSet
from finops_core.allocation.shares import WHOLE, Unsolvable, intervals, solved
from finops_core.errors import InputRefused, Place
from finops_core.focus.charges import MONEY

DAY, CURRENCY = "ChargeDay", "BillingCurrency"
SHARE_COLUMNS = {
    "Pool": "VARCHAR",
    DAY: "DATE",
    CURRENCY: "VARCHAR",
    "Over": "VARCHAR",
    "Consumer": "VARCHAR",
    "Low": "BIGINT",
    "High": "BIGINT",
    "Share": "DECIMAL(19,18)",
    "Method": "VARCHAR",
}
"""Columns of the shares: the pool, day and currency; the owner column that it is split over, the consumer (null: nobody), its
interval of 10¹⁸ (`finops_core.allocation.shares`), its share, and by which method it was found, in words."""
NO_DATA = "no data: "
"""How the words of a method begin where the pool's own had no data for the day; the fallback's follow."""
_CENTRAL: Shares = {None: Fraction(1)}
Weights = Callable[[DriverSpec], polars.DataFrame]
"""Reads a driver: day, consumer, weight (`finops_core.allocation.drivers.weights`)."""


def shares(
    rules: RuleSet, direct: polars.DataFrame, pools: polars.DataFrame, weights: Weights
) -> polars.DataFrame:
    """The shares of every pool on every day and in every currency in which it, or a pool that feeds it, costs something.

    `direct`: ChargeDay, BillingCurrency, Over (the owner column), Consumer, cost: direct cost. `pools`: ChargeDay,
    BillingCurrency, Pool, cost. Returns the columns of `SHARE_COLUMNS`, and for each owner column of the rules'
    `consumers` one of its name. Raises InputRefused naming pools that on a day only feed each other.
    """
    known = _Known(rules, direct, pools, weights)
    rows: list[dict[str, Any]] = []
    for day, currency in sorted(set(pools.select(DAY, CURRENCY).iter_rows())):
        rows += known.of_day(day, currency)
    schema = {name: _POLARS[kind] for name, kind in SHARE_COLUMNS.items()}
    return _with_columns_of_consumers(rules, polars.DataFrame(rows, schema=schema))


_POLARS: dict[str, Any] = {
    "VARCHAR": polars.String,
    "DATE": polars.Date,
    "BIGINT": polars.Int64,
    "DECIMAL(19,18)": polars.Decimal(19, 18),
}


@dataclass
class _Known:
    """All facts of some months, and what follows from them."""

    rules: RuleSet
    direct: polars.DataFrame
    pools: polars.DataFrame
    weights: Weights
    solutions: dict[Any, dict[str, list[tuple[str | None, int, int]]]] = field(default_factory=dict)

    @cached_property
    def direct_costs(self) -> dict[tuple[Any, ...], dict[str, Decimal]]:
        """(per, first day, currency, owner column) → consumer → cost; pools as `pool:NAME`."""
        over = {pool.name: pool.over for pool in self.rules.pools}
        found: dict[tuple[Any, ...], dict[str, Decimal]] = {}
        rows = [*self.direct.select(DAY, CURRENCY, "Over", "Consumer", "cost").iter_rows()]
        for day, currency, name, cost in self.pools.select(DAY, CURRENCY, "Pool", "cost").iter_rows():
            if name in over:
                rows.append((day, currency, over[name], POOL + name, cost))
        for day, currency, column, consumer, cost in rows:
            month = day.replace(day=1)
            for key in (("day", day, currency), ("month", month, currency), ("any", month, None)):
                costs = found.setdefault((*key, column), {})
                costs[consumer] = costs.get(consumer, Decimal(0)) + (cost or 0)
        return found

    @cached_property
    def pool_costs(self) -> dict[tuple[date, str, str], Decimal]:
        return {
            (d, c, n): cost or Decimal(0)
            for d, c, n, cost in self.pools.select(DAY, CURRENCY, "Pool", "cost").iter_rows()
        }

    @cached_property
    def measured(self) -> dict[str, dict[tuple[str, date], dict[str | None, Decimal]]]:
        """A driver, as text → (per, first day) → consumer → weight."""
        specs = {repr(spec): spec for pool in self.rules.pools for spec in pool.drivers()}
        found: dict[str, dict[tuple[str, date], dict[str | None, Decimal]]] = {}
        for name, spec in specs.items():
            by_period = found.setdefault(name, {})
            for day, consumer, weight in self.weights(spec).select("day", "consumer", "weight").iter_rows():
                for per, first in (("day", day), ("month", day.replace(day=1))):
                    weights = by_period.setdefault((per, first), {})
                    weights[consumer] = weights.get(consumer, Decimal(0)) + weight
        return found

    def of_day(self, day: date, currency: str) -> list[dict[str, Any]]:
        wanted = [pool for pool in self.rules.pools if _is_in_force(pool, day)]
        chosen: dict[str, tuple[Shares, str]] = {}
        for pool in wanted:
            facts = _DayFacts(self, pool, day, currency)
            chosen[pool.name] = _chosen(pool, facts)
        found = self._solved({name: shares for name, (shares, _) in chosen.items()}, day)
        over = {pool.name: pool.over for pool in wanted}
        return [
            {
                "Pool": name,
                DAY: day,
                CURRENCY: currency,
                "Over": over[name],
                "Consumer": consumer,
                "Low": low,
                "High": high,
                "Share": Decimal(high - low).scaleb(-18),
                "Method": chosen[name][1],
            }
            for name, parts in found.items()
            for consumer, low, high in parts
        ]

    def _solved(
        self, chosen: Mapping[str, Shares], day: date
    ) -> dict[str, list[tuple[str | None, int, int]]]:
        key = tuple((name, tuple(shares.items())) for name, shares in chosen.items())
        if key not in self.solutions:
            try:
                self.solutions[key] = {name: intervals(parts) for name, parts in solved(chosen).items()}
            except Unsolvable as error:
                raise InputRefused(
                    f"on {day}, {error}",
                    Place("allocation.yaml"),
                    "Give one of them a consumer, or a fallback that has one",
                ) from error
        return self.solutions[key]


def _is_in_force(pool: Pool, day: date) -> bool:
    return (pool.since is None or pool.since <= day) and (pool.until is None or day < pool.until)


def _chosen(pool: Pool, facts: Facts) -> tuple[Shares, str]:
    """The shares of a pool: by its method, else its fallback, else evenly, else with nobody; and in words, by which."""
    found = pool.split.shares(facts)
    if found is not None:
        return found, pool.split.in_words()
    if not isinstance(pool.fallback, Method):
        return _CENTRAL, f"{NO_DATA}{CENTRAL}"
    found = pool.fallback.shares(facts)
    if found is not None:
        return found, f"{NO_DATA}{pool.fallback.in_words()}"
    found = methods.proportional(dict.fromkeys(facts.consumers(), 1))
    return (found, f"{NO_DATA}evenly over all") if found is not None else (_CENTRAL, f"{NO_DATA}{CENTRAL}")


@dataclass(frozen=True)
class _DayFacts:
    """What is known of a pool on a day (finops_core.allocation.methods.Facts)."""

    known: _Known
    pool: Pool
    day: date
    currency: str

    @property
    def cost(self) -> Decimal:
        return self.known.pool_costs.get((self.day, self.currency, self.pool.name), Decimal(0))

    def direct(self, per: Per) -> Mapping[str, Decimal]:
        key = (per, self._first(per), self.currency, self.pool.over)
        own = POOL + self.pool.name
        return {name: cost for name, cost in self.known.direct_costs.get(key, {}).items() if name != own}

    def consumers(self) -> tuple[str, ...]:
        month = self._first("month")
        for key in (("month", month, self.currency), ("any", month, None)):
            costs = self.known.direct_costs.get((*key, self.pool.over), {})
            names = tuple(
                sorted(name for name, cost in costs.items() if cost > 0 and not name.startswith(POOL))
            )
            if names:
                return names
        return ()

    def driver(self, spec: DriverSpec, per: Per) -> Mapping[str | None, Decimal]:
        return self.known.measured[repr(spec)].get((per, self._first(per)), {})

    def _first(self, per: Per) -> date:
        return self.day if per == "day" else self.day.replace(day=1)


def _with_columns_of_consumers(rules: RuleSet, found: polars.DataFrame) -> polars.DataFrame:
    """Adds what directories have of each consumer on each day, a column an owner column."""
    for column, (directory, name) in rules.consumers.items():
        table = rules.directories[directory].select(KEY, SINCE, UNTIL, polars.col(name).alias(column))
        days = found.select(DAY, "Consumer").unique().join(table, left_on="Consumer", right_on=KEY)
        days = days.filter((polars.col(DAY) >= polars.col(SINCE)) & (polars.col(DAY) < polars.col(UNTIL)))
        found = found.join(days.select(DAY, "Consumer", column), on=[DAY, "Consumer"], how="left")
    return found


def divided_sql(cost: str) -> str:
    """SQL of the two columns, `{cost}_whole` and `{cost}_rest`, that `part_sql` needs of a cost: computed once an amount."""
    return f"whole_of({cost}) AS {cost}_whole, rest_of({cost}) AS {cost}_rest"


def part_sql(cost: str, low: str, high: str) -> str:
    """SQL of the part of a cost (DECIMAL(38,18)) that an interval of [0, 10¹⁸) stands for; exact for costs below 10¹⁹."""
    return f"share_part({cost}_whole, {cost}_rest, {low}, {high})"


_HALF = "1000000000::BIGINT"
"""10⁹: with fractions and bounds in two halves of nine digits, no product needs more than 64 bits, which are divided forty
times as fast as 128."""
PART_MACROS = f"""
CREATE OR REPLACE TEMP MACRO whole_of(x) AS CAST(x AS DECIMAL(19,0));
CREATE OR REPLACE TEMP MACRO rest_of(x) AS
    CAST(CAST(x - CAST(whole_of(x) AS {MONEY}) AS DECIMAL(18,18)) * CAST({WHOLE} AS DECIMAL(19,0)) AS BIGINT);
CREATE OR REPLACE TEMP MACRO units_below(rest, bound) AS
    (rest // {_HALF}) * (bound // {_HALF})
    + ((rest // {_HALF}) * (bound % {_HALF}) + (rest % {_HALF}) * (bound // {_HALF})
       + ((rest % {_HALF}) * (bound % {_HALF})) // {_HALF}) // {_HALF};
CREATE OR REPLACE TEMP MACRO units_money(units) AS
    CAST(units AS DECIMAL(19,0)) * CAST('0.000000000000000001' AS DECIMAL(19,18));
CREATE OR REPLACE TEMP MACRO share_part(whole, rest, low, high) AS
    whole * CAST(units_money(high - low) AS DECIMAL(19,18))
    + units_money(units_below(rest, high) - units_below(rest, low))
"""
"""Statements to run before these can be used."""
