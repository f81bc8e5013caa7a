"""What can be measured. Each metric is declared once: words, unit, and an expression over charges or the cube."""

from collections.abc import Callable
from dataclasses import dataclass

import ibis.expr.types as ir

from finops_core.errors import UsageError
from finops_core.focus.columns import FOCUS_COLUMNS


@dataclass(frozen=True)
class Metric:
    """A metric. `unit` is currency | count | quantity; additive metrics may be summed over any dimension."""

    name: str
    label: str
    description: str
    unit: str
    additive: bool
    formula: str
    columns: tuple[str, ...]
    """The columns it is computed from: what the cube must hold to answer it."""
    expression: Callable[[ir.Table], ir.Value]


def _cost(name: str, label: str) -> Metric:
    return Metric(
        name,
        label,
        FOCUS_COLUMNS[name].meaning,
        "currency",
        True,
        f"sum({name})",
        (name,),
        lambda table: table[name].sum(),
    )


def _quantity(name: str, label: str) -> Metric:
    return Metric(
        name,
        label,
        FOCUS_COLUMNS[name].meaning,
        "quantity",
        True,
        f"sum({name})",
        (name,),
        lambda table: table[name].sum(),
    )


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        _cost("EffectiveCost", "Effective cost"),
        _cost("BilledCost", "Billed cost"),
        _cost("ListCost", "List cost"),
        _cost("ContractedCost", "Contracted cost"),
        Metric(
            "ChargeCount",
            "Charges",
            "How many charges (rows) there are",
            "count",
            True,
            "count(*)",
            ("x_Rows",),
            lambda table: table["x_Rows"].sum().cast("decimal(38, 0)").cast("int64"),
        ),
        Metric(
            "ResourceCount",
            "Resources",
            "How many distinct resources the charges are for",
            "count",
            False,
            "count(distinct ResourceId)",
            ("ResourceId",),
            lambda table: table["ResourceId"].nunique(),
        ),
        _quantity("PricingQuantity", "Priced quantity"),
        _quantity("ConsumedQuantity", "Consumed quantity"),
    )
}


def metric(name: str) -> Metric:
    """The metric of a name. Raises UsageError naming the known ones."""
    if name not in METRICS:
        raise UsageError(f"there is no metric {name!r}; known are {', '.join(METRICS)}")
    return METRICS[name]
