"""Dimensions and conditions as expressions over a table of charges or of a cube: what every question is made of."""

import re
from datetime import datetime
from typing import Any, cast

import ibis
import ibis.expr.types as ir

from finops_core.errors import UsageError
from finops_core.model.dimensions import TAG, Dimension, dimension
from finops_core.model.query import Condition
from finops_core.store.owners import PREFIXES


@ibis.udf.scalar.builtin(name="json_extract_string")
def _tag_value(tags: str, path: str) -> str:  # type: ignore[empty-body]
    """DuckDB's own function."""


def value(table: ir.Table, found: Dimension) -> ir.Value:
    """A dimension's value in each row of `charges` or of a cube."""
    if not found.name.startswith(TAG):
        return table[found.column]
    key = found.name.removeprefix(TAG)
    paths = [f'$."{prefix}{key}"' for prefix in PREFIXES if '"' not in key]
    return (
        ibis.coalesce(*[_tag_value(table["Tags"], path) for path in paths]) if paths else ibis.null("string")
    )


def condition(table: ir.Table, node: Condition) -> ir.BooleanValue:
    """Whether a row fulfils a condition; to filter by, as it is null where the row's value is unknown.

    Raises UsageError for a value that cannot be compared with the dimension.
    """
    found = dimension(node.dimension)
    asked = cast(Any, value(table, found))
    operator = node.operator
    if operator == "is null":
        return cast(ir.BooleanValue, asked.isnull())
    if operator == "is not null":
        return cast(ir.BooleanValue, asked.notnull())
    if operator in ("~", "!~"):
        hit = asked.cast("string").lower().contains(node.values[0].lower())
        return cast(ir.BooleanValue, hit if operator == "~" else (~hit) | asked.isnull())
    literals = [_literal(found, text) for text in node.values]
    hit = asked.isin(literals) if literals else ibis.literal(False)
    return cast(ir.BooleanValue, hit if operator in ("=", "in") else (~hit) | asked.isnull())


def _literal(found: Dimension, text: str) -> Any:
    if found.kind == "text":
        return text
    try:
        if found.kind == "number":
            return float(text)
        return datetime.fromisoformat(re.sub(r"Z$", "", text))
    except ValueError:
        raise UsageError(f"{text!r} is no {found.kind} to compare {found.name} with") from None
