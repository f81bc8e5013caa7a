"""Where a number comes from: the line of the export, the load that brought it, and the rule that made a cost of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from finops_core.formats.format import Format
from finops_core.store.batches import Batch


@dataclass(frozen=True)
class Origin:
    """The way of one charge: export file and row → batch → the format's expression of a column."""

    file: str
    row: int
    """As a spreadsheet counts: the header is row 1."""
    batch: Batch
    format: str
    """Title of the format."""
    expression: str
    """What the format says the column is, in terms of the file's columns."""
    derived: str | None
    """Why the charge exists although the source has no such row."""


def origin(
    charge: Mapping[str, Any], column: str, batches: Iterable[Batch], formats: Iterable[Format]
) -> Origin | None:
    """The origin of a charge's column (a row of `Ledger.charges`). None where its load or its format is not known here."""
    place = (charge["x_Source"], charge["BillingPeriod"], charge["x_BatchId"])
    batch = next((b for b in batches if (b.source, b.billing_period, b.batch_id) == place), None)
    format = next((f for f in formats if batch is not None and f.name == batch.format), None)
    if batch is None or format is None:
        return None
    columns = dict(format.columns)
    rule = next((d for d in format.derive if d.reason == charge["x_Derived"]), None)
    if rule is not None:
        columns |= rule.columns
    return Origin(
        charge["x_File"],
        charge["x_Row"],
        batch,
        format.title,
        columns.get(column, "NULL"),
        charge["x_Derived"],
    )
