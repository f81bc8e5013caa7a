"""Without a manifest: which of several runs of a period counts. The newest complete one, and a warning says so.

A run is a folder below the folder of a period: an assembly of a CUR, an execution of a Data Export, a dated run of Azure;
or a file of Azure whose name differs from the others' by a GUID, as before there were manifests. Other files that lie
side by side are not told apart here, but by their rows (`ingest.copies`).
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from finops_core.errors import InputRefused, Place
from finops_core.ingest.manifests import Tree
from finops_core.ingest.names import GUID, INCLUSIVE, PERIOD, made_at

_KIND = re.compile(r"actual|amorti[sz]ed")
_HOUR = 3_600_000_000_000
Runs = dict[str, list[PurePosixPath]]
"""The runs of one export and period, by what tells them apart."""


def newest_runs(
    paths: Iterable[PurePosixPath], tree: Tree, warnings: list[str], root: str = ""
) -> list[PurePosixPath]:
    """Of the files that no manifest names: those below no period's folder, and of each period those of its run.

    `root` is the name of the directory that the paths are in. Raises InputRefused where chunks are missing in every run
    of a period.
    """
    kept: list[PurePosixPath] = []
    series: dict[tuple[str, str], Runs] = {}
    above = PurePosixPath(root) if PERIOD.fullmatch(root) else PurePosixPath()
    for path in paths:
        place = _place(above / path)
        if place is None:
            kept.append(path)
            continue
        period, export, run = place
        series.setdefault((period, export), {}).setdefault(run, []).append(path)
    for (period, export), runs in series.items():
        kept += _choose(f"{period} ({export})" if export else period, runs, tree, warnings)
    return kept


def _place(path: PurePosixPath) -> tuple[str, str, str] | None:
    """(the period's folder, the export, the run) of a file; None where no folder is a period's.

    Exports may share a period's folder, and a run hold both kinds of Azure's costs: they do not replace each other.
    """
    folders = path.parts[:-1]
    at = next((i for i, part in enumerate(folders) if PERIOD.fullmatch(part)), None)
    if at is None:
        return None
    period, inner = "/".join(folders[: at + 1]), folders[at + 1 :]
    run = next((i for i, part in enumerate(inner) if made_at(part) or GUID.search(part)), None)
    if run is None and inner and not INCLUSIVE.fullmatch(folders[at]):
        run = 0  # an assembly of AWS may have any name
    kinds = sorted(set(_KIND.findall(str(path).lower())))
    if run is not None:
        return period, " ".join([*inner[:run], *kinds]), inner[run]
    guid = GUID.search(path.name)
    if guid and INCLUSIVE.fullmatch(folders[at]):
        return period, "/".join([*inner, path.name[: guid.start()].rstrip("_-")]), guid.group()
    return period, "/".join(inner), ""


def _choose(what: str, runs: Runs, tree: Tree, warnings: list[str]) -> list[PurePosixPath]:
    ordered = _by_age(runs, tree)
    complete = [run for run in ordered if not missing_chunk(runs[run])]
    if not complete:
        last = runs[ordered[-1]]
        raise InputRefused(
            f"{missing_chunk(last)} is missing, and there is no manifest",
            Place(str(last[0])),
            "The download is not complete: fetch the whole run, with its manifest",
        )
    taken = runs[complete[-1]]
    if len(runs) == 1:
        warnings.append(f"{what}: no manifest, so all {len(taken)} files were taken")
        return taken
    words = f"{what}: no manifest, so the newest complete run {complete[-1]!r} of {len(runs)} was taken"
    before = runs[complete[-2]] if len(complete) > 1 else []
    if len(taken) < len(before):
        words += f"; it has {len(taken)} files, the run before it {len(before)}: is it complete?"
    warnings.append(words)
    return taken


def _by_age(runs: Runs, tree: Tree) -> list[str]:
    """Runs, oldest first: by the moment in their names where all have one, else by when their files were written.

    Copying gives all files nearly one time; of runs written within an hour the larger is the newer, for a month only grows.
    """
    made = {run: made_at(run) for run in runs}
    dated = all(made.values())
    written = {run: max(tree[p].stat().st_mtime_ns for p in paths) for run, paths in runs.items()}
    size = {run: sum(tree[p].stat().st_size for p in paths) for run, paths in runs.items()}
    copied = max(written.values()) - min(written.values()) < _HOUR
    return sorted(
        runs,
        key=lambda run: (made[run] * dated, size[run] if copied else written[run], written[run], run),
    )


def missing_chunk(paths: Sequence[PurePosixPath]) -> str:
    """The name of a numbered chunk (-00001, part_0_0001) that is not among the files of a run; empty if none is."""
    numbered: dict[PurePosixPath, dict[int, str]] = {}
    for path in paths:
        for match in re.finditer(r"(?<=[-_])\d{1,5}(?=$|[_.])", path.name):
            others = path.with_name(f"{path.name[: match.start()]}#{path.name[match.end() :]}")
            numbered.setdefault(others, {})[int(match.group())] = match.group()
    for others, found in numbered.items():
        if not {0, 1} & set(found) and any(len(text) < 5 for text in found.values()):
            continue  # some other number, such as a year
        gap = next((n for n in range(0 if 0 in found else 1, max(found)) if n not in found), None)
        if gap is not None:
            width = len(next(iter(found.values())))
            return others.name.replace("#", str(gap).zfill(width))
    return ""
