"""Files that a person uploads: kept in the home until they are loaded or put aside, and what a load of them would do."""

import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO

from finops_core.errors import InputRefused, Place, UsageError
from finops_core.formats import recognise
from finops_core.formats.custom import parse_mapping, suggest
from finops_core.ingest.files import ExportFile, examine
from finops_core.ingest.sampling import sample_rows
from finops_core.store.batches import Batch
from finops_core.store.home import Home, full_disk_in_words
from finops_core.store.lake import Lake
from finops_core.store.load import LoadOptions, known_formats, load

_BLOCK = 8 << 20
_KEPT_SECONDS = 24 * 3600
SAMPLE = 200


@dataclass(frozen=True)
class Change:
    """What a load would do to one month of one source: the batch that it would make, and the one it would replace."""

    batch: Batch
    before: Batch | None


@dataclass(frozen=True)
class Unknown:
    """A file that no format knows: its columns, its first rows as text, and a mapping to start from (YAML)."""

    name: str
    columns: tuple[str, ...]
    sample: list[dict[str, str]]
    mapping: str


def keep(home: Home, session: str, files: Iterable[tuple[str, IO[bytes]]]) -> list[Path]:
    """Writes uploaded files into a folder of the session, whose earlier files go. Returns what is to be loaded.

    Files that come with a manifest are loaded as one directory, so that the manifest decides which of them count.
    """
    if not session.isalnum():
        raise UsageError(f"{session!r} is no name of a session")
    _forget_old(home)
    folder = home.uploads / session
    shutil.rmtree(folder, ignore_errors=True)
    kept: list[Path] = []
    with full_disk_in_words(home.path):
        folder.mkdir(parents=True)
        for name, stream in files:
            target = folder / _safe(name)
            if target in kept:
                raise InputRefused(
                    "two of the files have this name", Place(name), "Load them one after another"
                )
            with target.open("wb") as out:
                shutil.copyfileobj(stream, out, _BLOCK)
            kept.append(target)
    return [folder] if any(f.name.lower().endswith("manifest.json") for f in kept) else kept


def discard(home: Home, session: str) -> None:
    """Removes the files of a session."""
    if session.isalnum():
        shutil.rmtree(home.uploads / session, ignore_errors=True)


def _safe(name: str) -> str:
    """The last part of a name, without what file systems read as more than a name."""
    last = PurePath(name.replace("\\", "/")).name.replace("\x00", "")
    return last if last not in ("", ".", "..") else "upload"


def _forget_old(home: Home) -> None:
    if home.uploads.exists():
        for folder in home.uploads.iterdir():
            if time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def preview(home: Home, paths: Iterable[Path], options: LoadOptions) -> list[Change]:
    """What a load would do, month by month; nothing is stored. Raises InputRefused like the load itself."""
    dry = LoadOptions(options.source, options.format, options.allow_overlap, dry_run=True)
    current = {(b.source, b.billing_period): b for b in Lake(home.lake).batches()}
    return [
        Change(batch, current.get((batch.source, batch.billing_period))) for batch in load(home, paths, dry)
    ]


def unknown_file(home: Home, paths: Iterable[Path]) -> Unknown | None:
    """The first table of delimited text among the paths that no format knows; None where there is none."""
    known = known_formats(home)
    for path in paths:
        if not path.is_file():
            continue
        for table in examine(ExportFile(path, path.name)):
            if table.header.kind == "csv" and recognise(table.header, known) is None:
                rows = sample_rows(table, SAMPLE)
                return Unknown(table.name, table.header.names, rows, suggest(table.header, rows))
    return None


def keep_mapping(home: Home, text: str) -> Path:
    """Stores a mapping in HOME/mappings under its own name. Raises InputRefused where it cannot be read, and UsageError
    where another mapping has the name and says something else."""
    mapping = parse_mapping(text, "mapping")
    target = home.mappings / f"{mapping.name}.yaml"
    if target.exists() and target.read_text("utf-8") != text:
        raise UsageError(
            f"there is a mapping {mapping.name!r} already, and it differs: give this one another name"
        )
    with full_disk_in_words(home.path):
        home.mappings.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    return target
