"""Tax and support follow usage: their share of it in the last three months is that of the months to come."""

from decimal import Decimal

from finops_core.analysis.forecasts.rules import MONTHS_LOOKED_AT, Expected, Item, Rule, Usage
from finops_core.model.periods import add_months


def monthly(item: Item, usage: Usage) -> Expected | None:
    if item.category != "Tax" and "support" not in item.service.casefold():
        return None
    looked_at = [add_months(item.running, -n) for n in range(MONTHS_LOOKED_AT, 0, -1)]
    base = sum((usage.past.get(month, Decimal(0)) for month in looked_at), Decimal(0))
    charged = sum(item.last(), Decimal(0))
    if base <= 0 or not charged:
        return None
    share = charged / base
    return Expected(
        [share * amount for amount in usage.ahead.values()],
        f"{share:.2%} of the usage in its currency, as in the last three months",
    )


RULE = Rule("share of usage", 10, monthly)
