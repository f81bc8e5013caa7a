"""How cost finds its owners: where it is billed, by what it found an owner, and whom; in parts that sum to the total exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars

from finops_core.allocation.owners import DIRECT, RULE, SHARED, UNALLOCATED
from finops_core.allocation.rules import CENTRAL, Pool
from finops_core.analysis.ownership import NOT_ALLOCABLE
from finops_core.analysis.reasons import written
from finops_core.analysis.showback import can_be_split, of_pool, shared_out
from finops_core.model.engine import PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.query import Query
from finops_core.store.ownership import in_force
from finops_core.store.sharing import CURRENCY, KIND, RULE_NAME

EXEMPT = "exempt"
"""The kind of taxes and credits outside of pools that nobody owns: they need no owner."""
KINDS = (DIRECT, RULE, SHARED, UNALLOCATED, EXEMPT)
SOURCE, HOW, OWNER, COST = "Source", "How", "Owner", "cost"
NOBODY, NOBODYS = "No owner", "None needed"
"""Who owns what nobody owns: what lacks an owner, and what needs none."""
_MONEY = polars.Decimal(38, 18)
_NOTHING = Decimal(0)


@dataclass(frozen=True)
class Flow:
    """A query's cost by source, by how it found its owner, and by owner, pools split where the query can be split.

    `table`: BillingCurrency, Source, How (`Own tag`, `Rule: NAME`, `Pool: NAME`, …), Kind (one of KINDS), Pool (the pool's name),
    Owner (null for nobody), Allocable (whether it needs an owner), cost (Decimal(38,18)). Sums to the query's total exactly.
    """

    table: polars.DataFrame
    owner: str
    """The owner column by which the rules say whether a charge is allocated."""
    is_split: bool
    """Whether pools are split: not where the query filters by what is not known of a part of a pool."""

    def of_kind(self, kind: str) -> Decimal:
        """The allocable cost of a kind."""
        return self._sum(polars.col("Allocable") & (polars.col("Kind") == kind))

    @property
    def allocable(self) -> Decimal:
        """The cost that needs an owner: all but taxes and credits, unless a pool shares them."""
        return self._sum(polars.col("Allocable"))

    @property
    def total(self) -> Decimal:
        return self._sum(polars.lit(True))

    def share(self, kind: str) -> Decimal | None:
        """The share of a kind in what is allocable; None where nothing is."""
        whole = self.allocable
        return self.of_kind(kind) / whole if whole else None

    def left_in_pools(self) -> dict[str, Decimal]:
        """Pool → what of it nobody takes, such as idle capacity; most first."""
        left = self.table.filter((polars.col("Kind") == UNALLOCATED) & polars.col("Pool").is_not_null())
        sums = left.group_by("Pool").agg(polars.col(COST).sum()).filter(polars.col(COST) != 0)
        return dict(sums.sort([COST, "Pool"], descending=[True, False]).iter_rows())

    def consumers(self, pool: str) -> polars.DataFrame:
        """Who gets how much of a pool: Owner, cost; most first."""
        mine = self.table.filter(polars.col("Pool") == pool).group_by(OWNER).agg(polars.col(COST).sum())
        return mine.sort([COST, OWNER], descending=[True, False], nulls_last=True)

    def top(self, sources: int = 6, ways: int = 12, owners: int = 8) -> polars.DataFrame:
        """Source, How, Kind, Owner, cost of the largest members, the rest as `Other (n)`, nobody named `No owner`.

        Own tags, no owner and what needs none are never in the rest. A rest of ways has the kind `other`.
        """
        nobody = (
            polars.when(polars.col("Kind") == EXEMPT).then(polars.lit(NOBODYS)).otherwise(polars.lit(NOBODY))
        )
        named = self.table.with_columns(polars.col(OWNER).fill_null(nobody))
        kept = named.filter(polars.col("Kind").is_in([DIRECT, UNALLOCATED, EXEMPT]))[HOW].unique().to_list()
        rows = _largest(named, SOURCE, sources, [])
        rows = _largest(rows, HOW, ways, kept)
        rows = _largest(rows, OWNER, owners, [NOBODY, NOBODYS])
        kind = polars.when(polars.col(HOW).str.starts_with("Other (")).then(polars.lit("other"))
        grouped = rows.with_columns(kind.otherwise(polars.col("Kind")).alias("Kind"))
        found = grouped.group_by(SOURCE, HOW, "Kind", OWNER).agg(polars.col(COST).sum())
        found = found.filter(polars.col(COST) != 0)
        return found.sort([COST, SOURCE, HOW, OWNER], descending=[True, False, False, False])

    def _sum(self, which: polars.Expr) -> Decimal:
        return Decimal(self.table.filter(which)[COST].sum() or 0)


def _largest(rows: polars.DataFrame, name: str, most: int, kept: Sequence[str]) -> polars.DataFrame:
    """The rows with all but the largest members of a column made one; `kept` stay whatever they cost."""
    sizes = rows.group_by(name).agg(polars.col(COST).sum().abs().alias("size"))
    others = sizes.filter(~polars.col(name).is_in(list(kept))).sort(["size", name], descending=[True, False])
    if len(others) <= most:
        return rows
    rest = others[name].to_list()[most - 1 :]
    other = polars.lit(f"Other ({len(rest)})")
    return rows.with_columns(
        polars.when(polars.col(name).is_in(rest)).then(other).otherwise(polars.col(name)).alias(name)
    )


def flow(ledger: Ledger, query: Query, source: str = "ProviderName") -> Flow:
    """The flow of a query's first metric, a cost, in one currency, from the members of a dimension to its owners."""
    owner = in_force(ledger.home).rules.owner
    metric = query.metrics[0]
    asked = query.but(metrics=(metric,), grain="none")
    by = tuple(dict.fromkeys((source, owner, "ChargeCategory")))
    found = shared_out(ledger, asked, by)
    exempt = (
        polars.col("ChargeCategory").is_in(list(NOT_ALLOCABLE)).fill_null(False)
        & ~of_pool()
    )  # fmt: skip
    kind = (
        polars.when(exempt & (polars.col(KIND) == UNALLOCATED))
        .then(polars.lit(EXEMPT))
        .otherwise(polars.col(KIND))
    )
    pool = polars.when(of_pool()).then(polars.col(RULE_NAME))
    unsplit = polars.col(KIND) == SHARED
    can = can_be_split(asked.but(by=(*by, KIND, RULE_NAME)))
    nobody = polars.col(KIND) == UNALLOCATED
    whose = polars.when(nobody if can else nobody | unsplit).then(None).otherwise(polars.col(owner))
    table = found.select(
        CURRENCY,
        polars.col(source).fill_null("(none)").alias(SOURCE),
        _way(kind).alias(HOW),
        kind.alias("Kind"),
        pool.alias("Pool"),
        whose.alias(OWNER),
        (~exempt).alias("Allocable"),
        polars.col(metric).cast(_MONEY).alias(COST),
    )
    keys = [name for name in table.columns if name != COST]
    return Flow(table.group_by(keys).agg(polars.col(COST).sum()), owner, can)


def _way(kind: polars.Expr) -> polars.Expr:
    return (
        polars.when(kind == DIRECT)
        .then(polars.lit("Own tag"))
        .when(kind == RULE)
        .then(polars.concat_str(polars.lit("Rule: "), polars.col(RULE_NAME)))
        .when(kind == SHARED)
        .then(polars.concat_str(polars.lit("Pool: "), polars.col(RULE_NAME)))
        .when(kind == EXEMPT)
        .then(polars.lit("Taxes and credits"))
        .otherwise(polars.lit(NOBODY))
    )


@dataclass(frozen=True)
class PoolLine:
    """A revision of a pool in words, for people."""

    pool: str
    since: str
    """From when it is in force, and until when; empty for always."""
    cost_that: str
    """The condition of the charges in it."""
    method: str
    driver: str
    fallback: str
    why: str
    approved_by: str


def pool_lines(ledger: Ledger, query: Query) -> list[PoolLine]:
    """The pools in force on some day of a query, in their order."""
    return [
        _line(pool)
        for pool in in_force(ledger.home).rules.pools
        if not (
            (pool.until and query.start and pool.until <= query.start)
            or (pool.since and query.end and pool.since >= query.end)
        )
    ]


def _line(pool: Pool) -> PoolLine:
    since = f"from {pool.since}" if pool.since else ""
    until = f"to before {pool.until}" if pool.until else ""
    return PoolLine(
        pool.name,
        " ".join(filter(None, (since, until))),
        written(pool.when),
        f"{pool.split.in_words()}, over {pool.over}" if pool.over != "x_Team" else pool.split.in_words(),
        ", ".join(spec.in_words() for spec in pool.split.drivers()),
        "stays central" if pool.fallback == CENTRAL else pool.fallback.in_words(),
        pool.why,
        pool.approved_by,
    )


def pool_series(ledger: Ledger, query: Query, pool: str, top: int = 8) -> polars.DataFrame:
    """What each consumer gets of a pool over time: ChargePeriod, Member, Kind (member | other), cost; the query has a grain.

    Sums to the pool's cost of each period exactly; nobody's part is the member `No owner`.
    """
    owner = in_force(ledger.home).rules.owner
    metric = query.metrics[0]
    found = shared_out(ledger, query.but(metrics=(metric,)), (owner,))
    mine = found.filter(of_pool() & (polars.col(RULE_NAME) == pool)).select(
        PERIOD,
        polars.col(owner).fill_null(NOBODY).alias("Member"),
        polars.col(metric).cast(_MONEY).alias(COST),
    )
    rows = _largest(mine, "Member", top, [NOBODY])
    series = rows.group_by(PERIOD, "Member").agg(polars.col(COST).sum())
    other = polars.col("Member").str.starts_with("Other (") | (polars.col("Member") == NOBODY)
    kind = polars.when(other).then(polars.lit("other")).otherwise(polars.lit("member"))
    return series.with_columns(kind.alias("Kind")).sort(PERIOD, "Member")
