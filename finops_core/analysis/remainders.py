"""Amounts rounded so that they still sum to their rounded total."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Context, Decimal, Inexact, InvalidOperation, localcontext

EXACT = Context(prec=200, traps=[Inexact, InvalidOperation])
"""Room for every digit of cost × rate and of their sums; should it not do, that is an error and no rounding."""


def largest_remainder(exact: Sequence[Decimal], total: Decimal, places: int = 18) -> list[Decimal]:
    """Amounts at so many decimals that sum to `total`, which is their exact sum but for a unit of the last decimal.

    Each is cut off downwards; the units then missing go one each to those that lost most, the first of equals.
    """
    with localcontext(EXACT):
        units = [amount.scaleb(places) for amount in exact]
        floors = [unit.to_integral_value(ROUND_FLOOR) for unit in units]
        missing = int(total.scaleb(places) - sum(floors, Decimal(0)))
        by_loss = sorted(range(len(units)), key=lambda i: floors[i] - units[i])
        raised = set(by_loss[:missing])
        return [(floor + (i in raised)).scaleb(-places) for i, floor in enumerate(floors)]
