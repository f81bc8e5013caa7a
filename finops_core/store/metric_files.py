"""The files of usage that shared cost is split by: HOME/metrics, each added whole or not at all."""

from pathlib import Path

from finops_core.allocation.drivers.describing import Description, describe
from finops_core.errors import InputRefused
from finops_core.store.home import Home
from finops_core.store.kept_files import KeptFiles

_FILES = KeptFiles("metrics", "drivers", "usage.csv")
stamps = _FILES.stamps
remove = _FILES.remove


def add(home: Home, file: Path, name: str | None = None) -> tuple[str, Description, bool]:
    """Copies a file into the home's metrics, in place of an earlier one of its name, if a driver could read it.

    Returns its name there, what it holds, and whether it replaced another. Raises InputRefused for what cannot be
    read, UsageError for a name that is none, HomeBusy.
    """
    return _FILES.add(home, file, name, describe)


def listed(home: Home) -> dict[str, Description | InputRefused]:
    """File name → what it holds, or why it cannot be read."""
    return _FILES.listed(home, describe)
