"""From paths to export sets: which files count, and as what. Nothing of their rows is read yet."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from finops_core.errors import InputRefused, Place
from finops_core.formats import recognise
from finops_core.formats.format import Format, Header
from finops_core.ingest.files import Examined, ExportFile, damage_in_words, examine, refuse
from finops_core.ingest.manifests import Chosen, Tree, read_manifests

_ASIDE = (".md", ".txt", ".yml", ".yaml", ".sql", ".py", ".pdf", ".crc", ".tmp", ".ds_store")
MAX_DOCUMENT = 16 << 20
_PERIOD = re.compile(r"\d{8}-\d{8}|BILLING_PERIOD=\d{4}-\d{2}")
_GUID = re.compile(r"[_-]?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.I)
_KIND = re.compile(r"actual|amorti[sz]ed")
_HOUR = 3_600_000_000_000


@dataclass
class ExportSet:
    """Tables of one format that belong together; they become the charges of one source."""

    format: Format
    version: str
    tables: list[Examined] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def discover(paths: Iterable[Path], formats: Sequence[Format], only: str = "auto") -> list[ExportSet]:
    """The export sets below the paths, by format.

    Raises InputRefused for a path that does not exist, a file that is no export, or a manifest whose files are missing.
    """
    candidates = tuple(f for f in formats if only in ("auto", f.name))
    sets: dict[tuple[str, str], ExportSet] = {}
    warnings: list[str] = []
    ignored: list[str] = []
    taken: set[Path] = set()
    for path in paths:
        for file, named in _files(path, warnings):
            if _is_taken(file, taken):
                continue
            for table in _tables(file, named, ignored):
                found = recognise(table.header, candidates)
                if found is None:
                    if not named and path.is_dir() and not file.hint:
                        ignored.append(table.name)
                        continue
                    raise _unknown(table, only, candidates)
                format, version = found
                group = sets.setdefault((format.name, ""), ExportSet(format, version))
                group.version = max(group.version, version)
                group.tables.append(table)
    if not sets:
        where = ", ".join(str(p) for p in paths)
        example = f"; looked at {ignored[0]}" if ignored else ""
        raise InputRefused(
            f"no export was found{example}", Place(where), "Name a file or a directory of exports"
        )
    found_sets = list(sets.values())
    found_sets[0].warnings += warnings
    if ignored:
        found_sets[0].warnings.append(
            f"{len(ignored)} files are no exports and were left aside, for instance {ignored[0]}"
        )
    return found_sets


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
            f"{history} files of earlier or unfinished runs, or without costs, were left aside:"
            " the manifests name the current ones"
        )
    rest = [p for p in rest if p.suffix.lower() not in _ASIDE]
    files += [
        (ExportFile(tree[p], str(p), f"{path.absolute().name}/{p}"), False)
        for p in _newest_runs(rest, tree, warnings)
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
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        for name in files:
            file = Path(directory, name)
            if not name.startswith((".", "_")) and file.is_file():
                yield file


def _unreadable(error: OSError) -> None:
    raise InputRefused(f"cannot be read: {error.strerror}", Place(str(error.filename))) from error


def _is_governed(path: PurePosixPath, chosen: Chosen) -> bool:
    return any(parent in chosen.governed for parent in path.parents)


def _newest_runs(paths: list[PurePosixPath], tree: Tree, warnings: list[str]) -> list[PurePosixPath]:
    """Without a manifest: of several runs of a period, the newest complete one.

    Runs are folders below a period's folder, or files in it whose names differ by a GUID (Azure before manifests).
    What is left of the path without the run's own name tells exports apart that share a period's folder.
    """
    runs: dict[tuple[PurePosixPath, str], dict[str, list[PurePosixPath]]] = {}
    kept: list[PurePosixPath] = []
    for path in paths:
        at = next((i for i, part in enumerate(path.parts[:-1]) if _PERIOD.fullmatch(part)), None)
        if at is None:
            kept.append(path)
            continue
        period = PurePosixPath(*path.parts[: at + 1])
        if len(path.parts) > at + 2:
            run, export = path.parts[at + 1], " ".join(sorted(set(_KIND.findall(str(path).lower()))))
        elif guid := _GUID.search(path.name):
            run, export = guid.group(1), path.name[: guid.start()]
        else:
            run, export = "", ""
        runs.setdefault((period, export), {}).setdefault(run, []).append(path)
    for (period, export), by_run in runs.items():
        ordered = _by_age(by_run, tree)
        complete = [run for run in ordered if _chunks_complete(by_run[run])] or ordered
        kept += by_run[complete[-1]]
        words = f"{period}{f' ({export})' if export else ''}: no manifest, so "
        if len(by_run) > 1:
            warnings.append(f"{words}the newest complete run {complete[-1]!r} of {len(by_run)} was taken")
        else:
            warnings.append(f"{words}all {len(by_run[complete[-1]])} files were taken")
    return kept


def _by_age(by_run: dict[str, list[PurePosixPath]], tree: Tree) -> list[str]:
    """Runs, oldest first: by the moment in their name, else by when their files were written.

    Copying gives all files nearly one time; of runs written within an hour the larger is the newer, for a month only grows.
    """
    written = {run: max(tree[p].stat().st_mtime_ns for p in paths) for run, paths in by_run.items()}
    size = {run: sum(tree[p].stat().st_size for p in paths) for run, paths in by_run.items()}
    copied = max(written.values()) - min(written.values()) < _HOUR
    return sorted(
        by_run, key=lambda run: (_stamp(run), size[run] if copied else written[run], written[run], run)
    )


def _stamp(run: str) -> str:
    found = re.search(r"\d{8}T?\d{4,6}Z?", _GUID.sub("", run))
    return found.group(0) if found else ""


def _chunks_complete(paths: list[PurePosixPath]) -> bool:
    """Whether numbered chunks (-00001, part_0_…) run without a gap."""
    numbers = sorted(
        int(m.group(1)) for p in paths if (m := re.search(r"(\d+)(?:\.[a-z0-9.]+)$", p.name, re.I))
    )
    return (
        not numbers or numbers == list(range(numbers[0], numbers[0] + len(numbers))) or len(set(numbers)) == 1
    )


def header_words(header: Header) -> str:
    """The header in a line, for messages."""
    return ", ".join(header.names[:8]) + (", …" if len(header.names) > 8 else "")
