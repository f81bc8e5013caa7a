"""The tables of shared cost in finops.duckdb: `pool_shares`, who gets which part of a pool each day, and `allocated`, the cost
of pools split by these shares. A row of `allocated` is what a consumer gets of a day's shared charges of one account, service and
environment. Its owner is the consumer, and what directories know of the consumer; the owners that the charges have themselves are
not told apart, or it would be longer than the charges.
"""

from collections.abc import Callable, Iterable
from datetime import date

import duckdb
import polars

from finops_core.allocation.owners import SHARED, UNALLOCATED
from finops_core.allocation.ruleset import RuleSet
from finops_core.allocation.shares import WHOLE
from finops_core.allocation.splits import PART_MACROS, SHARE_COLUMNS, divided_sql, part_sql, shares
from finops_core.focus.charges import ALLOCATED_COLUMNS, COSTS, MONEY, OWNER_COLUMNS
from finops_core.formats.expressions import identifier, quoted
from finops_core.ingest.sql import frame
from finops_core.store.cubes import ACCOUNT, COMMON, DAY, SERVICE, holding
from finops_core.store.ownership import Ownership

CURRENCY = "BillingCurrency"
KIND, RULE_NAME = "x_AllocationKind", "x_AllocationRule"
_ENVIRONMENT = "x_Environment"
DIMENSIONS = (*COMMON, *ACCOUNT, *SERVICE, *ALLOCATED_COLUMNS)
"""What is known of a part of a shared charge; x_AllocationRule is its pool."""


def create(connection: duckdb.DuckDBPyConnection, types: dict[str, str]) -> None:
    """Makes the tables, empty."""
    columns = ", ".join(f"{name} {kind}" for name, kind in SHARE_COLUMNS.items())
    connection.execute(f"CREATE TABLE pool_shares ({columns})")
    dimensions = ", ".join(f"{name} {types[name]}" for name in DIMENSIONS)
    costs = ", ".join(f"{name} {MONEY}" for name in COSTS)
    connection.execute(f"CREATE TABLE allocated ({DAY} DATE, {dimensions}, {costs})")


def split(
    connection: duckdb.DuckDBPyConnection, ownership: Ownership, months: Iterable[date] | None = None
) -> None:
    """Splits the pools anew: in the calendar months given, by their first days, else in all."""
    where = "TRUE"
    if months is not None:
        named = ", ".join(f"DATE '{month}'" for month in sorted(set(months)))
        where = f"date_trunc('month', {DAY}) IN ({named})" if named else "FALSE"
    for table in ("pool_shares", "allocated"):
        connection.execute(f"DELETE FROM {table} WHERE {where}")
    if not ownership.rules.pools:
        return
    facts = pool_facts(connection, ownership.rules, _cube_with, where)
    found = shares(ownership.rules, *facts, ownership.weights())
    connection.register("found_shares", found.to_arrow())
    try:
        names = ", ".join(map(identifier, SHARE_COLUMNS))
        connection.execute(f"INSERT INTO pool_shares SELECT {names} FROM found_shares")
        connection.execute(PART_MACROS)
        connection.execute(_allocated_sql(ownership, where))
    finally:
        connection.unregister("found_shares")


def pool_facts(
    connection: duckdb.DuckDBPyConnection, rules: RuleSet, table: Callable[[str], str], where: str = "TRUE"
) -> tuple[polars.DataFrame, polars.DataFrame]:
    """What shares are computed from (`finops_core.allocation.splits.shares`): direct cost, and what each pool costs.

    `table` names a relation of days, currencies, kinds and EffectiveCost that also has the column given.
    """
    direct = " UNION ALL ".join(
        f"SELECT {DAY}, {CURRENCY}, {quoted(over)} AS Over, {over} AS Consumer, sum(EffectiveCost) AS cost"
        f" FROM {table(over)} WHERE {where} AND {KIND} <> '{SHARED}' AND {over} IS NOT NULL GROUP BY ALL"
        for over in sorted({pool.over for pool in rules.pools})
    )
    pools = (
        f"SELECT {DAY}, {CURRENCY}, {RULE_NAME} AS Pool, sum(EffectiveCost) AS cost FROM {table(RULE_NAME)}"
        f" WHERE {where} AND {KIND} = '{SHARED}' GROUP BY ALL"
    )
    return frame(connection, direct), frame(connection, pools)


def _cube_with(column: str) -> str:
    return holding({DAY, CURRENCY, KIND, column})[0].name


def _allocated_sql(ownership: Ownership, where: str) -> str:
    """SQL that adds the parts of shared charges. A pool without shares on a day, which cannot be, would stay with nobody."""
    grouped = [name for name in (DAY, *DIMENSIONS) if name not in OWNER_COLUMNS or name == _ENVIRONMENT]
    keys = ", ".join(grouped)
    cube = holding(grouped)[0]
    sums = ", ".join(f"sum({cost}) AS {cost}" for cost in COSTS)
    divided = ", ".join(divided_sql(cost) for cost in COSTS)
    whole = f"g.*, coalesce(s.Low, 0) AS low, coalesce(s.High, {WHOLE}) AS high"
    consumers = ", ".join(f"s.{column} AS to_{column}" for column in ownership.rules.consumers)
    columns = {name: name for name in DIMENSIONS}
    for column in OWNER_COLUMNS:
        other = _ENVIRONMENT if column == _ENVIRONMENT else "NULL"
        other = f"to_{column}" if column in ownership.rules.consumers else other
        columns[column] = f"CASE WHEN Over = {quoted(column)} OR Over IS NULL THEN Consumer ELSE {other} END"
    columns[KIND] = f"CASE WHEN Consumer IS NULL THEN '{UNALLOCATED}' ELSE '{SHARED}' END"
    selected = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    parts = ", ".join(part_sql(cost, "low", "high") for cost in COSTS)
    return f"""
        INSERT INTO allocated
        SELECT {DAY}, {selected}, {parts} FROM (
            SELECT {whole}, s.Over, s.Consumer{f", {consumers}" if consumers else ""}
            FROM (SELECT {keys}, {divided} FROM (
                SELECT {keys}, {sums} FROM {cube.name} WHERE {where} AND {KIND} = '{SHARED}' GROUP BY ALL)) g
            LEFT JOIN found_shares s
            ON s.Pool = g.{RULE_NAME} AND s.{DAY} = g.{DAY} AND s.{CURRENCY} = g.{CURRENCY})"""
