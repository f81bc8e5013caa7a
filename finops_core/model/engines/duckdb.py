"""DuckDB over finops.duckdb: a cube where that is exact, else the charges."""

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import polars

from finops_core.model.query import Query, conditions

if TYPE_CHECKING:
    from finops_core.model.ledger import Charged, Ledger


_YEARS = (9871, 9872)
"""Stand for the first day and the end of a query while its SQL is compiled: no charge is of these years."""


@lru_cache(maxsize=2048)
def sql_of(query: Query, charged: "Charged") -> str:
    """DuckDB's SQL of a query. Compiling takes longer than most answers, so it is done once for all ranges of days: a
    question about this month and the one about the month before differ in two dates."""
    from finops_core.model import engine  # Ibis takes longer to import than most commands take

    if engine.compares(query):
        return engine.sql(query)
    asked = charged.widened(query)
    if any(str(year) in str(part) for year in _YEARS for part in (*conditions(asked.where), *asked.by)):
        return engine.sql(asked)
    bounds = (asked.start, asked.end)
    # Whether all bounds are the first of a month decides which cubes can answer, and of days it does not.
    by_month = asked.grain not in ("day", "week") and all(day is None or day.day == 1 for day in bounds)
    stand_ins = [
        day and date(year, 1, 1 if by_month else 2) for day, year in zip(bounds, _YEARS, strict=True)
    ]
    text = _undated(asked.but(start=stand_ins[0], end=stand_ins[1]))
    for stand_in, day in zip(stand_ins, bounds, strict=True):
        if stand_in is not None and day is not None:
            text = text.replace(_written(stand_in), _written(day))
    return text


def _written(day: date) -> str:
    """The beginning of a date's or timestamp's parts, as Ibis writes them."""
    return f"({day.year}, {day.month}, {day.day}"


@lru_cache(maxsize=512)
def _undated(query: Query) -> str:
    from finops_core.model import engine

    return engine.sql(query)


class DuckDB:
    """The ledger's own connection."""

    def __init__(self, ledger: "Ledger") -> None:
        self._ledger = ledger

    def answer(self, query: Query) -> polars.DataFrame:
        return self._ledger.answer(lambda charged: sql_of(query, charged))


def open_engine(ledger: "Ledger") -> DuckDB:
    return DuckDB(ledger)
