"""A Query as a crosstab: members down, periods across, with totals on both edges; every sum exact."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars

from finops_core.analysis.breakdown import KIND, MEMBER, known_sum, labels, other_label
from finops_core.model.engine import PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.query import Query

ROWS = 200
"""How many members have a row of their own."""
TOTAL = "Total"
_MONEY = polars.Decimal(38, 18)


@dataclass(frozen=True)
class Pivot:
    """`table`: the dimensions, Member, Kind (member | other), a column of Decimal money a period (by its first day, ISO
    8601), and Total; the largest members first, the rest as one row. A period without charges of a member is null.

    `totals`: period → the sum over all members, as the store answers it by itself; None where nothing of it is known.
    """

    table: polars.DataFrame
    periods: tuple[str, ...]
    totals: dict[str, Decimal | None]


def pivot(ledger: Ledger, query: Query, rows: int = ROWS) -> Pivot:
    """Turns the first metric (additive) of a query with a grain and in one currency into a crosstab of its dimensions."""
    metric, by = query.metrics[0], tuple(query.by)
    plain = query.but(metrics=(metric,), order=None, limit=None)
    whole = ledger.query(plain.but(by=()))
    periods = tuple(day.isoformat() for day in sorted(whole[PERIOD]))
    totals = {day.isoformat(): cost for day, cost in whole.select(PERIOD, metric).iter_rows()}
    cells = ledger.query(plain).select(
        *by, labels(by).alias(MEMBER), polars.col(PERIOD), polars.col(metric).cast(_MONEY).alias("cost")
    )
    ranked = (
        cells.group_by(*by, MEMBER)
        .agg(known_sum("cost").alias(TOTAL))
        .sort([polars.col(TOTAL).abs(), MEMBER], descending=[True, False], nulls_last=True)
    )
    named = ranked.head(rows).with_columns(polars.lit("member").alias(KIND))
    columns = {p: _of(cells, date.fromisoformat(p), by) for p in periods}
    for period, cost in columns.items():
        named = named.join(cost.rename({"cost": period}), on=[*by, MEMBER], how="left", nulls_equal=True)
    table = named.select(*by, MEMBER, KIND, *periods, TOTAL)
    if len(ranked) > rows:
        table = polars.concat([table, _other(table, totals, len(ranked) - rows)])
    return Pivot(table.sort(KIND, maintain_order=True), periods, totals)


def _of(cells: polars.DataFrame, period: date, by: tuple[str, ...]) -> polars.DataFrame:
    return cells.filter(polars.col(PERIOD) == period).select(*by, MEMBER, "cost")


def _other(table: polars.DataFrame, totals: dict[str, Decimal | None], count: int) -> polars.DataFrame:
    """What is left of each period's total."""
    rest = {p: None if total is None else total - Decimal(table[p].sum() or 0) for p, total in totals.items()}
    known = [cost for cost in rest.values() if cost is not None]
    row = {
        **rest,
        TOTAL: sum(known, Decimal(0)) if known else None,
        MEMBER: other_label(count),
        KIND: "other",
    }
    return polars.DataFrame([{name: row.get(name) for name in table.columns}], schema=table.schema)
