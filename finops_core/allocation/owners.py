"""The SQL that finds the owners of charges: a rule set's rules, one after the other, over any relation of charges.

Each owner column is a stage: a SELECT around the one before, so that rules may ask for owner columns that are found already.
What depends on tags alone is computed once for all charges of the same Tags; directories are tables that are joined.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars

from finops_core.allocation.expressions import condition_sql, tag_sql, tags_of
from finops_core.allocation.rules import Pool, Rule
from finops_core.allocation.ruleset import FIRST_DAY, KEY, LAST_DAY, SINCE, UNTIL, RuleSet
from finops_core.allocation.values import Value
from finops_core.allocation.values.inherit import Value as Inherited
from finops_core.focus.charges import ALLOCATED_COLUMNS, OWNER_COLUMNS
from finops_core.formats.expressions import identifier, quoted
from finops_core.vocabulary.dimensions import TAG

DIRECT, RULE, SHARED, UNALLOCATED = "direct", "rule", "shared", "unallocated"
_DAY = '"ChargePeriodStart"::DATE'
_Asked = tuple[int, Rule, Value]
"""A rule by its number in the rule set, and the value that it gives an owner column."""
WHY = "x_Why_"
"""Before an owner column: which revision of the rules gave its value, by its place in the rule set; null for none."""


@dataclass(frozen=True)
class Owners:
    """What finds the owners of the charges of a relation.

    `tables`: temporary tables to make first, by name. `setup`: statements to run then. `relation`: SQL of a SELECT of the
    relation's columns and those of `ALLOCATED_COLUMNS`, one row for each of its rows.
    """

    tables: dict[str, polars.DataFrame]
    setup: tuple[str, ...]
    relation: str

    def prepare(self, connection: Any) -> None:
        """Makes the tables in a DuckDB connection."""
        for name, table in self.tables.items():
            connection.register("allocation_table", table.to_arrow())
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM allocation_table")
            connection.unregister("allocation_table")
        for statement in self.setup:
            connection.execute(statement)


def owners(
    rules: RuleSet, charges: str, columns: Sequence[str], explained: bool = False, tried: bool = False
) -> Owners:
    """The owners of a relation of charges (SQL) with the columns given, Tags among them.

    With `explained`, the relation also has a column `x_Why_x_Team` … for each owner column; with `tried`, those and a column
    for each rule's own value, whether it counts or not, by the name that `tried_column` gives.
    """
    return _Stages(rules, charges, tuple(columns), explained or tried, tried).build()


def tried_column(column: str, number: int) -> str:
    """The column of what a rule, by its number in the rule set, would make of an owner column."""
    return f"x_Tried_{column}_{number}"


@dataclass
class _Stages:
    rules: RuleSet
    charges: str
    columns: tuple[str, ...]
    explained: bool
    tried: bool
    tables: dict[str, polars.DataFrame] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    """Column of the table of tags → its SQL, over Tags and `pairs` of keys in lower case and values."""
    joins: list[str] = field(default_factory=list)
    """Joins of the step that is being written."""

    def build(self) -> Owners:
        self.tables |= {f"directory_{name}": table for name, table in self.rules.directories.items()}
        self.tags |= {tag: tag_sql(tag) for tag in sorted(_asked_tags(self.rules))}
        relation = (
            f"SELECT r.*, t.* EXCLUDE (Tags) FROM (SELECT {_list(self.columns)} FROM {self.charges}) r"
            " LEFT JOIN tag_values t ON r.Tags = t.Tags"
        )
        for column in self.rules.order:
            relation = self._of_column(column, relation)
        relation = _kinds(self.rules, relation)
        kept = [*self.columns, *ALLOCATED_COLUMNS]
        if self.explained:
            kept += [WHY + column for column in OWNER_COLUMNS]
        if self.tried:
            kept += [tried_column(c, n) for n, rule in enumerate(self.rules.rules) for c in rule.set]
        return Owners(self.tables, (self._tag_values(),), f"SELECT {_list(kept)} FROM ({relation})")

    # What the values of rules may reach (finops_core.allocation.values.Scope)

    def column(self, name: str) -> str:
        return f"p.{identifier(name)}"

    def tagged(self, value: Any) -> str:
        sql = value.of_pairs("pairs")
        if value.known is not None:
            sql = f"CASE WHEN {sql} IN (SELECT {KEY} FROM directory_{value.known}) THEN {sql} END"
        name = next(
            (name for name, known in self.tags.items() if known == sql), f"tag value {len(self.tags)}"
        )
        self.tags[name] = sql
        return f"p.{identifier(name)}"

    def looked_up(self, directory: str, field: str, key: str) -> str:
        return self._joined(f"directory_{directory}", field, key)

    def mapped(self, mapping: Mapping[str, str], key: str) -> str:
        name = f"map_{len(self.tables)}"
        self.tables[name] = polars.DataFrame(
            {
                KEY: list(mapping),
                SINCE: [FIRST_DAY] * len(mapping),
                UNTIL: [LAST_DAY] * len(mapping),
                "value": list(mapping.values()),
            }
        )
        return self._joined(name, "value", key)

    def _joined(self, table: str, field: str, key: str) -> str:
        alias = f"j{len(self.joins)}"
        days = f"p.{_DAY} >= {alias}.{identifier(SINCE)} AND p.{_DAY} < {alias}.{identifier(UNTIL)}"
        self.joins.append(f"LEFT JOIN {table} {alias} ON {alias}.{KEY} = {key} AND {days}")
        return f"{alias}.{identifier(field)}"

    def _of_column(self, column: str, relation: str) -> str:
        """Adds an owner column: its rules in order, in as many steps as inherited values divide them into."""
        asked = [(n, rule, rule.set[column]) for n, rule in enumerate(self.rules.rules) if column in rule.set]
        relation = (
            f"SELECT *, CAST(NULL AS VARCHAR) AS {identifier(column)},"
            f" CAST(NULL AS INTEGER) AS {identifier(WHY + column)} FROM ({relation})"
        )
        for step in _steps(asked):
            relation = self._step(column, step, relation)
        return relation

    def _step(self, column: str, step: Sequence[_Asked], relation: str) -> str:
        self.joins = []
        names = [identifier(tried_column(column, number)) for number, _, _ in step]
        found = [self._of_rule(column, rule, value, relation) for _, rule, value in step]
        tried = ", ".join(f"{sql} AS {name}" for name, sql in zip(names, found, strict=True))
        tried = f"SELECT p.*, {tried} FROM ({relation}) p {' '.join(self.joins)}"
        why = " ".join(
            f"WHEN {name} IS NOT NULL THEN {number}" for name, (number, _, _) in zip(names, step, strict=True)
        )
        owner, reason = identifier(column), identifier(WHY + column)
        dropped = "" if self.tried else f" EXCLUDE ({', '.join(names)})"
        return (
            f"SELECT *{dropped} REPLACE (coalesce({owner}, {', '.join(names)}) AS {owner},"
            f" CASE WHEN {owner} IS NOT NULL THEN {reason} {why} END AS {reason}) FROM ({tried})"
        )

    def _of_rule(self, column: str, rule: Rule, value: Value, relation: str) -> str:
        sql = self._inherited(column, value, relation) if isinstance(value, Inherited) else value.sql(self)
        held = _holds(rule)
        return f"CASE WHEN {held} THEN {sql} END" if held else sql

    def _inherited(self, column: str, value: Inherited, relation: str) -> str:
        keys = [identifier(name) for name in dict.fromkeys(("x_Source", "BillingPeriod", *value.inherit))]
        alias, owner = f"j{len(self.joins)}", identifier(column)
        present = " AND ".join(f"{key} IS NOT NULL" for key in (owner, *keys))
        same = " AND ".join(f"{alias}.{key} = p.{key}" for key in keys)
        self.joins.append(
            f"LEFT JOIN (SELECT {', '.join(keys)}, min({owner}) AS agreed FROM ({relation}) WHERE {present}"
            f" GROUP BY ALL HAVING min({owner}) = max({owner})) {alias} ON {same}"
        )
        return f"{alias}.agreed"

    def _tag_values(self) -> str:
        """SQL that makes the table of tags: each value of Tags once, and what rules want of it."""
        found = "".join(f", {sql} AS {identifier(name)}" for name, sql in self.tags.items())
        distinct = f"(SELECT DISTINCT Tags FROM {self.charges} WHERE Tags IS NOT NULL)"
        return f"""CREATE OR REPLACE TEMP TABLE tag_values AS SELECT Tags{found} FROM (
            SELECT d.Tags, p.pairs FROM {distinct} d LEFT JOIN (
                SELECT Tags, map_from_entries(list(struct_pack(k := k, v := v))) AS pairs FROM (
                    SELECT Tags, lower(trim(key)) AS k,
                           min(nullif(trim(json_extract_string(Tags, '/' || replace(replace(key, '~', '~0'), '/', '~1'))), '')) AS v
                    FROM (SELECT Tags, unnest(json_keys(Tags)) AS key FROM {distinct} WHERE json_valid(Tags))
                    GROUP BY ALL)
                GROUP BY Tags) p ON d.Tags = p.Tags)"""


def _list(columns: Sequence[str]) -> str:
    return ", ".join(map(identifier, columns))


def _asked_tags(rules: RuleSet) -> set[str]:
    """The tags that conditions and values ask for by their exact key."""
    entries: list[Rule | Pool] = [*rules.rules, *rules.pools]
    found = {tag for entry in entries for tag in tags_of(entry.when)}
    read = (name for rule in rules.rules for value in rule.set.values() for name in value.reads())
    return found | {name for name in read if name.startswith(TAG)}


def _steps(asked: list[_Asked]) -> Iterator[list[_Asked]]:
    """Rules in runs; one that inherits stands alone, as it looks at what those before it have found."""
    run: list[_Asked] = []
    for rule in asked:
        if isinstance(rule[2], Inherited):
            if run:
                yield run
            yield [rule]
            run = []
        else:
            run.append(rule)
    if run:
        yield run


def _holds(entry: Rule | Pool) -> str:
    """SQL of whether a rule or pool is for a charge; empty where it is for all."""
    parts = [f"({condition_sql(node)})" for node in entry.when]
    if entry.since is not None:
        parts.append(f"{_DAY} >= DATE '{entry.since}'")
    if entry.until is not None:
        parts.append(f"{_DAY} < DATE '{entry.until}'")
    return " AND ".join(parts)


def _kinds(rules: RuleSet, relation: str) -> str:
    """Adds x_AllocationRule and x_AllocationKind."""
    owner, why = identifier(rules.owner), identifier(WHY + rules.owner)
    pools = " ".join(f"WHEN {_holds(pool)} THEN {quoted(pool.name)}" for pool in rules.pools)
    names = " ".join(f"WHEN {number} THEN {quoted(rule.name)}" for number, rule in enumerate(rules.rules))
    direct = [
        str(n)
        for n, rule in enumerate(rules.rules)
        if rules.owner in rule.set and rule.set[rules.owner].direct
    ]
    return f"""
        SELECT *, coalesce(pool, {f"CASE {why} {names} END" if names else "NULL"}) AS "x_AllocationRule",
               CASE WHEN pool IS NOT NULL THEN '{SHARED}' WHEN {owner} IS NULL THEN '{UNALLOCATED}'
                    WHEN {f"{why} IN ({', '.join(direct)})" if direct else "FALSE"} THEN '{DIRECT}' ELSE '{RULE}'
               END AS "x_AllocationKind"
        FROM (SELECT *, {f"CASE {pools} END" if pools else "CAST(NULL AS VARCHAR)"} AS pool FROM ({relation}))"""
