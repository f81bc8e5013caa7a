"""DuckDB over finops.duckdb: a cube where that is exact, else the charges."""

from functools import lru_cache
from typing import TYPE_CHECKING

import polars

from finops_core.model.query import Query

if TYPE_CHECKING:
    from finops_core.model.ledger import Charged, Ledger


@lru_cache(maxsize=512)
def _sql_of(query: Query, charged: "Charged") -> str:
    from finops_core.model import engine  # Ibis takes longer to import than most commands take

    return engine.sql(query if engine.compares(query) else charged.unbounded(query))


class DuckDB:
    """The ledger's own connection."""

    def __init__(self, ledger: "Ledger") -> None:
        self._ledger = ledger

    def answer(self, query: Query) -> polars.DataFrame:
        return self._ledger.answer(lambda charged: _sql_of(query, charged))


def open_engine(ledger: "Ledger") -> DuckDB:
    return DuckDB(ledger)
