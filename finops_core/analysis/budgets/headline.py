"""The state of a month's budgets in one sentence, and the sums that a page shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from finops_core.analysis.budgets.status import HEADING_OVER, OVER, Account, BudgetStatus
from finops_core.analysis.cents import less, total
from finops_core.model import words
from finops_core.model.periods import add_months

_NAMED = 3
_SHARE_PLACES = Decimal("0.000001")


@dataclass(frozen=True)
class Sums:
    """The budgets of a currency together. Money is exact but for the forecast."""

    budget: Decimal
    actual: Decimal
    """What budgets count, each charge once."""
    forecast: Decimal | None
    share: Decimal | None
    pace: Decimal | None
    unbudgeted: Decimal
    total: Decimal
    """The month's whole cost in the currency."""


def sums(found: Account, currency: str, metric: str) -> Sums:
    """The sums of a currency and metric."""
    own = of_currency(found, currency, metric)
    key = (metric, currency)
    budget = total([s.budget for s in own])
    unbudgeted, whole = found.unbudgeted.get(key, Decimal(0)), found.totals.get(key, Decimal(0))
    actual = less(whole, unbudgeted)
    usual = total([s.budget * s.usual.share for s in own])
    ahead = [s.forecast for s in own]
    known = total([f for f in ahead if f is not None]) if ahead and None not in ahead else None
    return Sums(budget, actual, known, _ratio(actual, budget), _ratio(actual, usual), unbudgeted, whole)


def _ratio(part: Decimal, base: Decimal) -> Decimal | None:
    return (part / base).quantize(_SHARE_PLACES) if base > 0 else None


def of_currency(found: Account, currency: str, metric: str) -> list[BudgetStatus]:
    return [s for s in found.statuses if (s.currency, s.metric) == (currency, metric)]


def headline(found: Account, currency: str, metric: str) -> str:
    """`November 2026: 480,465 of 735,600 USD are spent, 65 %; forecast 612,000. 3 of 13 budgets are over or heading there: …`"""
    own = of_currency(found, currency, metric)
    month = f"{found.month:%B %Y}"
    figures = sums(found, currency, metric)
    if not own:
        return f"{month} has cost {words.money(figures.total, currency)}; no {found.version} says what it may cost."
    said = f"{month}: {words.amount(figures.actual)} of {words.money(figures.budget, currency)} are spent"
    if figures.share is not None:
        said += f", {words.percent(figures.share)}"
    running = any(s.through < _end(s) for s in own)
    if running and figures.forecast is not None:
        said += f"; the forecast is {words.amount(figures.forecast)}"
    return f"{said}. {_over(own)}"


def _end(found: BudgetStatus) -> date:
    return add_months(found.month, 1)


def _over(own: Sequence[BudgetStatus]) -> str:
    late = [s for s in own if s.state in (OVER, HEADING_OVER)]
    if not late:
        return "No budget is over or heading over." if len(own) > 1 else "It is not heading over."
    late.sort(key=lambda s: (s.state != OVER, less(s.budget, max(s.actual, s.forecast or s.actual))))
    names = ", ".join(s.name for s in late[:_NAMED]) + (
        f" and {len(late) - _NAMED} more" if len(late) > _NAMED else ""
    )
    what = "is over or heading over its budget" if len(late) == 1 else "are over or heading over"
    return f"{len(late)} of {len(own)} {'budgets ' if len(late) > 1 else ''}{what}: {names}."
