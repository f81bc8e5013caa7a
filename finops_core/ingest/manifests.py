"""The manifests of the clouds: which files of a directory are the current export, and which are history.

Each reader takes the walked tree (relative path → path) and returns what its manifests decide: runs, each with its
files, the moment it was made and the directory that it governs. Everything else below a governed directory is history.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from finops_core.errors import InputRefused, Place
from finops_core.ingest.files import ExportFile

Tree = Mapping[PurePosixPath, Path]


@dataclass(frozen=True)
class Run:
    """One run of an export for one period, as its manifest describes it."""

    manifest: PurePosixPath
    export: str
    """What distinguishes this export from others; the newest run of an export and period counts."""
    made: str
    """Sortable: when the run was made."""
    governs: PurePosixPath
    """The directory in which every file that no current run names is history."""
    files: tuple[ExportFile, ...]
    empty: bool = False
    """The manifest itself says that the period has no rows."""
    missing: tuple[str, ...] = ()
    history: bool = False
    """The manifest is that of an assembly or execution, which need not be the current one."""


@dataclass
class Chosen:
    """What the manifests of a tree decide."""

    runs: list[Run] = field(default_factory=list)
    governed: set[PurePosixPath] = field(default_factory=set)
    manifests: set[PurePosixPath] = field(default_factory=set)
    superseded: list[Run] = field(default_factory=list)
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
        for reader in (_aws_legacy, _aws_data_export, _azure):
            run = reader(path, manifest, tree)
            if run is not None:
                runs.append(run)
                break
    series: dict[tuple[str, PurePosixPath], list[Run]] = {}
    for run in sorted(runs, key=lambda r: r.made):
        series.setdefault((run.export, run.governs), []).append(run)
    for ordered in series.values():
        current = _current(ordered, chosen.warnings)
        chosen.superseded += [run for run in ordered if run is not current]
        chosen.runs.append(current)
        chosen.governed.add(current.governs)
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


MOMENT = re.compile(
    r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])-?([0-3]\d)(?:[T_ -]?([0-2]\d):?([0-5]\d):?([0-5]\d)?)?(?!\d)"
)


def made_at(name: str) -> str:
    """The moment in the name of a run (20261003T000000Z-…, 202610030600, 2026-10-03T…), as sortable digits; or empty."""
    found = MOMENT.search(name)
    return "".join(part or "" for part in found.groups()).ljust(14, "0") if found else ""


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
    files, missing = _resolve(keys, path, tree, export=f"aws:{manifest.get('reportName', '')}")
    made = _made(path, tree, "" if in_assembly else "current")
    export = f"aws:{manifest.get('reportName', '')}"
    return Run(path, export, made, root, files, missing=missing, history=in_assembly)


def _made(path: PurePosixPath, tree: Tree, current: str, *names: object) -> str:
    """Sortable: a current manifest comes last; else the time in the run's name, else that of the manifest's file."""
    named = next((moment for name in (path.parent.name, *names) if (moment := made_at(str(name)))), "")
    return f"{current:7}{named:14}{tree[path].stat().st_mtime_ns:020d}"


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
    export = f"aws:{manifest.get('exportArn', '')}"
    files, missing = _resolve(keys, path, tree, export=export)
    made = _made(path, tree, "current" if at_root else "", manifest["executionId"])
    return Run(
        path, export, made, governs, files, missing=missing, history=period is not None and not at_root
    )


def _azure(path: PurePosixPath, manifest: dict[str, Any], tree: Tree) -> Run | None:
    """Cost Management exports: one manifest a run; each run holds the whole month to date."""
    blobs = manifest.get("blobs")
    if not isinstance(blobs, list):
        return None
    config, info = _object(manifest.get("exportConfig")), _object(manifest.get("runInfo"))
    counts = {str(blob.get("blobName", "")): blob.get("dataRowCount") for blob in map(_object, blobs)}
    files, missing = _resolve(list(counts), path, tree, hint=str(config.get("type") or path), counts=counts)
    period = next((i for i, part in enumerate(path.parts) if re.fullmatch(r"\d{8}-\d{8}", part)), None)
    governs = PurePosixPath(*path.parts[: period + 1]) if period is not None else path.parent
    export = f"azure:{config.get('resourceId', '')}:{config.get('exportName', '')}:{config.get('type', '')}"
    if period is None:
        export += ":" + str(info.get("startDate", ""))[:7]
    made = str(info.get("submittedTime") or "") or _made(path, tree, "", *reversed(path.parts))
    return Run(path, export, made, governs, files, manifest.get("dataRowCount") == 0, missing)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _resolve(
    keys: Iterable[object],
    manifest: PurePosixPath,
    tree: Tree,
    hint: str = "",
    export: str = "",
    counts: Mapping[str, Any] | None = None,
) -> tuple[tuple[ExportFile, ...], tuple[str, ...]]:
    """The local files that keys of a bucket mean: the file whose path shares the longest ending with the key."""
    near = manifest.parent
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
        if best is None or (len(wanted) > 1 and _shared(best.parts, wanted) < 2 and best.parent != near):
            missing.append(key)
        else:
            rows = (counts or {}).get(key)
            count = rows if isinstance(rows, int) else None
            files.append(ExportFile(tree[best], str(best), hint, count, export, str(tree[manifest])))
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
