"""What the months to come will cost."""

import polars

from finops_core.reporting.pack.content import MONEY, Column, Part, Section, Table
from finops_core.reporting.situation import Situation


def _make(found: Situation) -> Part | None:
    table = found.known.forecast
    if table.is_empty():
        return None
    tables = []
    for code in found.span.currencies:
        own = table.filter(polars.col("BillingCurrency") == code).sort("ChargePeriod")
        if own.is_empty():
            continue
        rows = [
            [f"{r['ChargePeriod']:%B %Y}", r["mean"], r["p10"], r["p90"], r["actual"] or None]
            for r in own.iter_rows(named=True)
        ]
        columns = [
            Column("Month", weight=1.4),
            Column(f"Forecast, {code}", MONEY),
            Column("Low (p10)", MONEY),
            Column("High (p90)", MONEY),
            Column("Of it known", MONEY),
        ]
        tables.append(Table(f"Forecast, {code}", columns, rows))
    words = "Eight months in ten are expected between low and high. Made of the days that are complete now, whatever month this pack is of."
    return Part([words], tables)


SECTION = Section("forecast", "Forecast", 40, _make)
