"""What a rule set does to shares of pools: who would get how much of each, before and after."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import polars

from finops_core.allocation.owners import SHARED
from finops_core.allocation.ruleset import RuleSet
from finops_core.allocation.shares import part
from finops_core.allocation.splits import CURRENCY, DAY, shares
from finops_core.ingest.sql import frame
from finops_core.store.cubes import holding
from finops_core.store.home import Home
from finops_core.store.ownership import Ownership
from finops_core.store.sharing import KIND, RULE_NAME, pool_facts

_Key = tuple[str, str | None, str]


@dataclass(frozen=True)
class ShareMove:
    """The EffectiveCost of a pool that a consumer (None: nobody) gets now and would get, in one currency."""

    pool: str
    consumer: str | None
    BillingCurrency: str
    before: Decimal
    after: Decimal


def share_moves(
    connection: duckdb.DuckDBPyConnection, home: Home, rules: RuleSet, relation: str
) -> tuple[ShareMove, ...]:
    """The shares that change, largest first; `relation` is SQL of the charges with the owners that the rules find.

    Day by day, each pool's cost by its shares; a share is told even where its pool is new or gone. Raises InputRefused for a
    driver whose file is missing or malformed.
    """
    overs = sorted({pool.over for pool in rules.pools})
    columns = ", ".join(dict.fromkeys([CURRENCY, KIND, RULE_NAME, *overs]))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE preview_days AS SELECT ChargePeriodStart::DATE AS {DAY}, {columns},"
        f" sum(EffectiveCost) AS EffectiveCost FROM ({relation}) GROUP BY ALL"
    )
    after: dict[_Key, Decimal] = {}
    if overs:
        direct, pools = pool_facts(connection, rules, lambda _: "preview_days")
        found = shares(rules, direct, pools, Ownership(rules, 0, home.metrics).weights())
        after = _amounts(pools.join(found, on=["Pool", DAY, CURRENCY]))
    cube = holding({DAY, CURRENCY, KIND, RULE_NAME})[0].name
    before = _amounts(
        frame(
            connection,
            f"SELECT s.*, g.cost FROM pool_shares s JOIN (SELECT {DAY}, {CURRENCY}, {RULE_NAME}, sum(EffectiveCost) AS cost"
            f" FROM {cube} WHERE {KIND} = '{SHARED}' GROUP BY ALL) g"
            f" ON s.Pool = g.{RULE_NAME} AND s.{DAY} = g.{DAY} AND s.{CURRENCY} = g.{CURRENCY}",
        )
    )
    nothing = Decimal(0)
    moves = [
        ShareMove(*key, before.get(key, nothing), after.get(key, nothing))
        for key in {*before, *after}
        if before.get(key, nothing) != after.get(key, nothing)
    ]
    return tuple(sorted(moves, key=lambda m: (-abs(m.after - m.before), m.pool, m.consumer or "")))


def _amounts(table: polars.DataFrame) -> dict[_Key, Decimal]:
    """(pool, consumer, currency) → the parts of all days."""
    found: dict[_Key, Decimal] = {}
    rows: Iterable[Any] = table.select("Pool", "Consumer", CURRENCY, "cost", "Low", "High").iter_rows()
    for pool, consumer, currency, cost, low, high in rows:
        key = (pool, consumer, currency)
        found[key] = found.get(key, Decimal(0)) + part(cost or Decimal(0), low, high)
    return found
