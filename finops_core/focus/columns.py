"""The columns of FOCUS 1.0 to 1.4 as data, read from `columns.tsv`: one row a column.

`allowed_values` in the table is a closed list (`Usage|Purchase|…`), `>= 0` for a number that cannot be negative,
or empty where any value of the type will do.
"""

import csv
from dataclasses import dataclass
from importlib import resources
from typing import Literal, cast

FocusType = Literal["String", "Decimal", "Date/Time", "JSON"]

FOCUS_VERSIONS = ("0.5", "1.0-preview", "1.0", "1.1", "1.2", "1.3", "1.4")
"""The versions in their order."""


@dataclass(frozen=True)
class FocusColumn:
    """One column, as the specification describes it; `meaning` is ours, in one plain sentence."""

    name: str
    type: FocusType
    allows_nulls: bool
    level: str  # Mandatory | Conditional | Recommended
    allowed_values: tuple[str, ...]
    """The closed list of values; empty where there is none."""
    non_negative: bool
    introduced_in: str
    meaning: str
    deprecated_in: str | None = None
    removed_in: str | None = None
    replaced_by: str | None = None

    def exists_in(self, version: str) -> bool:
        """Whether the column is part of a version of FOCUS. Raises ValueError for a version that does not exist."""
        at = FOCUS_VERSIONS.index(version)
        gone = self.removed_in is not None and at >= FOCUS_VERSIONS.index(self.removed_in)
        return at >= FOCUS_VERSIONS.index(self.introduced_in) and not gone


_RETIRED = {
    "ProviderName": ("1.3", "1.4", "ServiceProviderName"),
    "PublisherName": ("1.3", "1.4", None),
}
"""Column → deprecated in, removed in, replaced by. What PublisherName said, no later column says."""


def _load() -> dict[str, FocusColumn]:
    text = resources.files("finops_core.focus").joinpath("columns.tsv").read_text("utf-8")
    columns = {}
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        name, allowed = row["column"], row["allowed_values"]
        non_negative = allowed == ">= 0"
        deprecated_in, removed_in, replaced_by = _RETIRED.get(name, (None, None, None))
        columns[name] = FocusColumn(
            name=name,
            type=cast(FocusType, row["type"]),
            allows_nulls=row["allows_nulls"] == "True",
            level=row["level"],
            allowed_values=tuple(allowed.split("|")) if allowed and not non_negative else (),
            non_negative=non_negative,
            introduced_in=row["introduced_in"],
            meaning=row["meaning"],
            deprecated_in=deprecated_in,
            removed_in=removed_in,
            replaced_by=replaced_by,
        )
    return columns


FOCUS_COLUMNS: dict[str, FocusColumn] = _load()
"""All columns by name."""


def columns_of(version: str) -> tuple[FocusColumn, ...]:
    """The columns of one version of FOCUS."""
    return tuple(column for column in FOCUS_COLUMNS.values() if column.exists_in(version))
