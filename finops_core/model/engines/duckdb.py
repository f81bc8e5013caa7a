"""DuckDB over finops.duckdb: the cube where that is exact, else the charges."""

from functools import lru_cache
from typing import TYPE_CHECKING

import polars

from finops_core.model.query import Query

if TYPE_CHECKING:
    from finops_core.model.ledger import Ledger


@lru_cache(maxsize=512)
def _sql_of(query: Query) -> str:
    from finops_core.model import engine  # Ibis takes longer to import than most commands take

    return engine.sql(query)


class DuckDB:
    """The ledger's own connection."""

    def __init__(self, ledger: "Ledger") -> None:
        self._ledger = ledger

    def answer(self, query: Query) -> polars.DataFrame:
        return self._ledger.frame(_sql_of(query))


def open_engine(ledger: "Ledger") -> DuckDB:
    return DuckDB(ledger)
