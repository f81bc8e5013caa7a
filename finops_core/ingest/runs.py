"""Without a manifest: which of several runs of a period counts. The newest complete one, and a warning says so.

A run is a folder below the folder of a period: an assembly of a CUR, an execution of a Data Export, a dated run of Azure.
Files that lie side by side are not told apart here, but by their rows (`ingest.copies`).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from finops_core.errors import InputRefused, Place
from finops_core.ingest.manifests import Tree, made_at

_PERIOD = re.compile(r"\d{8}-\d{8}|BILLING_PERIOD=\d{4}-\d{2}", re.I)
_INCLUSIVE = re.compile(r"\d{8}-\d{6}(?!01)\d{2}")
"""A period as Azure writes it. The ranges of AWS end on the first of the next month."""
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)


@dataclass
class _Runs:
    """The runs of one export and period, by what tells them apart."""

    by_run: dict[str, list[PurePosixPath]] = field(default_factory=dict)

    def newest(self, tree: Tree) -> list[str]:
        """The runs, the newest last: by the time in their names where all have one, else by their files' times."""
        stamps = {run: made_at(run) for run in self.by_run}
        if all(stamps.values()):
            return sorted(self.by_run, key=lambda run: stamps[run])
        return sorted(self.by_run, key=lambda run: max(tree[p].stat().st_mtime_ns for p in self.by_run[run]))


def newest_runs(paths: Iterable[PurePosixPath], tree: Tree, warnings: list[str]) -> list[PurePosixPath]:
    """Of the files that no manifest names: those below no period's folder, and of each period those of its run.

    Raises InputRefused where chunks are missing in every run of a period.
    """
    kept: list[PurePosixPath] = []
    series: dict[tuple[str, str], _Runs] = {}
    for path in paths:
        place = _place(path)
        if place is None:
            kept.append(path)
            continue
        period, export, run = place
        series.setdefault((period, export), _Runs()).by_run.setdefault(run, []).append(path)
    for (period, _), runs in series.items():
        kept += _choose(period, runs, tree, warnings)
    return kept


def _choose(period: str, runs: _Runs, tree: Tree, warnings: list[str]) -> list[PurePosixPath]:
    ordered = runs.newest(tree)
    complete = [run for run in ordered if not missing_chunk(runs.by_run[run])]
    if not complete:
        last = runs.by_run[ordered[-1]]
        raise InputRefused(
            f"{missing_chunk(last)} is missing, and there is no manifest",
            Place(str(last[0])),
            "The download is not complete: fetch the whole run, with its manifest",
        )
    taken = runs.by_run[complete[-1]]
    if len(ordered) == 1:
        warnings.append(f"{period}: no manifest, so all {len(taken)} files were taken")
        return taken
    words = f"{period}: no manifest, so the newest complete of {len(ordered)} runs was taken, {taken[0]}"
    before = runs.by_run[complete[-2]] if len(complete) > 1 else []
    if len(taken) < len(before):
        words += f"; it has {len(taken)} files, the run before it {len(before)}: is it complete?"
    warnings.append(words)
    return taken


def _place(path: PurePosixPath) -> tuple[str, str, str] | None:
    """(the period's folder, the export, the run) of a file; None where no folder is a period's."""
    folders = path.parts[:-1]
    at = next((i for i, part in enumerate(folders) if _PERIOD.fullmatch(part)), None)
    if at is None:
        return None
    period, inner = "/".join(folders[: at + 1]), folders[at + 1 :]
    run = next((i for i, part in enumerate(inner) if made_at(part) or _ID.search(part)), None)
    if run is None and inner and not _INCLUSIVE.fullmatch(folders[at]):
        run = 0  # an assembly of AWS may have any name
    if run is None:
        return period, "/".join(inner), ""
    return period, "/".join(inner[:run]), inner[run]


def missing_chunk(paths: Sequence[PurePosixPath]) -> str:
    """The name of a numbered chunk (-00001, part_0_0001) that is not among the files of a run; empty if none is."""
    numbered: dict[PurePosixPath, dict[int, str]] = {}
    for path in paths:
        stem, dot, suffix = path.name.partition(".")
        for match in re.finditer(r"(?<=[-_])\d{1,5}(?=$|_)", stem):
            others = path.with_name(f"{stem[: match.start()]}#{stem[match.end() :]}{dot}{suffix}")
            numbered.setdefault(others, {})[int(match.group())] = match.group()
    for others, found in numbered.items():
        if not {0, 1} & set(found) and any(len(text) < 5 for text in found.values()):
            continue  # some other number, such as a year
        gap = next((n for n in range(0 if 0 in found else 1, max(found)) if n not in found), None)
        if gap is not None:
            width = len(next(iter(found.values())))
            return others.name.replace("#", str(gap).zfill(width))
    return ""
