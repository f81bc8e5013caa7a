"""Revenue beside cost: what is left of what a customer, a tier or a product pays."""

from datetime import date
from decimal import Decimal

import polars

from finops_core.analysis.units.measured import MEMBER, MONEY, unit_costs
from finops_core.analysis.units.metrics import CURRENCY_COLUMNS, Metric
from finops_core.errors import UsageError
from finops_core.model.engine import CURRENCY
from finops_core.model.ledger import Ledger
from finops_core.store.unit_tables import DAY, QUANTITY

MARGINS = ("revenue", "cost", "margin")


def margins(
    ledger: Ledger,
    units: Metric,
    revenue: Metric,
    by: str,
    start: date,
    end: date,
    cost: str = "EffectiveCost",
    allocated: bool = False,
) -> polars.DataFrame:
    """`member`, BillingCurrency, `revenue`, `cost`, `margin` (revenue − cost, exact), `margin_share` (of revenue, null without any).

    Whole days [start, end). A member without revenue, or without cost, has 0 of it. Raises UsageError where the revenue's currency is not
    known: it needs a column `currency`, or a `currency` in rules/units.yaml, unless all charges are in one.
    """
    spent = unit_costs(ledger, units, by, start, end, "none", cost, allocated).table
    costs = spent.select(MEMBER, CURRENCY, "cost")
    earned = _earned(revenue, by, start, end, costs[CURRENCY].unique().sort().to_list())
    found = costs.join(earned, on=[MEMBER, CURRENCY], how="full", coalesce=True, nulls_equal=True)
    nothing = polars.lit(Decimal(0), MONEY)
    found = found.select(
        MEMBER,
        CURRENCY,
        polars.col("revenue").fill_null(nothing),
        polars.col("cost").fill_null(nothing),
    ).with_columns((polars.col("revenue") - polars.col("cost")).cast(MONEY).alias("margin"))
    shares = [margin / earned if earned > 0 else None for margin, earned in found.select("margin", "revenue").iter_rows()]  # fmt: skip
    shares = [None if s is None else Decimal(s).quantize(Decimal("0.000001")) for s in shares]
    found = found.with_columns(polars.Series("margin_share", shares, polars.Decimal(38, 6)))
    return found.sort([CURRENCY, "margin", MEMBER], descending=[False, False, False])


def _earned(revenue: Metric, by: str, start: date, end: date, currencies: list[str]) -> polars.DataFrame:
    if by not in revenue.columns:
        raise UsageError(f"{revenue.name} is not measured by {by!r}")
    column = next((c for c in revenue.columns if c.casefold() in CURRENCY_COLUMNS), None)
    stated = revenue.means.currency or (currencies[0] if len(currencies) == 1 else "")
    if column is None and not stated:
        raise UsageError(f"the currency of {revenue.name} is not known: state it in rules/units.yaml")
    code = polars.col(column).str.to_uppercase() if column else polars.lit(stated)
    inside = revenue.table.filter((polars.col(DAY) >= start) & (polars.col(DAY) < end))
    return inside.group_by(polars.col(by).alias(MEMBER), code.alias(CURRENCY)).agg(
        polars.col(QUANTITY).sum().cast(MONEY).alias("revenue")
    )
