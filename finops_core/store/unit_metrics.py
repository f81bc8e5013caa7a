"""The files of business units in HOME/units, each added whole or not at all, and all that they say together."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import polars

from finops_core.errors import InputRefused, Place, UsageError
from finops_core.store.home import Home, full_disk_in_words, make_directory, sync
from finops_core.store.unit_tables import DAY, METRIC, MONTHLY, SCHEMA, SCOPE, Observed, read


@dataclass(frozen=True)
class Added:
    """A file that was added: its name in the home, what it says, and whether it replaced another."""

    name: str
    observed: Observed
    replaced: bool

    def in_words(self) -> str:
        return f"{self.name}: {'replaced' if self.replaced else 'added'}: {self.observed.in_words()}"


def directory(home: Home) -> Path:
    return home.path / "units"


def add(home: Home, file: Path, name: str | None = None) -> Added:
    """Copies a file of business units into the home, in place of an earlier one of its name.

    Raises InputRefused for what cannot be read, or would count a day of a metric twice; UsageError for a name that is none; HomeBusy.
    """
    name = _checked(name or file.name)
    if not file.is_file():
        raise InputRefused("there is no such file", Place(str(file)))
    kept = directory(home)
    with home.writing(), full_disk_in_words(home.path), home.workspace("units") as workspace:
        copy = workspace / name
        try:
            shutil.copyfile(file, copy)
        except PermissionError as error:
            raise InputRefused(f"cannot be read: {error.strerror}", Place(str(file))) from error
        found = read(copy)  # of the copy: what is kept is what was read
        others = {other: read(kept / other) for other in names(home) if other != name}
        _together({**others, name: found})
        sync(copy)
        make_directory(kept)
        replaced = (kept / name).exists()
        os.replace(copy, kept / name)
        sync(kept)
    return Added(name, found, replaced)


def names(home: Home) -> list[str]:
    """The files, by name."""
    files = directory(home).glob("*")
    return sorted(f.name for f in files if f.is_file() and not f.name.startswith("."))


def listed(home: Home) -> dict[str, Observed | InputRefused]:
    """File → what it says, or why it cannot be read."""
    found: dict[str, Observed | InputRefused] = {}
    for name in names(home):
        try:
            found[name] = read(directory(home) / name)
        except InputRefused as error:
            found[name] = error
    return found


def observations(home: Home) -> Observed:
    """All files together: a row a day, metric and scope. Raises InputRefused where a file was spoilt by hand."""
    return _together({name: read(directory(home) / name) for name in names(home)})


def stamps(home: Home) -> tuple[tuple[str, int, int], ...]:
    """Name, time of change and size of each file: changes whenever what they say may change."""
    found = [(name, (directory(home) / name).stat()) for name in names(home)]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)


def remove(home: Home, name: str) -> None:
    """Removes a file. Raises UsageError where there is none of this name."""
    name = _checked(name)
    with home.writing():
        try:
            (directory(home) / name).unlink()
        except FileNotFoundError:
            known = ", ".join(names(home)) or "none"
            raise UsageError(f"there is no file {name!r} of units; known are {known}") from None
        sync(directory(home))


def _together(files: dict[str, Observed]) -> Observed:
    if not files:
        return Observed(polars.DataFrame(schema=SCHEMA))
    parts = [f.frame.with_columns(polars.lit(name).alias("file")) for name, f in files.items()]
    frame = polars.concat(parts)
    twice = frame.filter(polars.struct(DAY, METRIC, SCOPE).is_duplicated()).sort(DAY, METRIC, SCOPE)
    if len(twice):
        first, second = twice["file"][:2]
        raise InputRefused(
            f"{twice[METRIC][0]} of {twice[DAY][0]} is also in {first}", Place(second), "Leave one of the two files out"
        )  # fmt: skip
    mixed = frame.group_by(METRIC).agg(polars.col(MONTHLY).n_unique().alias("n"), polars.col("file").max())
    mixed = mixed.filter(polars.col("n") > 1).sort(METRIC)
    if len(mixed):
        raise InputRefused(
            f"{mixed[METRIC][0]} is told by day in one place and by month in another",
            Place(mixed["file"][0]),
            "Give them different names",
        )
    notes = tuple(f"{name}: {note}" for name, f in files.items() for note in f.notes)
    return Observed(frame.drop("file").sort(DAY, METRIC, SCOPE), notes)


def _checked(name: str) -> str:
    if not name.strip() or "/" in name or "\\" in name or "*" in name or name.startswith("."):
        raise UsageError(f"{name!r} is no name for a file of units: write one such as orders.csv")
    return name
