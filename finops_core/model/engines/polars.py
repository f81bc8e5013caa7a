"""polars over the charges in memory: no other engine is needed for a small home, and it checks what DuckDB answers.

Ibis has no window functions for polars; those that comparisons need (ShareOfTotal, Change …) are translated here.
"""

import json
from typing import TYPE_CHECKING, Any, cast

import ibis
import ibis.expr.operations as ops
import polars
from ibis.backends.polars.compiler import translate
from ibis.common.exceptions import OperationNotDefinedError

from finops_core.errors import UsageError
from finops_core.model import engine
from finops_core.model.query import Query
from finops_core.vocabulary.expressions import is_json, json_text

if TYPE_CHECKING:
    from finops_core.model.ledger import Ledger


class Polars:
    """A table of charges, as it was when the engine was opened."""

    def __init__(self, charges: polars.DataFrame) -> None:
        self._connection = ibis.polars.connect({"charges": charges})

    def answer(self, query: Query) -> polars.DataFrame:
        try:
            return cast(polars.DataFrame, self._connection.to_polars(engine.expression(query, None)))
        except OperationNotDefinedError as error:
            raise UsageError(
                f"the engine polars cannot answer {', '.join(query.metrics)}: {error}"
            ) from error


def open_engine(ledger: "Ledger") -> Polars:
    return Polars(ledger.frame("SELECT * FROM charges"))


@translate.register(type(cast(Any, json_text("", "")).op()))
def _json_text(op: Any, **context: Any) -> polars.Expr:
    """DuckDB's json_extract_string, at a pointer to a key of the outermost object."""
    key = op.args[1].value.removeprefix("/").replace("~1", "/").replace("~0", "~")

    def read(text: str) -> str | None:
        found = json.loads(text)
        value = found.get(key) if isinstance(found, dict) else None
        return value if value is None or isinstance(value, str) else json.dumps(value, separators=(",", ":"))

    return cast(polars.Expr, translate(op.args[0], **context)).map_elements(read, polars.String)


@translate.register(type(cast(Any, is_json("")).op()))
def _is_json(op: Any, **context: Any) -> polars.Expr:
    def read(text: str) -> bool:
        try:
            json.loads(text)
        except ValueError:
            return False
        return True

    return cast(polars.Expr, translate(op.args[0], **context)).map_elements(read, polars.Boolean)


@translate.register(ops.WindowFunction)
def _window(op: Any, **context: Any) -> polars.Expr:
    """A sum, minimum or maximum over all rows of a group, or up to the row in an order; and the value of the row before."""
    group = [translate(by, **context) for by in op.group_by] or [polars.lit(1)]
    order = [translate(key.arg, **context) for key in op.order_by]
    value = cast(polars.Expr, translate(op.func.arg, **context))
    if isinstance(op.func, ops.Lag):
        return value.shift(1).over(group, order_by=order)
    if order and isinstance(op.func, ops.Sum) and op.start is None:
        return value.cum_sum().forward_fill().over(group, order_by=order)
    if order:
        raise OperationNotDefinedError(f"No translation of {op.func.name} in an order")
    return cast(polars.Expr, translate(op.func, **context)).over(group)
