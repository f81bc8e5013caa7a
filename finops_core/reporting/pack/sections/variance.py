"""The month against its budgets."""

import polars

from finops_core.analysis.budgets.variance import variance
from finops_core.reporting.pack.content import CHANGE, MONEY, Column, Part, Section, Table, Value, summed
from finops_core.reporting.situation import Situation
from finops_core.store.budgets import BUDGET

_PARAGRAPHS = 5


def _make(found: Situation) -> Part | None:
    if not any(line.month == found.month and line.version == BUDGET for line in found.known.budget_lines):
        return None
    told = variance(found.ledger, found.known.budget_lines, found.month)
    said, tables = [], []
    for code in found.span.currencies:
        own = told.table.filter(polars.col("BillingCurrency") == code)
        if own.is_empty():
            continue
        said += [
            f"{r['x_Team'] or '(none)'}, {code}: {r['text']}"
            for r in own.head(_PARAGRAPHS).iter_rows(named=True)
        ]
        rows = [
            [r["x_Team"] or "(none)", r["budget"], r["actual"], r["variance"]]
            for r in own.iter_rows(named=True)
        ]
        total: list[Value] = ["Total", summed(own["budget"]), summed(own["actual"]), summed(own["variance"])]
        columns = [
            Column("Team", weight=1.8),
            Column(f"Budget, {code}", MONEY),
            Column("Actual", MONEY),
            Column("Variance", CHANGE),
        ]
        tables.append(Table(f"Budget and actual, {code}", columns, rows, total))
    return Part(said, tables)


SECTION = Section("variance", "Against the budget", 30, _make)
