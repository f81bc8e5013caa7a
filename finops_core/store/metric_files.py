"""The files of usage that shared cost is split by: HOME/metrics, each added whole or not at all."""

import os
import shutil
from pathlib import Path

from finops_core.allocation.drivers.describing import Description, describe
from finops_core.errors import InputRefused, Place, UsageError
from finops_core.store.home import Home, full_disk_in_words, make_directory, sync


def add(home: Home, file: Path, name: str | None = None) -> tuple[str, Description, bool]:
    """Copies a file into the home's metrics, in place of an earlier one of its name, if a driver could read it.

    Returns its name there, what it holds, and whether it replaced another. Raises InputRefused for what cannot be
    read, UsageError for a name that is none, HomeBusy.
    """
    name = _checked(name or file.name)
    if not file.is_file():
        raise InputRefused("there is no such file", Place(str(file)))
    with home.writing(), full_disk_in_words(home.path), home.workspace("metrics") as workspace:
        copy = workspace / name
        try:
            shutil.copyfile(file, copy)
        except PermissionError as error:
            raise InputRefused(f"cannot be read: {error.strerror}", Place(str(file))) from error
        found = describe(copy)  # of the copy: what is kept is what was read
        sync(copy)
        make_directory(home.metrics)
        replaced = (home.metrics / name).exists()
        os.replace(copy, home.metrics / name)
        sync(home.metrics)
    return name, found, replaced


def listed(home: Home) -> dict[str, Description | InputRefused]:
    """File name → what it holds, or why it cannot be read."""
    found: dict[str, Description | InputRefused] = {}
    for file in sorted(home.metrics.glob("*")):
        if file.is_file() and not file.name.startswith("."):
            try:
                found[file.name] = describe(file)
            except InputRefused as error:
                found[file.name] = error
    return found


def stamps(home: Home) -> tuple[tuple[str, int, int], ...]:
    """Name, time of change and size of each file: changes whenever what the files say may change."""
    found = [(f.name, f.stat()) for f in sorted(home.metrics.glob("*")) if f.is_file()]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)


def remove(home: Home, name: str) -> None:
    """Removes a file of the home's metrics. Raises UsageError where there is none of this name."""
    name = _checked(name)
    with home.writing():
        try:
            (home.metrics / name).unlink()
        except FileNotFoundError:
            known = ", ".join(listed(home)) or "none"
            raise UsageError(f"there is no file {name!r} of drivers; known are {known}") from None
        sync(home.metrics)


def _checked(name: str) -> str:
    if not name.strip() or "/" in name or "\\" in name or "*" in name or name.startswith("."):
        raise UsageError(f"{name!r} is no name for a file of drivers: write one such as usage.csv")
    return name
