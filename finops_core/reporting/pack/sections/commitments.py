"""What commitments did, and when they end."""

from datetime import timedelta

import polars

from finops_core.analysis.commitments.figures import expiring
from finops_core.reporting.pack.content import CHANGE, DAY, MONEY, SHARE, Column, Part, Section, Table
from finops_core.reporting.situation import Situation

SOON = timedelta(90)
"""How long after the month an end is told beforehand."""


def _make(found: Situation) -> Part | None:
    told = found.commitments
    if told.items.is_empty():
        return None
    # A bill that links fees to no use tells neither utilisation nor idle money: nothing is shown, and the fees instead.
    sums = told.totals.with_columns(
        unused=polars.when(polars.col("utilisation").is_not_null()).then("unused")
    )
    shown = [
        ("BillingCurrency", Column("Currency", weight=0.8)), ("used", Column("Used", MONEY)), ("unused", Column("Idle", MONEY)),
        *([("fees", Column("Fees", MONEY))] if any(sums["fees"]) else []), ("utilisation", Column("Utilisation", SHARE)),
        ("coverage", Column("Coverage", SHARE)), ("effective_savings_rate", Column("Savings rate", SHARE)), ("savings", Column("Saved", CHANGE)),
    ]  # fmt: skip
    totals = sums.select([name for name, _ in shown]).rows()
    columns = [column for _, column in shown]
    soon = expiring(told.items, found.period.days).filter(polars.col("expires") < found.period.end + SOON)
    ends = [
        [_short(r["CommitmentDiscountId"]), r["BillingCurrency"], r["expires"], r["expiry"], r["daily"]]
        for r in soon.iter_rows(named=True)
    ]
    tables = [Table("All commitments", columns, totals)]
    if ends:
        labels = [
            Column("Commitment", weight=2.6),
            Column("", weight=0.6),
            Column("Ends", DAY),
            Column("Known as", weight=0.9),
            Column("More a day then", CHANGE),
        ]
        tables.append(Table("Ending within three months", labels, ends))
    said = "Savings are against on-demand prices; what idles is counted against them." if totals else ""
    return Part([said], tables)


def _short(name: str | None) -> str:
    text = name or "(none)"
    return text if len(text) <= 48 else f"…{text[-46:]}"


SECTION = Section("commitments", "Commitments", 60, _make)
