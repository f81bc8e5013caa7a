"""Bills read through a mapping, by the tests."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from finops_core.formats.custom import mapping_format, parse_mapping
from finops_core.ingest.batching import Month, months_of
from finops_core.ingest.checks import check_staged
from finops_core.ingest.discover import discover
from finops_core.ingest.stage import connect, stage

ACME = """
name: acme
provider: Acme Search
match: [Day, Amount, Plan]
cost: Amount
currency: Currency
date: Day
"""
BILL = "Day,Plan,Amount,Currency\n2026-09-05,Pro,12.5,USD\n2026-09-06,Pro,0.000000000000000001,USD\n"


def read(mapping: str, text: str) -> tuple[list[Month], list[dict[str, Any]], list[str]]:
    """Months, charges in the order of the file, and warnings, of a csv text."""
    with tempfile.TemporaryDirectory() as directory:
        workspace = Path(directory)
        file = workspace / "bill.csv"
        file.write_text(text, "utf-8")
        format = mapping_format(parse_mapping(mapping, "acme.yaml"))
        (export,) = discover([file], [format])
        connection = connect(workspace)
        staged = stage(export.format, export.version, export.tables, workspace, connection)
        warnings = [*staged.warnings, *check_staged(staged, connection)]
        relation = connection.sql(f"SELECT * FROM {staged.relation} ORDER BY x_Row")
        charges = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
        months = months_of(staged, connection)
        connection.close()
        return months, charges, warnings


def totals(months: Iterable[Month]) -> dict[tuple[str, str], str]:
    """(period, currency) → BilledCost; each month must reconcile with the second reader."""
    found = {}
    for month in months:
        assert month.reconciled, month.warnings
        for currency, total in month.totals.items():
            assert total["source_total"] == total["BilledCost"]
            found[month.period, currency] = total["BilledCost"]
    return found
