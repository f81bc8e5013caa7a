"""The leaves of a Query's members in two periods: what a change is told apart by, as sums over charges.

A leaf is what is bought at one price: BillingCurrency, SubAccountId, ServiceName, RegionId, SkuPriceId (else SkuId, else
ChargeDescription), PricingUnit and ChargeCategory, within a member of the query's dimensions.
"""

from typing import Any, cast

import ibis
import ibis.expr.types as ir

from finops_core.formats.expressions import identifier
from finops_core.model.engine import CURRENCY, charges
from finops_core.model.periods import Period
from finops_core.model.query import Query, conditions
from finops_core.vocabulary.dimensions import dimension
from finops_core.vocabulary.expressions import condition, value

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
_DAY = "leaf day"
_IDLE, _LOOSE, _PRICED = 0, 1, 2
"""What a row can tell, in the column `basis`."""
_ZERO = {"quantity": "CAST(0 AS DOUBLE)", "gross": "CAST(0 AS DOUBLE)"}


def sql(query: Query, before: Period, after: Period, ordered: bool = True) -> str:
    """DuckDB's SQL of one row a leaf that has charges in either period; the first metric of the query must be a cost.

    Columns: BillingCurrency, the query's dimensions, `usage` (whether ChargeCategory is Usage), and for each side
    (`before`, `after`) `cost_…` (the metric), `idle_…` (its part on Unused commitment rows), `loose_…` (its part on other
    rows without PricingQuantity), and over the remaining, priced rows `list_…`, `contracted_…`, `quantity_…` (DOUBLE),
    `gross_…` (the sum of absolute quantities) and `unknown_…` (how many of them lack a price that the metric's is made
    of); `rows_…` counts the charges that are not idle, `charges_…` all. Nothing is null but the dimensions. `ordered`
    brings them in one order always, which what is divided by days is closed along; it takes a quarter of the time.

    Conditions and dimensions are the semantic layer's; what is the same for every question is written out around them,
    for compiling it anew takes longer than answering it. Charges are grouped once, whatever their side and basis: at the
    level of resources there are nearly as many groups as rows.
    """
    members = list(dict.fromkeys([CURRENCY, *query.by]))
    leaf = {
        f"{_PREFIX}{name}": columns
        for name, columns in _LEAF.items()
        if name not in members or len(columns) > 1
    }
    rows = str(ibis.to_sql(_rows(query, members, leaf), dialect="duckdb"))
    names = [identifier(name) for name in (*members, *leaf)]
    keys = ", ".join(names)
    sides = " UNION ALL ".join(
        _side(rows, side, period, query.metrics[0])
        for side, period in zip(SIDES, (before, after), strict=True)
    )
    totals = ", ".join(f"{_of(figure, side)} AS {figure}_{side}" for figure in FIGURES for side in SIDES)
    category = identifier("ChargeCategory" if "ChargeCategory" in members else f"{_PREFIX}ChargeCategory")
    order = f"ORDER BY {', '.join(f'{name} ASC' for name in names)}" if ordered else ""
    return f"""
        SELECT {", ".join(identifier(name) for name in members)}, coalesce({category} = 'Usage', FALSE) AS usage, {totals}
        FROM ({sides}) GROUP BY {keys} {order}"""


def _rows(query: Query, members: list[str], leaf: dict[str, tuple[str, ...]]) -> ir.Table:
    """The charges that the query's conditions keep: its dimensions, the keys of the leaf, and what is added up."""
    table = charges()
    asked = [condition(table, c) for c in conditions(query.where)]
    if asked:
        table = table.filter(asked)
    columns: dict[str, ir.Value] = {CURRENCY: table[CURRENCY]}
    columns |= {name: value(table, dimension(name)) for name in members if name != CURRENCY}
    columns |= {key: _first(table, names) for key, names in leaf.items()}
    columns |= {
        _DAY: table["ChargePeriodStart"],
        "basis": _basis(table, query.metrics[0]),
        "cost": table[query.metrics[0]],
        "list": table["ListCost"],
        "contracted": table["ContractedCost"],
        "quantity": table["PricingQuantity"],
    }
    return table.select(**columns)


def _first(table: ir.Table, names: tuple[str, ...]) -> ir.Value:
    return ibis.coalesce(*[table[name] for name in names]) if len(names) > 1 else table[names[0]]


def _basis(table: ir.Table, metric: str) -> ir.Value:
    """What a row can tell: a ListCost or ContractedCost that is unknown says as little as a missing quantity."""
    unused = cast(Any, table["CommitmentDiscountStatus"]) == "Unused"
    loose = cast(Any, table["PricingQuantity"].isnull()) | table[metric].isnull()
    return ibis.cases((unused, _IDLE), (loose, _LOOSE), else_=_PRICED)


def _side(rows: str, side: str, period: Period, metric: str) -> str:
    """SQL of the charges of one period, with their side and whether the prices of the metric are known."""
    known = "list IS NOT NULL" if metric == "ListCost" else "list IS NOT NULL AND contracted IS NOT NULL"
    day = identifier(_DAY)
    return f"""
        SELECT *, {known} AS known, {str(side == SIDES[1]).upper()} AS later
        FROM ({rows}) WHERE {day} >= TIMESTAMP '{period.start}' AND {day} < TIMESTAMP '{period.end}'"""


def _of(figure: str, side: str) -> str:
    """SQL of a figure of one side of a leaf, over the rows that it counts.

    DuckDB's fsum keeps of DOUBLEs what plain addition rounds away, in whichever order the rows come. CASE, for it is quicker
    than FILTER.
    """
    here = "later" if side == SIDES[1] else "NOT later"
    priced = f"{here} AND basis = {_PRICED}"
    counted = {
        "charges": here,
        "rows": f"{here} AND basis <> {_IDLE}",
        "unknown": f"{priced} AND NOT known",
    }
    if figure in counted:
        return f"count(CASE WHEN {counted[figure]} THEN 1 END)"
    summed = {
        "cost": f"sum(CASE WHEN {here} THEN cost END)",
        "idle": f"sum(CASE WHEN {here} AND basis = {_IDLE} THEN cost END)",
        "loose": f"sum(CASE WHEN {here} AND basis = {_LOOSE} THEN cost END)",
        "quantity": f"fsum(CASE WHEN {priced} THEN quantity END)",
        "gross": f"fsum(CASE WHEN {priced} THEN abs(quantity) END)",
    }
    found = summed.get(figure, f"sum(CASE WHEN {priced} THEN {figure} END)")
    return f"coalesce({found}, {_ZERO.get(figure, '0')})"
