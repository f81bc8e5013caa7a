"""What a load of some files would do, without storing anything: for the upload page, and for trying a mapping."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from finops_core.errors import InputRefused
from finops_core.formats import recognise
from finops_core.formats.custom import mapping_format, parse_mapping, suggest
from finops_core.formats.format import Format
from finops_core.ingest.files import Examined, ExportFile, examine
from finops_core.ingest.sample import sample_rows
from finops_core.store.batches import Batch, in_force
from finops_core.store.home import Home
from finops_core.store.lake import Lake
from finops_core.store.load import LoadOptions, Progress, known_formats, load

SHOWN = 20
"""Rows of an unknown file that are kept to be shown."""


@dataclass(frozen=True)
class Totals:
    """What a month amounts to in one currency. `source_total` is None where the source has no total of its own."""

    rows: int
    billed: Decimal
    effective: Decimal
    source_total: Decimal | None = None

    def __sub__(self, other: "Totals") -> "Totals":
        return Totals(self.rows - other.rows, self.billed - other.billed, self.effective - other.effective)


NOTHING = Totals(0, Decimal(0), Decimal(0))


@dataclass(frozen=True)
class Version:
    """The version of a month that is in force."""

    loaded_at: str
    files: tuple[str, ...]
    totals: dict[str, Totals]
    """By currency."""


@dataclass(frozen=True)
class MonthPreview:
    """One billing period of one source, as a load would store it."""

    source: str
    billing_period: str
    format: str
    format_version: str
    files: tuple[str, ...]
    action: str
    """added | replaced | unchanged"""
    rows_in: int
    rows_stored: int
    dropped: dict[str, int]
    derived: dict[str, int]
    totals: dict[str, Totals]
    """By currency."""
    reconciled: bool
    warnings: tuple[str, ...]
    before: Version | None
    """What the load would replace."""

    @property
    def difference(self) -> dict[str, Totals]:
        """By currency: this version less the one in force; less nothing, where there is none."""
        before = self.before.totals if self.before else {}
        return {
            currency: self.totals.get(currency, NOTHING) - before.get(currency, NOTHING)
            for currency in sorted({*self.totals, *before})
        }


@dataclass(frozen=True)
class UnknownFile:
    """A table that no format knows."""

    path: Path
    name: str
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    """The first rows, a column's name → its text; none where the table is no csv."""
    suggestion: str | None
    """The YAML of a mapping to start from; None where the table is no csv."""


@dataclass(frozen=True)
class Preview:
    """What a load would do: the months it would store, and the files it would not know."""

    months: tuple[MonthPreview, ...]
    unknown: tuple[UnknownFile, ...]


def preview(
    home: Home,
    paths: Iterable[Path],
    options: LoadOptions | None = None,
    mapping: str | None = None,
    progress: Progress = lambda words: None,
) -> Preview:
    """What `load` would do with the paths. Stores nothing.

    `mapping` is the YAML of a mapping that is tried, but not saved. A file that no format knows does not stop the
    others. Raises what `load` raises for the rest: InputRefused above all.
    """
    options = options or LoadOptions()
    if mapping is not None:
        tried = mapping_format(parse_mapping(mapping, "the mapping"))
        options = replace(options, mappings=(tried, *options.mappings))
    known = (*options.mappings, *known_formats(home))
    unknown: list[UnknownFile] = []
    rest: list[Path] = []
    for path in paths:
        strangers = _strangers(path, known) if options.format == "auto" else []
        unknown += [describe(table) for table in strangers]
        if not strangers:
            rest.append(path)
    batches = load(home, rest, replace(options, dry_run=True), progress) if rest else []
    current = in_force(Lake(home.lake).batches())
    return Preview(tuple(_month(batch, current) for batch in batches), tuple(unknown))


def describe(table: Examined) -> UnknownFile:
    """The header, the first rows and the suggested mapping of a table."""
    rows = sample_rows(table)
    return UnknownFile(
        path=table.file.path,
        name=table.name,
        columns=table.header.names,
        rows=tuple(rows[:SHOWN]),
        suggestion=suggest(table.header, rows) if table.header.kind == "csv" else None,
    )


def _strangers(path: Path, known: Sequence[Format]) -> list[Examined]:
    """The tables of a file that no format knows. What is no table at all is left for the load to refuse."""
    if not path.is_file():
        return []
    try:
        tables = examine(ExportFile(path, path.name))
    except InputRefused:
        return []
    return [table for table in tables if recognise(table.header, tuple(known)) is None]


def _month(batch: Batch, current: dict[tuple[str, str], Batch]) -> MonthPreview:
    before = current.get((batch.source, batch.billing_period))
    return MonthPreview(
        source=batch.source,
        billing_period=batch.billing_period,
        format=batch.format,
        format_version=batch.format_version,
        files=tuple(batch.files),
        action=batch.action,
        rows_in=batch.rows_in,
        rows_stored=batch.rows_stored,
        dropped=batch.dropped,
        derived=batch.derived,
        totals=_totals(batch),
        reconciled=batch.reconciled,
        warnings=tuple(batch.warnings),
        before=Version(before.loaded_at, tuple(before.files), _totals(before)) if before else None,
    )


def _totals(batch: Batch) -> dict[str, Totals]:
    return {
        currency: Totals(
            int(Decimal(total["rows"])),
            Decimal(total["BilledCost"]),
            Decimal(total["EffectiveCost"]),
            Decimal(total["source_total"]) if "source_total" in total else None,
        )
        for currency, total in batch.totals.items()
    }
