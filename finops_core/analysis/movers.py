"""Top movers: which members of a Query changed between two periods, by how much, and why. Every sum is exact."""

from dataclasses import dataclass
from decimal import Decimal

import polars

from finops_core.analysis.breakdown import KIND, MEMBER, labels, other_label
from finops_core.analysis.drivers import PARTS, PRICES, with_drivers
from finops_core.analysis.precise import MONEY
from finops_core.errors import UsageError
from finops_core.model import leaves
from finops_core.model.engine import CURRENCY
from finops_core.model.ledger import Ledger
from finops_core.model.periods import Period
from finops_core.model.query import Query

FIGURES = ("before", "after", "change", *PARTS)
NEW, GONE, CHANGED, OTHER = "new", "gone", "changed", "other"
_NOTHING = Decimal(0)


@dataclass(frozen=True)
class Movers:
    """The members of a question and what moved them.

    `table`: BillingCurrency, the dimensions, `before`, `after`, `change`, its PARTS (Decimal(38, 18), 0 where one does
    not apply) and Kind: `new` (no charges before), `gone` (none after) or `changed`. Ranked by |change|, most first.
    Σ PARTS = change = after − before in every row, and the rows of a currency sum to its total, exactly.
    """

    table: polars.DataFrame
    metric: str
    by: tuple[str, ...]
    before: Period
    after: Period
    per_day: bool


@dataclass(frozen=True)
class Shown:
    """The movers that a reader sees: those of some size, and one row Other a currency for the rest."""

    table: polars.DataFrame
    """As that of Movers, with Member (a label) before the figures; Kind is `other` for the rest."""
    explained: dict[str, Decimal]
    """Currency → Σ|change| of the members shown / Σ|change| of all, 0 to 1; 1 where nothing changed."""


def movers(ledger: Ledger, query: Query, versus: Period, per_day: bool = False) -> Movers:
    """What changed a query's cost since another period, by its dimensions; without dimensions there is one member.

    The query has one metric, a cost, and its range of days; its grain, order and limit say nothing here. `before` and
    `after` are what `Ledger.query` answers for the two periods (an unknown sum counts 0). `per_day` divides each period
    by its days, for periods of unequal length. Raises UsageError for another metric or a missing day.
    """
    metric, by = _asked(query), tuple(dict.fromkeys(d for d in query.by if d != CURRENCY))
    if query.start is None or query.end is None:
        raise UsageError("movers need a period: give its first day and the day after its last")
    period = Period(query.start, query.end)
    found = ledger.frame(leaves.sql(query.but(by=by), versus, period, ordered=per_day))
    days = (versus.days, period.days) if per_day else None
    return Movers(_members(with_drivers(found, metric, days), by), metric, by, versus, period, per_day)


def _asked(query: Query) -> str:
    if len(query.metrics) != 1 or query.metrics[0] not in PRICES:
        raise UsageError(
            f"movers explain one cost, not {', '.join(query.metrics)}: ask for one of {', '.join(PRICES)}"
        )
    return query.metrics[0]


def _members(split: polars.DataFrame, by: tuple[str, ...]) -> polars.DataFrame:
    sides = [polars.col(f"charges_{side}").sum() for side in leaves.SIDES]
    kind = (
        polars.when(sides[0] == 0)
        .then(polars.lit(NEW))
        .when(sides[1] == 0)
        .then(polars.lit(GONE))
        .otherwise(polars.lit(CHANGED))
    )
    found = split.group_by(CURRENCY, *by).agg(polars.col(*FIGURES).sum().cast(MONEY), kind.alias(KIND))
    keys = [polars.col("change").abs(), CURRENCY, *by]
    return found.sort(keys, descending=[True, *[False] * (len(keys) - 1)])


def shown(found: Movers, limit: int | None = None, floor: Decimal = _NOTHING) -> Shown:
    """The largest `limit` movers of each currency with |change| of at least `floor`; the rest as Other, never lost."""
    if (limit is not None and limit < 0) or floor < 0:
        raise UsageError("neither a limit nor a floor can be negative")
    size = polars.col("change").abs()
    place = polars.int_range(polars.len()).over(CURRENCY)
    kept = (size >= polars.lit(floor, MONEY)) & (place < limit if limit is not None else polars.lit(True))
    marked = found.table.with_columns(kept.alias("kept"), size.alias("size"))
    members = marked.filter("kept").with_columns(labels(found.by).alias(MEMBER))
    rest = marked.filter(~polars.col("kept"))
    others = (
        rest.sort(CURRENCY)
        .group_by(CURRENCY, maintain_order=True)
        .agg(polars.col(*FIGURES).sum().cast(MONEY), polars.len().alias("members"))
    )
    others = others.with_columns(
        *[polars.lit(None, found.table.schema[d]).alias(d) for d in found.by],
        polars.col("members").map_elements(other_label, polars.String).alias(MEMBER),
        polars.lit(OTHER).alias(KIND),
    )
    columns = [CURRENCY, *found.by, MEMBER, *FIGURES, KIND]
    return Shown(polars.concat([members.select(columns), others.select(columns)]), _explained(marked))


def _explained(marked: polars.DataFrame) -> dict[str, Decimal]:
    sums = marked.group_by(CURRENCY).agg(
        polars.col("size").filter(polars.col("kept")).sum().alias("seen"),
        polars.col("size").sum().alias("all"),
    )
    return {
        currency: Decimal(seen) / Decimal(everything) if everything else Decimal(1)
        for currency, seen, everything in sums.sort(CURRENCY).iter_rows()
    }
