"""What a rule set does to the charges that there are: what each rule matches, the money that it moves, and what it hides."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import polars

from finops_core.allocation import ruleset
from finops_core.allocation.owners import SHARED, UNALLOCATED, WHY, owners, tried_column
from finops_core.allocation.ruleset import RuleSet
from finops_core.analysis.pool_preview import ShareMove, share_moves
from finops_core.analysis.showback import of_pool
from finops_core.focus.charges import ALLOCATED_COLUMNS, OWNER_COLUMNS
from finops_core.formats.expressions import identifier, quoted
from finops_core.model.ledger import Ledger
from finops_core.model.query import Query
from finops_core.store import rulesets
from finops_core.store.batches import plain
from finops_core.store.ownership import Ownership, in_force
from finops_core.store.sharing import KIND, RULE_NAME
from finops_core.store.warehouse import charge_table_columns

CURRENCY = "BillingCurrency"
NOT_ALLOCABLE = ("Tax", "Credit")
"""Categories of charges that need no owner unless a pool shares them."""
_MONEY = polars.Decimal(38, 18)
_LISTED = 40
"""How many moves a text lists."""


@dataclass(frozen=True)
class Money:
    """EffectiveCost in one currency."""

    BillingCurrency: str
    charges: int
    EffectiveCost: Decimal


@dataclass(frozen=True)
class RuleEffect:
    """What one rule does to one owner column.

    `matches`: charges for which it has a value; `wins`: those that get it; `moves`: those of them that get another owner
    than they have now; `conflicts`: those that it would give another owner than an earlier rule does.
    """

    rule: str
    column: str
    since: str | None
    until: str | None
    matches: tuple[Money, ...]
    wins: tuple[Money, ...]
    moves: tuple[Money, ...]
    conflicts: tuple[Money, ...]
    taken_by: tuple[str, ...] = ()
    """The earlier rules that name the owner of charges that it matches too, those of the most charges first."""

    @property
    def state(self) -> str:
        """works | shadowed (earlier rules take all that it matches) | idle (it matches nothing)."""
        return "works" if self.wins else "shadowed" if self.matches else "idle"

    def why(self) -> str:
        """Why it does nothing; empty where it works."""
        if self.wins:
            return ""
        if not self.matches:
            return "it matches no charge"
        return f"all that it matches is taken by {' and '.join(self.taken_by)}"


@dataclass(frozen=True)
class Move:
    """Charges that change hands: of one owner column, or into and out of a pool (column x_AllocationRule)."""

    column: str
    before: str | None
    after: str | None
    money: Money


@dataclass(frozen=True)
class Preview:
    """What a rule set would do."""

    rules: tuple[RuleEffect, ...]
    pools: Mapping[str, tuple[Money, ...]]
    moves: tuple[Move, ...]
    """Largest first."""
    unallocated_before: Mapping[str, Decimal]
    """By currency: the EffectiveCost of allocable charges (finops: all but taxes and credits, unless a pool shares them) without
    an owner."""
    unallocated_after: Mapping[str, Decimal]
    total: Mapping[str, Decimal]
    difference: str
    """The texts' difference from the version in force, as a unified diff."""
    shares: tuple[ShareMove, ...] = ()
    """Who would get more or less of a pool, largest first."""

    def as_json(self) -> dict[str, Any]:
        """For machines: money as text."""
        return {
            "rules": [{**_plain(asdict(effect)), "state": effect.state} for effect in self.rules],
            "pools": [
                {"pool": name, "money": _plain([asdict(m) for m in money])}
                for name, money in self.pools.items()
            ],
            "moved": [_plain(asdict(move)) for move in self.moves],
            "unallocated": [
                {
                    CURRENCY: currency,
                    "total": plain(total),
                    "before": plain(self.unallocated_before.get(currency, Decimal(0))),
                    "after": plain(self.unallocated_after.get(currency, Decimal(0))),
                }
                for currency, total in self.total.items()
            ],
            "shares": [_plain(asdict(move)) for move in self.shares],
            "difference": self.difference,
        }

    def as_text(self) -> str:
        """For people."""
        lines = ["Rules"]
        for effect in self.rules:
            lines.append(f"  {effect.rule} → {effect.column} ({effect.state}): gives {_words(effect.wins)}")
            if effect.moves:
                lines.append(f"    moves {_words(effect.moves)}")
            if effect.conflicts:
                lines.append(
                    f"    would name another owner than {' or '.join(effect.taken_by)} for {_words(effect.conflicts)}"
                )
        if self.pools:
            lines += ["", "Pools", *(f"  {name}: {_words(money)}" for name, money in self.pools.items())]
        lines += ["", "Moved"] if self.moves else ["", "Nothing would change hands"]
        for move in self.moves[:_LISTED]:
            lines.append(
                f"  {move.column}: {move.before or '(none)'} → {move.after or '(none)'}: {_words((move.money,))}"
            )
        if len(self.moves) > _LISTED:
            lines.append(f"  and {len(self.moves) - _LISTED} more (--json shows all)")
        if self.shares:
            lines += ["", "Shares of pools"]
        for share in self.shares[:_LISTED]:
            lines.append(
                f"  {share.pool}: {share.consumer or '(none)'} {share.before:,.2f} → {share.after:,.2f} {share.BillingCurrency}"
            )
        if len(self.shares) > _LISTED:
            lines.append(f"  and {len(self.shares) - _LISTED} more (--json shows all)")
        lines += ["", "Without an owner"]
        for currency, total in self.total.items():
            before = self.unallocated_before.get(currency, Decimal(0))
            after = self.unallocated_after.get(currency, Decimal(0))
            lines.append(
                f"  {_percent(before, total)} → {_percent(after, total)}: {before:,.2f} → {after:,.2f} {currency}"
            )
        return "\n".join(lines)


def preview(ledger: Ledger, files: Mapping[str, str]) -> Preview:
    """What a rule set would do to the charges of a home. Changes nothing.

    Raises InputRefused with file and line for rules that are malformed.
    """
    rules = ruleset.parse(files)
    Ownership(rules, 0, ledger.home.metrics).refuse_gaps()
    current = in_force(ledger.home)
    columns = [name for name in charge_table_columns() if name not in ALLOCATED_COLUMNS]
    had = {name: f"had_{name}" for name in ALLOCATED_COLUMNS}
    charges = (
        f"(SELECT {', '.join(columns)}, {', '.join(f'{n} AS {h}' for n, h in had.items())} FROM charges)"
    )
    found = owners(rules, charges, (*columns, *had.values()), tried=True)
    with ledger.connection() as connection:
        found.prepare(connection)
        needed = [CURRENCY, "ChargeCategory", "EffectiveCost", *had.values(), *ALLOCATED_COLUMNS]
        needed += [WHY + column for column in OWNER_COLUMNS]
        tries = [(n, column) for n, rule in enumerate(rules.rules) for column in rule.set]
        needed += [tried_column(column, n) for n, column in tries]
        # Charges that agree in all of this are one row: then every figure is a matter of some thousand rows.
        grouped = ", ".join(identifier(name) for name in needed if name != "EffectiveCost")
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE preview AS SELECT {grouped}, sum(EffectiveCost) AS cost, count(*) AS charges"
            f" FROM ({found.relation}) GROUP BY ALL"
        )
        ask = _Asker(connection)
        categories = ", ".join(map(quoted, NOT_ALLOCABLE))
        allocable = f"(ChargeCategory NOT IN ({categories}) OR x_AllocationKind = '{SHARED}')"
        return Preview(
            tuple(_effect(ask, rules, n, column) for n, column in tries),
            {
                p: ask.money(f"x_AllocationKind = '{SHARED}' AND x_AllocationRule = {quoted(p)}")
                for p in _pools(rules)
            },
            tuple(sorted(_moves(ask, had), key=lambda m: -abs(m.money.EffectiveCost))),
            ask.costs(f"had_x_AllocationKind = '{UNALLOCATED}' AND {allocable}"),
            ask.costs(f"x_AllocationKind = '{UNALLOCATED}' AND {allocable}"),
            ask.costs(allocable),
            rulesets.difference(current.rules.files, rules.files),
            share_moves(connection, ledger.home, rules, found.relation),
        )


def unallocated(ledger: Ledger, query: Query) -> polars.DataFrame:
    """What has no owner: BillingCurrency, `allocable`, `unallocated`, `share` (0–1; null where nothing is allocable).

    Over the EffectiveCost of the query's charges, pools split: all but taxes and credits, unless a pool shares them; what of
    a pool nobody takes has no owner.
    """
    asked = Query(
        "EffectiveCost", (KIND, RULE_NAME, "ChargeCategory"), "none", query.where, query.start, query.end
    )
    found = ledger.query(asked.but(allocated=True))
    cost = polars.col("EffectiveCost").cast(_MONEY)
    allocable = ~polars.col("ChargeCategory").is_in(list(NOT_ALLOCABLE)).fill_null(False) | of_pool()
    table = (
        found.filter(allocable)
        .group_by(CURRENCY)
        .agg(
            cost.sum().alias("allocable"),
            cost.filter(polars.col(KIND) == UNALLOCATED).sum().alias("unallocated"),
        )
    )
    share = polars.col("unallocated").cast(polars.Float64) / polars.col("allocable").cast(polars.Float64)
    return table.with_columns(polars.when(polars.col("allocable") != 0).then(share).alias("share")).sort(
        CURRENCY
    )


@dataclass(frozen=True)
class _Asker:
    """Asks the table of groups."""

    connection: Any

    def money(self, where: str) -> tuple[Money, ...]:
        rows = self.connection.execute(
            f"SELECT {CURRENCY}, sum(charges)::BIGINT, coalesce(sum(cost), 0) FROM preview WHERE {where} GROUP BY 1 ORDER BY 1"
        ).fetchall()
        return tuple(Money(*row) for row in rows)

    def rules(self, where: str, why: str) -> list[int]:
        """The rules, by their places, that name owners of charges, those of the most charges first."""
        rows = self.connection.execute(
            f"SELECT {why} FROM preview WHERE {where} GROUP BY 1 ORDER BY sum(charges) DESC, 1"
        ).fetchall()
        return [int(place) for (place,) in rows]

    def costs(self, where: str) -> dict[str, Decimal]:
        return {money.BillingCurrency: money.EffectiveCost for money in self.money(where)}


def _effect(ask: _Asker, rules: RuleSet, number: int, column: str) -> RuleEffect:
    rule = rules.rules[number]
    own, why = identifier(tried_column(column, number)), identifier(WHY + column)
    wins = f"{why} = {number}"
    return RuleEffect(
        rule.name,
        column,
        str(rule.since) if rule.since else None,
        str(rule.until) if rule.until else None,
        ask.money(f"{own} IS NOT NULL"),
        ask.money(wins),
        ask.money(f"{wins} AND {column} IS DISTINCT FROM had_{column}"),
        ask.money(f"{own} IS NOT NULL AND {why} <> {number} AND {own} <> {column}"),
        tuple(
            dict.fromkeys(
                rules.rules[earlier].name
                for earlier in ask.rules(f"{own} IS NOT NULL AND {why} <> {number}", why)
            )
        ),
    )


def _moves(ask: _Asker, had: Mapping[str, str]) -> list[Move]:
    moves = []
    for column in OWNER_COLUMNS:
        rows = ask.connection.execute(
            f"SELECT {had[column]}, {column}, {CURRENCY}, sum(charges)::BIGINT, coalesce(sum(cost), 0) FROM preview"
            f" WHERE {had[column]} IS DISTINCT FROM {column} GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        moves += [Move(column, before, after, Money(*money)) for before, after, *money in rows]
    pool = "CASE WHEN {0}x_AllocationKind = '" + SHARED + "' THEN {0}x_AllocationRule END"
    before, after = pool.format("had_"), pool.format("")
    rows = ask.connection.execute(
        f"SELECT {before}, {after}, {CURRENCY}, sum(charges)::BIGINT, coalesce(sum(cost), 0) FROM preview"
        f" WHERE {before} IS DISTINCT FROM {after} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return moves + [Move("pool", old, new, Money(*money)) for old, new, *money in rows]


def _pools(rules: RuleSet) -> list[str]:
    return list(dict.fromkeys(pool.name for pool in rules.pools))


def _plain(value: Any) -> Any:
    """The value with Decimals as plain text."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dict):
        return {name: _plain(v) for name, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def _words(money: tuple[Money, ...]) -> str:
    return (
        ", ".join(f"{m.EffectiveCost:,.2f} {m.BillingCurrency} ({m.charges:,} charges)" for m in money)
        or "nothing"
    )


def _percent(part: Decimal, whole: Decimal) -> str:
    return f"{part / whole:.1%}" if whole else "–"
