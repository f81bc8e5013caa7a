"""What did not come month after month is not expected again: one-time purchases, refunds, adjustments, credits that ran out."""

from decimal import Decimal

from finops_core.analysis.forecasts.rules import Expected, Item, Rule, Usage


def monthly(item: Item, usage: Usage) -> Expected | None:
    return Expected(
        [Decimal(0)] * len(usage.ahead), "not charged alike in the last two months, so not expected again"
    )


RULE = Rule("one-time", 90, monthly)
