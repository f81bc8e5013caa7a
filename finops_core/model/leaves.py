"""The leaves of a Query's members in two periods: what a change is told apart by, as sums over charges.

A leaf is what is bought at one price: BillingCurrency, SubAccountId, ServiceName, RegionId, SkuPriceId (else SkuId, else
ChargeDescription), PricingUnit and ChargeCategory, within a member of the query's dimensions.
"""

from datetime import date, datetime
from typing import Any, cast

import ibis
import ibis.expr.types as ir

from finops_core.model.dimensions import dimension
from finops_core.model.engine import CURRENCY, charges
from finops_core.model.expressions import condition, value
from finops_core.model.periods import Period
from finops_core.model.query import Query, conditions

SIDES = ("before", "after")
FIGURES = ("cost", "idle", "loose", "list", "contracted", "quantity", "gross", "rows", "charges", "unknown")
_LEAF = {
    "SubAccountId": ("SubAccountId",),
    "ServiceName": ("ServiceName",),
    "RegionId": ("RegionId",),
    "SkuPriceId": ("SkuPriceId", "SkuId", "ChargeDescription"),
    "PricingUnit": ("PricingUnit",),
    "ChargeCategory": ("ChargeCategory",),
}
"""Key of a leaf → the columns of which the first with a value is taken."""
_PREFIX = "leaf "
"""Before the keys of a leaf: a member's dimensions may have their names."""
_IDLE, _LOOSE, _PRICED = "idle", "loose", "priced"


@ibis.udf.agg.builtin(name="fsum")
def _sum(quantity: float) -> float:  # type: ignore[empty-body]
    """DuckDB's sum of DOUBLE that keeps what plain addition rounds away, in whichever order the rows come."""


def expression(query: Query, before: Period, after: Period) -> ir.Table:
    """One row a leaf that has charges in either period; the first metric of the query must be a cost.

    Columns: BillingCurrency, the query's dimensions, `usage` (whether ChargeCategory is Usage), and for each side
    (`before`, `after`) `cost_…` (the metric), `idle_…` (its part on Unused commitment rows), `loose_…` (its part on other
    rows without PricingQuantity), and over the remaining, priced rows `list_…`, `contracted_…`, `quantity_…` (DOUBLE),
    `gross_…` (the sum of absolute quantities) and `unknown_…` (how many of them lack a price that the metric's is made
    of); `rows_…` counts the charges that are not idle, `charges_…` all. Nothing is null but the dimensions.
    """
    members = list(dict.fromkeys([CURRENCY, *query.by]))
    leaf = {f"{_PREFIX}{name}": columns for name, columns in _LEAF.items() if name not in members}
    sides = [
        _side(query, side, period, members, leaf) for side, period in zip(SIDES, (before, after), strict=True)
    ]
    both = ibis.union(*sides)
    totals = {f"{figure}_{side}": _of(both, figure, side) for figure in FIGURES for side in SIDES}
    keys = [*members, *leaf]
    found = both.group_by(keys).aggregate(**totals)
    category = found["ChargeCategory" if "ChargeCategory" in members else f"{_PREFIX}ChargeCategory"]
    # In one order always: what is divided by days is closed along it.
    return found.order_by(keys).select(*members, _filled(category == "Usage", False).name("usage"), *totals)


def sql(query: Query, before: Period, after: Period) -> str:
    """The leaves as DuckDB's SQL."""
    return str(ibis.to_sql(expression(query, before, after), dialect="duckdb"))


def _side(
    query: Query, side: str, period: Period, members: list[str], leaf: dict[str, tuple[str, ...]]
) -> ir.Table:
    """The sums of one period by leaf and by what its rows can tell: idle, loose or priced."""
    table = charges()
    day = table["ChargePeriodStart"]
    asked = [condition(table, c) for c in conditions(query.where)]
    table = table.filter([*asked, day >= _moment(period.start), day < _moment(period.end)])
    columns = {CURRENCY: table[CURRENCY]} | {name: value(table, dimension(name)) for name in query.by}
    columns |= {key: _first(table, names) for key, names in leaf.items()}
    columns |= {
        "basis": _basis(table, query.metrics[0]),
        "cost": table[query.metrics[0]],
        "list": table["ListCost"],
        "contracted": table["ContractedCost"],
        "quantity": table["PricingQuantity"],
    }
    rows = table.select(**columns)
    known = cast(Any, rows["list"].notnull())
    if query.metrics[0] != "ListCost":
        known &= rows["contracted"].notnull()
    quantity = cast(ir.FloatingColumn, rows["quantity"])
    return rows.group_by([*members, *leaf, "basis"]).aggregate(
        cost=rows["cost"].sum(),
        list=rows["list"].sum(),
        contracted=rows["contracted"].sum(),
        quantity=_sum(quantity),
        gross=_sum(quantity.abs()),
        charges=rows.count(),
        known=known.cast("int64").sum(),
        side=ibis.literal(side),
    )


def _moment(day: date) -> Any:
    return ibis.literal(datetime(day.year, day.month, day.day))


def _first(table: ir.Table, names: tuple[str, ...]) -> ir.Value:
    return ibis.coalesce(*[table[name] for name in names]) if len(names) > 1 else table[names[0]]


def _basis(table: ir.Table, metric: str) -> ir.Value:
    """What a row can tell: a ListCost or ContractedCost that is unknown says as little as a missing quantity."""
    unused = cast(Any, table["CommitmentDiscountStatus"]) == "Unused"
    loose = cast(Any, table["PricingQuantity"].isnull()) | table[metric].isnull()
    return ibis.cases((unused, _IDLE), (loose, _LOOSE), else_=_PRICED)


def _of(both: ir.Table, figure: str, side: str) -> ir.Value:
    """A figure of one side of a leaf, over the bases that it counts."""
    here = both["side"] == side
    basis = both["basis"]
    count = cast(ir.IntegerColumn, both["charges"])
    if figure in ("idle", "loose"):
        found: Any = both["cost"].sum(where=here & (basis == figure))
    elif figure in ("cost", "charges"):
        found = both[figure].sum(where=here)
    elif figure == "rows":
        found = count.sum(where=here & (basis != _IDLE))
    elif figure == "unknown":
        found = (count - both["known"]).sum(where=here & (basis == _PRICED))
    else:
        found = both[figure].sum(where=here & (basis == _PRICED))
    return _filled(found, 0.0 if figure in ("quantity", "gross") else 0)


def _filled(figure: Any, instead: Any) -> Any:
    return figure.fill_null(instead)
