"""Turns a Query into one expression, over a cube where that is exact, else over charges."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import Any, cast

import ibis
import ibis.expr.types as ir

from finops_core.allocation.owners import SHARED
from finops_core.errors import UsageError
from finops_core.focus.charges import COSTS, MONEY
from finops_core.model.comparisons import CURRENCY as CURRENCY
from finops_core.model.comparisons import FIRST_DAY, LAST_DAY, UNITS, Answer, per_day
from finops_core.model.comparisons import PERIOD as PERIOD
from finops_core.model.metrics import COMPARISON, aggregated, compared_metric, metric
from finops_core.model.query import Query, conditions
from finops_core.store import sharing
from finops_core.store.cubes import DAY, MONTH, ROWS, Cube, holding
from finops_core.store.warehouse import charge_table_columns
from finops_core.vocabulary.dimensions import DAY_DIMENSIONS, canonical, dimension, filterable
from finops_core.vocabulary.expressions import charge_day, columns, condition, value

_IBIS = {
    "DATE": "date",
    "VARCHAR": "string",
    "DOUBLE": "float64",
    "TIMESTAMP": "timestamp",
    "BIGINT": "int64",
    MONEY: "decimal(38, 18)",
}


@cache
def charges() -> ir.Table:
    """The table `charges`, unbound."""
    return ibis.table({name: _IBIS[kind] for name, kind in charge_table_columns().items()}, name="charges")


@cache
def cube_table(cube: Cube) -> ir.Table:
    """The table of a cube, unbound."""
    types = charge_table_columns()
    return ibis.table(
        {name: _IBIS[kind or types[name]] for name, kind in cube.columns.items()}, name=cube.name
    )


def cubes_of(query: Query) -> list[Cube]:
    """The cubes that hold everything the query asks for, smallest first: the answer is that of the charges, only sooner."""
    if query.allocated or any(metric(name).by_charge for name in aggregated(query)):
        return []
    asked = _asked(query)
    bounds_are_months = all(day is None or day.day == 1 for day in (query.start, query.end))
    by_month = bounds_are_months and query.grain in ("none", "month", "quarter", "year")
    by_day = any(name in DAY_DIMENSIONS for name in asked) or _counts_days(query)
    time = MONTH if by_month and not by_day else DAY
    dimensions = _columns(asked)
    found = holding({time, CURRENCY, *dimensions, *_figures(query)})
    # A cube has the sum of costs that a filter asks of each charge.
    return [cube for cube in found if dimensions <= set(cube.dimensions)]


@cache
def _split_costs() -> ir.Table:
    """The table `allocated`, unbound, as if it were a cube: it stands for no charges of its own."""
    types = charge_table_columns()
    dimensions = {name: _IBIS[types[name]] for name in sharing.DIMENSIONS}
    costs = dict.fromkeys(COSTS, _IBIS[MONEY])
    return ibis.table({DAY: "date", **dimensions, **costs}, name="allocated")


def _allocated(query: Query) -> ir.Table:
    """What is nobody's pool, from a cube, and the parts of pools, with the columns that the query needs.

    Raises UsageError for what is not known of a part of a pool.
    """
    asked = _columns(_asked(query))
    figures = dict.fromkeys(_figures(query))
    unknown = sorted((asked - {*sharing.DIMENSIONS}) | (set(figures) - {*COSTS}))
    if unknown or any(metric(name).by_charge for name in aggregated(query)):
        words = ", ".join(unknown or query.metrics)
        raise UsageError(
            f"{words}: not known after shared cost is split; costs are, by {', '.join(sharing.DIMENSIONS)}, and days"
        )
    columns = list(dict.fromkeys([DAY, CURRENCY, *sorted(asked), *figures]))
    cube = cube_table(holding({*columns, sharing.KIND})[0])
    own = cube.filter((cast(Any, cube[sharing.KIND]) != SHARED).fill_null(True))
    return ibis.union(own.select(columns), _split_costs().select(columns))


def uses_cube(query: Query) -> bool:
    """Whether a cube answers the query."""
    return bool(cubes_of(query))


def _counts_days(query: Query) -> bool:
    return any(metric(name).over is per_day for name in query.metrics)


def compares(query: Query) -> bool:
    """Whether a metric is computed over the answer, which may look at the query's range of days."""
    return any(metric(name).over is not None for name in query.metrics)


def _columns(names: Iterable[str]) -> set[str]:
    """The columns that dimensions other than those of the day are read from."""
    return {c for name in names if name not in DAY_DIMENSIONS for c in filterable(name).columns}


def _asked(query: Query) -> list[str]:
    """The dimensions, and costs of the charge itself, that a query groups or filters by."""
    return [*query.by, *(name for c in conditions(query.where) for name in c.dimensions)]


def _figures(query: Query) -> list[str]:
    """The columns that a query's metrics are computed from."""
    return [needed for name in aggregated(query) for needed in metric(name).columns]


def expression(query: Query, cube: Cube | None) -> ir.Table:
    """The query over an unbound table, which is `charges` where no cube is given: period (with a grain),
    BillingCurrency, dimensions, metrics; ordered."""
    if query.allocated:
        cube = holding({DAY, CURRENCY, sharing.KIND})[0]  # for its column of days
        table = filtered(_allocated(query), query, cube)
    else:
        table = filtered(_needed(cube_table(cube) if cube else charges(), query, cube), query, cube)
    keys = [key.name(name) for name, key in _keys(table, query, cube).items()]
    answer = _compared(table.group_by(keys).aggregate(**_aggregates(table, query)), query)
    answer = answer.order_by(_order(answer, query))
    return answer.limit(query.limit) if query.limit is not None else answer


def _aggregates(table: ir.Table, query: Query) -> dict[str, ir.Value]:
    """The metrics that are computed from rows, and the row's days where a metric needs them."""
    found = {name: metric(name).expression for name in aggregated(query)}
    aggregates = {name: expression(table) for name, expression in found.items() if expression is not None}
    if _counts_days(query):
        day = cast(Any, charge_day(table))
        aggregates |= {FIRST_DAY: day.min(), LAST_DAY: day.max()}
    return aggregates


def _compared(answer: ir.Table, query: Query) -> ir.Table:
    """The answer with the metrics that are computed over its rows; its columns in their order."""
    found = {}
    for name in query.metrics:
        asked = metric(name)
        if asked.over is not None:
            of = compared_metric(query) if asked.group == COMPARISON else asked.of
            found[name] = asked.over(Answer(answer, query, of, metric(of).additive))
    if not found:
        return answer
    periods = (PERIOD,) if query.grain != "none" else ()
    names = dict.fromkeys([*periods, CURRENCY, *query.by, *query.metrics])
    return answer.mutate(**found).select(list(names))


def filtered(table: ir.Table, query: Query, cube: Cube | None = None) -> ir.Table:
    """The rows of `charges`, or of a cube, that the query is about: its conditions and its days."""
    day = table[_time(cube)]
    filters = [condition(table, c) for c in conditions(query.where)]
    if query.start is not None:
        filters.append(cast(ir.BooleanValue, day >= ibis.literal(_moment(query.start, cube))))
    if query.end is not None:
        filters.append(cast(ir.BooleanValue, day < ibis.literal(_moment(query.end, cube))))
    return table.filter(filters) if filters else table


def _time(cube: Cube | None) -> str:
    """The column that says when a row was charged."""
    return cube.time if cube else "ChargePeriodStart"


def _needed(table: ir.Table, query: Query, cube: Cube | None) -> ir.Table:
    """The columns that the query reads, and no more: planning ninety of them takes longer than many an answer."""
    asked = [c for name in _asked(query) for c in columns(cube is not None, filterable(name))]
    names = dict.fromkeys([_time(cube), CURRENCY, *asked, *_figures(query)])
    return table.select([_rows(cube) if name == ROWS else table[name] for name in names])


def _rows(cube: Cube | None) -> ir.Value:
    """How many charges a row stands for."""
    return ibis._[ROWS] if cube else ibis.literal(1, "int64").name(ROWS)


def _keys(table: ir.Table, query: Query, cube: Cube | None) -> dict[str, ir.Value]:
    """What the query groups by: period, currency, dimensions."""
    day = table[_time(cube)]
    keys: dict[str, ir.Value] = {}
    if query.grain != "none":
        keys[PERIOD] = cast(Any, day).cast("timestamp").truncate(UNITS[query.grain]).cast("date")
    keys[CURRENCY] = table[CURRENCY]
    return keys | {name: value(table, dimension(name)) for name in query.by}


def _moment(day: date, cube: Cube | None) -> date | datetime:
    return day if cube else datetime(day.year, day.month, day.day)


def _order(answer: ir.Table, query: Query) -> list[Any]:
    descending = {query.metrics[0]}
    if query.order is not None:
        name = canonical(query.order.removeprefix("-"))
        if name not in answer.columns:
            raise UsageError(f"cannot order by {name!r}: the answer has {', '.join(answer.columns)}")
        first, descending = [name], {name} if query.order.startswith("-") else set()
    else:
        first = [*((PERIOD,) if query.grain != "none" else ()), CURRENCY, query.metrics[0]]
    names = dict.fromkeys([*first, *(c for c in answer.columns if c not in query.metrics)])
    return [ibis.desc(name) if name in descending else ibis.asc(name) for name in names]


def sql(query: Query) -> str:
    """The query as DuckDB's SQL, over the smallest table that has what it asks for."""
    return sql_over(query, next(iter(cubes_of(query)), None))


def sql_over(query: Query, cube: Cube | None) -> str:
    """The query as DuckDB's SQL over a cube that holds what it asks for, or over `charges`."""
    return str(ibis.to_sql(expression(query, cube), dialect="duckdb"))
