"""How an indicator of the practice is declared."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from finops_core.reporting.situation import Situation

SHARE, HOURS, RATIO = "share", "hours", "ratio"
"""Units: a share of 1; hours; a change as a share of what it was."""
UP, DOWN = "up", "down"
Values = dict[str, Decimal | None]
"""Currency (empty where it is of all) → the value; None where it is not known."""


@dataclass(frozen=True)
class Kpi:
    """An indicator: what it means, what is good, where to look further."""

    name: str
    label: str
    description: str
    unit: str
    better: str
    """up | down: which way is good."""
    target: Decimal
    """Unless somebody sets another."""
    owner: str
    """Who answers for it, unless somebody sets another."""
    page: str
    """The page that tells more."""
    values: Callable[[Situation], Values]
    order: int
    near: Decimal = Decimal("0.1")
    """Missed by less than this share of the target, it is near."""


MET, NEAR, MISSED, UNKNOWN = "met", "near", "missed", "not known"


@dataclass(frozen=True)
class Line:
    """An indicator in a month."""

    kpi: Kpi
    currency: str
    month: date
    value: Decimal | None
    target: Decimal
    owner: str
    trend: tuple[tuple[date, Decimal | None], ...]

    @property
    def state(self) -> str:
        """met, near, missed or not known."""
        if self.value is None:
            return UNKNOWN
        short = (self.target - self.value) if self.kpi.better == UP else (self.value - self.target)
        if short <= 0:
            return MET
        return NEAR if short <= abs(self.target) * self.kpi.near else MISSED
