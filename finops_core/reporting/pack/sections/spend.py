"""What was spent on what, and what moved it."""

import polars

from finops_core.analysis.breakdown import MISSING
from finops_core.analysis.drivers import PARTS
from finops_core.analysis.mover_words import sentence
from finops_core.analysis.movers import shown
from finops_core.model import words
from finops_core.model.periods import previous
from finops_core.reporting.pack.content import CHANGE, MONEY, Column, Part, Section, Table, Value, summed
from finops_core.reporting.situation import Situation
from finops_core.vocabulary.dimensions import dimension

_BY = ("x_Team", "ServiceName")
_MOST = 12
_SENTENCES = 4
_LABELS = {
    "quantity": "Quantity", "list_price": "List price", "negotiated_discount": "Negotiated discount", "commitment": "Commitments", "rate": "Rate",
    "new": "New", "gone": "Gone", "other": "Other charges",
}  # fmt: skip


def _make(found: Situation) -> Part:
    before = words.period(previous(found.days))
    said, tables = [], []
    for code in found.span.currencies:
        for by in _BY:
            table = _members(found, by, code)
            if table is not None:
                tables.append(table)
        drivers = _drivers(found, code)
        if drivers is not None:
            tables.append(drivers)
        top = shown(found.moved("ServiceName"), _SENTENCES).table.filter(
            (polars.col("BillingCurrency") == code) & (polars.col("Kind") != "other")
        )
        said += [f"{sentence(row)}." for row in top.iter_rows(named=True)]
    return Part([f"Changes are against {before}.", *said], tables)


def _members(found: Situation, by: str, code: str) -> Table | None:
    moved = found.moved(by)
    told = shown(moved, None).table.filter(polars.col("BillingCurrency") == code)
    if told.is_empty():
        return None
    ranked = told.sort(["after", "Member"], descending=[True, False])
    named = len(ranked) if len(ranked) <= _MOST + 1 else _MOST  # one more is named, not Other
    rows = [
        [r["Member"] or MISSING, r["after"], r["before"], r["change"]]
        for r in ranked.head(named).iter_rows(named=True)
    ]
    rest = ranked.tail(len(ranked) - named)
    if len(rest):
        rows.append(
            [f"Other ({len(rest):,})", summed(rest["after"]), summed(rest["before"]), summed(rest["change"])]
        )
    total: list[Value] = [
        "Total",
        summed(ranked["after"]),
        summed(ranked["before"]),
        summed(ranked["change"]),
    ]
    label = dimension(by).label
    columns = [
        Column(label, weight=2.4),
        Column(f"Cost, {code}", MONEY),
        Column("Before", MONEY),
        Column("Change", CHANGE),
    ]
    return Table(f"By {label.lower()}, {code}", columns, rows, total)


def _drivers(found: Situation, code: str) -> Table | None:
    own = found.moved("ServiceName").table.filter(polars.col("BillingCurrency") == code)
    if own.is_empty():
        return None
    sums = {part: summed(own[part]) for part in PARTS}
    rows: list[list[Value]] = [[_LABELS[part], sums[part]] for part in PARTS if sums[part]]
    return Table(
        f"What moved it, {code}",
        [Column("Cause", weight=2.4), Column("Change", CHANGE)],
        rows,
        ["Total change", summed(own["change"])],
    )


SECTION = Section("spend", "Spend and what moved it", 20, _make)
