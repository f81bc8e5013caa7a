"""What was charged alike in both of the last two months goes on: by month, or by day where months differ in length."""

import calendar
from decimal import Decimal

from finops_core.analysis.forecasts.rules import Expected, Item, Rule, Usage
from finops_core.model.periods import add_months

_ALIKE = Decimal("0.05")


def monthly(item: Item, usage: Usage) -> Expected | None:
    before, last = item.last(2)
    if not before or not last or (before > 0) != (last > 0):
        return None
    months = [add_months(item.running, n) for n in (-2, -1)]
    days = [calendar.monthrange(m.year, m.month)[1] for m in months]
    by_month, by_day = _apart(before, last), _apart(before / days[0], last / days[1])
    if min(by_month, by_day) > _ALIKE:
        return None
    if by_day < by_month:
        daily = last / days[1]
        amounts = [daily * calendar.monthrange(m.year, m.month)[1] for m in usage.ahead]
        return Expected(amounts, "charged every day alike in the last two months, and so to go on")
    return Expected([last] * len(usage.ahead), "charged alike in the last two months, and so to go on")


def _apart(one: Decimal, other: Decimal) -> Decimal:
    return abs(one - other) / max(abs(one), abs(other))


RULE = Rule("recurring", 20, monthly)
