"""What moved the cost of units: their volume, or what each costs (finops.md section 3, with q = units)."""

from decimal import Decimal, localcontext

EFFECTS = ("volume", "efficiency", "other")
"""The parts of a change in cost. `other` is the cost of days without units, or all where there is no unit cost to compare."""
_PLACES = Decimal(1).scaleb(-18)
_NOTHING = Decimal(0)


def effects(
    before: tuple[Decimal, Decimal | None], after: tuple[Decimal, Decimal | None], other: Decimal = _NOTHING
) -> dict[str, Decimal]:
    """(measured cost, units) of two periods → EFFECTS, which sum to the change of both costs and of `other`, exactly.

    volume = (q1 − q0)(e0 + e1)/2 with e = cost ÷ units; efficiency = (e1 − e0)(q0 + q1)/2, as the rest. Worked: 1,000 orders for
    100 → 1,200 for 108: of +8, volume is 200 × 0.095 = 19 and efficiency −11.
    """
    (c0, q0), (c1, q1) = before, after
    with localcontext() as context:
        context.prec = 80
        change = c1 - c0
        if q0 is None or q1 is None or q0 <= 0 or q1 <= 0:
            return {"volume": _NOTHING, "efficiency": _NOTHING, "other": change + other}
        volume = ((q1 - q0) * (c0 / q0 + c1 / q1) / 2).quantize(_PLACES)
        return {"volume": volume, "efficiency": change - volume, "other": other}
