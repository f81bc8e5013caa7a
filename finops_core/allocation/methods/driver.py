"""In proportion to something measured: `{driver: {kind: table, …}, per: day}`; see `finops_core.allocation.drivers`.

What a driver says was idle stays central, unallocated, unless `idle: shared` spreads it like the rest. What was used by somebody
unknown stays unallocated always.
"""

from decimal import Decimal
from typing import Literal

from finops_core.allocation import methods
from finops_core.allocation.drivers import IDLE, DriverSpec

KEY = "driver"


class Method(methods.Method):
    driver: DriverSpec
    per: methods.Per = "day"
    idle: Literal["central", "shared"] = "central"

    def shares(self, facts: methods.Facts) -> methods.Shares | None:
        weights = dict(facts.driver(self.driver, self.per))
        idle = weights.pop(IDLE, Decimal(0))
        if idle > 0 and self.idle == "central":
            weights[None] = weights.get(None, Decimal(0)) + idle
        return methods.proportional(weights)

    def drivers(self) -> tuple[DriverSpec, ...]:
        return (self.driver,)

    def in_words(self) -> str:
        return f"by {self.driver.in_words()}, each {self.per}"
