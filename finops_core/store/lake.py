"""The lake: one Delta table of charges, partitioned by x_Source and BillingPeriod. The record of everything loaded.

DuckDB writes the parquet files; delta-rs commits them. Replacing months is one commit that adds their new files and
removes their old ones, with the batches in the commit's own metadata: rows and what is said of them appear together
or not at all. Versions are kept, so that a month can be compared with what it was.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
from deltalake import DeltaTable, Field, Schema
from deltalake.exceptions import DeltaError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, CommitProperties, PostCommitHookProperties, RemoveAction

from finops_core.errors import StoreDamaged
from finops_core.focus.charges import STORE_COLUMNS, charge_columns
from finops_core.formats.expressions import quoted
from finops_core.ingest.sql import scalar
from finops_core.store.batches import Batch
from finops_core.store.home import sync

PARTITIONS = ["x_Source", "BillingPeriod"]
Partition = tuple[str, str]
"""(x_Source, BillingPeriod)"""

_FOREVER = "interval 36500 days"
_CONFIGURATION: dict[str, str | None] = {
    "delta.enableExpiredLogCleanup": "false",
    "delta.logRetentionDuration": _FOREVER,
    "delta.deletedFileRetentionDuration": _FOREVER,
}
_DELTA = {
    "VARCHAR": "string",
    "DOUBLE": "double",
    "TIMESTAMP": "timestamp",
    "BIGINT": "long",
    "DECIMAL(38,18)": "decimal(38,18)",
}


def lake_columns() -> dict[str, str]:
    """Column → DuckDB type of a row of the lake, partition columns last."""
    stored = {name: kind for name, (kind, _) in STORE_COLUMNS.items() if name not in PARTITIONS}
    return {**charge_columns(), **stored, **dict.fromkeys(PARTITIONS, "VARCHAR")}


@dataclass(frozen=True)
class LakeFile:
    """A parquet file of the lake that is written, but not committed yet."""

    path: str
    rows: int
    size: int
    partition: Partition


@dataclass(frozen=True)
class Lake:
    path: Path

    def table(self, version: int | None = None) -> DeltaTable:
        """The table at a version. Raises StoreDamaged where its log cannot be read."""
        try:
            return DeltaTable(str(self.path), version=version)
        except (DeltaError, OSError, ValueError) as error:
            words = next(iter(str(error).splitlines()), "")[:200]
            raise StoreDamaged(f"the lake {self.path} cannot be read: {words}") from error

    def version(self) -> int | None:
        """The newest version; None before the first load."""
        if not DeltaTable.is_deltatable(str(self.path)):
            return None
        return self.table().version()

    def create(self) -> None:
        """Makes the empty table, and widens it by columns that a newer product has."""
        wanted = {name: PrimitiveType(_DELTA[kind]) for name, kind in lake_columns().items()}
        if not DeltaTable.is_deltatable(str(self.path)):
            self.path.mkdir(parents=True, exist_ok=True)
            schema = Schema([Field(name, kind) for name, kind in wanted.items()])
            DeltaTable.create(
                str(self.path),
                schema=schema,
                partition_by=PARTITIONS,
                configuration=_CONFIGURATION,
                name="charges",
            )
            return
        table = self.table()
        known = {f.name for f in table.schema().fields}
        missing = [Field(name, kind) for name, kind in wanted.items() if name not in known]
        if missing:
            table.alter.add_columns(missing)

    def write(
        self, connection: duckdb.DuckDBPyConnection, select: str, partition: Partition, batch_id: str
    ) -> LakeFile:
        """Writes the rows of a SELECT (lake columns, all of one month) as a file that no version knows yet."""
        folder = "/".join(f"{name}={value}" for name, value in zip(PARTITIONS, partition, strict=True))
        path = f"{folder}/{batch_id}.parquet"
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        columns = ", ".join(
            f"{name} AT TIME ZONE 'UTC' AS {name}" if kind == "TIMESTAMP" else name
            for name, kind in lake_columns().items()
            if name not in PARTITIONS
        )
        rows = scalar(
            connection,
            f"COPY (SELECT {columns} FROM ({select})) TO {quoted(str(target))}"
            " (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)",
        )
        sync(target)
        sync(target.parent)
        return LakeFile(path, int(rows), target.stat().st_size, partition)

    def commit(self, files: list[LakeFile], replaced: set[Partition], batches: list[Batch]) -> int:
        """One atomic commit: the new files of months, the removal of their old ones, and the batches. Returns the version."""
        table = self.table()
        now = int(time.time() * 1000)
        stats = {f.path: json.dumps({"numRecords": f.rows}) for f in files}
        actions: list[AddAction | RemoveAction] = [
            AddAction(
                f.path, f.size, dict(zip(PARTITIONS, f.partition, strict=True)), now, True, stats[f.path]
            )
            for f in files
        ]
        for path, size, partition in self._live(table):
            if partition in replaced:
                actions.append(
                    RemoveAction(path, True, now, size, dict(zip(PARTITIONS, partition, strict=True)))
                )
        version = table.version() + 1
        for batch in batches:
            batch.lake_version = version
        try:
            table.create_write_transaction(
                actions,
                "append",
                table.schema(),
                partition_by=PARTITIONS,
                commit_properties=CommitProperties({"farthing": json.dumps([asdict(b) for b in batches])}),
                post_commithook_properties=PostCommitHookProperties(
                    create_checkpoint=True, cleanup_expired_logs=False
                ),
            )
        except Exception:
            # What follows a commit, such as a checkpoint on a full disk, may fail when the commit itself stands.
            if self.newest_batch() != batches[-1].batch_id:
                raise
        log = self.path / "_delta_log"
        for written in (log / f"{version:020d}.json", log):
            sync(written)
        return version

    def discard(self, batch_id: str) -> None:
        """Deletes what a load that will not be committed has written."""
        for file in self.path.rglob(f"*{batch_id}*.parquet"):
            file.unlink(missing_ok=True)

    def newest_batch(self) -> str | None:
        """The batch_id of the newest commit; None before the first load."""
        batches = self.batches()
        return batches[-1].batch_id if batches else None

    def _live(self, table: DeltaTable) -> list[tuple[str, int, Partition]]:
        actions = table.get_add_actions(flatten=True)
        names = ("path", "size_bytes", "partition.x_Source", "partition.BillingPeriod")
        rows = zip(*(actions.column(name).to_pylist() for name in names), strict=True)
        return [(path, size, (source, period)) for path, size, source, period in rows]

    def sizes(self, version: int | None = None) -> dict[Partition, dict[str, int]]:
        """Month → path of its files → their size as committed."""
        found: dict[Partition, dict[str, int]] = {}
        for path, size, partition in self._live(self.table(version)):
            found.setdefault(partition, {})[str(self.path / path)] = size
        return found

    def files(self, version: int | None = None, partitions: set[Partition] | None = None) -> list[str]:
        """Paths of the files of a version, of the given months or all."""
        table = self.table(version)
        return [
            str(self.path / path)
            for path, _, partition in self._live(table)
            if not partitions or partition in partitions
        ]

    def partitions(self, version: int | None = None) -> set[Partition]:
        return {partition for _, _, partition in self._live(self.table(version))}

    def batches(self) -> list[Batch]:
        """All batches ever committed, oldest first."""
        if not DeltaTable.is_deltatable(str(self.path)):
            return []
        found = [json.loads(c["farthing"]) for c in reversed(self.table().history()) if c.get("farthing")]
        return [Batch.from_record(record) for commit in found for record in commit]

    def sweep(self) -> list[str]:
        """Deletes parquet files that no version has ever named: what a killed load left behind. Only under the lock."""
        known: set[str] = set()
        logs = sorted((self.path / "_delta_log").glob("*.json"))
        if [log.stem for log in logs] != [f"{number:020d}" for number in range(self.table().version() + 1)]:
            return []  # somebody cleaned the log: what it no longer names may still be a version's
        for log in logs:
            for line in log.read_text("utf-8").splitlines():
                action = json.loads(line) if line.strip() else {}
                known |= {action[kind]["path"] for kind in ("add", "remove") if kind in action}
        swept = []
        for file in self.path.rglob("*.parquet"):
            relative = file.relative_to(self.path).as_posix()
            if relative not in known and "_delta_log" not in file.parts:
                file.unlink()
                swept.append(relative)
        return swept


def lake_relation(files: list[str]) -> str:
    """SQL that reads lake files as rows of the store: UTC timestamps without a zone, every column there, NULL where a
    file is older than the column."""
    types = lake_columns()
    every = ", ".join(
        f"CAST(NULL AS {'TIMESTAMPTZ' if kind == 'TIMESTAMP' else kind}) AS {name}"
        for name, kind in types.items()
    )
    rows = f"SELECT {every} WHERE FALSE"
    if files:
        listed = ", ".join(quoted(f) for f in files)
        hive = ", ".join(f"'{name}': 'VARCHAR'" for name in PARTITIONS)
        rows = (
            f"SELECT * FROM read_parquet([{listed}], hive_partitioning=true, hive_types={{{hive}}}, union_by_name=true)"
            f" UNION ALL BY NAME {rows}"
        )
    columns = ", ".join(
        f"{name} AT TIME ZONE 'UTC' AS {name}" if kind == "TIMESTAMP" else name
        for name, kind in types.items()
    )
    return f"(SELECT {columns} FROM ({rows}))"
