"""A mover in one plain sentence, as an accountant would accept it: the amounts named add up to the change."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from finops_core.analysis.breakdown import MEMBER
from finops_core.analysis.drivers import PARTS
from finops_core.model import words
from finops_core.model.engine import CURRENCY

_MEANING = {
    "quantity": ("more use (quantity)", "less use (quantity)"),
    "list_price": ("higher rate (list price)", "lower rate (list price)"),
    "negotiated_discount": ("higher rate (negotiated discount)", "lower rate (negotiated discount)"),
    "commitment": ("higher rate (commitment)", "lower rate (commitment)"),
    "rate": ("higher rate", "lower rate"),
    "new": ("new", "new credits"),
    "gone": ("credits gone", "gone"),
    "other": ("other charges", "other charges"),
}
"""Part → what it is where it adds to the cost, and where it takes from it."""
_NAMED = 3
_WORTH_NAMING = Decimal("0.1")
"""The smallest share of the largest part that a part is named for."""
_WORTH_NOTHING = Decimal("0.001")
"""The share of the largest part below which what is left is not spoken of."""


def sentence(row: Mapping[str, Any], per_day: bool = False) -> str:
    """`Bedrock: +4,800 USD, all of it new`, or `EC2: +9,100 USD: +11,200 more use (quantity), −2,100 lower rate
    (commitment)`. A row of `finops_core.analysis.movers.Shown`; what is not named is `the rest`."""
    change: Decimal = row["change"]
    unit = f"{row[CURRENCY]} a day" if per_day else row[CURRENCY]
    told = f"{row[MEMBER]}: {words.signed(change)} {unit}" if change else f"{row[MEMBER]}: no change"
    named = _named(row)
    rest = change - sum((row[part] for part in named), Decimal(0))
    largest = max((abs(row[part]) for part in named), default=Decimal(0))
    if abs(rest) < max(words.DUST, largest * _WORTH_NOTHING):
        if len(named) == 1:
            return f"{told}, all of it {_meaning(named[0], change)}"
        rest = Decimal(0)
    parts = [f"{words.signed(row[part])} {_meaning(part, row[part])}" for part in named]
    if rest:
        parts.append(f"{words.signed(rest)} the rest")
    return f"{told}: {', '.join(parts)}" if parts else told


def _named(row: Mapping[str, Any]) -> list[str]:
    """The parts worth naming, largest first."""
    ranked = sorted(PARTS, key=lambda part: -abs(row[part]))
    least = max(abs(row[ranked[0]]) * _WORTH_NAMING, words.DUST)
    return [part for part in ranked if abs(row[part]) >= least][:_NAMED]


def _meaning(part: str, amount: Decimal) -> str:
    more, less = _MEANING[part]
    return more if amount > 0 else less
