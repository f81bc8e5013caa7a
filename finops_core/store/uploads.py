"""Files that a person uploads: kept in the home until they are loaded or put aside."""

import shutil
import time
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import IO

from finops_core.errors import InputRefused, Place, UsageError
from finops_core.store.home import Home, full_disk_in_words

_BLOCK = 8 << 20
_KEPT_SECONDS = 24 * 3600


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
