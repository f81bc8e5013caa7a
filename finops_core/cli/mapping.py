"""Commands for mappings: any CSV through some twenty lines of YAML."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finops_core.cli.session import app, put, say, the_home
from finops_core.errors import InputRefused, Place

if TYPE_CHECKING:
    from finops_core.store.preview import MonthPreview

mapping = typer.Typer(help="Read any CSV through a mapping.", no_args_is_help=True)
app.add_typer(mapping, name="mapping")


@mapping.command("suggest")
def suggest_mapping(
    file: Annotated[Path, typer.Argument(help="A CSV as the vendor writes it, perhaps zipped.")],
) -> None:
    """Print a mapping to start from, guessed from a CSV's header and first rows."""
    from finops_core.ingest.files import ExportFile, examine
    from finops_core.store.preview import describe

    found = [describe(table) for table in examine(ExportFile(file, file.name))]
    tables = [table for table in found if table.suggestion is not None]
    if not tables:
        raise InputRefused("this is no csv", Place(file.name), "Parquet and JSON need a format of their own")
    put(str(tables[0].suggestion))
    for other in tables[1:]:
        say(f"{other.name}: the archive holds this table as well; the mapping is for {tables[0].name}")


@mapping.command("check")
def check_mapping(
    yaml: Annotated[Path, typer.Argument(metavar="YAML", help="The mapping.")],
    file: Annotated[Path | None, typer.Argument(help="A CSV to read through it; nothing is stored.")] = None,
) -> None:
    """Say whether a mapping is in order and, with a file, what a load through it would store."""
    from finops_core.formats.custom.reading import read_mapping

    found = read_mapping(yaml)
    if file is None:
        put(f"{yaml}: in order; reads {', '.join(found.source_columns())} as the format custom:{found.name}")
        return
    from finops_core.formats.custom import mapping_format
    from finops_core.formats.custom.compiling import missing_columns
    from finops_core.ingest.files import ExportFile, examine, refuse
    from finops_core.store.load import LoadOptions
    from finops_core.store.preview import preview

    for table in examine(ExportFile(file, file.name)):
        if missing := missing_columns(found, table.header):
            words = (
                f"lacks {', '.join(map(repr, missing))}, by which the mapping {found.name!r} knows its files"
            )
            raise refuse(table, words, "Correct `match`", row=1)
    format = mapping_format(found)
    options = LoadOptions(format=format.name, mappings=(format,))
    for month in preview(the_home(), [file], options, progress=say).months:
        _tell(month)


def _tell(month: "MonthPreview") -> None:
    state = "reconciled" if month.reconciled else "DOES NOT RECONCILE"
    for currency, total in month.totals.items():
        put(
            f"{month.source} {month.billing_period}: {total.rows:,} rows, {_plain(total.billed)} {currency} billed,"
            f" {_plain(total.effective)} effective; {state}; would be {month.action}"
        )
    for warning in month.warnings:
        say(f"  warning: {warning}")


def _plain(amount: Decimal) -> str:
    from finops_core.store.batches import plain

    return plain(amount)
