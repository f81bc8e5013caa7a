"""What commitments did, and when they end."""

from datetime import timedelta

import polars

from finops_core.analysis.commitments.figures import expiring
from finops_core.reporting.pack.content import CHANGE, DAY, MONEY, SHARE, Column, Part, Section, Table
from finops_core.reporting.situation import Situation

_SOON = timedelta(120)


def _make(found: Situation) -> Part | None:
    told = found.commitments
    if told.items.is_empty():
        return None
    totals = [
        [
            r["BillingCurrency"],
            r["used"],
            r["unused"],
            r["utilisation"],
            r["coverage"],
            r["effective_savings_rate"],
            r["savings"],
        ]
        for r in told.totals.iter_rows(named=True)
    ]
    columns = [
        Column("Currency", weight=0.8), Column("Used", MONEY), Column("Idle", MONEY), Column("Utilisation", SHARE), Column("Coverage", SHARE),
        Column("Savings rate", SHARE), Column("Saved", CHANGE),
    ]  # fmt: skip
    soon = expiring(told.items, found.period.days).filter(polars.col("expires") < found.period.end + _SOON)
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
        tables.append(Table("Ending within four months", labels, ends))
    said = "Savings are against on-demand prices; what idles is counted against them." if totals else ""
    return Part([said], tables)


def _short(name: str | None) -> str:
    text = name or "(none)"
    return text if len(text) <= 48 else f"…{text[-46:]}"


SECTION = Section("commitments", "Commitments", 60, _make)
