"""What people typed: small, precious, kept apart from everything that can be built anew.

state.sqlite in the home, or any database that SQLAlchemy reaches by the URL in FARTHING_STATE (PostgreSQL for a team).
Rows are only ever added: a correction is a newer row, so who said what, and when, stays.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from finops_core.errors import FarthingError, UsageError
from finops_core.store.home import Home
from finops_core.store.tables import INVOICES, RECORDS, TABLES

_PATIENCE = 60
"""Seconds for which a writer waits for another."""
_LOCK = 0x6661727468696E67
"""The key of the advisory lock that writers of a PostgreSQL state hold."""


@dataclass(frozen=True)
class Kept:
    """A record in force, and who entered it when (UTC, ISO 8601)."""

    record: dict[str, Any]
    entered_by: str
    entered_at: str


@dataclass(frozen=True)
class Invoice:
    """The total that an invoice states for a source, billing period and currency; None takes an earlier one back."""

    source: str
    billing_period: str
    currency: str
    total: Decimal | None
    note: str = ""
    entered_by: str = ""
    entered_at: str = ""


class State:
    """The state of a home. Opening it creates its tables where they are missing."""

    def __init__(self, home: Home) -> None:
        url = os.environ.get("FARTHING_STATE") or f"sqlite:///{home.state}"
        try:
            if url.startswith("sqlite"):
                home.path.mkdir(parents=True, exist_ok=True)
                self._engine: Engine = create_engine(url, connect_args={"timeout": _PATIENCE})
            else:
                self._engine = create_engine(url)
            TABLES.create_all(self._engine)
        except (SQLAlchemyError, OSError) as error:
            raise FarthingError(f"what was typed cannot be read from {home.state}: {error}") from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for questions, over the tables of `finops_core.store.tables`."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, all or nothing, beside which no other one of this kind runs: not in this process, not in another.

        What is read in it stays true until it ends; so it is the way to write what depends on what is there. Raises
        FarthingError where the database refuses.
        """
        try:
            with self._engine.begin() as connection:
                if connection.dialect.name == "sqlite":
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                elif connection.dialect.name == "postgresql":
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
                yield connection
        except SQLAlchemyError as error:
            words = next(iter(str(error).splitlines()), "")[:200]
            raise FarthingError(f"nothing was changed, the state cannot be written: {words}") from error

    def invoices(self) -> list[Invoice]:
        """The invoice totals in force, by source, period and currency."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(INVOICES).order_by(INVOICES.c.id)).mappings().all()
        newest = {(r["source"], r["billing_period"], r["currency"]): r for r in rows}
        found: Iterable[Invoice] = (
            Invoice(
                r["source"],
                r["billing_period"],
                r["currency"],
                Decimal(r["total"]) if r["total"] is not None else None,
                r["note"],
                r["entered_by"],
                r["entered_at"],
            )
            for _, r in sorted(newest.items())
        )
        return [invoice for invoice in found if invoice.total is not None]

    def enter_invoice(self, invoice: Invoice) -> None:
        """Adds an invoice total; it replaces an earlier one of the same source, period and currency."""
        with self._engine.begin() as connection:
            connection.execute(
                insert(INVOICES).values(
                    source=invoice.source,
                    billing_period=invoice.billing_period,
                    currency=invoice.currency,
                    total=format(invoice.total, "f") if invoice.total is not None else None,
                    note=invoice.note,
                    entered_by=invoice.entered_by,
                    entered_at=now(),
                )
            )

    def kept(self, kind: str, connection: Connection | None = None) -> dict[str, Kept]:
        """The records of a kind that are in force, by key, in the order of their keys; as a connection sees them."""
        statement = select(RECORDS).where(RECORDS.c.kind == kind).order_by(RECORDS.c.id)
        with nullcontext(connection) if connection is not None else self.reading() as asked:
            rows = asked.execute(statement).mappings().all()
        newest = {r["key"]: r for r in rows}
        return {
            key: Kept(json.loads(r["record"]), r["entered_by"], r["entered_at"])
            for key, r in sorted(newest.items())
            if r["record"] is not None
        }

    def version(self, kind: str) -> int:
        """Changes whenever the records of a kind may have changed: half of a cache key. 0 before the first."""
        statement = select(func.max(RECORDS.c.id)).where(RECORDS.c.kind == kind)
        with self._engine.connect() as connection:
            return int(connection.execute(statement).scalar() or 0)

    def keep(
        self,
        kind: str,
        records: Mapping[str, Mapping[str, Any] | None],
        entered_by: str,
        connection: Connection | None = None,
    ) -> None:
        """Adds records by key, all or none; each replaces an earlier one of its kind and key, and None takes it back.

        With the connection of a transaction (`writing`) they are part of it.
        """
        rows = [
            {
                "kind": kind,
                "key": key,
                "record": None if record is None else json.dumps(record, ensure_ascii=False),
                "entered_by": entered_by,
                "entered_at": now(),
            }
            for key, record in records.items()
        ]
        if rows:
            with nullcontext(connection) if connection is not None else self._engine.begin() as asked:
                asked.execute(insert(RECORDS), rows)


def now() -> str:
    """The moment, UTC, ISO 8601 to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def typed_amount(text: str) -> Decimal:
    """The amount that a person typed, exactly. Raises UsageError for anything that could be read in two ways."""
    try:
        value = Decimal(text.strip().replace(" ", ""))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise UsageError(
            f"{text!r} is no amount: write it with a decimal point and no thousands mark, such as 41280.55"
        )
    return value
