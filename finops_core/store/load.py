"""A load: from paths to stored charges, all of it or nothing.

The order makes every moment safe: stage and check (nothing stored), write the lake's files (no version names them),
build the next warehouse beside the current one, commit the lake (one small file), swap the link. Killed before the
commit, the old figures stand; killed after it, the next writer swaps or builds the warehouse. Leftovers are swept by
the next load.
"""

import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from finops_core.errors import InputRefused, Place, UsageError
from finops_core.formats import formats
from finops_core.formats.expressions import quoted
from finops_core.formats.format import Format
from finops_core.ingest.batching import Month, months_of, source_name
from finops_core.ingest.checks import check_staged, warnings_by_period
from finops_core.ingest.discover import ExportSet, discover
from finops_core.ingest.stage import Staged, stage
from finops_core.ingest.stage import connect as staging_connection
from finops_core.store import warehouse
from finops_core.store.batches import Batch, in_force
from finops_core.store.fingerprint import fingerprint_of
from finops_core.store.home import WAIT, Home, full_disk_in_words
from finops_core.store.lake import Lake, LakeFile, Partition, lake_columns
from finops_core.store.overlap import refuse_overlap
from finops_core.store.ownership import Ownership
from finops_core.store.ownership import in_force as ownership_in_force
from finops_core.store.replacement import replacement_warnings

Progress = Callable[[str], None]


@dataclass(frozen=True)
class LoadOptions:
    source: str | None = None
    format: str = "auto"
    allow_overlap: bool = False
    dry_run: bool = False
    wait: float = WAIT
    mappings: tuple[Format, ...] = ()
    """Formats beside those that the home knows, such as a mapping that is only being tried; they come first."""


def known_formats(home: Home) -> tuple[Format, ...]:
    """The declared formats and the mappings of the home, mappings first: they are the more specific."""
    if not home.mappings.is_dir():
        return formats()
    from finops_core.formats.custom import load_mappings  # slow to import, and seldom needed

    return (*load_mappings(home.mappings), *formats())


def load(
    home: Home,
    paths: Iterable[Path],
    options: LoadOptions = LoadOptions(),
    progress: Progress = lambda words: None,
) -> list[Batch]:
    """Loads exports. Returns a batch for each source and billing period.

    Raises InputRefused (nothing stored), HomeBusy, or UsageError for an unknown format or source name.
    """
    _check_options(home, options)
    with full_disk_in_words(home.path), _overflow_in_words():
        if options.dry_run:
            with home.workspace("preview") as workspace:
                return _Load(home, options, progress, workspace).run(list(paths))
        with home.writing(options.wait):
            repair(home)
            with home.workspace("load") as workspace:
                return _Load(home, options, progress, workspace).run(list(paths))


@contextmanager
def _overflow_in_words() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfRangeException as error:
        raise InputRefused(
            "the costs add up to more than can be stored exactly",
            None,
            "At most 20 digits before the point: is a cost in the files too large?",
        ) from error


def repair(home: Home, ownership: Ownership | None = None) -> None:
    """Sweeps what a killed load left behind, and brings the warehouse up to the lake. Only under the lock.

    `ownership` are the rules in force, for who has read them already.
    """
    for left in home.abandoned_workspaces():
        shutil.rmtree(left, ignore_errors=True)
    lake = Lake(home.lake)
    version = lake.version()
    if version is None:
        return
    lake.sweep()
    newest = lake.newest_batch()
    current = home.current() if home.link.is_symlink() else None
    ownership = ownership or ownership_in_force(home)
    if (
        current is not None
        and current.exists()
        and warehouse.is_built_from(current, version, newest, ownership)
    ):
        warehouse.sweep(home, current)
        return
    for complete in sorted(home.warehouse.glob("finops-*.duckdb"), reverse=True):
        if warehouse.is_built_from(complete, version, newest, ownership):
            warehouse.swap(home, warehouse.prepared(home, complete))
            return
    if current is not None and warehouse.is_of_lake(current, version, newest):
        reown(home, ownership)
    else:
        rebuild(home, ownership)


def reown(
    home: Home, ownership: Ownership | None = None, before_swap: Callable[[], None] = lambda: None
) -> None:
    """Applies rules (those in force, or these) to the current warehouse, touching only months where an owner changes.

    `before_swap` is called when all is ready: what it raises leaves everything as it was. Only under the lock.
    """
    lake = Lake(home.lake)
    version = lake.version()
    if version is None:
        before_swap()
        return
    with home.workspace("reown") as workspace:
        built = warehouse.build(home, {}, lake.batches(), version, workspace, ownership=ownership)
        try:
            before_swap()
        except BaseException:
            warehouse.sweep(home, home.current())
            raise
        warehouse.swap(home, built)


def rebuild(home: Home, ownership: Ownership | None = None) -> None:
    """Builds finops.duckdb anew from the lake, by the rules in force (`ownership`, for who has read them). Only under the lock."""
    lake = Lake(home.lake)
    version = lake.version()
    if version is None:
        raise UsageError(f"{home.path} has no lake to build from: ingest an export first")
    with home.workspace("rebuild") as workspace:
        changed = {partition: lake.files(partitions={partition}) for partition in lake.partitions()}
        built = warehouse.build(
            home, changed, lake.batches(), version, workspace, anew=True, ownership=ownership
        )
        warehouse.swap(home, built)


def _check_options(home: Home, options: LoadOptions) -> None:
    if options.source is not None and not _is_name(options.source):
        raise UsageError(
            f"the source name {options.source!r} may only hold letters, digits, '.', '_' and '-'"
        )
    names = [f.name for f in (*options.mappings, *known_formats(home))]
    if options.format != "auto" and options.format not in names:
        raise UsageError(f"there is no format {options.format!r}; known are auto, {', '.join(names)}")


def _is_name(name: str) -> bool:
    return (
        bool(name)
        and len(name) <= 100
        and all(c.isascii() and (c.isalnum() or c in "._-") for c in name)
        and name[0] != "."
    )


@dataclass
class _Load:
    home: Home
    options: LoadOptions
    progress: Progress
    workspace: Path

    def run(self, paths: list[Path]) -> list[Batch]:
        self.lake = Lake(self.home.lake)
        self.history = self.lake.batches()
        self.current = in_force(self.history)
        self.batch_id = uuid.uuid4().hex[:12]
        self.loaded_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.progress("Looking for exports")
        candidates = (*self.options.mappings, *known_formats(self.home))
        sets = discover(paths, candidates, self.options.format)
        connection = staging_connection(self.workspace)
        try:
            unchanged: list[Batch] = []
            made: list[tuple[Batch, Staged]] = []
            for export in sets:
                fingerprint = fingerprint_of(export)
                known = self._unchanged(fingerprint)
                if known:
                    unchanged += known
                    continue
                staged, months = self._stage(export, fingerprint, connection)
                made += [(batch, staged) for batch in months]
            batches = [batch for batch, _ in made]
            _refuse_twice(batches)
            if not self.options.allow_overlap:
                refuse_overlap(batches, self.current)
            if batches and not self.options.dry_run:
                self._store(made, connection)
            return [replace(b, action="unchanged") for b in unchanged] + batches
        finally:
            connection.close()

    def _unchanged(self, fingerprint: str) -> list[Batch]:
        """The current batches of exactly these files, if they are all still current."""
        made = [
            b
            for b in self.history
            if b.fingerprint == fingerprint and self.options.source in (None, b.source)
        ]
        if not made:
            return []
        last = [b for b in made if b.batch_id == made[-1].batch_id]
        current = all(self.current[(b.source, b.billing_period)].batch_id == b.batch_id for b in last)
        return last if current else []

    def _stage(
        self, export: ExportSet, fingerprint: str, connection: duckdb.DuckDBPyConnection
    ) -> tuple[Staged, list[Batch]]:
        self.progress(f"Reading {len(export.tables)} files of {export.format.title}")
        staged = stage(
            export.format,
            export.version,
            export.tables,
            self.workspace,
            connection,
            keep_copies=self.options.allow_overlap,
        )
        table = f"staged_{len(connection.execute('SHOW TABLES').fetchall())}"
        connection.execute(f"CREATE TEMP VIEW {table} AS SELECT * FROM {staged.relation}")
        staged.relation = table
        if staged.rows == 0:
            self.progress(f"{export.format.title}: a header and no rows; nothing to store")
            return staged, []
        self.progress(f"Checking {staged.rows:,} rows")
        warnings = [*export.warnings, *staged.warnings]
        warned = check_staged(staged, connection)
        months = months_of(staged, connection)
        by_period = warnings_by_period(staged, connection) if warned else {}
        for month in months:
            month.warnings = by_period.get(month.period, []) + month.warnings
        source = self.options.source or source_name(staged, connection)
        files = [t.name for t in export.tables]
        return staged, [self._batch(source, staged, m, files, warnings, fingerprint) for m in months]

    def _batch(
        self,
        source: str,
        staged: Staged,
        month: Month,
        files: list[str],
        warnings: list[str],
        fingerprint: str,
    ) -> Batch:
        before = self.current.get((source, month.period))
        own = list(warnings)
        if before is not None:
            own += replacement_warnings(before, month, staged.format, files)
        return Batch(
            source=source,
            format=staged.format.name,
            format_version=staged.version,
            billing_period=month.period,
            action="replaced" if before is not None else "added",
            files=files,
            rows_in=month.rows_in,
            rows_stored=month.rows_stored,
            dropped=month.dropped,
            derived=month.derived,
            totals=month.totals,
            reconciled=month.reconciled,
            warnings=own + month.warnings,
            batch_id=self.batch_id,
            lake_version=-1,
            loaded_at=self.loaded_at,
            fingerprint=fingerprint,
            newest=month.newest,
            accounts=month.accounts,
            roles=month.roles,
            starts=month.starts,
        )

    def _select(self, staged: Staged, batch: Batch) -> str:
        own = {
            "x_Source": quoted(batch.source),
            "BillingPeriod": quoted(batch.billing_period),
            "x_BatchId": quoted(self.batch_id),
        }
        columns = ", ".join(f"{own[name]} AS {name}" if name in own else name for name in lake_columns())
        first = f"TIMESTAMP '{batch.billing_period}-01'"
        return (
            f"SELECT {columns} FROM {staged.relation} WHERE x_Drop IS NULL"
            f" AND BillingPeriodStart >= {first} AND BillingPeriodStart < {first} + INTERVAL 1 MONTH"
        )

    def _store(self, made: list[tuple[Batch, Staged]], connection: duckdb.DuckDBPyConnection) -> None:
        self.progress("Writing the lake")
        self.lake.create()
        base = self.lake.version() or 0
        if not self.home.link.is_symlink():
            rebuild(
                self.home
            )  # the figures before the first load: none, and so from now on always old or new ones
        batches = [batch for batch, _ in made]
        replaced: set[Partition] = {(b.source, b.billing_period) for b in batches}
        changed: dict[Partition, list[str]] = {partition: [] for partition in replaced}
        files: list[LakeFile] = []
        try:
            for batch, staged in made:
                partition = (batch.source, batch.billing_period)
                batch.lake_version = base + 1
                if batch.rows_stored:
                    file = self.lake.write(connection, self._select(staged, batch), partition, self.batch_id)
                    files.append(file)
                    _refuse_loss(file, batch)
                    changed[partition].append(str(self.lake.path / file.path))
            connection.close()  # two databases at once would hold twice the memory
            self.progress("Building finops.duckdb")
            built = warehouse.build(
                self.home, changed, [*self.history, *batches], base + 1, self.workspace / "spill"
            )
            self.lake.commit(files, replaced, batches)
        except BaseException:
            self.lake.discard(self.batch_id)
            warehouse.sweep(self.home, self.home.current())
            raise
        warehouse.swap(self.home, built)
        self.progress("Done")


def _refuse_loss(file: LakeFile, batch: Batch) -> None:
    """The last count before the commit: what is written is what was staged."""
    if file.rows != batch.rows_stored:
        raise InputRefused(
            f"{batch.source} {batch.billing_period}: {batch.rows_stored:,} rows staged, {file.rows:,} written",
            None,
            "Nothing was changed; please report this",
        )


def _refuse_twice(batches: list[Batch]) -> None:
    seen: dict[tuple[str, str], Batch] = {}
    for batch in batches:
        key = (batch.source, batch.billing_period)
        if key in seen:
            raise InputRefused(
                f"{batch.source} would get {batch.billing_period} twice: from two exports,"
                f" {seen[key].files[0]} ({seen[key].format}) and {batch.files[0]} ({batch.format})",
                Place(batch.files[0]),
                "If it is the same spend, load one of them; else each with its own --source",
            )
        seen[key] = batch
