"""finops.duckdb: derived from the lake, and what every question is asked of.

Tables: `charges` (the lake's rows and their owners), the cubes of `finops_core.store.cubes`, `allocated` and `pool_shares`
(shared cost, see `finops_core.store.sharing`), `batches` (what each load said), `meta`. A writer prepares the next version beside the current one and
swaps the link; readers never wait and never see half a load.
"""

import json
import os
import shutil
import uuid
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb

from finops_core.allocation.owners import owners
from finops_core.allocation.splits import SHARE_COLUMNS
from finops_core.errors import UsageError
from finops_core.focus.charges import ALLOCATED_COLUMNS
from finops_core.formats.expressions import quoted
from finops_core.ingest.sql import scalar
from finops_core.store import sharing
from finops_core.store.batches import Batch
from finops_core.store.cubes import CUBES, MONTH, Cube
from finops_core.store.home import Home, make_directory, sync
from finops_core.store.lake import Lake, Partition, lake_columns, lake_relation
from finops_core.store.ownership import Ownership, in_force

MEMORY_LIMIT = "1500MB"
READER_LIMIT = "800MB"
"""What all readers of a process share: an app that ten people use stays small. Beyond it DuckDB spills beside the file."""
CHARGES_AT_ONCE = 3_000_000
"""How many charges the cubes add up at once: within the memory limit without spilling to disk, even where hardly two of
them agree in all dimensions."""


_OWNED_CUBES = [cube for cube in CUBES if set(cube.dimensions) & set(ALLOCATED_COLUMNS)]
"""The cubes in which owners are told apart."""


@dataclass(frozen=True)
class Built:
    """A version of the warehouse that is complete on disk, but not yet the current one."""

    path: Path
    link: Path
    """A link to it, which becomes the home's own."""


def charge_table_columns() -> dict[str, str]:
    """Column → DuckDB type of the table `charges`."""
    return {**lake_columns(), **dict.fromkeys(ALLOCATED_COLUMNS, "VARCHAR")}


def _schema_version() -> str:
    cubes = [list(cube.columns) for cube in CUBES]
    return json.dumps([list(charge_table_columns().items()), cubes, sharing.DIMENSIONS, list(SHARE_COLUMNS)])


def connect(path: Path, read_only: bool = False, spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path), read_only=read_only)
    connection.execute("SET TimeZone='UTC'")
    connection.execute(f"SET memory_limit='{READER_LIMIT if read_only else MEMORY_LIMIT}'")
    if not read_only:
        connection.execute("SET preserve_insertion_order=false")
    if spill is not None:
        connection.execute(f"SET temp_directory={quoted(str(spill))}")
    return connection


def build(
    home: Home,
    changed: dict[Partition, list[str]],
    batches: list[Batch],
    lake_version: int,
    spill: Path,
    anew: bool = False,
    ownership: Ownership | None = None,
) -> Built:
    """Builds the next version: the current one with the months of `changed` replaced by the rows of their files.

    Other months are touched only where the rules (those in force, or `ownership`) give a charge of theirs another owner.
    Builds everything from the lake where that is asked for (`anew`), and where the current version is missing, damaged
    or was made by another version of the product. Raises InputRefused for rules that cannot be applied.
    """
    ownership = ownership or in_force(home)
    current = home.current() if home.link.is_symlink() else None
    target = home.warehouse / _next_name(home)
    make_directory(home.warehouse)
    meta = _meta(current) if not anew and current is not None and current.exists() else {}
    usable = meta.get("schema") == _schema_version()
    if usable and current is not None:
        shutil.copyfile(current, target)
    else:
        changed = {**_all_months(Lake(home.lake), without=changed), **changed}
        meta = {}
    try:
        connection = connect(target, spill=spill)
        try:
            connection.execute("BEGIN")
            if not meta:
                _create(connection)
            touched = _replace(connection, changed, ownership)
            if meta and meta.get("owners") != ownership.owners:
                touched |= _reown(connection, ownership)
            sharing.split(connection, ownership, touched if meta.get("splits") == ownership.splits else None)
            _write_batches(connection, batches)
            _write_meta(connection, lake_version, batches, ownership)
            connection.execute("COMMIT")
            connection.execute("CHECKPOINT")
        finally:
            connection.close()
        sync(target)
        return prepared(home, target)
    except BaseException:
        target.unlink(missing_ok=True)
        Path(f"{target}.wal").unlink(missing_ok=True)
        raise


def _all_months(lake: Lake, without: Iterable[Partition]) -> dict[Partition, list[str]]:
    """The files of every month of the lake but some."""
    if lake.version() is None:
        return {}
    return {p: lake.files(partitions={p}) for p in set(lake.partitions()) - set(without)}


def _reown(connection: duckdb.DuckDBPyConnection, ownership: Ownership) -> set[date]:
    """Gives charges the owners, rules and kinds that these rules find, where they are others than before, and refills the cubes
    of their months. Returns the first days of the calendar months that change."""
    columns = [name for name in charge_table_columns() if name not in ALLOCATED_COLUMNS]
    had = {name: f"had_{name}" for name in ALLOCATED_COLUMNS}
    relation = f"(SELECT rowid AS row_id, {', '.join(columns)}, {', '.join(f'{n} AS {h}' for n, h in had.items())} FROM charges)"
    found = owners(ownership.rules, relation, ("row_id", *columns, *had.values()))
    found.prepare(connection)
    other = " OR ".join(f"{name} IS DISTINCT FROM {old}" for name, old in had.items())
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE reowned AS SELECT row_id, {', '.join(ALLOCATED_COLUMNS)} FROM ({found.relation}) WHERE {other}"
    )
    named = ", ".join(f"{name} = r.{name}" for name in ALLOCATED_COLUMNS)
    connection.execute(f"UPDATE charges SET {named} FROM reowned r WHERE charges.rowid = r.row_id")
    months = connection.execute(
        "SELECT DISTINCT x_Source, BillingPeriod, CAST(date_trunc('month', ChargePeriodStart) AS DATE) FROM charges"
        " WHERE rowid IN (SELECT row_id FROM reowned)"
    ).fetchall()
    connection.execute("DROP TABLE reowned")
    _refill(connection, {(source, period) for source, period, _ in months}, _OWNED_CUBES)
    return {month for *_, month in months}


def prepared(home: Home, path: Path) -> Built:
    """A complete version and its link, made beforehand: what is left for the swap needs no room on the disk."""
    link = home.path / f".{path.stem}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("warehouse") / path.name)
    return Built(path, link)


def swap(home: Home, built: Built) -> None:
    """Makes a version the current one, and removes the others. Atomic: a reader finds the old one or the new one."""
    os.replace(built.link, home.link)
    sync(home.path)
    sweep(home, built.path)


def sweep(home: Home, current: Path) -> None:
    """Removes every version but the current one, and what killed loads left beside it. Only under the lock."""
    leftovers = [p for p in home.warehouse.glob("*") if p.name.split(".")[0] != current.stem]
    for leftover in (*leftovers, *home.path.glob(".finops-*")):
        with suppress(OSError):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()


def is_built_from(path: Path, lake_version: int, newest_batch: str | None, ownership: Ownership) -> bool:
    """Whether a warehouse is complete, of this version of the lake and these rules, with the tables that this product reads."""
    meta = _meta(path)
    made_by = (meta.get("owners"), meta.get("splits"))
    return _is_of(meta, lake_version, newest_batch) and made_by == (ownership.owners, ownership.splits)


def is_of_lake(path: Path, lake_version: int, newest_batch: str | None) -> bool:
    """Whether a warehouse is complete, of this version of the lake, and has the tables that this product reads."""
    return _is_of(_meta(path), lake_version, newest_batch)


def _is_of(meta: dict[str, str], lake_version: int, newest_batch: str | None) -> bool:
    found = (meta.get("lake_version"), meta.get("newest_batch"), meta.get("schema"))
    return found == (str(lake_version), newest_batch or "", _schema_version())


def refuse_other_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Raises UsageError for a warehouse that another version of the product made: its tables are not those of this one."""
    try:
        schema = scalar(connection, "SELECT value FROM meta WHERE key = 'schema'")
    except duckdb.Error:
        return  # no warehouse at all, or a damaged one: whoever reads it will say so
    if schema != _schema_version():
        raise UsageError(
            "finops.duckdb was made by another version of Farthing: `farthing rebuild` makes it anew from the lake"
        )


def _next_name(home: Home) -> str:
    """Of several versions, the name that sorts last is the newest. No name is ever used twice: a process that has a file
    open would go on reading the old one by that name."""
    numbers = [int(p.stem.split("-")[1]) for p in home.warehouse.glob("finops-*.duckdb")]
    return f"finops-{max(numbers, default=0) + 1:06d}-{uuid.uuid4().hex[:6]}.duckdb"


def _meta(path: Path) -> dict[str, str]:
    """What a warehouse says of itself; nothing where it cannot be read."""
    try:
        connection = connect(path, read_only=True)
    except duckdb.Error:
        return {}
    try:
        return dict(connection.execute("SELECT key, value FROM meta").fetchall())
    except duckdb.Error:
        return {}
    finally:
        connection.close()


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in charge_table_columns().items())
    connection.execute(f"CREATE TABLE charges ({columns})")
    types = charge_table_columns()
    for cube in CUBES:
        columns = ", ".join(f"{name} {kind or types[name]}" for name, kind in cube.columns.items())
        connection.execute(f"CREATE TABLE {cube.name} ({columns})")
    connection.execute(
        "CREATE TABLE batches (source VARCHAR, billing_period VARCHAR, batch_id VARCHAR, record VARCHAR)"
    )
    connection.execute("CREATE TABLE meta (key VARCHAR, value VARCHAR)")
    sharing.create(connection, types)


def _replace(
    connection: duckdb.DuckDBPyConnection, changed: dict[Partition, list[str]], ownership: Ownership
) -> set[date]:
    """Replaces months by the rows of their files. Returns the first days of the calendar months that had or have charges."""
    if not changed:
        return set()
    replaced = _in_months(changed)
    touched = _calendar_months(connection, replaced)
    connection.execute(f"DELETE FROM charges WHERE {replaced}")
    rows = lake_relation([file for files in changed.values() for file in files])
    found = owners(ownership.rules, rows, tuple(lake_columns()))
    found.prepare(connection)
    connection.execute(f"INSERT INTO charges BY NAME {found.relation}")
    _refill(connection, changed, CUBES)
    return touched | _calendar_months(connection, replaced)


def _calendar_months(connection: duckdb.DuckDBPyConnection, replaced: str) -> set[date]:
    found = connection.execute(f"SELECT DISTINCT {MONTH} FROM monthly WHERE {replaced}").fetchall()
    return {month for (month,) in found}


def _in_months(months: Iterable[Partition]) -> str:
    """SQL: whether a row is of one of the months."""
    return f"(x_Source, BillingPeriod) IN ({', '.join(f'({quoted(s)}, {quoted(p)})' for s, p in months)})"


def _portions(connection: duckdb.DuckDBPyConnection, replaced: str) -> list[list[Partition]]:
    """The replaced months in portions of at most so many charges as can be grouped in memory; one month at least."""
    counted = connection.execute(
        f"SELECT x_Source, BillingPeriod, count(*) FROM charges WHERE {replaced} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    portions: list[list[Partition]] = []
    room = 0
    for source, period, rows in counted:
        if rows > room:
            portions.append([])
            room = CHARGES_AT_ONCE
        portions[-1].append((source, period))
        room -= rows
    return portions


def _refill(
    connection: duckdb.DuckDBPyConnection, months: Collection[Partition], cubes: Sequence[Cube]
) -> None:
    """Adds months to cubes anew, the widest first: each from the shortest one of them that has its columns."""
    if not months:
        return
    for cube in cubes:
        connection.execute(f"DELETE FROM {cube.name} WHERE {_in_months(months)}")
    for portion in _portions(connection, _in_months(months)):
        made: dict[Cube, int] = {}
        for cube in reversed(cubes):
            wider = [other for other in made if other.holds(cube.columns)]
            source = min(wider, key=lambda other: made[other], default=None)
            made[cube] = scalar(
                connection, f"INSERT INTO {cube.name} {cube.rows(source, _in_months(portion))}"
            )


def _write_batches(connection: duckdb.DuckDBPyConnection, batches: list[Batch]) -> None:
    connection.execute("DELETE FROM batches")
    rows = [(b.source, b.billing_period, b.batch_id, json.dumps(asdict(b))) for b in batches]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    connection.execute("INSERT INTO batches SELECT unnest(?), unnest(?), unnest(?), unnest(?)", columns)


def _write_meta(
    connection: duckdb.DuckDBPyConnection,
    lake_version: int,
    batches: list[Batch],
    ownership: Ownership,
) -> None:
    connection.execute("DELETE FROM meta")
    meta = {
        "lake_version": str(lake_version),
        "newest_batch": batches[-1].batch_id if batches else "",
        "schema": _schema_version(),
        "owners": ownership.owners,
        "splits": ownership.splits,
        "rules": str(ownership.number),
    }
    connection.execute("INSERT INTO meta SELECT unnest(?), unnest(?)", [list(meta), list(meta.values())])
