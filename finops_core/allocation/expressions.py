"""Conditions and tags as SQL expressions over a relation of charges, for rules to be built from."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from finops_core.focus.charges import ALLOCATED_COLUMNS, STORE_COLUMNS, charge_columns
from finops_core.vocabulary.conditions import Node
from finops_core.vocabulary.dimensions import TAG, dimension

_IBIS = {"VARCHAR": "string", "DOUBLE": "float64", "TIMESTAMP": "timestamp", "BIGINT": "int64"}
MONEY = "decimal(38, 18)"


def tags_of(nodes: Iterable[Node]) -> set[str]:
    """The tags that conditions ask for, as `tag:KEY`."""
    return {name for node in nodes for name in node.dimensions if name.startswith(TAG)}


def condition_sql(node: Node) -> str:
    """SQL of whether a condition holds, over the columns of a charge, owner columns, and a column `tag:KEY` a tag."""
    from finops_core.vocabulary.expressions import condition

    table = _table(tuple(sorted(tags_of([node]))))
    return _expression(table.select(found=condition(table, node)))


@cache
def tag_sql(name: str) -> str:
    """SQL of the value of `tag:KEY`, over a column Tags."""
    from finops_core.vocabulary.expressions import value

    table = _table(())
    return _expression(table.select(found=value(table, dimension(name))))


@cache
def _table(tags: tuple[str, ...]) -> Any:
    import ibis  # takes longer to import than most rule sets take to read

    stored = {name: kind for name, (kind, _) in STORE_COLUMNS.items()}
    columns = {**charge_columns(), **stored, **dict.fromkeys((*ALLOCATED_COLUMNS, *tags), "VARCHAR")}
    return ibis.table({name: _IBIS.get(kind, MONEY) for name, kind in columns.items()}, name="charges")


def _expression(selected: Any) -> str:
    """The one expression of a SELECT, its columns without the name of a table."""
    import ibis
    import sqlglot
    from sqlglot import expressions

    parsed: Any = sqlglot.parse_one(str(ibis.to_sql(selected, dialect="duckdb")), dialect="duckdb")
    found = parsed.selects[0].unalias()
    for column in found.find_all(expressions.Column):
        column.set("table", None)
        column.set("this", expressions.to_identifier(column.name, quoted=True))
    return f"({found.sql(dialect='duckdb')})"
