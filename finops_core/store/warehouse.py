"""finops.duckdb: derived from the lake, and what every question is asked of.

Tables: `charges` (the lake's rows and their owners), the cubes of `finops_core.store.cubes`, `batches` (what each load
said), `meta`. A writer prepares the next version beside the current one and
swaps the link; readers never wait and never see half a load.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from finops_core.errors import UsageError
from finops_core.focus.charges import ALLOCATED_COLUMNS, OWNER_COLUMNS
from finops_core.formats.expressions import quoted
from finops_core.ingest.sql import scalar
from finops_core.store.batches import Batch
from finops_core.store.cubes import CUBES, Cube
from finops_core.store.home import Home, make_directory, sync
from finops_core.store.lake import Lake, Partition, lake_columns, lake_relation
from finops_core.store.owners import OwnerRule, owner_rules, owners_sql

MEMORY_LIMIT = "1500MB"
READER_LIMIT = "600MB"
"""What all readers of a process share: an app that ten people use stays small. Beyond it DuckDB spills beside the file."""
CHARGES_AT_ONCE = 3_000_000
"""How many charges the cubes add up at once: within the memory limit without spilling to disk, even where hardly two of
them agree in all dimensions."""


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
    return json.dumps([list(charge_table_columns().items()), [list(cube.columns) for cube in CUBES]])


def _owners_version(rules: dict[str, OwnerRule]) -> str:
    return json.dumps({column: rule.model_dump() for column, rule in sorted(rules.items())}, sort_keys=True)


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
) -> Built:
    """Builds the next version: the current one with the months of `changed` replaced by the rows of their files.

    Builds everything from the lake where that is asked for (`anew`), and where the current version is missing, damaged
    or was made by other rules.
    """
    rules = owner_rules(home.rules)
    current = home.current() if home.link.is_symlink() else None
    target = home.warehouse / _next_name(home)
    make_directory(home.warehouse)
    usable = not anew and current is not None and current.exists() and _is_usable(current, rules)
    if usable and current is not None:
        shutil.copyfile(current, target)
    else:
        lake = Lake(home.lake)
        replaced = set(changed)
        version = lake.version()
        if version is not None:
            kept = {p for p in lake.partitions() if p not in replaced}
            for partition in kept:
                changed = {**changed, partition: lake.files(partitions={partition})}
    try:
        connection = connect(target, spill=spill)
        try:
            connection.execute("BEGIN")
            if not usable:
                _create(connection)
            _replace(connection, changed, rules)
            _write_batches(connection, batches)
            _write_meta(connection, lake_version, batches, rules)
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


def is_built_from(path: Path, lake_version: int, newest_batch: str | None) -> bool:
    """Whether a warehouse is complete, of this version of the lake, and has the tables that this product reads."""
    meta = _meta(path)
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


def _is_usable(path: Path, rules: dict[str, OwnerRule]) -> bool:
    meta = _meta(path)
    return meta.get("schema") == _schema_version() and meta.get("owners") == _owners_version(rules)


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


def _replace(
    connection: duckdb.DuckDBPyConnection, changed: dict[Partition, list[str]], rules: dict[str, OwnerRule]
) -> None:
    if not changed:
        return
    replaced = _in_months(changed)
    rows = lake_relation([file for files in changed.values() for file in files])
    lake = ", ".join(f"r.{name}" for name in lake_columns())
    owners = ", ".join(f"o.{name}" for name in OWNER_COLUMNS)
    for table in ("charges", *(cube.name for cube in CUBES)):
        connection.execute(f"DELETE FROM {table} WHERE {replaced}")
    tags = f"(SELECT DISTINCT Tags FROM {rows} WHERE Tags IS NOT NULL)"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE tag_owners AS {owners_sql(rules, tags)}")
    connection.execute(
        f"INSERT INTO charges SELECT {lake}, {owners}, NULL, CASE WHEN o.x_Team IS NULL THEN 'unallocated' ELSE 'direct' END FROM {rows} r LEFT JOIN tag_owners o ON r.Tags = o.Tags"
    )
    for months in _portions(connection, replaced):
        _fill_cubes(connection, _in_months(months))


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


def _fill_cubes(connection: duckdb.DuckDBPyConnection, replaced: str) -> None:
    """Adds months to every cube, the widest first: each from the shortest one that has its columns."""
    made: dict[Cube, int] = {}
    for cube in reversed(CUBES):
        wider = [other for other in made if other.holds(cube.columns)]
        source = min(wider, key=lambda other: made[other], default=None)
        made[cube] = scalar(connection, f"INSERT INTO {cube.name} {cube.rows(source, replaced)}")


def _write_batches(connection: duckdb.DuckDBPyConnection, batches: list[Batch]) -> None:
    connection.execute("DELETE FROM batches")
    rows = [(b.source, b.billing_period, b.batch_id, json.dumps(asdict(b))) for b in batches]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    connection.execute("INSERT INTO batches SELECT unnest(?), unnest(?), unnest(?), unnest(?)", columns)


def _write_meta(
    connection: duckdb.DuckDBPyConnection,
    lake_version: int,
    batches: list[Batch],
    rules: dict[str, OwnerRule],
) -> None:
    connection.execute("DELETE FROM meta")
    meta = {
        "lake_version": str(lake_version),
        "newest_batch": batches[-1].batch_id if batches else "",
        "schema": _schema_version(),
        "owners": _owners_version(rules),
    }
    connection.execute("INSERT INTO meta SELECT unnest(?), unnest(?)", [list(meta), list(meta.values())])
