"""The door to everything stored: opened read-only, cheap, safe beside a writer."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

import duckdb
import polars

from finops_core.errors import NothingLoaded, StoreDamaged, UsageError
from finops_core.model.engines import DEFAULT, open_engine
from finops_core.model.periods import add_months, month_start
from finops_core.model.query import Query
from finops_core.store import warehouse
from finops_core.store.batches import Batch, in_force
from finops_core.store.cubes import CUBES, DAY
from finops_core.store.home import Home, default_home

_DAMAGE = (duckdb.IOException, duckdb.InternalException, duckdb.FatalException, duckdb.SerializationException)
"""What DuckDB raises for a file that is not what it was; not what a wrong statement raises."""


def _damaged(home: Home, error: duckdb.Error) -> StoreDamaged:
    words = next(iter(str(error).splitlines()), "")[:200]
    return StoreDamaged(f"{home.link} is damaged: `farthing rebuild` makes it anew from the lake ({words})")


@dataclass(frozen=True)
class Charged:
    """The first and the last day with charges of a version of the store; None where there are none."""

    first: date | None
    last: date | None

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection) -> "Charged":
        try:
            rows = connection.execute(f"SELECT min({DAY}), max({DAY}) FROM {CUBES[0].name}").fetchall()
        except duckdb.Error:
            return cls(None, None)  # a damaged version: the question itself will say so
        return cls(*rows[0])

    def widened(self, query: Query) -> Query:
        """The query with a bound that leaves no charge out at the edge of its month: periods end where the charges do, amid a
        month, and months answer a question to that month's end."""
        if self.first is not None and query.start is not None and query.start <= self.first:
            query = query.but(start=month_start(query.start))
        if self.last is not None and query.end is not None and query.end > self.last and query.end.day > 1:
            query = query.but(end=add_months(month_start(query.end), 1))
        return query


class Ledger:
    """All charges of a home. Every answer comes from one consistent version; a newer one is picked up between answers."""

    def __init__(self, home: Home, engine: str = DEFAULT) -> None:
        self.home = home
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._charged = Charged(None, None)
        self.engine = open_engine(engine, self)

    @classmethod
    def open(cls, path: str | Path | None = None, engine: str = DEFAULT) -> "Ledger":
        """Opens a home, by default FARTHING_HOME or data/, its Queries answered by an engine of `model.engines`.

        Nothing is read yet by the engine that is the default.
        """
        return cls(Home(Path(path) if path is not None else default_home()), engine)

    @property
    def version(self) -> str:
        """Changes whenever the answers may change: half of a cache key, the Query being the other. '' before any load."""
        try:
            return self.home.current().stem
        except NothingLoaded:
            return ""

    def is_empty(self) -> bool:
        """Whether nothing has been loaded."""
        return not self.version or not self.batches()

    def query(self, query: Query) -> polars.DataFrame:
        """The answer: ChargePeriod (with a grain), BillingCurrency, the dimensions, the metrics; money as Decimal."""
        return self.engine.answer(query)

    def charges(self, query: Query, limit: int = 1000) -> polars.DataFrame:
        """The charges behind a query's answer, largest first; see `finops_core.model.charged`."""
        from finops_core.model import charged

        return self.frame(charged.sql(query, limit))

    def sql(self, statement: str) -> polars.DataFrame:
        """Any SELECT over the store, read-only and without access to files."""
        try:
            return self.frame(statement)
        except duckdb.Error as error:
            raise UsageError(str(error).strip()) from error

    def answer(self, statement: Callable[[Charged], str]) -> polars.DataFrame:
        """The answer of a SELECT that depends on the days with charges; both are of one version."""
        cursor, charged = self._opened()
        return self._answer(cursor, statement(charged))

    def frame(self, statement: str, parameters: list[Any] | dict[str, Any] | None = None) -> polars.DataFrame:
        """The answer of a SELECT over the tables of `finops_core.store.warehouse`, as polars."""
        return self._answer(self._opened()[0], statement, parameters)

    @contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own to one version of the store, for work that needs temporary tables; read-only."""
        cursor, _ = self._opened()
        try:
            yield cursor
        except _DAMAGE as error:
            raise _damaged(self.home, error) from error
        finally:
            cursor.close()

    def _answer(
        self,
        cursor: duckdb.DuckDBPyConnection,
        statement: str,
        parameters: list[Any] | dict[str, Any] | None = None,
    ) -> polars.DataFrame:
        try:
            relation = cursor.sql(statement, params=parameters)
            if relation is None:
                raise UsageError("only a SELECT has an answer: the store is read-only")
            return cast(polars.DataFrame, polars.from_arrow(relation.to_arrow_table()))
        except _DAMAGE as error:
            raise _damaged(self.home, error) from error
        finally:
            cursor.close()

    def batches(self) -> list[Batch]:
        """Every batch ever loaded, oldest first."""
        import json

        frame = self.frame("SELECT record FROM batches")
        found = [Batch.from_record(json.loads(record)) for record in frame["record"]]
        return sorted(found, key=lambda b: (b.lake_version, b.source, b.billing_period))

    def current_batches(self) -> list[Batch]:
        """The batch in force of each source and billing period."""
        current = in_force(self.batches())
        return [current[key] for key in sorted(current)]

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection, self._path = None, None

    def _opened(self) -> tuple[duckdb.DuckDBPyConnection, Charged]:
        """A cursor on the current version, and the days of that same version."""
        with self._lock:
            for _ in range(20):
                path = self.home.current()
                if self._connection is not None and path == self._path:
                    return self._connection.cursor(), self._charged
                try:
                    opened = warehouse.connect(path, read_only=True)
                except duckdb.Error as error:
                    if path == self.home.current() and path.exists():
                        raise _damaged(self.home, error) from error
                    continue  # a writer swapped the link between our look and our opening
                warehouse.refuse_other_tables(opened)
                opened.execute("SET enable_external_access=false")
                # The old connection stays open for the cursors that still read it; it goes when they do.
                self._connection, self._path, self._charged = opened, path, Charged.of(opened)
            raise StoreDamaged(
                f"{self.home.link} leads nowhere: `farthing rebuild` makes it anew from the lake"
            )
