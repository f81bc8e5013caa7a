"""A fixed fee for each, and the rest by another method: `{tiered: {search: 12.50, web: 8}, currency: USD, rest: {driver: …}}`.

Fees are amounts of EffectiveCost a day. Where they exceed the pool's cost of a day, they are its shares; in another currency
than that of the fees, all is split by the rest.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from finops_core.allocation import methods
from finops_core.allocation.kinds import is_applied

KEY = "tiered"


def _fees(written: Any) -> Any:
    return tuple(written.items()) if isinstance(written, dict) else written


def _to_the_digit(fee: Decimal, info: ValidationInfo) -> Decimal:
    """A fee that the store can hold, as those are that are written today. Raises ValueError."""
    if not fee or is_applied(info):
        return fee
    if not -18 <= fee.adjusted() < 20 or (Fraction(fee) * 10**18).denominator > 1:
        raise ValueError("a fee has at most 20 digits before the point and 18 after it")
    return fee


Fee = Annotated[Decimal, Field(ge=0, allow_inf_nan=False), AfterValidator(_to_the_digit)]


class Method(methods.Method):
    tiered: Annotated[
        tuple[tuple[Annotated[str, AfterValidator(methods.consumer_name)], Fee], ...],
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
