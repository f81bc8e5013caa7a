"""The formulas of metrics, over charges or a cube. A ratio is one of sums, never a mean of ratios."""

from typing import Any, cast

import ibis
import ibis.expr.types as ir

MONEY = "decimal(38, 18)"


def total(table: ir.Table, column: str) -> ir.Value:
    """The sum of a column; null where no row has a value."""
    return cast(Any, table[column]).sum()


def rows(table: ir.Table) -> ir.Value:
    """How many charges there are."""
    # DuckDB sums BIGINT to HUGEINT, which Ibis takes for an int64 already.
    return cast(Any, table["x_Rows"]).sum().cast("decimal(38, 0)").cast("int64")


def per(amount: ir.Value, count: ir.Value) -> ir.Value:
    """Money ÷ a whole number, as DECIMAL(38,18), right to its last digit or nearly so; null for a count of 0.

    Engines divide decimals as DOUBLE, which has 16 digits; so the remainder, which is exact, is divided once more.
    """
    divisor = cast(Any, count).cast("decimal(19, 0)").nullif(0)
    quotient = _divided(amount, divisor)
    rest = cast(Any, amount) - (quotient * divisor).cast(MONEY)
    return cast(ir.Value, quotient + _divided(rest, divisor))


def per_quantity(amount: ir.Value, quantity: ir.Value) -> ir.Value:
    """Money ÷ a quantity, as DECIMAL(38,18), with the 15 digits that a quantity (DOUBLE) has; null for a quantity of 0."""
    return cast(ir.Value, _divided(amount, cast(Any, quantity).nullif(0)))


def ratio(part: ir.Value, whole: ir.Value) -> ir.Value:
    """A part of a whole as DOUBLE; null for a whole of 0."""
    return cast(ir.Value, cast(Any, part).cast("float64") / cast(Any, whole).cast("float64").nullif(0))


def _divided(amount: Any, divisor: Any) -> Any:
    # By its shortest text, as a DOUBLE is read everywhere. What is no DECIMAL(38,18), such as a price per 10⁻³⁰ of
    # something, is unknown and no error.
    return (amount.cast("float64") / divisor.cast("float64")).cast("string").try_cast(MONEY)


def unit_cost(column: str) -> Any:
    """A cost per PricingUnit, over charges that have both it and a PricingQuantity; null where units are mixed."""

    def expression(table: Any) -> ir.Value:
        both = table[column].notnull() & table["PricingQuantity"].notnull()
        unit = table["PricingUnit"].fill_null("")
        price = per_quantity(table[column].sum(where=both), table["PricingQuantity"].sum(where=both))
        return ibis.cases((unit.min(where=both) == unit.max(where=both), price))

    return expression


def _usage(table: Any) -> Any:
    return (table["ChargeCategory"] == "Usage").fill_null(False)


def _unused(table: Any) -> Any:
    return _usage(table) & (table["CommitmentDiscountStatus"] == "Unused").fill_null(False)


def has_savings(table: Any) -> Any:
    """Whether savings are known: of usage with ListCost and ContractedCost, and of unused commitment."""
    return _unused(table) | (_usage(table) & table["ListCost"].notnull() & table["ContractedCost"].notnull())


def _unless_unused(table: Any, column: str) -> Any:
    """A cost that unused commitment counts with 0."""
    return ibis.ifelse(_unused(table), ibis.literal(0, MONEY), table[column])


def difference(more: str, less: str) -> Any:
    """What lies between two costs, summed over the charges whose savings are known; null where there are none."""

    def expression(table: Any) -> ir.Value:
        upper = _unless_unused(table, more)
        lower = table[less] if less == "EffectiveCost" else _unless_unused(table, less)
        return cast(ir.Value, (upper - lower).sum(where=has_savings(table)))

    return expression


def savings_rate(table: Any) -> ir.Value:
    """TotalSavings ÷ ListCost, over the charges whose savings are known."""
    listed = _unless_unused(table, "ListCost").sum(where=has_savings(table))
    return ratio(difference("ListCost", "EffectiveCost")(table), listed)


def savings_coverage(table: Any) -> ir.Value:
    """The part of usage's EffectiveCost whose savings are known."""
    known = table["EffectiveCost"].sum(where=has_savings(table))
    usage = table["EffectiveCost"].sum(where=_usage(table))
    return ratio(ibis.coalesce(known, ibis.literal(0, MONEY)), usage)


def resources(table: Any) -> ir.Value:
    """How many distinct resources there are; charges without one do not count."""
    return cast(ir.Value, table["ResourceId"].nunique(where=table["ResourceId"].notnull()))


def cost_per_resource(table: Any) -> ir.Value:
    """EffectiveCost of the charges of resources ÷ the number of these."""
    cost = table["EffectiveCost"].sum(where=table["ResourceId"].notnull())
    return per(cost, resources(table))
