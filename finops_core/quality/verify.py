"""Reads the lake, finops.duckdb and its cubes again, and holds them against what was recorded at load."""

import os
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb

from finops_core.errors import StoreDamaged
from finops_core.focus.charges import COSTS
from finops_core.ingest.sql import scalar
from finops_core.store import warehouse
from finops_core.store.batches import Batch, in_force, plain
from finops_core.store.cubes import CUBES, ROWS
from finops_core.store.home import Home
from finops_core.store.lake import Lake, lake_relation

_PLACES = ("lake", "charges", *(cube.name for cube in CUBES), "recorded")


@dataclass(frozen=True)
class Check:
    """One source, period and currency: rows and the four costs in every place, and whether they agree."""

    source: str
    billing_period: str
    currency: str
    figures: dict[str, dict[str, str]]
    """Place → name → plain decimal."""
    agrees: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "billing_period": self.billing_period,
            "currency": self.currency,
            **self.figures,
            "agrees": self.agrees,
        }


Figures = dict[tuple[str, str, str], dict[str, str]]


def verify(home: Home) -> list[Check]:
    """Every source, period and currency of the current warehouse; nothing where nothing has been loaded yet.

    The lake is read at the version that the warehouse was built from: a load killed between the two leaves the old
    figures in force, and they must agree too. Raises StoreDamaged where a part of the store cannot be read at all, and
    NothingLoaded where there is no home, and UsageError where another version of the product built the warehouse.
    """
    lake = Lake(home.lake)
    if not os.path.lexists(home.link) and home.path.is_dir():
        if lake.batches():
            raise StoreDamaged(f"{home.link} is not there: `farthing rebuild` makes it anew from the lake")
        return []
    connection = _open(home)
    try:
        warehouse.refuse_other_tables(connection)
        built_from = int(scalar(connection, "SELECT value FROM meta WHERE key = 'lake_version'"))
        found: dict[str, Figures] = {
            "charges": _sums(connection, "charges", "count(*)"),
            **{cube.name: _sums(connection, cube.name, f"sum({ROWS})") for cube in CUBES},
            "recorded": _recorded([b for b in lake.batches() if b.lake_version <= built_from]),
        }
        known = {key for figures in found.values() for key in figures}
        # A database of its own: the Ledger of this process forbids the warehouse's to read files.
        with duckdb.connect() as files:
            files.execute("SET TimeZone='UTC'")
            found["lake"] = _lake_sums(files, lake, built_from, known)
    except (duckdb.Error, TypeError) as error:
        words = next(iter(str(error).splitlines()), "")[:200]
        raise StoreDamaged(
            f"{home.link} is damaged: `farthing rebuild` makes it anew from the lake ({words})"
        ) from error
    finally:
        connection.close()
    checks = []
    for key in sorted({key for figures in found.values() for key in figures}):
        figures = {place: found[place].get(key, {}) for place in _PLACES}
        agrees = all(figures[place] == figures["lake"] for place in _PLACES)
        checks.append(Check(*key, figures, agrees))
    return checks


def _open(home: Home) -> duckdb.DuckDBPyConnection:
    """The current warehouse; a writer may swap it between the look at the link and the opening."""
    for _ in range(20):
        path = home.current()
        try:
            return warehouse.connect(path, read_only=True)
        except duckdb.Error as error:
            if path == home.current():
                words = next(iter(str(error).splitlines()), "")[:200]
                raise StoreDamaged(
                    f"{home.link} cannot be read: `farthing rebuild` makes it anew from the lake ({words})"
                ) from error
    raise StoreDamaged(f"{home.link} changes faster than it can be read")


def _lake_sums(
    connection: duckdb.DuckDBPyConnection, lake: Lake, version: int, known: set[tuple[str, str, str]]
) -> Figures:
    """The sums of the lake, month by month where a file of it is missing, cut off or damaged: that month says so."""
    sizes = lake.sizes(version)
    damage = {month: words for month, files in sizes.items() if (words := _damage_of(files))}
    sound = {month: list(files) for month, files in sizes.items() if month not in damage}
    try:
        sums = _sums(connection, lake_relation([f for files in sound.values() for f in files]), "count(*)")
    except duckdb.Error:
        sums = {}
        for month, files in sound.items():
            try:
                sums |= _sums(connection, lake_relation(files), "count(*)")
            except duckdb.Error as error:
                damage[month] = next(iter(str(error).splitlines()), "")[:200]
    for (source, period), words in damage.items():
        currencies = [c for s, p, c in known if (s, p) == (source, period)] or [""]
        sums |= {(source, period, currency): {"damage": words} for currency in currencies}
    return sums


def _damage_of(files: dict[str, int]) -> str:
    for path, size in files.items():
        try:
            actual = os.stat(path).st_size
        except OSError as error:
            return f"{path}: {error.strerror}"
        if actual != size:
            return f"{path}: {actual:,} bytes where {size:,} were written"
    return ""


def _sums(connection: duckdb.DuckDBPyConnection, relation: str, rows: str) -> Figures:
    costs = ", ".join(f"sum({c})" for c in COSTS)
    answer = connection.execute(
        f"SELECT x_Source, BillingPeriod, BillingCurrency, {rows}, {costs} FROM {relation} GROUP BY ALL"
    ).fetchall()
    return {
        (source, period, currency): _figures(count, *amounts)
        for source, period, currency, count, *amounts in answer
    }


def _figures(rows: int, *costs: Decimal | None) -> dict[str, str]:
    return {"rows": str(int(rows)), **{name: plain(c or 0) for name, c in zip(COSTS, costs, strict=True)}}


def _recorded(batches: list[Batch]) -> Figures:
    current = in_force(batches)
    return {
        (source, period, currency): {"rows": totals["rows"], **{c: totals[c] for c in COSTS}}
        for (source, period), batch in current.items()
        for currency, totals in batch.totals.items()
        if totals["rows"] != "0"
    }
