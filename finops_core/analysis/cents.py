"""Amounts rounded to cents so that they still sum to their rounded total."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal

from finops_core.analysis.remainders import largest_remainder

CENT = Decimal("0.01")
_EXACT = Context(prec=76)
"""Wide enough for sums of DECIMAL(38,18) without rounding."""


def rounded(value: Decimal) -> Decimal:
    """An amount to the cent, half to even."""
    return value.quantize(CENT, ROUND_HALF_EVEN, _EXACT)


def total(values: Sequence[Decimal]) -> Decimal:
    """The exact sum, whatever the precision of the thread's decimal context."""
    found = Decimal(0)
    for value in values:
        found = _EXACT.add(found, value)
    return found


def less(value: Decimal, taken: Decimal) -> Decimal:
    """The exact difference."""
    return _EXACT.subtract(value, taken)


def cents(values: Sequence[Decimal]) -> list[Decimal]:
    """Each amount to the cent below or above it, such that they sum to the rounded exact total: by largest remainder,
    of equal ones the first. An amount of whole cents stays as it is."""
    return largest_remainder(values, rounded(total(values)), 2)
