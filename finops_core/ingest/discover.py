"""From paths to export sets: which files count, and as what. Nothing of their rows is read yet."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from finops_core.errors import InputRefused, Place
from finops_core.formats import recognise
from finops_core.formats.format import Format
from finops_core.ingest.files import Examined, ExportFile, damage_in_words, examine, refuse
from finops_core.ingest.manifests import Chosen, Tree, read_manifests
from finops_core.ingest.runs import newest_runs

_ASIDE = (".md", ".txt", ".yml", ".yaml", ".sql", ".py", ".pdf", ".crc", ".tmp", ".ds_store")
MAX_DOCUMENT = 16 << 20
_STORE = "finops.duckdb"
_STORED = {_STORE, "lake", "warehouse", "staging", "cache", "uploads", "state.sqlite"}
"""What a home of ours holds beside exports: a directory that is walked may hold one, or be one."""


@dataclass
class ExportSet:
    """Tables of one format that belong together; they become the charges of one source."""

    format: Format
    version: str
    tables: list[Examined] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def discover(paths: Iterable[Path], formats: Sequence[Format], only: str = "auto") -> list[ExportSet]:
    """The export sets below the paths: by format and, where manifests tell exports of AWS apart, by export.

    Raises InputRefused for a path that does not exist, a file that is no export, or a manifest whose files are missing.
    """
    paths = list(paths)
    candidates = tuple(f for f in formats if only in ("auto", f.name))
    sets: dict[tuple[str, str], ExportSet] = {}
    warnings: list[str] = []
    ignored: list[str] = []
    strangers: list[Examined] = []
    taken: set[Path] = set()
    for path in paths:
        for file, named in _files(path, warnings):
            if _is_taken(file, taken):
                continue
            for table in _tables(file, named, ignored):
                found = recognise(table.header, candidates)
                if found is not None:
                    format, version = found
                    group = sets.setdefault((format.name, file.export), ExportSet(format, version))
                    group.version = max(group.version, version)
                    group.tables.append(table)
                elif named:
                    raise _unknown(table, only, candidates)
                else:
                    strangers.append(table)
    _refuse_damaged(strangers, sets.values())
    if not sets:
        if strangers:
            raise _unknown(strangers[0], only, candidates)
        where = ", ".join(str(p) for p in paths)
        example = f"; looked at {ignored[0]}" if ignored else ""
        raise InputRefused(
            f"no export was found{example}", Place(where), "Name a file or a directory of exports"
        )
    first = next(iter(sets.values()))
    first.warnings += [*warnings, *_left_aside([*ignored, *(t.name for t in strangers)])]
    return list(sets.values())


def _left_aside(names: list[str]) -> list[str]:
    if not names:
        return []
    listed = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return [f"{len(names)} files are no exports that are known and were left aside: {listed}"]


def _refuse_damaged(strangers: list[Examined], sets: Iterable[ExportSet]) -> None:
    """A file of a directory that no format knows, but whose columns are mostly those of an export beside it, has a
    damaged header: leaving it aside would lose a part of the bill."""
    for export in sets:
        known = {name for table in export.tables for name in table.header.names}
        for table in strangers:
            names = set(table.header.names)
            if len(names & known) >= max(3, len(names) / 2):
                raise refuse(
                    table,
                    f"has most columns of {export.tables[0].name} ({export.format.title}), but is not one itself",
                    "Its header is damaged, or columns are missing: export it again, or move it away",
                    row=1,
                )


def _tables(file: ExportFile, named: bool, ignored: list[str]) -> list[Examined]:
    try:
        with damage_in_words(file):
            return examine(file)
    except InputRefused:
        if named or not _is_document(file.path):
            raise
        ignored.append(file.name)
        return []


def _is_document(path: Path) -> bool:
    """Whether a file is one JSON value over several lines, such as a manifest or settings: no lines of an export."""
    if path.suffix.lower() != ".json" or path.stat().st_size > MAX_DOCUMENT:
        return False
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except (ValueError, RecursionError):
        return False


def _is_taken(file: ExportFile, taken: set[Path]) -> bool:
    """Whether the same file was named before, by another path or link: it counts once."""
    try:
        file.name.encode(), str(file.path).encode()
    except UnicodeEncodeError as error:
        name = os.fsencode(file.name).decode("utf-8", "replace")
        raise InputRefused("the file's name is not UTF-8", Place(name), "Rename it") from error
    real = file.path.resolve()
    if real in taken:
        return True
    taken.add(real)
    return False


def _unknown(table: Examined, only: str, candidates: Sequence[Format]) -> InputRefused:
    names = ", ".join(table.header.names[:6])
    if only != "auto":
        return refuse(
            table,
            f"the columns ({names}, …) are not those of the format {only!r}",
            "Leave out --format to have it found",
        )
    known = "; ".join(f.title for f in candidates)
    return refuse(
        table,
        f"no known export has these columns: {names}, …",
        f"Known are {known}; for any other CSV write a mapping (docs/how-to/any-csv.md)",
    )


def _files(path: Path, warnings: list[str]) -> list[tuple[ExportFile, bool]]:
    """The files that count below a path, each with whether the user named it himself."""
    if path.is_file():
        return [(ExportFile(path, path.name, f"{path.absolute().parent.name}/{path.name}"), True)]
    if not path.is_dir():
        exists = os.path.lexists(path)
        what = "this is no file and no directory" if exists else "there is no such file or directory"
        raise InputRefused(what, Place(str(path)))
    tree: Tree = {PurePosixPath(f.relative_to(path).as_posix()): f for f in sorted(_walk(path))}
    chosen = read_manifests(tree)
    warnings += chosen.warnings
    files = [(file, True) for run in chosen.runs for file in run.files]
    taken = {file.name for file, _ in files}
    rest = [
        p for p in tree if str(p) not in taken and p not in chosen.manifests and not _is_governed(p, chosen)
    ]
    history = len(tree) - len(taken) - len(chosen.manifests) - len(rest)
    if history > 0:
        warnings.append(
            f"{history} files of earlier or unfinished runs were left aside, or hold no costs:"
            " the manifests name the current ones"
        )
    rest = [p for p in rest if p.suffix.lower() not in _ASIDE]
    files += [
        (ExportFile(tree[p], str(p), f"{path.absolute().name}/{p}"), False)
        for p in newest_runs(rest, tree, warnings, path.absolute().name)
    ]
    return files


def _walk(root: Path) -> Iterator[Path]:
    """The files below a directory, links followed once. Raises InputRefused where a part of it cannot be read."""
    seen: set[str] = set()
    for directory, folders, files in os.walk(root, onerror=_unreadable, followlinks=True):
        real = os.path.realpath(directory)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        own = _STORED if _STORE in files else set()
        folders[:] = [name for name in folders if not name.startswith((".", "_")) and name not in own]
        for name in sorted(set(files) - own):
            file = Path(directory, name)
            if not _is_hidden(name) and file.is_file():
                yield file


def _is_hidden(name: str) -> bool:
    """Files of the storage itself. Azure's older exports call their manifest _manifest.json."""
    return name.startswith((".", "_")) and name != "_manifest.json"


def _unreadable(error: OSError) -> None:
    raise InputRefused(f"cannot be read: {error.strerror}", Place(str(error.filename))) from error


def _is_governed(path: PurePosixPath, chosen: Chosen) -> bool:
    return any(parent in chosen.governed for parent in path.parents)
