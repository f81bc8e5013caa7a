"""The files of business units in HOME/units, each added whole or not at all, and all that they say together."""

from dataclasses import dataclass
from pathlib import Path

import polars

from finops_core.errors import InputRefused, Place
from finops_core.store.home import Home
from finops_core.store.kept_files import KeptFiles
from finops_core.store.unit_tables import DAY, METRIC, MONTHLY, SCHEMA, SCOPE, Observed, read


@dataclass(frozen=True)
class Added:
    """A file that was added: its name in the home, what it says, and whether it replaced another."""

    name: str
    observed: Observed
    replaced: bool

    def in_words(self) -> str:
        return f"{self.name}: {'replaced' if self.replaced else 'added'}: {self.observed.in_words()}"


_FILES = KeptFiles("units", "units", "orders.csv")
stamps = _FILES.stamps
remove = _FILES.remove


def add(home: Home, file: Path, name: str | None = None) -> Added:
    """Copies a file of business units into the home, in place of an earlier one of its name.

    Raises InputRefused for what cannot be read, or would count a day of a metric twice; UsageError for a name that is none; HomeBusy.
    """

    def look(copy: Path) -> Observed:
        found = read(copy)
        others = {kept.name: read(kept) for kept in _FILES.files(home) if kept.name != copy.name}
        _together({**others, copy.name: found})
        return found

    return Added(*_FILES.add(home, file, name, look))


def names(home: Home) -> list[str]:
    """The files, by name."""
    return [file.name for file in _FILES.files(home)]


def listed(home: Home) -> dict[str, Observed | InputRefused]:
    """File → what it says, or why it cannot be read."""
    return _FILES.listed(home, read)


def observations(home: Home) -> Observed:
    """All files together: a row a day, metric and scope. Raises InputRefused where a file was spoilt by hand."""
    return _together({file.name: read(file) for file in _FILES.files(home)})


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
