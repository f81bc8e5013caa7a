"""A fixed fee for each, and the rest by another method: `{tiered: {search: 12.50, web: 8}, currency: USD, rest: {driver: …}}`.

Fees are amounts of EffectiveCost a day. Where they exceed the pool's cost of a day, they are its shares; in another currency
than that of the fees, all is split by the rest.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from finops_core.allocation import methods

KEY = "tiered"


def _fees(written: Any) -> Any:
    return tuple(written.items()) if isinstance(written, dict) else written


class Method(methods.Method):
    tiered: Annotated[
        tuple[
            tuple[
                str, Annotated[Decimal, Field(ge=0, allow_inf_nan=False, max_digits=38, decimal_places=18)]
            ],
            ...,
        ],
        BeforeValidator(_fees),
        Field(min_length=1),
    ]
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    rest: methods.AnyMethod

    def shares(self, facts: methods.Facts) -> methods.Shares | None:
        fees = {name: Fraction(fee) for name, fee in self.tiered if fee}
        total = sum(fees.values(), Fraction(0))
        if facts.currency != self.currency or not total or facts.cost <= 0:
            return self.rest.shares(facts)
        cost = Fraction(facts.cost)
        if total >= cost:
            return {name: fee / total for name, fee in fees.items()}
        rest = self.rest.shares(facts)
        if rest is None:
            return None
        found: dict[str | None, Fraction] = {name: fee / cost for name, fee in fees.items()}
        for name, share in rest.items():
            found[name] = found.get(name, Fraction(0)) + share * (1 - total / cost)
        return found

    def names(self) -> tuple[str, ...]:
        return (*(name for name, fee in self.tiered if fee), *self.rest.names())

    def leaves_no_way_out(self) -> bool:
        return self.rest.leaves_no_way_out() and all(
            n.startswith(methods.POOL) for n, fee in self.tiered if fee
        )

    def drivers(self) -> tuple[Any, ...]:
        return self.rest.drivers()

    def in_words(self) -> str:
        fees = ", ".join(f"{name} {fee} {self.currency} a day" for name, fee in self.tiered)
        return f"fees ({fees}), the rest {self.rest.in_words()}"
