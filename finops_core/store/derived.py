"""Tables computed from a version of the store and kept beside it, so that they need not be computed again.

They may be deleted at any time. A home that is full or must not be written is no obstacle: nothing is kept then.
"""

import contextlib
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars

from finops_core.store.home import Home

_KEPT = 2
"""How many versions of a table are kept: the newest, and the one that the next is computed from."""


def read(home: Home, name: str, form: str, version: str) -> polars.DataFrame | None:
    """The table of a name and form for a version; None where it is not there or cannot be read.

    `form` changes whenever the table is computed otherwise: of another form none is found.
    """
    return _read(_path(home, name, form, version))


def newest(home: Home, name: str, form: str) -> polars.DataFrame | None:
    """The table of a name and form that was kept last, of whichever version; None where there is none."""
    kept = _kept(home, f"{name}-{form}")
    return _read(kept[-1]) if kept else None


def keep(home: Home, name: str, form: str, version: str, table: polars.DataFrame) -> bool:
    """Keeps a table, whole or not at all. Returns whether it could."""
    path = _path(home, name, form, version)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:6]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        table.write_parquet(draft, compression="zstd")
        os.replace(draft, path)
    except (OSError, polars.exceptions.PolarsError):
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        return False
    for old in _kept(home, name)[:-_KEPT]:
        with contextlib.suppress(OSError):
            old.unlink(missing_ok=True)
    return True


def tables(
    home: Home,
    name: str,
    form: str,
    version: str,
    parts: Sequence[str],
    make: Callable[[], Mapping[str, polars.DataFrame]],
) -> Mapping[str, polars.DataFrame]:
    """Tables that belong together, by the names of their parts: as kept, or made and kept where one is missing."""
    kept = {part: read(home, f"{name}-{part}", form, version) for part in parts}
    found = {part: table for part, table in kept.items() if table is not None}
    if len(found) < len(parts):
        found = dict(make())
        for part in parts:
            keep(home, f"{name}-{part}", form, version, found[part])
    return found


def _path(home: Home, name: str, form: str, version: str) -> Path:
    return home.analysis / f"{name}-{form}-{version}.parquet"


def _kept(home: Home, name: str) -> list[Path]:
    """The files whose names begin so, oldest first."""
    found = []
    for path in home.analysis.glob(f"{name}-*.parquet"):
        with contextlib.suppress(OSError):
            found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found)]


def _read(path: Path) -> polars.DataFrame | None:
    try:
        return polars.read_parquet(path) if path.exists() else None
    except (OSError, polars.exceptions.PolarsError):
        return None
