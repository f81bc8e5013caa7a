"""Whose the cost is, and what nobody owns."""

from decimal import Decimal

from finops_core.analysis.breakdown import MISSING
from finops_core.analysis.showback import showback
from finops_core.reporting.pack.content import MONEY, SHARE, Column, Part, Section, Table, Value, summed
from finops_core.reporting.situation import Situation


def _make(found: Situation) -> Part:
    tables = []
    allocated = showback(found.ledger, found.query("x_Team"))
    for code in found.span.currencies:
        own = allocated.filter(allocated["BillingCurrency"] == code)
        if own.is_empty():
            continue
        rows = [
            [r["x_Team"] or MISSING, r["direct"], r["shared"], r["total"]] for r in own.iter_rows(named=True)
        ]
        total: list[Value] = ["Total", summed(own["direct"]), summed(own["shared"]), summed(own["total"])]
        columns = [
            Column("Team", weight=1.8),
            Column(f"Direct, {code}", MONEY),
            Column("Shared", MONEY),
            Column("Total", MONEY),
        ]
        tables.append(Table(f"Showback, {code}", columns, rows, total))
    rows = [
        [
            r["BillingCurrency"],
            r["allocable"],
            r["unallocated"],
            None if r["share"] is None else Decimal(str(r["share"])),
        ]
        for r in found.unallocated.iter_rows(named=True)
    ]
    tables.append(
        Table(
            "Without an owner",
            [
                Column("Currency"),
                Column("Could have one", MONEY),
                Column("Has none", MONEY),
                Column("Share", SHARE),
            ],
            rows,
        )
    )
    keys = [
        [k.key, k.currency, k.tally.taggable_cost, k.tally.covered_cost, k.tally.coverage_by_cost]
        for k in found.tags.keys
        if k.currency
    ]
    if keys:
        tables.append(
            Table(
                "Tags",
                [
                    Column("Key"),
                    Column("Currency"),
                    Column("Can carry it", MONEY),
                    Column("Carries it", MONEY),
                    Column("Coverage", SHARE),
                ],
                keys,
            )
        )
    return Part((), tables)


SECTION = Section("ownership", "Ownership", 90, _make)
