"""The files of usage that shared cost is split by: HOME/metrics, each added whole or not at all.

Shared cost is split anew at once by what is added or removed.
"""

import hashlib
from pathlib import Path

from finops_core.allocation.drivers.describing import Description, describe
from finops_core.allocation.ruleset import RuleSet
from finops_core.errors import InputRefused, UsageError
from finops_core.store import audit
from finops_core.store.home import Home
from finops_core.store.kept_files import KeptFiles
from finops_core.store.load import repair
from finops_core.store.ownership import in_force
from finops_core.store.state import State

_FILES = KeptFiles("metrics", "drivers", "usage.csv")
stamps = _FILES.stamps


def add(
    home: Home, file: Path, name: str | None = None, who: str | None = None
) -> tuple[str, Description, bool]:
    """Copies a file into the home's metrics, in place of an earlier one of its name, if a driver could read it.

    Returns its name there, what it holds, and whether it replaced another. With `who` it is noted in the audit log. Raises
    InputRefused for what cannot be read, also by a pool in force that is split by it; UsageError for a name that is none and a
    `who` that is blank; HomeBusy.
    """
    _insist(who)
    name, found, replaced = _FILES.add(home, file, name, describe, lambda: repair(home))
    if who is not None:
        with (_FILES.directory(home) / name).open("rb") as kept:
            content = hashlib.file_digest(kept, "sha256").hexdigest()
        action = "usage file replaced" if replaced else "usage file added"
        audit.append(State(home), action, f"usage file {name}", who, found.in_words(), {"sha256": content})
    return name, found, replaced


def remove(home: Home, name: str, who: str | None = None) -> None:
    """Removes a file; with `who` it is noted in the audit log. Raises UsageError where there is none of this name, where a pool in
    force is split by it, and for a `who` that is blank; HomeBusy."""
    _insist(who)

    def split_without() -> None:
        ownership = in_force(home)
        if gaps := ownership.gaps(name):
            raise UsageError(
                f"{name} is needed: without it {gaps[0]}. Change the rule first, or add another file in its place"
            )
        repair(home, ownership)

    _FILES.remove(home, name, split_without)
    if who is not None:
        audit.append(State(home), "usage file removed", f"usage file {name}", who)


def _insist(who: str | None) -> None:
    if who is not None and not who.strip():
        raise UsageError("say who you are: it is kept in the audit log")


def listed(home: Home) -> dict[str, Description | InputRefused]:
    """File name → what it holds, or why it cannot be read."""
    return _FILES.listed(home, describe)


def readers(rules: RuleSet, name: str) -> tuple[str, ...]:
    """The pools that are split by a file of this name."""
    found = [pool.name for pool in rules.pools if any(spec.reads(name) for spec in pool.drivers())]
    return tuple(dict.fromkeys(found))
