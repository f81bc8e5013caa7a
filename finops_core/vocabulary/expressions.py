"""Dimensions and conditions as expressions over a table of charges or of a cube: what every question is made of."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from operator import and_, or_
from typing import Any, cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from finops_core.errors import UsageError
from finops_core.focus.charges import TAG_PREFIXES
from finops_core.vocabulary.conditions import OPPOSITES, RANGES, AllOf, AnyOf, Condition, Node, Not
from finops_core.vocabulary.dimensions import SKU, TAG, Dimension, filterable, tag_key

_POSITIVE = {opposite: operator for operator, opposite in OPPOSITES.items()}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@ibis.udf.scalar.builtin(name="json_extract_string")
def json_text(json: str, pointer: str) -> str:  # type: ignore[empty-body]
    """DuckDB's own function: the text at a JSON pointer; null where there is none."""


@ibis.udf.scalar.builtin(name="json_valid")
def is_json(text: str) -> bool:  # type: ignore[empty-body]
    """DuckDB's own function."""


_OF_DAY: dict[str, Callable[[Any], ir.Value]] = {
    "Day": lambda day: day,
    "Week": lambda day: day.cast("timestamp").truncate("W").cast("date"),
    "Month": lambda day: day.strftime("%Y-%m"),
    "Quarter": lambda day: day.strftime("%Y-Q").concat(day.quarter().cast("string")),
    "Year": lambda day: day.strftime("%Y"),
    "Weekday": lambda day: day.day_of_week.full_name(),
    "DayOfMonth": lambda day: day.day().cast("int64"),
}


def charge_day(table: ir.Table) -> ir.Value:
    """The day (UTC) of each row of `charges` or of a cube."""
    return (
        table["ChargeDay"] if "ChargeDay" in table.columns else cast(Any, table["ChargePeriodStart"]).date()
    )


def columns(table_has_days: bool, found: Dimension) -> tuple[str, ...]:
    """The columns that a dimension is read from, in `charges` or in a cube, which has days."""
    return ("ChargeDay",) if table_has_days and found.name in _OF_DAY else found.columns


def _sku(table: ir.Table) -> ir.Value:
    """What a SKU measures, in words, and its id: ids alone say nothing, words alone may be of several SKUs."""
    words = cast(Any, ibis.coalesce(table["SkuMeter"], table["x_UsageType"]))
    sku = cast(Any, table["SkuId"])
    both = words.concat(" · ", sku)
    return ibis.cases((sku.isnull(), words), (words == sku, sku), (words.isnull(), sku), else_=both)


_OF_ROW: dict[str, Callable[[ir.Table], ir.Value]] = {SKU: _sku}
"""What is computed from several columns of a row."""


def value(table: ir.Table, found: Dimension) -> ir.Value:
    """A dimension's value in each row of `charges` or of a cube."""
    if found.name in _OF_ROW:
        return _OF_ROW[found.name](table)
    if found.name in _OF_DAY:
        return _OF_DAY[found.name](charge_day(table))
    if found.name in table.columns:
        return table[found.name]
    if not found.name.startswith(TAG):
        return table[found.column]
    tags = cast(Any, table["Tags"])
    json = ibis.cases((is_json(tags), tags))
    key = tag_key(found.name)
    return ibis.coalesce(*[json_text(json, _pointer(prefix + key)) for prefix in TAG_PREFIXES])


def _pointer(key: str) -> str:
    """A key as a JSON pointer (RFC 6901), which takes any character."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def condition(table: ir.Table, node: Node, negated: bool = False) -> ir.BooleanValue:
    """Whether a row fulfils a condition (or, negated, does not); to filter by, as a null stands for no.

    Negated, it keeps exactly the other rows, those without a value among them. Raises UsageError for a value that
    cannot be compared with the dimension.
    """
    if isinstance(node, Not):
        return condition(table, node.part, not negated)
    if isinstance(node, (AnyOf, AllOf)):
        parts = [condition(table, part, negated) for part in node.parts]
        return _joined(or_ if isinstance(node, AnyOf) != negated else and_, parts)
    found = filterable(node.dimension)
    asked = cast(Any, value(table, found))
    operator = _POSITIVE.get(node.operator, node.operator)
    opposite = negated != (operator != node.operator)
    if operator == "is null":
        return cast(ir.BooleanValue, asked.notnull() if opposite else asked.isnull())
    hit = _hit(asked, found, operator, node)
    return cast(ir.BooleanValue, (~hit) | asked.isnull() if opposite else hit)


def _joined(join: Callable[[Any, Any], Any], parts: list[ir.BooleanValue]) -> ir.BooleanValue:
    """All parts as one condition, halved again and again: one after another, some hundred of them would be nested too deep."""
    while len(parts) > 1:
        pairs = [parts[at : at + 2] for at in range(0, len(parts), 2)]
        parts = [join(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return parts[0]


def _hit(asked: Any, found: Dimension, operator: str, node: Condition) -> Any:
    """Whether a value fits; null where there is no value."""
    if operator in ("~", "^="):
        text, part = asked.cast("string").lower(), node.values[0].lower()
        return text.contains(part) if operator == "~" else text.startswith(part)
    if operator == "matches":
        _check_pattern(node.values[0])
        return asked.cast("string").re_search(node.values[0])
    if operator in RANGES:
        return _range(asked, found, operator, node.values)
    literals = [_literal(asked, found, text) for text in node.values]
    return asked.isin(literals) if literals else ibis.literal(False)


def _range(asked: Any, found: Dimension, operator: str, values: tuple[str, ...]) -> Any:
    if not found.ordered:
        raise UsageError(f"{found.name} is text without an order: ranges are for numbers, costs and times")
    if operator == "between":
        return _range(asked, found, ">=", values[:1]) & _range(asked, found, "<=", values[1:])
    (text,) = values
    limit = _literal(asked, found, text)
    if asked.type().is_timestamp() and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) and operator in (">", "<="):
        # Up to a day means to its end, and after a day, after its end.
        last = datetime.fromisoformat(text) + timedelta(days=1, microseconds=-1)
        return asked > ibis.literal(last) if operator == ">" else asked <= ibis.literal(last)
    if operator == ">=":
        return asked >= limit
    if operator == ">":
        return asked > limit
    return asked < limit if operator == "<" else asked <= limit


@lru_cache(maxsize=256)
def _check_pattern(pattern: str) -> None:
    """Raises UsageError for what is no regular expression of RE2, which the store uses."""
    import duckdb

    try:
        with duckdb.connect() as connection:
            connection.execute("SELECT regexp_matches('', ?)", [pattern]).fetchall()
    except duckdb.Error as error:
        words = str(error).split(": ", 1)[-1].splitlines()[0]
        raise UsageError(f"{pattern!r} is no regular expression (RE2): {words}") from error


def _literal(asked: Any, found: Dimension, text: str) -> ir.Value:
    """A value to compare with, of the type of what is asked."""
    kind = asked.type()
    if kind.is_string():
        if found.form and not re.fullmatch(found.form, text, re.ASCII):
            raise UsageError(
                f"{text!r} is no {found.label.lower()} to compare {found.name} with: write {found.example}"
            )
        return ibis.literal(text)
    try:
        if kind.is_date():
            return ibis.literal(_as_day(text))
        if kind.is_timestamp():
            return ibis.literal(_as_moment(text))
        if not _NUMBER.fullmatch(text):
            raise ValueError
        return _as_decimal(text, kind) if kind.is_decimal() else ibis.literal(float(text))
    except (ValueError, OverflowError):
        words = "date or time" if found.kind == "time" else "number"
        raise UsageError(f"{text!r} is no {words} to compare {found.name} with") from None


def _as_day(text: str) -> date:
    moment = _as_moment(text)
    if moment != datetime(moment.year, moment.month, moment.day):
        raise ValueError
    return moment.date()


def _as_moment(text: str) -> datetime:
    """A time, in UTC where it says no zone."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _as_decimal(text: str, kind: dt.DataType) -> ir.Value:
    number = Decimal(text)
    if number.adjusted() >= 20 or number != round(number, 18):
        raise UsageError(f"{text} has more digits than an amount: 20 before the point, 18 after it")
    return ibis.literal(number, kind)
