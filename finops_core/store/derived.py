"""What takes long to compute and can always be computed again: kept beside the lake, by what it was computed from.

HOME/analysis/KIND-KEY/NAME.parquet. Whole or not there: written beside and moved into place. A home that cannot be written to, or
a damaged file, only costs the time to compute it again.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import mkdtemp

import polars

from finops_core.store.home import Home

Frames = Mapping[str, polars.DataFrame]
_KEPT = 6
"""How many of a kind are kept: the newest."""


def derived(home: Home, kind: str, key: str, make: Callable[[], Frames]) -> Frames:
    """The frames of a kind for a key (a version of the store and what was asked of it), made where they are not kept yet."""
    directory = home.path / "analysis" / f"{kind}-{hashlib.sha256(key.encode()).hexdigest()[:20]}"
    found = _read(directory)
    if found is None:
        found = make()
        _write(directory, kind, found)
    return found


def _read(directory: Path) -> Frames | None:
    try:
        files = sorted(directory.glob("*.parquet"))
        frames = {file.stem: polars.read_parquet(file) for file in files}
        os.utime(directory)
    except (OSError, polars.exceptions.PolarsError):
        return None
    return frames or None


def _write(directory: Path, kind: str, frames: Frames) -> None:
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(mkdtemp(prefix=".", dir=directory.parent))
    except OSError:
        return
    try:
        for name, frame in frames.items():
            frame.write_parquet(beside / f"{name}.parquet")
        shutil.rmtree(directory, ignore_errors=True)
        os.replace(beside, directory)
        of_kind = sorted(directory.parent.glob(f"{kind}-*"), key=lambda d: d.stat().st_mtime)
        for old in of_kind[:-_KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    except (OSError, polars.exceptions.PolarsError):
        shutil.rmtree(beside, ignore_errors=True)
