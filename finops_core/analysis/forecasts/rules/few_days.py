"""Usage that is booked on few days of a month, as a support plan or a fee of a marketplace is: the median of the last three months."""

from decimal import Decimal
from statistics import median

from finops_core.analysis.forecasts.rules import USAGE, Expected, Item, Rule, Usage


def monthly(item: Item, usage: Usage) -> Expected | None:
    if item.category != USAGE:
        return None
    charged = [amount for amount in item.last() if amount]
    usual = median(charged) if charged else Decimal(0)
    return Expected(
        [usual] * len(usage.ahead), "booked on few days of a month: the median of the last three months"
    )


RULE = Rule("few days", 30, monthly)
