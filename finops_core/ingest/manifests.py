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
from finops_core.ingest.files import ExportFile, damage_in_words

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


@dataclass
class Chosen:
    """What the manifests of a tree decide."""

    runs: list[Run] = field(default_factory=list)
    governed: set[PurePosixPath] = field(default_factory=set)
    manifests: set[PurePosixPath] = field(default_factory=set)
    superseded: list[Run] = field(default_factory=list)


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
    newest: dict[tuple[str, PurePosixPath], Run] = {}
    for run in sorted(runs, key=lambda r: r.made):
        key = (run.export, run.governs)
        if key in newest:
            chosen.superseded.append(newest[key])
        newest[key] = run
    for run in newest.values():
        if run.missing:
            raise InputRefused(
                f"the manifest names {run.missing[0]!r}, which is not there",
                Place(str(run.manifest)),
                "The download is not complete: fetch all files that the manifest names",
            )
        chosen.runs.append(run)
        chosen.governed.add(run.governs)
    return chosen


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
    made = f"{0 if in_assembly else 1}{tree[path].stat().st_mtime_ns:020d}"
    return Run(path, f"aws:{manifest.get('reportName', '')}", made, root, files, missing=missing)


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
    made = f"{int(at_root)}{manifest['executionId'] if not at_root else ''}"
    return Run(path, f"aws:{manifest.get('exportArn', '')}", made, governs, files, missing=missing)


def _azure(path: PurePosixPath, manifest: dict[str, Any], tree: Tree) -> Run | None:
    """Cost Management exports: one manifest a run; each run holds the whole month to date."""
    blobs = manifest.get("blobs")
    config = manifest.get("exportConfig")
    if not isinstance(blobs, list) or not isinstance(config, dict):
        return None
    made = str(manifest.get("runInfo", {}).get("submittedTime", ""))
    names = [str(blob.get("blobName", "")) for blob in blobs]
    files, missing = _resolve(names, path.parent, tree, hint=str(config.get("type", "")))
    counts = {
        PurePosixPath(name).name: blob.get("dataRowCount") for name, blob in zip(names, blobs, strict=True)
    }
    files = tuple(ExportFile(f.path, f.name, f.hint, counts.get(f.path.name)) for f in files)
    period = next((i for i, part in enumerate(path.parts) if re.fullmatch(r"\d{8}-\d{8}", part)), None)
    governs = PurePosixPath(*path.parts[: period + 1]) if period is not None else path.parent
    export = f"azure:{config.get('resourceId', '')}:{config.get('exportName', '')}:{config.get('type', '')}"
    if period is None:
        export += ":" + str(manifest.get("runInfo", {}).get("startDate", ""))[:7]
    return Run(path, export, made, governs, files, manifest.get("dataRowCount") == 0, missing)


def _resolve(
    keys: Iterable[str], near: PurePosixPath, tree: Tree, hint: str = ""
) -> tuple[tuple[ExportFile, ...], tuple[str, ...]]:
    """The local files that keys of a bucket mean: the file whose path shares the longest ending with the key."""
    by_name: dict[str, list[PurePosixPath]] = {}
    for path in tree:
        by_name.setdefault(path.name, []).append(path)
    files: list[ExportFile] = []
    missing: list[str] = []
    for key in keys:
        wanted = PurePosixPath(re.sub(r"^s3a?://[^/]+/", "", key)).parts
        candidates = by_name.get(wanted[-1], []) if wanted else []
        best = max(
            candidates, key=lambda p: (_shared(p.parts, wanted), _common(p.parts, near.parts)), default=None
        )
        # The folder of the run must agree too: the same chunk of another run is another file.
        if best is None or (len(wanted) > 1 and _shared(best.parts, wanted) < 2 and best.parent != near):
            missing.append(key)
        else:
            files.append(ExportFile(tree[best], str(best), hint))
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
