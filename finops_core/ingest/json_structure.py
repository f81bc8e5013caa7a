"""What JSON lines hold: the structures of all lines made one, and the shapes in which DuckDB reads them.

DuckDB has an aggregate for the first, but it holds the whole file in memory.
"""

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from finops_core.formats.expressions import identifier
from finops_core.formats.records import MONEY

_INTEGERS = {"UBIGINT", "BIGINT"}
_NUMBERS = _INTEGERS | {"DOUBLE", "HUGEINT", "UHUGEINT"}


def merged_structure(structures: duckdb.DuckDBPyConnection) -> Any:
    """One structure out of those that json_structure says of the lines: a dict by key, [kind], or the name of a type."""
    merged: Any = "NULL"
    while rows := structures.fetchmany(1_000):
        for (text,) in rows:
            merged = _merge(merged, json.loads(text))
    return merged


def _merge(one: Any, other: Any) -> Any:
    if one == other or other == "NULL":
        return one
    if one == "NULL":
        return other
    if isinstance(one, dict) and isinstance(other, dict):
        return one | {key: _merge(one.get(key, "NULL"), kind) for key, kind in other.items()}
    if isinstance(one, list) and isinstance(other, list):
        # Among the items of a list JSON stands for values of several kinds, elsewhere for an object without keys.
        mixed = "JSON" in (one[0], other[0])
        return ["JSON" if mixed and one != other else _merge(one[0], other[0])]
    if isinstance(one, dict) and other == "JSON":
        return one
    if isinstance(other, dict) and one == "JSON":
        return other
    if isinstance(one, str) and isinstance(other, str) and {one, other} <= _NUMBERS:
        return "BIGINT" if {one, other} <= _INTEGERS else "DOUBLE"
    return "JSON"


def unfit(fields: dict[str, Any]) -> bool:
    """Keys that cannot be the fields of one struct: DuckDB does not tell `Name` from `name`."""
    return not fields or "" in fields or len({key.lower() for key in fields}) < len(fields)


def text_shape(kind: Any) -> Any:
    """What json_transform makes of a value of this kind: texts, in its own nesting."""
    if isinstance(kind, dict) and not unfit(kind):
        return {key: text_shape(inner) for key, inner in kind.items()}
    if isinstance(kind, list) and isinstance(kind[0], dict) and not unfit(kind[0]):
        return [text_shape(kind[0])]
    return "VARCHAR"


def exact_shape(kind: Any) -> Any:
    """The same for numbers with a point alone, as decimals; empty where there are none."""
    if isinstance(kind, dict) and not unfit(kind):
        return {key: shape for key, inner in kind.items() if (shape := exact_shape(inner))}
    if isinstance(kind, list) and isinstance(kind[0], dict) and (shape := exact_shape(kind[0])):
        return [shape]
    return MONEY if kind in ("DOUBLE", "JSON") else {}


def leaf_paths(shape: dict[str, Any], above: str = "") -> Iterator[str]:
    """SQL of the way to each leaf below a struct's column, such as `."usage"."amount"`."""
    for key, inner in shape.items():
        path = f"{above}.{identifier(key)}"
        if isinstance(inner, dict):
            yield from leaf_paths(inner, path)
        else:
            yield path
