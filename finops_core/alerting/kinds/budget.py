"""Budgets that are being spent: shares of the actual cost, and of the forecast."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from finops_core.alerting.alert import Alert, Kind, Situation, link
from finops_core.alerting.rule import Names, Rule, Severity
from finops_core.allocation.kinds import one_or_more
from finops_core.analysis.budgets import BudgetStatus, budget_status
from finops_core.model import words

Share = Annotated[Decimal, Field(gt=0, le=1000)]
Shares = Annotated[tuple[Share, ...], BeforeValidator(one_or_more)]
_BY_SHARE: tuple[tuple[int, Severity], ...] = ((100, "high"), (80, "warning"), (0, "info"))


class BudgetRule(Rule):
    """The largest share that the actual cost has reached is told, and each share that the forecast reaches."""

    actual: Shares = (Decimal(50), Decimal(80), Decimal(100))
    """Percent of the budget."""
    forecast: Shares = (Decimal(100),)
    severity: Severity | None = None
    """By default high from 100 % on, warning from 80 % on and for the forecast, info below."""
    budgets: Names = ()
    """Only these."""


def find(rule: BudgetRule, situation: Situation) -> Iterator[Alert]:
    """Up to two alerts a budget of the running month: of what is spent, and of what it will come to."""
    for status in budget_status(situation.ledger, situation.state):
        if (rule.budgets and status.name not in rule.budgets) or status.budget <= 0:
            continue
        for kind, cost, shares in (
            ("actual", status.actual, rule.actual),
            ("forecast", status.forecast, rule.forecast),
        ):
            passed = sorted(s for s in shares if cost is not None and cost * 100 >= s * status.budget)
            if passed:
                yield _alert(rule, status, kind, passed)


def _alert(rule: BudgetRule, status: BudgetStatus, kind: str, passed: list[Decimal]) -> Alert:
    names = [f"{share.normalize():f} %" for share in passed]
    cost = status.actual if kind == "actual" else status.forecast
    assert cost is not None
    usual: Severity = (
        "warning" if kind == "forecast" else next(s for share, s in _BY_SHARE if passed[-1] >= share)
    )
    told = "spent" if kind == "actual" else "forecast"
    figures: dict[str, Any] = {"budget": status.budget, "actual": status.actual, "forecast": status.forecast}
    return Alert(
        key=f"{status.month:%Y-%m}/{status.currency}/{status.name}/{kind}",
        state=f"{kind} {names[-1]}",
        severity=rule.severity or usual,
        owner=status.owner,
        subject=f"Budget {status.name}: {words.percent(cost / status.budget)} {told}",
        sentence=f"{words.money(cost, status.currency)} of the budget {status.name} for {status.month:%B %Y}, "
        f"{words.money(status.budget, status.currency)}, {'are spent' if kind == 'actual' else 'will be spent by its end'}: "
        f"{words.percent(cost / status.budget)}",
        link=link("explorer", status.query.but(grain="day")),
        figures={**figures, "share": cost / status.budget},
        currency=status.currency,
        also=tuple(f"{kind} {name}" for name in names[:-1]),
    )


KIND = Kind("budget", "Shares of a budget that are spent, or forecast to be", BudgetRule, find)
