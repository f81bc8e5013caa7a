"""An amount in parts that are as proportional as 18 digits allow, and sum to it to the last one."""

from collections.abc import Sequence
from decimal import Context, Decimal

PLACES = 18
_EXACT = Context(prec=120)
_UNIT = Decimal(1).scaleb(-PLACES)


def spread(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """The parts of an amount of at most 18 digits after the point, in the order of their weights (≥ 0, not all 0).

    Each part is its exact share cut after the 18th digit towards zero; the units that are left go one each to the parts
    that were cut most (largest remainder), the earlier of two equals first. A weight of 0 has a part of 0.
    """
    scale = max((-int(w.as_tuple().exponent) for w in weights), default=0)
    whole = [_units(w, max(scale, 0)) for w in weights]
    total = sum(whole)
    if total <= 0 or min(whole) < 0:
        raise ValueError("an amount is split by weights of 0 or more, and one of them is more")
    sign = -1 if amount < 0 else 1
    units = abs(_units(amount, PLACES))
    cut = [divmod(units * weight, total) for weight in whole]
    left = units - sum(part for part, _ in cut)
    first = set(sorted(range(len(cut)), key=lambda i: (-cut[i][1], i))[:left])
    return [
        _EXACT.multiply(Decimal(sign * (part + (i in first))), _UNIT).quantize(_UNIT, context=_EXACT)
        for i, (part, _) in enumerate(cut)
    ]


def _units(value: Decimal, places: int) -> int:
    scaled = _EXACT.scaleb(value, places)
    found = int(scaled)
    if found != scaled:
        raise ValueError(f"{value} has more than {places} digits after the point")
    return found
