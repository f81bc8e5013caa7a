"""Rules that would find owners for cost that has none, from what is already known of charges that have much in common with it.

Where nine tenths of the allocated cost of an account, a resource group, a cluster, a name or a service in an account belong to
one owner, the unallocated charges of the same group are probably theirs: that is a rule to look at, not one that is applied.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars

from finops_core.allocation.expressions import tag_sql
from finops_core.allocation.owners import DIRECT, RULE, UNALLOCATED
from finops_core.analysis.ownership import NOT_ALLOCABLE
from finops_core.analysis.spelling_rules import SpellingChange, spelling_changes
from finops_core.errors import UsageError
from finops_core.formats.expressions import identifier, quoted
from finops_core.model import engine
from finops_core.model.ledger import Ledger
from finops_core.model.query import Condition, Query
from finops_core.store.batches import plain
from finops_core.store.ownership import in_force
from finops_core.store.state import State

CURRENCY, COST = "BillingCurrency", "EffectiveCost"
LEAST_SHARE = Fraction(9, 10)
"""Of the allocated cost of a group, what must be one owner's."""
_CLUSTER_TAGS = (
    *("tag:aws:eks:cluster-name", "tag:aws_eks_cluster_name", "tag:eks:cluster-name", "tag:eks_cluster_name"),
    *("tag:goog-k8s-cluster-name", "tag:k8s-cluster-name", "tag:aks-managed-cluster-name", "tag:cluster"),
)
"""Under what keys clusters name themselves; some exports write an underscore for every other character."""
_NAME_TAGS = ("tag:Name", "tag:name")
_LEADING_WORD = "^[A-Za-z][A-Za-z0-9]*[-_./]"
_Money = dict[str, Decimal]
"""Currency → EffectiveCost."""


@dataclass(frozen=True)
class Group:
    """A way to put charges together: dimension → operator of its condition, with which a group is exactly what a rule catches."""

    words: str
    dimensions: tuple[tuple[str, str], ...]


GROUPS = (
    Group("cluster", ((_CLUSTER_TAGS[0], "="),)),
    *(Group("cluster", ((tag, "="),)) for tag in _CLUSTER_TAGS[1:]),
    Group("resource group", (("SubAccountId", "="), ("x_ResourceGroup", "="))),
    Group("account", (("SubAccountId", "="),)),
    *(Group("name", ((name, "^="),)) for name in ("ResourceName", *_NAME_TAGS)),
    Group("service in the account", (("SubAccountId", "="), ("ServiceName", "="))),
)
"""Of groups that recover the same money, the earlier one is suggested."""


@dataclass(frozen=True)
class Suggestion:
    """A rule, and what it would do if it were the last one."""

    rule: dict[str, Any]
    """name, when, set: as an entry of `rules` in allocation.yaml."""
    column: str
    owner: str
    why: str
    share: Fraction
    """Of the allocated cost of the group, what is the owner's; the smallest of its currencies."""
    recovers: _Money
    """The unallocated EffectiveCost that it catches, without taxes and credits, and what earlier suggestions catch."""
    moves: _Money
    """The same with taxes and credits."""
    charges: int

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "column": self.column,
            "owner": self.owner,
            "why": self.why,
            "share": f"{float(self.share):.6f}",
            "recovers": _plain(self.recovers),
            "moves": _plain(self.moves),
            "charges": self.charges,
        }


@dataclass(frozen=True)
class Suggestions:
    """What is unallocated, what would catch it, and what is left."""

    unallocated: _Money
    """EffectiveCost that nobody owns, without taxes and credits."""
    suggestions: tuple[Suggestion, ...]
    """Those of most money first; each charge counts for the first that catches it."""
    rest: polars.DataFrame
    """What no suggestion catches: BillingCurrency, SubAccountId, ServiceName, EffectiveCost, charges; costliest first."""
    spellings: tuple[SpellingChange, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "unallocated": _plain(self.unallocated),
            "suggestions": [one.as_json() for one in self.suggestions],
            "rest": [
                {name: plain(v) if isinstance(v, Decimal) else v for name, v in row.items()}
                for row in self.rest.iter_rows(named=True)
            ],
            "spellings": [one.as_json() for one in self.spellings],
        }

    def as_text(self) -> str:
        lines = [f"Unallocated, without taxes and credits: {_words(self.unallocated)}"]
        for one in self.suggestions:
            lines.append(f"{_words(one.recovers)} → {one.column} {one.owner}: {one.why}")
            lines.append(f"    when {' and '.join(one.rule['when'])}")
        if len(self.rest):
            lines.append("Nothing known catches:")
        for row in self.rest.head(10).iter_rows(named=True):
            what = ", ".join(row[name] or "(none)" for name in ("SubAccountId", "ServiceName"))
            lines.append(f"{plain(row[COST])} {row[CURRENCY]}: {what}")
        for change in self.spellings:
            for value, spelt in change.spellings.items():
                lines.append(
                    f"{change.proposed_by} proposes for the rule {change.rule!r}: {', '.join(spelt)} is {value}"
                )
        return "\n".join(lines)


def suggestions(ledger: Ledger, query: Query, limit: int = 20) -> Suggestions:
    """Rules for the unallocated charges of a query, by what its allocated charges have in common with them.

    At most `limit` of them, each of which recovers money. The owner column is that of the rules in force.
    """
    if limit < 0:
        raise UsageError("a limit cannot be negative")
    rules = in_force(ledger.home).rules
    table = ledger.frame(_statement(query, rules.owner))
    state = State(ledger.home)
    return Suggestions(*chosen(table, rules.owner, limit), tuple(spelling_changes(rules, state)))


def chosen(
    table: polars.DataFrame, column: str, limit: int
) -> tuple[_Money, tuple[Suggestion, ...], polars.DataFrame]:
    """What is unallocated in a table, at most `limit` suggestions for it, and what none of them catches.

    The table: BillingCurrency, the dimensions of GROUPS, owner (of the column; null for unallocated), is_allocable, cost, charges.
    """
    return _Greedy(table, column).run(limit)


def _statement(query: Query, owner: str) -> str:
    """SQL of the table that `chosen` takes: charges that agree in all of it are one row."""
    import ibis

    tags = (*_CLUSTER_TAGS, *_NAME_TAGS)
    needed = (
        CURRENCY,
        COST,
        "ChargeCategory",
        "SubAccountId",
        "ServiceName",
        "x_ResourceGroup",
        "ResourceName",
    )
    rows: Any = engine.filtered(engine.charges(), query).select(*needed, "Tags", owner, "x_AllocationKind")
    asked = str(ibis.to_sql(rows, dialect="duckdb"))
    values = ", ".join(f"{tag_sql(tag)} AS {identifier(tag)}" for tag in tags)
    categories = ", ".join(map(quoted, NOT_ALLOCABLE))
    keys = {name: _key_sql(name, operator) for group in GROUPS for name, operator in group.dimensions}
    columns = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in keys.items())
    return f"""
        WITH asked AS ({asked}),
        tagged AS (SELECT Tags, {values} FROM (SELECT DISTINCT Tags FROM asked WHERE Tags IS NOT NULL))
        SELECT a.{CURRENCY}, {columns}, CASE WHEN x_AllocationKind <> '{UNALLOCATED}' THEN a.{identifier(owner)} END AS owner,
               ChargeCategory NOT IN ({categories}) AS is_allocable,
               coalesce(sum(a.{COST}), 0)::DECIMAL(38,18) AS cost, count(*)::BIGINT AS charges
        FROM asked a LEFT JOIN tagged t ON a.Tags = t.Tags
        WHERE x_AllocationKind IN ('{UNALLOCATED}', '{DIRECT}', '{RULE}')
        GROUP BY ALL ORDER BY ALL"""


def _key_sql(name: str, operator: str) -> str:
    column = f"t.{identifier(name)}" if name.startswith("tag:") else f"a.{identifier(name)}"
    return f"nullif(lower(regexp_extract({column}, '{_LEADING_WORD}')), '')" if operator == "^=" else column


_Key = tuple[int, tuple[str, ...]]
"""A group of GROUPS, and what its charges have in its dimensions."""


class _Greedy:
    """Takes the group that recovers most, then the one that recovers most of what is left, and so on."""

    def __init__(self, table: polars.DataFrame, column: str) -> None:
        self.column = column
        self.rows = table.filter(polars.col("owner").is_null()).to_dicts()
        self.left = [True] * len(self.rows)
        self.unallocated: _Money = {}
        for row in self.rows:
            if row["is_allocable"]:
                _add(self.unallocated, row[CURRENCY], row["cost"])
        self.members: dict[_Key, list[int]] = {}
        for number, row in enumerate(self.rows):
            for key in _keys(row):
                self.members.setdefault(key, []).append(number)
        self.owners = self._owners(table.filter(polars.col("owner").is_not_null()))

    def _owners(self, allocated: polars.DataFrame) -> dict[_Key, tuple[str, Fraction]]:
        """For groups with unallocated charges: whose they are, and what share of their allocated cost says so."""
        evidence: dict[_Key, dict[str, _Money]] = {}
        for row in allocated.filter("is_allocable").iter_rows(named=True):
            for key in _keys(row):
                if key in self.members:
                    _add(
                        evidence.setdefault(key, {}).setdefault(row[CURRENCY], {}), row["owner"], row["cost"]
                    )
        found = {}
        for key, currencies in evidence.items():
            tops = [top for costs in currencies.values() if (top := _top(costs)) is not None]
            if tops and len({owner for owner, _ in tops}) == 1:
                share = min(share for _, share in tops)
                if share >= LEAST_SHARE:
                    found[key] = (tops[0][0], share)
        return found

    def run(self, limit: int) -> tuple[_Money, tuple[Suggestion, ...], polars.DataFrame]:
        gains = {key: self._money(key, allocable=True) for key in self.owners}
        chosen: list[Suggestion] = []
        while len(chosen) < limit and gains:
            best = min(gains, key=lambda key: (-self._score(gains[key]), key))
            if self._score(gains[best]) <= 0:
                break
            chosen.append(self._suggestion(best))
            for number in self.members[best]:
                if self.left[number]:
                    self._take(number, gains)
            del gains[best]
        return self.unallocated, tuple(chosen), self._rest()

    def _take(self, number: int, gains: dict[_Key, _Money]) -> None:
        row = self.rows[number]
        self.left[number] = False
        for key in _keys(row):
            if key in gains and row["is_allocable"]:
                _add(gains[key], row[CURRENCY], -row["cost"])

    def _score(self, money: _Money) -> Fraction:
        """Money of several currencies as one number: what it is of all that is unallocated in each."""
        parts = (
            Fraction(money[c]) / abs(Fraction(self.unallocated[c])) for c in money if self.unallocated[c]
        )
        return sum(parts, Fraction(0))

    def _money(self, key: _Key, allocable: bool) -> _Money:
        found: _Money = {}
        for number in self.members[key]:
            row = self.rows[number]
            if self.left[number] and (row["is_allocable"] or not allocable):
                _add(found, row[CURRENCY], row["cost"])
        return found

    def _suggestion(self, key: _Key) -> Suggestion:
        (number, values), (owner, share) = key, self.owners[key]
        group = GROUPS[number]
        when = [
            str(Condition(name, operator, (value,)))
            for (name, operator), value in zip(group.dimensions, values, strict=True)
        ]
        what = f"{group.words} {values[-1]}" + (f" in {values[0]}" if group.words == "resource group" else "")
        why = f"{float(share):.1%} of the allocated cost of the {what} belongs to {owner}"
        rule = {"name": _rule_name(what, owner), "when": when, "set": {self.column: owner}}
        charges = sum(self.rows[n]["charges"] for n in self.members[key] if self.left[n])
        recovers, moves = self._money(key, allocable=True), self._money(key, allocable=False)
        return Suggestion(rule, self.column, owner, why, share, recovers, moves, charges)

    def _rest(self) -> polars.DataFrame:
        rows = [row for row, left in zip(self.rows, self.left, strict=True) if left and row["is_allocable"]]
        names = (CURRENCY, "SubAccountId", "ServiceName")
        schema = {
            **dict.fromkeys(names, polars.String()),
            "cost": polars.Decimal(38, 18),
            "charges": polars.Int64(),
        }
        table = polars.DataFrame([{n: row[n] for n in schema} for row in rows], schema=schema)
        table = table.group_by(names).agg(polars.col("cost").sum().alias(COST), polars.col("charges").sum())
        costliest = table.filter(polars.col(COST) != 0).sort(
            [CURRENCY, COST, *names[1:]], descending=[False, True, False, False], nulls_last=True
        )
        return costliest.cast({COST: polars.Decimal(38, 18)})


def _keys(row: Mapping[str, Any]) -> list[_Key]:
    """The groups that a row is in; in none where it has no value."""
    found = []
    for number, group in enumerate(GROUPS):
        values = tuple(row[name] for name, _ in group.dimensions)
        if all(values):
            found.append((number, values))
    return found


def _top(costs: Mapping[str, Decimal]) -> tuple[str, Fraction] | None:
    """The owner of most cost, and the share; None where nobody has any."""
    positive = {owner: Fraction(cost) for owner, cost in costs.items() if cost > 0}
    if not positive:
        return None
    owner = min(positive, key=lambda name: (-positive[name], name))
    return owner, positive[owner] / sum(positive.values())


def _rule_name(what: str, owner: str) -> str:
    """A name of at most 100 characters, another one for other groups and owners."""
    name = "".join(c if c.isprintable() else " " for c in f"suggested: {what} belongs to {owner}")
    return name if len(name) <= 100 else f"{name[:89]}… {hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _add(money: _Money, name: str, amount: Decimal) -> None:
    money[name] = money.get(name, Decimal(0)) + amount


def _plain(money: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: plain(amount) for currency, amount in sorted(money.items())}


def _words(money: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in _plain(money).items()) or "nothing"
