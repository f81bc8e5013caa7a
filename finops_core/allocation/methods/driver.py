"""In proportion to something measured: `{driver: {table: …}, per: day}`; see `finops_core.allocation.drivers`."""

from finops_core.allocation import methods
from finops_core.allocation.drivers import DriverSpec

KEY = "driver"


class Method(methods.Method):
    driver: DriverSpec
    per: methods.Per = "day"

    def shares(self, facts: methods.Facts) -> methods.Shares | None:
        return methods.proportional(facts.driver(self.driver, self.per))

    def drivers(self) -> tuple[DriverSpec, ...]:
        return (self.driver,)

    def in_words(self) -> str:
        return f"by {self.driver.in_words()}, each {self.per}"
