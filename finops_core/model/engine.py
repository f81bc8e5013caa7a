"""Turns a Query into one expression, over a cube where that is exact, else over charges."""

import re
from datetime import date, datetime
from typing import Any, cast

import ibis
import ibis.expr.types as ir

from finops_core.errors import UsageError
from finops_core.focus.charges import MONEY
from finops_core.model.dimensions import TAG, Dimension, dimension
from finops_core.model.metrics import metric
from finops_core.model.query import Condition, Query, conditions
from finops_core.store.cubes import DAY, MONTH, ROWS, Cube, holding
from finops_core.store.owners import PREFIXES
from finops_core.store.warehouse import charge_table_columns

PERIOD = "ChargePeriod"
CURRENCY = "BillingCurrency"
_IBIS = {
    "DATE": "date",
    "VARCHAR": "string",
    "DOUBLE": "float64",
    "TIMESTAMP": "timestamp",
    "BIGINT": "int64",
    MONEY: "decimal(38, 18)",
}
_UNITS = {"day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y"}


@ibis.udf.scalar.builtin(name="json_extract_string")
def _tag_value(tags: str, path: str) -> str:  # type: ignore[empty-body]
    """DuckDB's own function."""


def charges() -> ir.Table:
    """The table `charges`, unbound."""
    return ibis.table({name: _IBIS[kind] for name, kind in charge_table_columns().items()}, name="charges")


def cube_table(cube: Cube) -> ir.Table:
    """The table of a cube, unbound."""
    types = charge_table_columns()
    return ibis.table(
        {name: _IBIS[kind or types[name]] for name, kind in cube.columns.items()}, name=cube.name
    )


def cubes_of(query: Query) -> list[Cube]:
    """The cubes that hold everything the query asks for, smallest first: the answer is that of the charges, only sooner."""
    bounds_are_months = all(day is None or day.day == 1 for day in (query.start, query.end))
    time = MONTH if bounds_are_months and query.grain in ("none", "month", "quarter", "year") else DAY
    return holding({time, *_columns(query)})


def uses_cube(query: Query) -> bool:
    """Whether a cube answers the query."""
    return bool(cubes_of(query))


def _columns(query: Query) -> list[str]:
    """The columns of the store that the query reads, beside that of the time."""
    asked = [*query.by, *(c.dimension for c in conditions(query.where))]
    return [
        CURRENCY,
        *(dimension(name).column for name in asked),
        *(column for name in query.metrics for column in metric(name).columns),
    ]


def expression(query: Query, cube: Cube | None) -> ir.Table:
    """The query over an unbound table, which is `charges` where no cube is given: period (with a grain),
    BillingCurrency, dimensions, metrics; ordered."""
    table = _needed(cube_table(cube) if cube else charges(), query, cube)
    day = table[_time(cube)]
    filters = [_condition(table, c) for c in conditions(query.where)]
    if query.start is not None:
        filters.append(cast(ir.BooleanValue, day >= ibis.literal(_moment(query.start, cube))))
    if query.end is not None:
        filters.append(cast(ir.BooleanValue, day < ibis.literal(_moment(query.end, cube))))
    if filters:
        table = table.filter(filters)
    metrics = {name: metric(name).expression(table) for name in query.metrics}
    keys = [value.name(name) for name, value in _keys(table, query, cube).items()]
    answer = table.group_by(keys).aggregate(**metrics)
    answer = answer.order_by(_order(answer, query))
    return answer.limit(query.limit) if query.limit is not None else answer


def _time(cube: Cube | None) -> str:
    """The column that says when a row was charged."""
    return cube.time if cube else "ChargePeriodStart"


def _needed(table: ir.Table, query: Query, cube: Cube | None) -> ir.Table:
    """The columns that the query reads, and no more: planning ninety of them takes longer than many an answer."""
    names = dict.fromkeys([_time(cube), *_columns(query)])
    return table.select([_rows(cube) if name == ROWS else table[name] for name in names])


def _rows(cube: Cube | None) -> ir.Value:
    """How many charges a row stands for."""
    return ibis._[ROWS] if cube else ibis.literal(1, "int64").name(ROWS)


def _keys(table: ir.Table, query: Query, cube: Cube | None) -> dict[str, ir.Value]:
    """What the query groups by: period, currency, dimensions."""
    day = table[_time(cube)]
    keys: dict[str, ir.Value] = {}
    if query.grain != "none":
        keys[PERIOD] = cast(Any, day).cast("timestamp").truncate(_UNITS[query.grain]).cast("date")
    keys[CURRENCY] = table[CURRENCY]
    return keys | {name: _value(table, dimension(name)) for name in query.by}


def _moment(day: date, cube: Cube | None) -> date | datetime:
    return day if cube else datetime(day.year, day.month, day.day)


def _value(table: ir.Table, found: Dimension) -> ir.Value:
    if not found.name.startswith(TAG):
        return table[found.column]
    key = found.name.removeprefix(TAG)
    paths = [f'$."{prefix}{key}"' for prefix in PREFIXES if '"' not in key]
    return (
        ibis.coalesce(*[_tag_value(table["Tags"], path) for path in paths]) if paths else ibis.null("string")
    )


def _condition(table: ir.Table, condition: Condition) -> ir.BooleanValue:
    found = dimension(condition.dimension)
    value = cast(Any, _value(table, found))
    operator = condition.operator
    if operator == "is null":
        return cast(ir.BooleanValue, value.isnull())
    if operator == "is not null":
        return cast(ir.BooleanValue, value.notnull())
    if operator in ("~", "!~"):
        hit = value.cast("string").lower().contains(condition.values[0].lower())
        return cast(ir.BooleanValue, hit if operator == "~" else (~hit) | value.isnull())
    literals = [_literal(found, text) for text in condition.values]
    hit = value.isin(literals) if literals else ibis.literal(False)
    return cast(ir.BooleanValue, hit if operator in ("=", "in") else (~hit) | value.isnull())


def _literal(found: Dimension, text: str) -> Any:
    if found.kind == "text":
        return text
    try:
        if found.kind == "number":
            return float(text)
        return datetime.fromisoformat(re.sub(r"Z$", "", text))
    except ValueError:
        raise UsageError(f"{text!r} is no {found.kind} to compare {found.name} with") from None


def _order(answer: ir.Table, query: Query) -> list[Any]:
    descending = {query.metrics[0]}
    if query.order is not None:
        name = query.order.removeprefix("-")
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
