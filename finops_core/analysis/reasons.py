"""Why a charge is whose it is: the rule behind each of its owners and what it read, the shares of its pool, its line of the export."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, cast

import duckdb
import polars

from finops_core.allocation.owners import SHARED, WHY, owners
from finops_core.allocation.rules import Pool, Rule
from finops_core.allocation.ruleset import RuleSet
from finops_core.allocation.shares import WHOLE, part
from finops_core.allocation.splits import CURRENCY, DAY
from finops_core.allocation.values.inherit import Value as Inherited
from finops_core.analysis.reason_inputs import Answers, Input, day_of, inputs
from finops_core.errors import UsageError
from finops_core.focus.charges import ALLOCATED_COLUMNS, COSTS, OWNER_COLUMNS
from finops_core.formats.expressions import identifier
from finops_core.model import engine
from finops_core.model.ledger import Ledger
from finops_core.model.origin import Origin, origin
from finops_core.model.query import Node, Query, conditions
from finops_core.store.batches import plain
from finops_core.store.lake import lake_columns
from finops_core.store.load import known_formats
from finops_core.store.ownership import in_force

_PLACE = "x_Place"
"""The number of a charge in its version of the store."""
_HAD = "x_Had_"
"""Before a column: what the store has in it."""
SHOWN = (
    *("ChargePeriodStart", "BillingCurrency", *COSTS, "ChargeCategory", "ServiceName", "SubAccountId"),
    *(
        "SubAccountName",
        "ResourceId",
        "ResourceName",
        "ChargeDescription",
        "Tags",
        "x_Source",
        "BillingPeriod",
    ),
    *("x_File", "x_Row", "x_Derived", "x_BatchId"),
)
"""The columns of a charge that a reason repeats."""


@dataclass(frozen=True)
class OwnerReason:
    """The value of an owner column, and the rule that gave it; no rule where no rule has a value."""

    column: str
    value: str | None
    rule: Rule | None = None
    """The revision in force on the charge's day, with its days."""
    inputs: tuple[Input, ...] = ()

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"column": self.column, "value": self.value, "rule": None}
        if self.rule is not None:
            found |= {"rule": self.rule.name, **_days(self.rule), "when": written(self.rule.when)}
            found |= {
                "takes": self.rule.set[self.column].in_words(),
                "description": self.rule.description,
                "inputs": [one.as_json() for one in self.inputs],
            }
        return found

    def as_text(self) -> str:
        if self.rule is None:
            return f"{self.column}: nobody's, no rule has a value for it"
        when = f", where {written(self.rule.when)}" if self.rule.when else ""
        read = "".join(f"\n    {one.as_text()}" for one in self.inputs)
        takes = self.rule.set[self.column].in_words()
        return f"{self.column} = {self.value}: rule {self.rule.name!r}{_in_force(self.rule)}{when}: {takes}{read}"


@dataclass(frozen=True)
class Part:
    """What a consumer gets: an interval of [0, 10¹⁸) of the pool that day, and the charge's own part by it."""

    consumer: str | None
    """None for nobody: it stays unallocated."""
    low: int
    high: int
    amount: Decimal

    @property
    def share(self) -> Decimal:
        """The share of the pool that day, to the 18th digit."""
        return Decimal(self.high - self.low).scaleb(-18)


@dataclass(frozen=True)
class PoolReason:
    """The pool that a charge is in, and how it was split on the charge's day and in its currency."""

    pool: Pool
    method: str
    """As it was used that day, in words."""
    parts: tuple[Part, ...]
    """By the same intervals as the pool's other charges of the day; their amounts sum to the charge's EffectiveCost."""

    def as_json(self) -> dict[str, Any]:
        return {
            "pool": self.pool.name,
            **_days(self.pool),
            "when": written(self.pool.when),
            "over": self.pool.over,
            "why": self.pool.why,
            "approved_by": self.pool.approved_by,
            "method": self.method,
            "shares": [
                {
                    "consumer": part.consumer,
                    "share_of_the_pool_that_day": plain(part.share),
                    "of_1e18": part.high - part.low,
                    "amount": plain(part.amount),
                }
                for part in self.parts
            ],
        }

    def as_text(self) -> str:
        lines = [f"Shared by the pool {self.pool.name!r}{_in_force(self.pool)}: {written(self.pool.when)}"]
        if self.pool.why:
            lines.append(f"    why: {self.pool.why}")
        if self.pool.approved_by:
            lines.append(f"    approved by: {self.pool.approved_by}")
        lines.append(f"    split that day over {self.pool.over}: {self.method}")
        lines += [
            f"    {part.consumer or 'nobody'}: {plain(part.share)} of the pool that day, {plain(part.amount)} of this charge"
            for part in self.parts
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Reason:
    """Why one charge is whose it is."""

    charge: Mapping[str, Any]
    """The columns SHOWN."""
    kind: str
    """direct | rule | shared | unallocated"""
    version: int
    """The number of the rules' version in force; 0 for rules that nobody applied."""
    owners: tuple[OwnerReason, ...]
    pool: PoolReason | None
    origin: Origin | None
    """Where its EffectiveCost comes from; None where the load or its format is not known here."""

    def as_json(self) -> dict[str, Any]:
        cells = {n: plain(v) if isinstance(v, Decimal) else v for n, v in self.charge.items()}
        cells["ChargePeriodStart"] = f"{self.charge['ChargePeriodStart']:%Y-%m-%dT%H:%M:%SZ}"
        source = self.origin
        return {
            "charge": cells,
            "x_AllocationKind": self.kind,
            "rules_version": self.version,
            "owners": [owner.as_json() for owner in self.owners],
            "pool": self.pool.as_json() if self.pool else None,
            "origin": source
            and {
                "x_Source": source.batch.source,
                "x_File": source.file,
                "x_Row": source.row,
                "batch": source.batch.batch_id,
                "loaded_at": source.batch.loaded_at,
                "format": source.format,
                "EffectiveCost": source.expression,
                "x_Derived": source.derived,
            },
        }

    def as_text(self) -> str:
        row = self.charge
        what = ", ".join(str(row[n]) for n in ("ServiceName", "SubAccountId", "ResourceId") if row[n])
        rules = f"version {self.version}" if self.version else "that nobody applied yet"
        lines = [
            f"{plain(row['EffectiveCost'] or 0)} {row['BillingCurrency']} on {day_of(row)}: {what}",
            f"Allocation: {self.kind}, by the rules {rules}",
            *(owner.as_text() for owner in self.owners),
        ]
        if self.pool is not None:
            lines.append(self.pool.as_text())
        lines.append(f"From {row['x_Source']}: {row['x_File']}, row {row['x_Row']}, load {row['x_BatchId']}")
        if self.origin is not None:
            lines.append(f"    {self.origin.format}: EffectiveCost is {self.origin.expression}")
        if row["x_Derived"]:
            lines.append(f"    {row['x_Derived']}")
        return "\n".join(lines)


def reasons(ledger: Ledger, query: Query, limit: int = 5) -> list[Reason]:
    """The reasons of the charges behind a query, costliest first by its first metric, one of the four costs.

    Raises UsageError where the store was made by other rules than those in force.
    """
    with ledger.connection() as connection:
        ownership = in_force(ledger.home)
        rows = _explained(connection, ownership.rules, query, limit)
        shares, answers = _shares(connection, rows), Answers(connection)
        batches, formats = ledger.current_batches(), known_formats(ledger.home)
        return [
            Reason(
                {name: row[name] for name in SHOWN},
                row["x_AllocationKind"],
                ownership.number,
                tuple(_owner(ownership.rules, column, row, answers) for column in OWNER_COLUMNS),
                _pool(ownership.rules, row, shares),
                origin(row, "EffectiveCost", batches, formats),
            )
            for row in rows
        ]


def _explained(
    connection: duckdb.DuckDBPyConnection, rules: RuleSet, query: Query, limit: int
) -> list[dict[str, Any]]:
    """The charges as the rules see them: all columns, and for each owner column which rule gave its value."""
    connection.execute(f"CREATE OR REPLACE TEMP VIEW placed AS SELECT *, rowid AS {_PLACE} FROM charges")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE asked AS {_places(query, limit)}")
    _with_their_groups(connection, rules)
    had = {_HAD + name: name for name in ALLOCATED_COLUMNS}
    columns = (*lake_columns(), *had, _PLACE)
    stored = ", ".join(f"{name} AS {as_had}" for as_had, name in had.items())
    relation = f"(SELECT * EXCLUDE ({', '.join(had.values())}), {stored} FROM placed"
    relation += f" WHERE {_PLACE} IN (SELECT {_PLACE} FROM grouped))"
    found = owners(rules, relation, columns, explained=True)
    found.prepare(connection)
    metric = identifier(query.metrics[0])
    rows = connection.sql(
        f"SELECT * FROM ({found.relation}) WHERE {_PLACE} IN (SELECT {_PLACE} FROM asked)"
        f" ORDER BY abs({metric}) DESC, x_Source, x_File, x_Row, x_Derived, {_PLACE}"
    ).to_arrow_table()
    explained = cast(polars.DataFrame, polars.from_arrow(rows)).to_dicts()
    if any(row[name] != row[as_had] for row in explained for as_had, name in had.items()):
        raise UsageError(
            "the rules changed since the figures were made: `farthing allocate apply` or `farthing rebuild` brings them together"
        )
    return explained


def _places(query: Query, limit: int) -> str:
    """SQL of the places of the costliest charges."""
    import ibis

    metric = query.metrics[0]
    if metric not in COSTS:
        raise UsageError(f"charges are ordered by a cost, and {metric} is none")
    rows: Any = engine.filtered(_charges_with_places(), query)
    names = ("x_Source", "x_File", "x_Row", "x_Derived", _PLACE)
    order = [ibis.desc(rows[metric].abs()), *(ibis.asc(rows[name]) for name in names)]
    chosen = rows.order_by(order).limit(limit).select(_PLACE)
    return str(ibis.to_sql(chosen, dialect="duckdb"))


def _charges_with_places() -> Any:
    import ibis

    return ibis.table({**engine.charges().schema(), _PLACE: "int64"}, name="placed")


def _with_their_groups(connection: duckdb.DuckDBPyConnection, rules: RuleSet) -> None:
    """Makes the table `grouped`: the charges asked for, and all others that an inherited owner of theirs depends on.

    These are in the same group; whose own owner may be inherited in turn, from another group. As inherited values are asked
    one after the other, each can be reached through each of the others once.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE grouped AS SELECT {_PLACE} FROM asked")
    values = [v for rule in rules.rules for v in rule.set.values() if isinstance(v, Inherited)]
    groups = list(dict.fromkeys(("x_Source", "BillingPeriod", *value.inherit) for value in values))
    size = 0
    for _ in range(len(values)):
        for names in groups:
            keys = ", ".join(identifier(name) for name in dict.fromkeys(names))
            members = f"SELECT DISTINCT {keys} FROM placed WHERE {_PLACE} IN (SELECT {_PLACE} FROM grouped)"
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE grouped AS SELECT {_PLACE} FROM grouped"
                f" UNION SELECT {_PLACE} FROM placed WHERE ({keys}) IN ({members})"
            )
        grown = connection.execute("SELECT count(*) FROM grouped").fetchall()[0][0]
        if grown == size:
            break
        size = grown


def _owner(rules: RuleSet, column: str, row: Mapping[str, Any], answers: Answers) -> OwnerReason:
    number = row[WHY + column]
    if number is None:
        return OwnerReason(column, row[column])
    rule = rules.rules[number]
    read = inputs(rules, rule, column, row, answers)
    return OwnerReason(column, row[column], rule, tuple(read))


Shares = Mapping[tuple[str, date, str], Sequence[tuple[str | None, int, int, str]]]
"""Pool, day and currency → consumer, low, high, method."""


def _shares(connection: duckdb.DuckDBPyConnection, rows: Iterable[Mapping[str, Any]]) -> Shares:
    wanted = {
        (row["x_AllocationRule"], day_of(row), row["BillingCurrency"])
        for row in rows
        if row["x_AllocationKind"] == SHARED
    }
    return {
        (pool, day, currency): connection.execute(
            f"SELECT Consumer, Low, High, Method FROM pool_shares"
            f" WHERE Pool = ? AND {DAY} = ? AND {CURRENCY} = ? ORDER BY Low",
            [pool, day, currency],
        ).fetchall()
        for pool, day, currency in sorted(wanted)
    }


def _pool(rules: RuleSet, row: Mapping[str, Any], shares: Shares) -> PoolReason | None:
    if row["x_AllocationKind"] != SHARED:
        return None
    name, day = row["x_AllocationRule"], day_of(row)
    pool = pool_on(rules, name, day)
    found = shares[name, day, row["BillingCurrency"]] or [(None, 0, WHOLE, "no data: central")]
    cost = row["EffectiveCost"] or Decimal(0)
    parts = tuple(Part(consumer, low, high, part(cost, low, high)) for consumer, low, high, _ in found)
    return PoolReason(pool, found[0][3], parts)


def pool_on(rules: RuleSet, name: str, day: date) -> Pool:
    """The revision of a pool that is in force on a day. Raises UsageError where there is none."""
    for pool in rules.pools:
        if pool.name == name and (pool.since or date.min) <= day < (pool.until or date.max):
            return pool
    raise UsageError(f"there is no pool {name!r} on {day}")


def written(when: Iterable[Node]) -> str:
    """The conditions of a rule or pool, as they are written."""
    return " and ".join(str(node) for node in conditions(tuple(when)))


def _days(entry: Rule | Pool) -> dict[str, str | None]:
    return {
        "from": entry.since.isoformat() if entry.since else None,
        "to": entry.until.isoformat() if entry.until else None,
    }


def _in_force(entry: Rule | Pool) -> str:
    since = f" from {entry.since}" if entry.since else ""
    return since + (f" to before {entry.until}" if entry.until else "")
