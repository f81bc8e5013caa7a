"""Turns a Query into one expression, over the cube where that is exact, else over charges."""

from datetime import date, datetime
from typing import Any, cast

import ibis
import ibis.expr.types as ir

from finops_core.errors import UsageError
from finops_core.focus.charges import COSTS, MONEY
from finops_core.model.comparisons import CURRENCY, FIRST_DAY, LAST_DAY, UNITS, Answer, per_day
from finops_core.model.comparisons import PERIOD as PERIOD
from finops_core.model.dimensions import DAY_DIMENSIONS, canonical, dimension, filterable
from finops_core.model.expressions import charge_day, column, condition, value
from finops_core.model.metrics import COMPARISON, aggregated, compared_metric, metric
from finops_core.model.query import Query, conditions
from finops_core.store.warehouse import CUBE_DIMENSIONS, charge_table_columns

_IBIS = {
    "VARCHAR": "string",
    "DOUBLE": "float64",
    "TIMESTAMP": "timestamp",
    "BIGINT": "int64",
    MONEY: "decimal(38, 18)",
}


def charges() -> ir.Table:
    """The table `charges`, unbound."""
    return ibis.table({name: _IBIS[kind] for name, kind in charge_table_columns().items()}, name="charges")


def daily() -> ir.Table:
    """The cube `daily`, unbound."""
    types = charge_table_columns()
    schema = {"ChargeDay": "date", **{name: _IBIS[types[name]] for name in CUBE_DIMENSIONS}}
    return ibis.table({**schema, **dict.fromkeys(COSTS, _IBIS[MONEY]), "x_Rows": "int64"}, name="daily")


def uses_cube(query: Query) -> bool:
    """Whether the cube holds everything that the query asks for. The answer is the same, only sooner."""
    asked = [*query.by, *(name for c in conditions(query.where) for name in c.dimensions)]
    known = {*CUBE_DIMENSIONS, *COSTS, "x_Rows"}
    metrics = [metric(name) for name in aggregated(query)]
    columns = [needed for found in metrics for needed in found.columns]
    if any(found.by_charge for found in metrics):
        return False
    return all(name in CUBE_DIMENSIONS or name in DAY_DIMENSIONS for name in asked) and all(
        needed in known for needed in columns
    )


def expression(query: Query, cube: bool | None = None) -> ir.Table:
    """The query over an unbound table: period (with a grain), BillingCurrency, dimensions, metrics; ordered."""
    use = uses_cube(query) if cube is None else cube
    table = _needed(daily() if use else charges(), query, use)
    day = table["ChargeDay"] if use else table["ChargePeriodStart"]
    filters = [condition(table, c) for c in conditions(query.where)]
    if query.start is not None:
        filters.append(cast(ir.BooleanValue, day >= ibis.literal(_moment(query.start, use))))
    if query.end is not None:
        filters.append(cast(ir.BooleanValue, day < ibis.literal(_moment(query.end, use))))
    if filters:
        table = table.filter(filters)
    keys = [key.name(name) for name, key in _keys(table, query, use).items()]
    answer = _compared(table.group_by(keys).aggregate(**_aggregates(table, query)), query)
    answer = answer.order_by(_order(answer, query))
    return answer.limit(query.limit) if query.limit is not None else answer


def _aggregates(table: ir.Table, query: Query) -> dict[str, ir.Value]:
    """The metrics that are computed from rows, and the row's days where a metric needs them."""
    found = {name: metric(name).expression for name in aggregated(query)}
    aggregates = {name: expression(table) for name, expression in found.items() if expression is not None}
    if any(metric(name).over is per_day for name in query.metrics):
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


def _needed(table: ir.Table, query: Query, cube: bool) -> ir.Table:
    """The columns that the query reads, and no more: planning ninety of them takes longer than many an answer."""
    asked = [*query.by, *(name for c in conditions(query.where) for name in c.dimensions)]
    names = dict.fromkeys(
        [
            "ChargeDay" if cube else "ChargePeriodStart",
            CURRENCY,
            *(column(cube, filterable(name)) for name in asked),
            *(needed for name in aggregated(query) for needed in metric(name).columns),
        ]
    )
    return table.select([_rows(cube) if name == "x_Rows" else table[name] for name in names])


def _rows(cube: bool) -> ir.Value:
    """How many charges a row stands for."""
    return ibis._["x_Rows"] if cube else ibis.literal(1, "int64").name("x_Rows")


def _keys(table: ir.Table, query: Query, cube: bool) -> dict[str, ir.Value]:
    """What the query groups by: period, currency, dimensions."""
    day = table["ChargeDay"] if cube else table["ChargePeriodStart"]
    keys: dict[str, ir.Value] = {}
    if query.grain != "none":
        keys[PERIOD] = cast(Any, day).cast("timestamp").truncate(UNITS[query.grain]).cast("date")
    keys[CURRENCY] = table[CURRENCY]
    return keys | {name: value(table, dimension(name)) for name in query.by}


def _moment(day: date, cube: bool) -> date | datetime:
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


def sql(query: Query, cube: bool | None = None) -> str:
    """The query as DuckDB's SQL."""
    return str(ibis.to_sql(expression(query, cube), dialect="duckdb"))
