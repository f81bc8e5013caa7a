"""How the cost of a pool is split. A method is one module here, known by the key that its mapping begins with.

The module declares `KEY` and a class `Method`, a pydantic model. Shares are exact fractions that sum to 1; the consumer None
stands for nobody: what is left with nobody is shown as unallocated. A consumer `pool:NAME` is another pool.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo

from finops_core.allocation.drivers import DriverSpec
from finops_core.allocation.kinds import declared, is_applied, owner_name, parsed

POOL = "pool:"
Per = Literal["day", "month"]
Shares = Mapping[str | None, Fraction]


def consumer_name(text: str, info: ValidationInfo) -> str:
    """Who shares a pool, or `pool:NAME`. Raises ValueError for what is no name."""
    if not is_applied(info) and text != text.strip():
        raise ValueError(f"{text!r} has blanks around it" if text.strip() else "a consumer has a name")
    return owner_name(text, info)


def _consumers(written: Any, info: ValidationInfo) -> Any:
    if written == "all":
        return written
    if is_applied(info) and isinstance(written, list):
        return tuple(dict.fromkeys(map(str, written)))
    if not isinstance(written, list | tuple) or not written:
        raise ValueError("names nobody: write all, or a list of consumers")
    names = tuple(consumer_name(str(name), info) for name in written)
    if len(set(names)) < len(names):
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} is named twice")
    return names


Consumers = Annotated[tuple[str, ...] | Literal["all"], BeforeValidator(_consumers)]
"""Names of consumers, or all who have direct cost in the month."""


class Facts(Protocol):
    """What is known of one pool on one day in one currency."""

    @property
    def currency(self) -> str: ...

    @property
    def cost(self) -> Decimal:
        """The EffectiveCost of the pool on the day."""

    def direct(self, per: Per) -> Mapping[str, Decimal]:
        """The direct EffectiveCost of each consumer, and of each pool as `pool:NAME`, on the day or in its calendar month."""

    def consumers(self) -> tuple[str, ...]:
        """Who has direct cost in the month: in the currency or, where nobody has, in any."""

    def driver(self, spec: DriverSpec, per: Per) -> Mapping[str | None, Decimal]:
        """The measured weights of the day or its calendar month; empty where there is no data."""


class Method(BaseModel):
    """A method of splitting: frozen, and strict about what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def shares(self, facts: Facts) -> Shares | None:
        """The share of each consumer, summing to exactly 1; None where the facts give none, for the fallback to be asked."""
        raise NotImplementedError

    def names(self) -> tuple[str, ...]:
        """The consumers that are named, those of the kind `pool:NAME` among them."""
        return ()

    def drivers(self) -> tuple[DriverSpec, ...]:
        """The measures that it needs."""
        return ()

    def leaves_no_way_out(self) -> bool:
        """Whether all cost goes to other pools, whatever the facts."""
        names = self.names()
        return bool(names) and all(name.startswith(POOL) for name in names)

    def in_words(self) -> str:
        """How it splits, for people."""
        raise NotImplementedError


def proportional(weights: Mapping[Any, Decimal | int]) -> Shares | None:
    """Shares in proportion to the positive weights; None where there are none."""
    positive = {name: Fraction(weight) for name, weight in weights.items() if weight > 0}
    total = sum(positive.values(), Fraction(0))
    return {name: weight / total for name, weight in positive.items()} if total else None


@cache
def kinds() -> dict[str, type[Method]]:
    """The methods by the key that says which it is."""
    return declared(__name__, __path__, "Method")


def parse(written: Any, info: ValidationInfo) -> Method:
    """A method as it is written in a pool. Raises ValueError in words."""
    if isinstance(written, Method):
        return written
    if isinstance(written, str) and written in kinds():
        written = {written: "all"}
    return parsed(written, kinds(), "a mapping", info.context)


AnyMethod = Annotated[Method, BeforeValidator(parse)]
