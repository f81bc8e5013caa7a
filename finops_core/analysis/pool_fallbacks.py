"""On which days a pool was split by its fallback, since its method had no data for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import polars

from finops_core.allocation.rules import CENTRAL
from finops_core.allocation.splits import CURRENCY, DAY, NO_DATA
from finops_core.analysis.showback import of_pool, shared_out
from finops_core.model import words
from finops_core.model.engine import PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.query import Query
from finops_core.store.sharing import RULE_NAME

_RUNS = 4
"""How many runs of days are named in a sentence."""
_COST = "cost"


@dataclass(frozen=True)
class Fallback:
    """Days without data for a pool's method, what split it then, and what it cost on them, in one currency."""

    method: str
    """In words, such as `by the direct cost of the month`; `central` where it stays with nobody."""
    currency: str
    days: tuple[date, ...]
    cost: Decimal

    def in_words(self) -> str:
        """`On 3 days (1 to 2 October 2026, 9 October 2026; 12.50 USD) the method had no data: split evenly over all.`"""
        count = words.counted(len(self.days), "day")
        then = "it stayed with nobody" if self.method == CENTRAL else f"split {self.method}"
        money = words.money(self.cost, self.currency)
        return f"On {count} ({_named(self.days)}; {money}) the method had no data: {then}."


def fallbacks(ledger: Ledger, query: Query, pool: str) -> list[Fallback]:
    """What split a pool on the days of a query for which its method had no data, most days first.

    Only days count on which the pool costs something in the query, which must be one that can be split.
    """
    metric = query.metrics[0]
    found = shared_out(ledger, query.but(metrics=(metric,), grain="day"), ())
    mine = found.filter(of_pool() & (polars.col(RULE_NAME) == pool))
    costs = mine.group_by(polars.col(PERIOD).cast(polars.Date).alias(DAY), CURRENCY).agg(
        polars.col(metric).cast(polars.Decimal(38, 18)).sum().alias(_COST)
    )
    methods = ledger.frame(
        f"SELECT DISTINCT {DAY}, {CURRENCY}, Method FROM pool_shares WHERE Pool = $pool AND starts_with(Method, $no_data)",
        {"pool": pool, "no_data": NO_DATA},
    )
    without = costs.join(methods, on=[DAY, CURRENCY]).sort(DAY)
    grouped = [
        Fallback(
            str(method).removeprefix(NO_DATA), str(currency), tuple(rows[DAY]), Decimal(rows[_COST].sum())
        )
        for (method, currency), rows in without.group_by("Method", CURRENCY, maintain_order=True)
    ]
    return sorted(grouped, key=lambda one: (-len(one.days), one.method, one.currency))


def _named(days: Sequence[date]) -> str:
    """Days in runs, and how many more there are."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == timedelta(1):
            runs[-1].append(day)
        else:
            runs.append([day])
    rest = sum(len(run) for run in runs[_RUNS:])
    return ", ".join(map(_run, runs[:_RUNS])) + (f" and {words.counted(rest, 'other')}" if rest else "")


def _run(days: Sequence[date]) -> str:
    first, last = days[0], days[-1]
    if first == last:
        return words.day(first)
    same = (first.year, first.month) == (last.year, last.month)
    return f"{first.day if same else words.day(first)} to {words.day(last)}"
