"""Why a line of a statement is what it is: an owner's share of a pool day by day, with what it was measured by; or its own charges."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import polars

from finops_core.allocation.drivers import DriverSpec
from finops_core.allocation.owners import SHARED
from finops_core.allocation.rules import Pool
from finops_core.allocation.splits import CURRENCY, DAY
from finops_core.analysis.reasons import written
from finops_core.errors import UsageError
from finops_core.focus.charges import OWNER_COLUMNS
from finops_core.formats.expressions import identifier
from finops_core.ingest.sql import frame
from finops_core.model.export import cell
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months
from finops_core.model.query import Condition, Query
from finops_core.store.batches import plain
from finops_core.store.closes import period_of
from finops_core.store.ownership import Ownership, in_force

METRIC = "EffectiveCost"
ROWS_BY = ("x_AllocationKind", "x_AllocationRule", "SubAccountId", "SubAccountName", "ServiceName")


@dataclass(frozen=True)
class StatementReason:
    """What a line of a statement is made of, as it stands today."""

    column: str
    owner: str | None
    pool: str | None
    """None for what the owner caused directly."""
    period: str
    version: int
    """The number of the rules' version in force; 0 for rules that nobody applied."""
    revisions: tuple[Pool, ...]
    """Those of the pool."""
    shares: polars.DataFrame
    """ChargeDay, BillingCurrency, Consumer, Share, Method, PoolEffectiveCost (of the billing period on that day), EffectiveCost
    (the line's part of it); empty for direct cost."""
    weights: polars.DataFrame
    """day, driver (in words), consumer, weight, total (of all consumers that day); empty where nothing was measured."""
    rows: polars.DataFrame
    """BillingCurrency, ROWS_BY and EffectiveCost: the pool's own charges, or the owner's direct ones, costliest first."""

    @property
    def amounts(self) -> dict[str, Decimal]:
        """Currency → EffectiveCost of the line."""
        table = self.shares if self.pool is not None else self.rows
        sums = table.group_by(CURRENCY).agg(polars.col(METRIC).sum()).sort(CURRENCY)
        return {currency: Decimal(amount or 0) for currency, amount in sums.iter_rows()}

    def as_json(self) -> dict[str, Any]:
        return {
            "column": self.column,
            "owner": self.owner,
            "pool": self.pool,
            "period": self.period,
            "rules_version": self.version,
            "amounts": {currency: plain(amount) for currency, amount in self.amounts.items()},
            "revisions": [
                {
                    "from": cell(pool.since),
                    "to": cell(pool.until),
                    "when": written(pool.when),
                    "over": pool.over,
                    "split": pool.split.in_words(),
                    "why": pool.why,
                    "approved_by": pool.approved_by,
                }
                for pool in self.revisions
            ],
            "shares": _listed(self.shares),
            "weights": _listed(self.weights),
            "rows": _listed(self.rows),
        }

    def as_text(self) -> str:
        sums = ", ".join(f"{plain(amount)} {currency}" for currency, amount in self.amounts.items())
        whose = f"{self.column} {self.owner or '(none)'}"
        what = f"the pool {self.pool!r}" if self.pool is not None else "direct cost"
        lines = [f"{whose}, {what}, {self.period}: {sums or 'nothing'}"]
        for pool in self.revisions:
            lines.append(f"    {written(pool.when)}; split over {pool.over} {pool.split.in_words()}")
            lines += [f"    why: {pool.why}"] * bool(pool.why)
            lines += [f"    approved by: {pool.approved_by}"] * bool(pool.approved_by)
        measured = {(row["day"], row["consumer"]): row for row in self.weights.iter_rows(named=True)}
        for row in self.shares.iter_rows(named=True):
            weight = measured.get((row[DAY], row["Consumer"]))
            known = f" ({plain(weight['weight'])} of {plain(weight['total'])})" if weight else ""
            lines.append(
                f"{row[DAY]} {row['Consumer'] or 'nobody'}: {plain(row['Share'])} of {plain(row['PoolEffectiveCost'])}"
                f" {row[CURRENCY]} is {plain(row[METRIC])}; {row['Method']}{known}"
            )
        lines.append("What the pool is made of:" if self.pool is not None else "What it is made of:")
        for row in self.rows.iter_rows(named=True):
            names = ", ".join(str(row[name]) for name in ROWS_BY[1:] if row[name] is not None)
            lines.append(f"{plain(row[METRIC])} {row[CURRENCY]}: {names}")
        return "\n".join(lines)


def statement_reasons(
    ledger: Ledger, column: str, owner: str | None, pool: str | None, period: str
) -> StatementReason:
    """What a line of a statement of a billing period (2026-09) is made of: an owner's part of a pool, or its direct cost.

    Raises UsageError for a column that is no owner's, a period that is none, and a pool that the rules do not have.
    """
    if column not in OWNER_COLUMNS:
        raise UsageError(f"{column!r} is no owner column; known are {', '.join(OWNER_COLUMNS)}")
    period_of(period)
    ownership = in_force(ledger.home)
    revisions = tuple(p for p in ownership.rules.pools if p.name == pool)
    if pool is not None and not revisions:
        known = ", ".join(dict.fromkeys(p.name for p in ownership.rules.pools)) or "none"
        raise UsageError(f"there is no pool {pool!r}; known are {known}")
    with ledger.connection() as connection:
        shares = _shares(connection, column, owner, pool, period)
    weights = _weights(ownership, revisions, period, set(shares["Consumer"]))
    rows = _rows(ledger, column, owner, pool, period)
    return StatementReason(column, owner, pool, period, ownership.number, revisions, shares, weights, rows)


def _shares(
    connection: duckdb.DuckDBPyConnection, column: str, owner: str | None, pool: str | None, period: str
) -> polars.DataFrame:
    """The part of each day; the consumer is the value of the column that the pool is split over."""
    consumer = " ".join(f"WHEN '{name}' THEN {name}" for name in OWNER_COLUMNS)
    keys = f"{DAY}, {CURRENCY}"
    statement = f"""
        WITH split AS (
            SELECT a.*, CASE o.Over {consumer} END AS Consumer
            FROM allocated a LEFT JOIN (SELECT DISTINCT Pool, {keys}, Over FROM pool_shares) o
            ON o.Pool = a.x_AllocationRule AND o.{DAY} = a.{DAY} AND o.{CURRENCY} = a.{CURRENCY}
            WHERE a.x_AllocationRule = $pool AND a.BillingPeriod = $period
        ), whole AS (SELECT {keys}, sum({METRIC}) AS PoolEffectiveCost FROM split GROUP BY ALL)
        SELECT p.{DAY}, p.{CURRENCY}, p.Consumer, s.Share, s.Method, PoolEffectiveCost::DECIMAL(38,18) AS PoolEffectiveCost,
               p.{METRIC}::DECIMAL(38,18) AS {METRIC}
        FROM (SELECT {keys}, Consumer, sum({METRIC}) AS {METRIC} FROM split
              WHERE {identifier(column)} IS NOT DISTINCT FROM $owner GROUP BY ALL) p
        JOIN whole USING ({keys})
        LEFT JOIN pool_shares s ON s.Pool = $pool AND s.{DAY} = p.{DAY} AND s.{CURRENCY} = p.{CURRENCY}
            AND s.Consumer IS NOT DISTINCT FROM p.Consumer
        ORDER BY ALL"""
    return frame(connection, statement, {"pool": pool, "period": period, "owner": owner})


def _weights(
    ownership: Ownership, revisions: tuple[Pool, ...], period: str, consumers: set[str | None]
) -> polars.DataFrame:
    """What the drivers of a pool measured in a calendar month, for some consumers."""
    first = date.fromisoformat(f"{period}-01")
    days = polars.col("day").is_between(first, add_months(first, 1), closed="left")
    specs: Mapping[str, DriverSpec] = {repr(spec): spec for pool in revisions for spec in pool.drivers()}
    found = []
    for spec in specs.values():
        measured = ownership.weights()(spec).filter(days)
        total = polars.col("weight").sum().over("day").cast(measured.schema["weight"]).alias("total")
        whose = polars.col("consumer").is_in([c for c in consumers if c is not None])
        if None in consumers:
            whose = whose | polars.col("consumer").is_null()
        words = polars.lit(spec.in_words()).alias("driver")
        found.append(measured.with_columns(total, words).filter(whose.fill_null(None in consumers)))
    schema = {"day": polars.Date(), "driver": polars.String(), "consumer": polars.String()}
    schema |= {"weight": polars.Decimal(38, 18), "total": polars.Decimal(38, 18)}
    return polars.concat(found).select(list(schema)) if found else polars.DataFrame(schema=schema)


def _rows(ledger: Ledger, column: str, owner: str | None, pool: str | None, period: str) -> polars.DataFrame:
    month = Condition("BillingPeriod", "=", (period,))
    if pool is not None:
        where = (Condition("x_AllocationKind", "=", (SHARED,)), Condition("x_AllocationRule", "=", (pool,)))
    else:
        whose = Condition(column, "is null") if owner is None else Condition(column, "=", (owner,))
        where = (Condition("x_AllocationKind", "!=", (SHARED,)), whose)
    return ledger.query(Query(METRIC, by=ROWS_BY, where=(month, *where)))


def _listed(table: polars.DataFrame) -> list[dict[str, Any]]:
    return [{name: cell(value) for name, value in row.items()} for row in table.iter_rows(named=True)]
