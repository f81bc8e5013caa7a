"""What drives a change: each leaf's change of cost in parts that sum to it exactly.

A leaf (finops_core.model.leaves) with quantity q = PricingQuantity and unit price e = cost / q in two periods changes by

    quantity effect = (q1 − q0)(e0 + e1)/2        rate effect = (e1 − e0)(q0 + q1)/2.

Where list and contracted prices are known, with unit list price l, negotiated discount n = l − c, commitment m = c − e and
q̄ = (q0 + q1)/2, the rate effect is (l1 − l0)q̄ − (n1 − n0)q̄ − (m1 − m0)q̄: list price, negotiated discount, commitment.
Worked: 100 h at 0.10 → 150 h at 0.08: the change of 2 is 4.5 by quantity and −2.5 by rate.

Which leaf is told apart how, the first that fits:

- Rows of unused commitment (CommitmentDiscountStatus Unused) are no use of anything: idle commitment is a saving lost
  (Contracted 0 − Effective), so their change is *commitment*, for the metrics that a commitment changes, else *other*.
- The rest of a leaf with rows in one period only is *new* or *gone*, whatever its category.
- Where ChargeCategory is not Usage, or the quantity of a period is 0 or missing, it is *other*; so is the part of a leaf's
  change that is on rows without quantity (corrections), while its priced rows are told apart.
- Where a row lacks a list or contracted price in either period, price effects are one: *rate*.

Of BilledCost, usage that a commitment covers is billed at 0: here too, *commitment* is what the commitment took off the
contracted price. A ContractedCost has no commitment in it, a ListCost no discount: their price effects end there.
"""

from decimal import Decimal

import numpy
import polars

from finops_core.analysis.precise import MONEY, Precise
from finops_core.model.engine import CURRENCY
from finops_core.model.leaves import SIDES

PARTS = (
    "quantity",
    "list_price",
    "negotiated_discount",
    "commitment",
    "rate",
    "new",
    "gone",
    "other",
)
"""The parts of a change, in the order of the table."""
_COMMITTED = ("list_price", "negotiated_discount", "commitment")
PRICES = {
    "EffectiveCost": _COMMITTED,
    "BilledCost": _COMMITTED,
    "ContractedCost": _COMMITTED[:2],
    "ListCost": _COMMITTED[:1],
}
"""Cost → its price effects, of which the last takes the remainder of rounding."""
_CANCELLED, _SMALLEST = 1e-9, 1e-18
"""A quantity is 0 where it is so small, or so small a share of what it is the balance of (usage and refunds): its unit
price would be noise."""
_LARGEST = 1e15
"""Effects beyond this come of quantities that cannot be meant, and their sums leave Decimal(38, 18): the change is *other*."""
_NOTHING = polars.lit(Decimal(0), MONEY)
_SPLIT = "split"


def with_drivers(
    leaves: polars.DataFrame, metric: str, days: tuple[int, int] | None = None
) -> polars.DataFrame:
    """The leaves of a cost with `before`, `after`, `change` and PARTS, money as Decimal(38, 18) without nulls.

    For every leaf Σ PARTS = change = after − before, exactly. With `days`, the lengths of the two periods, all is per day,
    at 18 digits; the leaves of a currency then sum to its total per day.
    """
    if days is not None:
        leaves = _per_day(leaves, days)
    found = leaves.with_columns(
        polars.col("cost_before").alias("before"),
        polars.col("cost_after").alias("after"),
        _change("cost").alias("change"),
        _change("idle").alias("idle"),
        _change("loose").alias("loose"),
    ).with_columns(_kind().alias("case"))
    idle = "commitment" if "commitment" in PRICES[metric] else "other"
    whole = found.filter(polars.col("case") != _SPLIT)
    whole = _with_parts(
        whole,
        {p: _where(p, polars.col("change") - polars.col("idle")) for p in ("new", "gone", "other")},
        idle,
    )
    split = found.filter(polars.col("case") == _SPLIT)
    split = _with_parts(split, _effects(split, metric, days or (1, 1)), idle)
    return polars.concat([whole, split])


def _change(figure: str) -> polars.Expr:
    return polars.col(f"{figure}_after") - polars.col(f"{figure}_before")


def _kind() -> polars.Expr:
    """The part that a leaf's change belongs to (but for its idle rows), or that it is split."""
    without_quantity = polars.any_horizontal(*(_is_nothing(side) for side in SIDES))
    rows_before, rows_after = polars.col("rows_before"), polars.col("rows_after")
    return (
        polars.when((rows_before == 0) & (rows_after > 0))
        .then(polars.lit("new"))
        .when((rows_after == 0) & (rows_before > 0))
        .then(polars.lit("gone"))
        .when(~polars.col("usage") | without_quantity)
        .then(polars.lit("other"))
        .otherwise(polars.lit(_SPLIT))
    )


def _is_nothing(side: str) -> polars.Expr:
    quantity, gross = polars.col(f"quantity_{side}"), polars.col(f"gross_{side}")
    return ~quantity.is_finite() | (quantity.abs() <= _CANCELLED * gross) | (quantity.abs() < _SMALLEST)


def _where(part: str, value: polars.Expr) -> polars.Expr:
    return polars.when(polars.col("case") == part).then(value).otherwise(_NOTHING)


def _with_parts(leaves: polars.DataFrame, parts: dict[str, polars.Expr], idle: str) -> polars.DataFrame:
    """The leaves with these parts, the others being 0, and the change on idle rows added to the part that it is."""
    found = {part: parts.get(part, _NOTHING) for part in PARTS}
    found[idle] = found[idle] + polars.col("idle")
    return leaves.with_columns([value.cast(MONEY).alias(part) for part, value in found.items()])


def _effects(leaves: polars.DataFrame, metric: str, days: tuple[int, int]) -> dict[str, polars.Expr]:
    """The parts of leaves with quantities in both periods, without their idle rows; they sum to the rest of the change."""
    with numpy.errstate(all="ignore"):
        reckoned = _reckoned(leaves, days)
    sound = numpy.all([numpy.abs(effect.high) < _LARGEST for effect in reckoned.values()], axis=0)
    told = polars.lit(polars.Series(sound, dtype=polars.Boolean))
    known = told & (polars.col("unknown_before") + polars.col("unknown_after") == 0)
    *named, last = PRICES[metric]
    rest = polars.col("change") - polars.col("idle") - polars.col("loose")
    found = {"other": polars.col("loose") + _if(~told, rest)}
    for part in ("quantity", *named):
        effect = polars.lit(reckoned[part].where(sound).money())
        found[part] = _if(told if part == "quantity" else known, effect)
        rest = rest - found[part]
    return found | {"rate": _if(told & ~known, rest), last: _if(known, rest)}


def _if(holds: polars.Expr, value: polars.Expr) -> polars.Expr:
    return polars.when(holds).then(value).otherwise(_NOTHING)


def _reckoned(leaves: polars.DataFrame, days: tuple[int, int]) -> dict[str, Precise]:
    """The formulas: the effects of quantity, list price and negotiated discount."""
    quantities = [
        Precise.of_quantity(leaves[f"quantity_{side}"]) / Precise.of(float(length))
        for side, length in zip(SIDES, days, strict=True)
    ]
    half = Precise.of(0.5)
    mean = (quantities[0] + quantities[1]) * half

    def unit_prices(*costs: polars.Expr) -> list[Precise]:
        columns = leaves.select(cost.alias(side) for cost, side in zip(costs, SIDES, strict=True))
        return [Precise.of_money(columns[side]) / q for side, q in zip(SIDES, quantities, strict=True)]

    e0, e1 = unit_prices(*(_cost(f"cost_{s}", f"idle_{s}", f"loose_{s}") for s in SIDES))
    l0, l1 = unit_prices(*(polars.col(f"list_{s}") for s in SIDES))
    n0, n1 = unit_prices(*(_cost(f"list_{s}", f"contracted_{s}") for s in SIDES))
    return {
        "quantity": (quantities[1] - quantities[0]) * (e0 + e1) * half,
        "list_price": (l1 - l0) * mean,
        "negotiated_discount": (n0 - n1) * mean,
    }


def _cost(whole: str, *without: str) -> polars.Expr:
    found = polars.col(whole)
    for name in without:
        found = found - polars.col(name)
    return found


def _per_day(leaves: polars.DataFrame, days: tuple[int, int]) -> polars.DataFrame:
    """The costs of leaves divided by the days of their period.

    A running total is divided, and a leaf gets what it adds to it: so the leaves sum to the total per day, and a cost of 0
    stays 0. Quantities stay as they are.
    """
    divided: list[polars.Expr] = []
    for side, length in zip(SIDES, days, strict=True):
        cost, idle, loose = (polars.col(f"{name}_{side}") for name in ("cost", "idle", "loose"))
        end = cost.cum_sum().over(CURRENCY)
        start = end - cost
        divided += [
            (end / length - start / length).alias(f"cost_{side}"),
            ((start + idle) / length - start / length).alias(f"idle_{side}"),
            ((start + idle + loose) / length - (start + idle) / length).alias(f"loose_{side}"),
            *(
                (polars.col(f"{name}_{side}") / length).alias(f"{name}_{side}")
                for name in ("list", "contracted")
            ),
        ]
    return leaves.with_columns([value.cast(MONEY) for value in divided])
