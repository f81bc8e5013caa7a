"""What can be measured. Each metric is declared once: words, unit, and an expression over charges, the cube or an answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir

from finops_core.errors import UsageError
from finops_core.focus.columns import FOCUS_COLUMNS
from finops_core.model import comparisons, formulas
from finops_core.model.comparisons import Answer
from finops_core.model.query import Query

COST, SAVINGS, UNIT_COST, QUANTITY, COUNT, COMPARISON = (
    "Cost",
    "Savings",
    "Unit cost",
    "Quantity",
    "Count",
    "Comparison",
)
_FIRST = "first"
"""Stands for the first metric of the query: what comparisons compare."""


@dataclass(frozen=True)
class Metric:
    """A metric.

    `unit` is currency | count | quantity | ratio (a part of 1). What is additive may be summed over any dimension; a
    ratio is computed from sums, after aggregation.
    """

    name: str
    label: str
    description: str
    unit: str
    additive: bool
    formula: str
    columns: tuple[str, ...]
    """The columns it is computed from: what the cube must hold to answer it."""
    expression: Callable[[Any], ir.Value] | None
    """Over charges or the cube; None for what is computed over an answer."""
    group: str = COST
    by_charge: bool = False
    """Whether it looks at each charge, so that the sums of a cube are not enough."""
    over: Callable[[Answer], ir.Value] | None = None
    """Over the aggregated answer, from the values of the metric of charges that is named by `of`."""
    of: str = ""

    @property
    def kind(self) -> str:
        """additive | ratio | distinct | comparison (with other rows of the answer)."""
        if self.group == COMPARISON:
            return "comparison"
        return "additive" if self.additive else "distinct" if self.unit == "count" else "ratio"


def _sum(name: str, label: str, unit: str, group: str) -> Metric:
    meaning = FOCUS_COLUMNS[name].meaning
    if group == QUANTITY:
        meaning += " Only like units add up to something: group or filter by the unit"
    return Metric(
        name, label, meaning, unit, True, f"sum({name})", (name,), lambda t: formulas.total(t, name), group
    )


_BOTH = "over usage whose ListCost and ContractedCost are known (unused commitment counts with 0 in both)"
_SAVINGS_COLUMNS = (
    "ListCost",
    "ContractedCost",
    "EffectiveCost",
    "ChargeCategory",
    "CommitmentDiscountStatus",
)


def _savings(name: str, label: str, more: str, less: str, words: str) -> Metric:
    return Metric(
        name,
        label,
        f"{words}, {_BOTH}; SavingsCoverage says which part of cost that is",
        "currency",
        True,
        f"sum({more} − {less})",
        _SAVINGS_COLUMNS,
        formulas.difference(more, less),
        SAVINGS,
        by_charge=True,
    )


def _unit_cost(name: str, label: str, column: str, words: str) -> Metric:
    return Metric(
        name,
        label,
        f"{words} per PricingUnit, over charges that have both; unknown where units are mixed",
        "currency",
        False,
        f"sum({column}) ÷ sum(PricingQuantity)",
        (column, "PricingQuantity", "PricingUnit"),
        formulas.unit_cost(column),
        UNIT_COST,
        by_charge=True,
    )


def _comparison(
    name: str, label: str, words: str, formula: str, unit: str, over: Callable[[Answer], ir.Value]
) -> Metric:
    return Metric(name, label, words, unit, False, formula, (), None, COMPARISON, over=over, of=_FIRST)


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        _sum("EffectiveCost", "Effective cost", "currency", COST),
        _sum("BilledCost", "Billed cost", "currency", COST),
        _sum("ListCost", "List cost", "currency", COST),
        _sum("ContractedCost", "Contracted cost", "currency", COST),
        Metric(
            "ChargeCount",
            "Charges",
            "How many charges (rows) there are",
            "count",
            True,
            "count(*)",
            ("x_Rows",),
            formulas.rows,
            COUNT,
        ),
        Metric(
            "ResourceCount",
            "Resources",
            "How many distinct resources the charges are for",
            "count",
            False,
            "count(distinct ResourceId)",
            ("ResourceId",),
            formulas.resources,
            COUNT,
        ),
        _sum("PricingQuantity", "Priced quantity", "quantity", QUANTITY),
        _sum("ConsumedQuantity", "Consumed quantity", "quantity", QUANTITY),
        _savings(
            "NegotiatedSavings",
            "Negotiated savings",
            "ListCost",
            "ContractedCost",
            "What negotiated discounts save: the public price less the contracted one",
        ),
        _savings(
            "CommitmentSavings",
            "Commitment savings",
            "ContractedCost",
            "EffectiveCost",
            "What commitments save: the contracted price less what is paid with them; idle commitment counts against it",
        ),
        _savings(
            "TotalSavings",
            "Total savings",
            "ListCost",
            "EffectiveCost",
            "What discounts and commitments save together: NegotiatedSavings + CommitmentSavings",
        ),
        Metric(
            "SavingsRate",
            "Savings rate",
            f"The part of the public price that discounts and commitments save, {_BOTH}",
            "ratio",
            False,
            "TotalSavings ÷ sum(ListCost)",
            _SAVINGS_COLUMNS,
            formulas.savings_rate,
            SAVINGS,
            by_charge=True,
        ),
        Metric(
            "SavingsCoverage",
            "Cost with known savings",
            "The part of usage's effective cost whose ListCost and ContractedCost are known, so that savings can be told",
            "ratio",
            False,
            "sum(EffectiveCost of usage with ListCost and ContractedCost, or unused) ÷ sum(EffectiveCost of usage)",
            _SAVINGS_COLUMNS,
            formulas.savings_coverage,
            SAVINGS,
            by_charge=True,
        ),
        _unit_cost("EffectiveUnitCost", "Effective unit cost", "EffectiveCost", "What is paid"),
        _unit_cost("ContractedUnitCost", "Contracted unit cost", "ContractedCost", "The contracted price"),
        _unit_cost("ListUnitCost", "List unit cost", "ListCost", "The public price"),
        Metric(
            "CostPerResource",
            "Cost per resource",
            "Effective cost of the charges of resources, divided by the number of these resources",
            "currency",
            False,
            "sum(EffectiveCost of charges with ResourceId) ÷ count(distinct ResourceId)",
            ("EffectiveCost", "ResourceId"),
            formulas.cost_per_resource,
            UNIT_COST,
            by_charge=True,
        ),
        Metric(
            "CostPerDay",
            "Cost per day",
            "Effective cost divided by the days of the range, or of the part of each period within it; an open range is"
            " taken to reach from the first to the last day with charges in the answer",
            "currency",
            False,
            "sum(EffectiveCost) ÷ days",
            (),
            None,
            UNIT_COST,
            over=comparisons.per_day,
            of="EffectiveCost",
        ),
        _comparison(
            "ShareOfTotal",
            "Share",
            "The part that the row has in the total of its currency and period, of the query's first metric",
            "metric ÷ sum(metric) over all rows of the currency and period",
            "ratio",
            comparisons.share_of_total,
        ),
        _comparison(
            "RunningTotal",
            "Running total",
            "The sum of the member's periods up to this one, of the query's first metric",
            "sum(metric) over the member's periods up to this one",
            "of the first metric",
            comparisons.running_total,
        ),
        _comparison(
            "Change",
            "Change",
            "The difference to the period before, of the query's first metric; unknown in the first period. A member"
            " without charges in a period has no row in it",
            "metric − metric of the period before",
            "of the first metric",
            comparisons.change,
        ),
        _comparison(
            "ChangeRate",
            "Relative change",
            "The difference to the period before as a part of it, of the query's first metric",
            "(metric − metric of the period before) ÷ |metric of the period before|",
            "ratio",
            comparisons.change_rate,
        ),
    )
}


def metric(name: str) -> Metric:
    """The metric of a name. Raises UsageError naming the known ones."""
    if name not in METRICS:
        raise UsageError(f"there is no metric {name!r}; known are {', '.join(METRICS)}")
    return METRICS[name]


def compared_metric(query: Query) -> str:
    """What comparisons compare: the query's first metric of charges, else EffectiveCost."""
    return next((name for name in query.metrics if metric(name).over is None), "EffectiveCost")


def aggregated(query: Query) -> tuple[str, ...]:
    """The metrics that are computed from charges or the cube to answer a query, those among them that it does not show."""
    sources = {"": "", _FIRST: compared_metric(query)}
    found = [(metric(name), name) for name in query.metrics]
    return tuple(dict.fromkeys(sources.get(asked.of, asked.of) or name for asked, name in found))
