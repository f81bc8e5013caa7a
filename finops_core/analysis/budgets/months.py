"""Budgets beside the cost, month by month."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from finops_core.analysis.cents import total
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months, month_start
from finops_core.model.query import Condition, Query
from finops_core.store.budgets import BudgetLine

_MOST = 18


def by_month(
    ledger: Ledger, lines: Sequence[BudgetLine], version: str, currency: str, metric: str
) -> list[tuple[date, Decimal | None, Decimal | None]]:
    """Month, the sum of its budgets, and its whole cost, of the last months that have either; None where there is none."""
    where = [Condition(CURRENCY, "=", (currency,))]
    answer = ledger.query(Query(metric, grain="month", where=where))
    costs = {month_start(row[PERIOD]): row[metric] for row in answer.iter_rows(named=True)}
    planned: dict[date, list[Decimal]] = {}
    for line in lines:
        if (line.version, line.currency, line.metric) == (version, currency, metric):
            planned.setdefault(line.month, []).append(line.amount)
    months = sorted({*costs, *planned})[-_MOST:]
    return [(m, total(planned[m]) if m in planned else None, costs.get(m)) for m in months]


def months_to_choose(lines: Sequence[BudgetLine], first: date, last: date) -> list[date]:
    """The months with charges or budgets, newest first."""
    found = {line.month for line in lines}
    month = month_start(first)
    while month <= last:
        found.add(month)
        month = add_months(month, 1)
    return sorted(found, reverse=True)
