"""The manifests of the clouds: which files of a directory are the current export, and which are history.

Each reader takes the walked tree (relative path → path) and returns what its manifests decide: runs, each with its
files, the moment it was made and the directory that it governs. Everything else below a governed directory is history.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from finops_core.errors import InputRefused, Place
from finops_core.ingest.files import ExportFile, damage_in_words
from finops_core.ingest.names import GUID, PERIOD, made_at

Tree = Mapping[PurePosixPath, Path]


@dataclass(frozen=True)
class Run:
    """One run of an export for one period, as its manifest describes it."""

    manifest: PurePosixPath
    replaces: str
    """What a newer run takes the place of: the export, or its scope and kind of data, and the period."""
    made: str
    """Sortable: when the run was made."""
    governs: PurePosixPath
    """The directory in which every file that no current run names is history."""
    files: tuple[ExportFile, ...]
    missing: tuple[str, ...] = ()
    series: str = ""
    """What runs of other days hold too: two runs of one series must not overlap."""
    days: tuple[str, str] = ("", "")
    """First and last day of the run, YYYYMMDD, where the series has any."""
    export: str = ""
    """Which of AWS's exports it is, for each becomes a set of its own. Those of Azure are parts of one: a pair, scopes."""
    history: bool = False
    """The manifest is that of an assembly or execution, which need not be the current one."""


@dataclass
class Chosen:
    """What the manifests of a tree decide."""

    runs: list[Run] = field(default_factory=list)
    governed: set[PurePosixPath] = field(default_factory=set)
    manifests: set[PurePosixPath] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)


def read_manifests(tree: Tree) -> Chosen:
    """Reads all manifests of a tree and keeps the newest run of each export and period.

    Raises InputRefused where the current manifest names a file that is not there.
    """
    chosen = Chosen()
    runs: list[Run] = []
    for path in sorted(tree):
        if not path.name.lower().endswith("manifest.json"):
            continue
        manifest = _load(path, tree[path])
        if manifest is None:
            continue
        chosen.manifests.add(path)
        with damage_in_words(ExportFile(tree[path], str(path))):
            read = (reader(path, manifest, tree) for reader in (_aws_legacy, _aws_data_export, _azure))
            runs += [run for run in read if run is not None][:1]
    rivals: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda r: r.made):
        rivals.setdefault(run.replaces, []).append(run)
        chosen.governed.add(run.governs)
    for ordered in rivals.values():
        current = _current(ordered, chosen.warnings)
        named_by = str(tree[current.manifest])
        files = tuple(replace(f, manifest=named_by, export=current.export) for f in current.files)
        chosen.runs.append(replace(current, files=files))
    _refuse_overlap(chosen.runs)
    return chosen


def _current(ordered: list[Run], warnings: list[str]) -> Run:
    """The run that counts, of all runs of an export and period: the newest, which must be complete.

    Where only manifests of assemblies or executions are there, an incomplete one may never have been finished: then the
    newest complete one counts, with a warning.
    """
    newest = ordered[-1]
    if newest.history:
        newest = next((run for run in reversed(ordered) if not run.missing), newest)
        warnings.append(
            f"{newest.governs}: no current manifest, so the newest complete run counts: {newest.manifest.parent.name}"
        )
    if newest.missing:
        raise InputRefused(
            f"the manifest names {newest.missing[0]!r}, which is not there",
            Place(str(newest.manifest)),
            "The download is not complete: fetch all files that the manifest names",
        )
    return newest


def _made(path: PurePosixPath, tree: Tree, names: Iterable[object], current: bool = False) -> str:
    """Sortable: a current manifest comes last; else the first moment in the names, else the time of the manifest's file."""
    named = next((moment for name in names if (moment := made_at(str(name)))), "")
    return f"{int(current)}{named:14}{tree[path].stat().st_mtime_ns:020d}"


def _refuse_overlap(runs: list[Run]) -> None:
    """Raises InputRefused where two runs of one series hold the same day: neither takes the other's place."""
    for run in runs:
        for other in runs:
            if run.series and run.series == other.series and run.days < other.days <= (run.days[1], "9"):
                raise InputRefused(
                    f"the run holds days that {other.manifest} holds too: their charges would count twice",
                    Place(str(run.manifest)),
                    "Name the directory of one of the two",
                )


def _load(path: PurePosixPath, file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text("utf-8-sig"))
    except (ValueError, OSError, RecursionError) as error:
        raise InputRefused(
            f"the manifest is no JSON: {error}", Place(str(path)), "Download it again"
        ) from error
    return found if isinstance(found, dict) else None


def _aws_legacy(path: PurePosixPath, manifest: dict[str, Any], tree: Tree) -> Run | None:
    """Legacy CUR: the manifest at the period's root is the current one; those in assembly folders are history."""
    keys = manifest.get("reportKeys")
    if not isinstance(keys, list) or "assemblyId" not in manifest:
        return None
    in_assembly = path.parent.name == manifest["assemblyId"]
    root = path.parent.parent if in_assembly else path.parent
    files, missing = _resolve(keys, path.parent, tree)
    made = _made(path, tree, [path.parent.name], current=not in_assembly)
    export = f"aws:{manifest.get('reportName', '')}"
    replaces = f"{export}:{root}"
    return Run(path, replaces, made, root, files, missing, export=export, history=in_assembly)


def _aws_data_export(path: PurePosixPath, manifest: dict[str, Any], tree: Tree) -> Run | None:
    """Data Exports (CUR 2.0, FOCUS): metadata/BILLING_PERIOD=…/NAME-Manifest.json is the current one."""
    keys = manifest.get("dataFiles")
    if not isinstance(keys, list) or "executionId" not in manifest:
        return None
    period = next((i for i, part in enumerate(path.parts) if part.startswith("BILLING_PERIOD=")), None)
    at_root = path.parent.name.startswith("BILLING_PERIOD=")
    metadata = next((i for i, part in enumerate(path.parts) if part == "metadata"), None)
    if period is None or metadata is None:
        governs = path.parent
    else:
        governs = PurePosixPath(*path.parts[:metadata], "data", *path.parts[metadata + 1 : period + 1])
    files, missing = _resolve(keys, path.parent, tree)
    made = _made(path, tree, [path.parent.name, manifest["executionId"]], current=at_root)
    export = f"aws:{manifest.get('exportArn', '')}"
    replaces = f"{export}:{governs}"
    history = period is not None and not at_root
    return Run(path, replaces, made, governs, files, missing, export=export, history=history)


def _azure(path: PurePosixPath, manifest: dict[str, Any], tree: Tree) -> Run | None:
    """Cost Management exports: one manifest a run; each run holds its whole period to date.

    Two exports of one scope and type say the same: the newest run of a scope, type and period counts, whatever its
    export is called. Runs that hold no costs (price sheets, reservation details) count with no files.
    """
    blobs = manifest.get("blobs")
    if not isinstance(blobs, list):
        return None
    config, info = _object(manifest.get("exportConfig")), _object(manifest.get("runInfo"))
    names = [str(_object(blob).get("blobName", "")) for blob in blobs]
    counts = {name: _object(blob).get("dataRowCount") for name, blob in zip(names, blobs, strict=True)}
    if isinstance(manifest.get("blobCount"), int) and manifest["blobCount"] != len(names):
        raise InputRefused(
            f"the manifest counts {manifest['blobCount']} files and names {len(names)}",
            Place(str(path)),
            "Download it again",
        )
    kind = str(config.get("type", ""))
    at = next((i for i, part in enumerate(path.parts) if re.fullmatch(r"\d{8}-\d{8}", part)), None)
    governs = PurePosixPath(*path.parts[: at + 1]) if at is not None else path.parent
    period = path.parts[at] if at is not None else made_at(str(info.get("startDate")))[:6]
    first, _, last = period.partition("-")
    scope = re.sub(r"/providers/microsoft\.costmanagement/.*", "", str(config.get("resourceId", "")).lower())
    series = f"azure:{scope or _export_folder(path)}:{kind.lower()}"
    replaces = f"{series}:{period}"
    made = _made(path, tree, [info.get("submittedTime"), *reversed(path.parent.parts)])
    if kind.lower() not in ("actualcost", "amortizedcost", "usage", "focuscost", ""):
        return Run(path, replaces, made, governs, ())
    if len(counts) == 1:
        counts = {name: manifest.get("dataRowCount") if n is None else n for name, n in counts.items()}
    files, missing = _resolve(names, path.parent, tree, kind or str(path), counts)
    days = (first, last or first)
    return Run(path, replaces, made, governs, files, missing, series if last else "", days)


def _export_folder(manifest: PurePosixPath) -> str:
    """What the folders of a run tell of its export: all but the period's and the run's own."""
    folders = manifest.parent.parts
    return "/".join(f for f in folders if not (PERIOD.fullmatch(f) or made_at(f) or GUID.search(f)))


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _resolve(
    keys: Iterable[object],
    near: PurePosixPath,
    tree: Tree,
    hint: str = "",
    counts: Mapping[str, object] | None = None,
) -> tuple[tuple[ExportFile, ...], tuple[str, ...]]:
    """The local files that keys of a bucket mean: the file whose path shares the longest ending with the key.

    `counts` are the rows that the manifest says each key has.
    """
    by_name: dict[str, list[PurePosixPath]] = {}
    for path in tree:
        by_name.setdefault(path.name, []).append(path)
    files: list[ExportFile] = []
    missing: list[str] = []
    for key in dict.fromkeys(map(str, keys)):
        wanted = PurePosixPath(re.sub(r"^s3a?://[^/]+/", "", key)).parts
        candidates = by_name.get(wanted[-1], []) if wanted else []
        best = max(
            candidates, key=lambda p: (_shared(p.parts, wanted), _common(p.parts, near.parts)), default=None
        )
        # The folder of the run must agree too: the same chunk of another run is another file.
        other = best is None or (len(wanted) > 1 and _shared(best.parts, wanted) < 2 and best.parent != near)
        if best is None or other or any(file.name == str(best) for file in files):
            missing.append(key)
        else:
            rows = (counts or {}).get(key)
            files.append(ExportFile(tree[best], str(best), hint, rows if isinstance(rows, int) else None))
    return tuple(files), tuple(missing)


def _shared(path: tuple[str, ...], key: tuple[str, ...]) -> int:
    count = 0
    for a, b in zip(reversed(path), reversed(key), strict=False):
        if a != b:
            break
        count += 1
    return count


def _common(path: tuple[str, ...], other: tuple[str, ...]) -> int:
    count = 0
    for a, b in zip(path, other, strict=False):
        if a != b:
            break
        count += 1
    return count
