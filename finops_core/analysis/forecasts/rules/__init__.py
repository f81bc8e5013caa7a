"""What is not usage, or is booked on few days of a month, is forecast by rule, not by trend. A rule is one module here, found by its declaration.

The module declares `RULE = Rule(...)`: its place among the others (the first that says something of an item is followed), and
`monthly`: an item and the usage forecast beside it → what each month ahead will be charged, with a sentence; None where the rule
does not fit the item.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from finops_core.model.periods import add_months

MONTHS_LOOKED_AT = 3
USAGE = "Usage"


@dataclass(frozen=True)
class Item:
    """The charges of one category and service of one team in one currency, that are not forecast by day."""

    category: str
    """ChargeCategory."""
    service: str
    months: Mapping[date, Decimal]
    """First day of a month → what was charged for it; complete months only."""
    running: date
    """First day of the month that the forecast begins in; what it has been charged so far is not among `months`."""

    def last(self, count: int = MONTHS_LOOKED_AT) -> list[Decimal]:
        """What was charged in the last complete months, oldest first; 0 where nothing was."""
        return [self.months.get(add_months(self.running, -n), Decimal(0)) for n in range(count, 0, -1)]


@dataclass(frozen=True)
class Usage:
    """What the currency's usage cost and will cost, by first day of month; a month that runs counts as a whole."""

    past: Mapping[date, Decimal]
    ahead: Mapping[date, Decimal]


@dataclass(frozen=True)
class Expected:
    """What a rule expects of an item."""

    amounts: Sequence[Decimal]
    """For the running month (as a whole) and each one after it."""
    why: str


Monthly = Callable[[Item, Usage], Expected | None]


@dataclass(frozen=True)
class Rule:
    """A rule for charges that are not usage."""

    name: str
    place: int
    monthly: Monthly


@cache
def rules() -> tuple[Rule, ...]:
    """All rules, in the order in which they are asked."""
    modules = (import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__))
    return tuple(sorted((m.RULE for m in modules), key=lambda rule: rule.place))


def expected(item: Item, usage: Usage) -> tuple[str, Expected]:
    """The name of the first rule that fits, and what it expects."""
    for rule in rules():
        found = rule.monthly(item, usage)
        if found is not None:
            return rule.name, found
    raise AssertionError("the last rule fits every item")
