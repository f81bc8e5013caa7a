"""The files of usage that shared cost is split by: HOME/metrics, each added whole or not at all.

Shared cost is split anew at once by what is added or removed.
"""

from pathlib import Path

from finops_core.allocation.drivers.describing import Description, describe
from finops_core.errors import InputRefused, UsageError
from finops_core.store.home import Home
from finops_core.store.kept_files import KeptFiles
from finops_core.store.load import repair
from finops_core.store.ownership import in_force

_FILES = KeptFiles("metrics", "drivers", "usage.csv")
stamps = _FILES.stamps


def add(home: Home, file: Path, name: str | None = None) -> tuple[str, Description, bool]:
    """Copies a file into the home's metrics, in place of an earlier one of its name, if a driver could read it.

    Returns its name there, what it holds, and whether it replaced another. Raises InputRefused for what cannot be
    read, also by a pool in force that is split by it; UsageError for a name that is none; HomeBusy.
    """
    return _FILES.add(home, file, name, describe, lambda: repair(home))


def remove(home: Home, name: str) -> None:
    """Removes a file. Raises UsageError where there is none of this name, and where a pool in force is split by it; HomeBusy."""
    before = set(in_force(home).gaps())

    def split_without() -> None:
        gaps = [gap for gap in in_force(home).gaps() if gap not in before]
        if gaps:
            raise UsageError(
                f"{name} is needed: without it {gaps[0]}. Change the rule first, or add another file in its place"
            )
        repair(home)

    _FILES.remove(home, name, split_without)


def listed(home: Home) -> dict[str, Description | InputRefused]:
    """File name → what it holds, or why it cannot be read."""
    return _FILES.listed(home, describe)
