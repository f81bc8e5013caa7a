"""Shares of pools, exactly: pools that feed each other are solved together, and shares close to the last of 18 digits.

A share is kept as an interval of [0, 10¹⁸): a consumer's part of an amount is what the amount times the upper end, less the amount
times the lower end, come to; the whole part of the amount exactly, its fraction cut off at the 18th decimal at both ends. The
intervals lie end to end, so the parts sum to the amount, and each is within one unit of the 18th decimal of its exact value, as
largest remainders would be; but no part waits for another.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

from finops_core.allocation.methods import POOL, Shares

WHOLE = 10**18
"""The number of units of a share of 1."""


class Unsolvable(ValueError):
    """Pools that only feed each other; `names` are theirs."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(sorted(names))
        super().__init__(f"the pools {', '.join(self.names)} only feed each other")


def solved(pools: Mapping[str, Shares]) -> dict[str, dict[str | None, Fraction]]:
    """What consumers get of each pool in the end, pools being no consumers any more. The shares of a pool sum to exactly 1.

    What pool p gives to consumers is d(p) + Σ a(p, q) · what q gives, for all pools at once: a linear system, solved in
    fractions. A pool that is fed but not among `pools` counts as a consumer. Raises Unsolvable.
    """
    linked = [name for name, shares in pools.items() if any(_feeds(consumer, pools) for consumer in shares)]
    rows: dict[str, dict[str, Fraction]] = {}
    given: dict[str, dict[str | None, Fraction]] = {}
    for name, shares in pools.items():
        row: dict[str, Fraction] = {}
        own: dict[str | None, Fraction] = {}
        for consumer, share in shares.items():
            fed = _feeds(consumer, pools)
            if fed is None:
                own[consumer] = own.get(consumer, Fraction(0)) + share
            elif share:
                row[fed] = row.get(fed, Fraction(0)) + share
        rows[name], given[name] = row, own
    # Gauss: each linked pool is put into all others in turn.
    for name in linked:
        kept = 1 - rows[name].pop(name, Fraction(0))
        if kept == 0:
            raise Unsolvable(_closed(pools, name))
        rows[name] = {other: share / kept for other, share in rows[name].items()}
        given[name] = {consumer: share / kept for consumer, share in given[name].items()}
        for other, row in rows.items():
            if other != name and name in row:
                passed = row.pop(name)
                for fed, part in rows[name].items():
                    row[fed] = row.get(fed, Fraction(0)) + passed * part
                for consumer, part in given[name].items():
                    given[other][consumer] = given[other].get(consumer, Fraction(0)) + passed * part
    # What is left points to pools that feed no other.
    for name, row in rows.items():
        for fed, share in row.items():
            for consumer, part in given[fed].items():
                given[name][consumer] = given[name].get(consumer, Fraction(0)) + share * part
    return given


def _feeds(consumer: str | None, pools: Mapping[str, Shares]) -> str | None:
    """The pool that a consumer is; None for one that is no pool."""
    if consumer is None or not consumer.startswith(POOL):
        return None
    name = consumer.removeprefix(POOL)
    return name if name in pools else None


def _closed(pools: Mapping[str, Shares], start: str) -> set[str]:
    """The pools that are reached from one."""
    found, todo = {start}, [start]
    while todo:
        for consumer in pools[todo.pop()]:
            name = _feeds(consumer, pools)
            if name is not None and name not in found:
                found.add(name)
                todo.append(name)
    return found


def intervals(shares: Shares) -> list[tuple[str | None, int, int]]:
    """Each consumer's interval of [0, WHOLE), end to end, in the order of their names, nobody last; empty ones are left out.

    Raises ValueError where the shares do not sum to exactly 1.
    """
    found = []
    at, low = Fraction(0), 0
    for consumer, share in sorted(shares.items(), key=lambda item: (item[0] is None, item[0] or "")):
        at += share
        high = at.numerator * WHOLE // at.denominator
        if high > low:
            found.append((consumer, low, high))
        low = high
    if at != 1:
        raise ValueError(f"the shares sum to {at}, not to 1")
    return found


_EXACT = Context(prec=80)


def part(cost: Decimal, low: int, high: int) -> Decimal:
    """The part of a cost that an interval of [0, WHOLE) stands for: what the SQL of `finops_core.allocation.splits` computes.

    The cost's nearest whole number is split exactly; its rest is cut off at the 18th decimal, toward zero, at each end.
    """
    whole = int(cost.to_integral_value(ROUND_HALF_UP, _EXACT))
    rest = int(cost.scaleb(18, _EXACT)) - whole * WHOLE
    sign = -1 if rest < 0 else 1
    units = abs(rest) * high // WHOLE - abs(rest) * low // WHOLE
    return Decimal(whole * (high - low) + sign * units).scaleb(-18, _EXACT)
