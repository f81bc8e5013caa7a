"""The cost of what a metric is measured in, beside its units, period by period."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any

import polars

from finops_core.analysis.remainders import EXACT
from finops_core.analysis.units.metrics import Metric
from finops_core.errors import UsageError
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months, month_start
from finops_core.model.query import Condition, Query, Where, conditions
from finops_core.model.span import span
from finops_core.store.unit_tables import DAY, QUANTITY

MONEY = polars.Decimal(38, 18)
MEMBER = "member"
GRAINS = ("day", "week", "month", "quarter", "year", "none")
_PLACES = Decimal(1).scaleb(-18)
_NOTHING = Decimal(0)


@dataclass(frozen=True)
class UnitCosts:
    """`table`: ChargePeriod (but for grain none), BillingCurrency, `member` (null: without one), and

    - `cost`: of the whole period, exact; `unmeasured`: its part on days without units
    - `units`: of the days with any (of a level, their mean); `cost_per_unit`: (cost − unmeasured) ÷ units, at 18 decimals; null where units are not above 0
    - `days`: that have units, `missing`: that have charges and no units, `idle`: with units of 0 or less.

    `notes`: what a reader should know, in words.
    """

    metric: Metric
    by: str | None
    table: polars.DataFrame
    notes: tuple[str, ...]


def unit_costs(
    ledger: Ledger,
    metric: Metric,
    by: str | None = None,
    start: date | None = None,
    end: date | None = None,
    grain: str = "month",
    cost: str = "EffectiveCost",
    allocated: bool = False,
    where: Where = (),
) -> UnitCosts:
    """What a metric's units cost, by a column of its file (or all together), over days [start, end) that are complete.

    By a column that charges know, such as a product, each member's own cost is divided by its units. By one that they do
    not, such as a customer, the cost is shared by units, day by day, to the last digit. Raises UsageError for another column or grain.
    """
    _check(metric, by, grain)
    start, end, notes = _within(ledger, metric, start, end)
    units = _units(metric, start, end)
    costs = _costs(ledger, metric, units, start, end, cost, allocated, where)
    joined = _joined(metric, units, costs, by)
    table = _summed(joined, metric, grain)
    return UnitCosts(metric, by, table, (*notes, *_told(table, metric)))


def _check(metric: Metric, by: str | None, grain: str) -> None:
    if by is not None and by not in metric.columns:
        known = ", ".join(metric.columns) or "none"
        raise UsageError(f"{metric.name} is not measured by {by!r}; its columns are {known}")
    if grain not in GRAINS:
        raise UsageError(f"there is no grain {grain!r} of unit costs; known are {', '.join(GRAINS)}")
    if metric.monthly and grain in ("day", "week"):
        raise UsageError(f"{metric.name} is measured by month: ask for months")


def _within(
    ledger: Ledger, metric: Metric, start: date | None, end: date | None
) -> tuple[date, date, list[str]]:
    """The days asked for that are complete; of a metric by month, whole months."""
    found = span(ledger)
    last = metric.table[DAY].max()
    assert isinstance(last, date)
    measured_until = add_months(last, 1) if metric.monthly else last + timedelta(1)
    wanted = end or max(found.complete_until, found.first + timedelta(1))
    start = max(start or found.first, found.first)
    notes = []
    end = min(wanted, found.complete_until)
    if metric.monthly:
        start, end = (start if start.day == 1 else add_months(month_start(start), 1)), month_start(end)
    elif end < wanted:
        notes.append(f"days from {end} on are still being charged and left out")
    if measured_until < end:
        notes.append(f"{metric.name} is known until {measured_until - timedelta(1)}, charges go on")
    return start, max(start, end), notes


def _units(metric: Metric, start: date, end: date) -> polars.DataFrame:
    """`day` (of a metric by month, its first), the metric's columns, `quantity`."""
    return metric.table.filter((polars.col(DAY) >= start) & (polars.col(DAY) < end))


def _costs(
    ledger: Ledger,
    metric: Metric,
    units: polars.DataFrame,
    start: date,
    end: date,
    cost: str,
    allocated: bool,
    where: Where,
) -> polars.DataFrame:
    """`date`, BillingCurrency, the mapped columns, `cost`: the charges of members that the metric is measured in."""
    columns = list(metric.mapped)
    schema: dict[str, Any] = {
        DAY: polars.Date,
        CURRENCY: polars.String,
        **dict.fromkeys(columns, polars.String),
        "cost": MONEY,
    }
    if start >= end:
        return polars.DataFrame(schema=schema)
    dimensions = [metric.mapped[c] for c in columns]
    asked = [
        Condition(d, "in", metric.members[c])
        for c, d in zip(columns, dimensions, strict=True)
        if units[c].null_count() == 0 and metric.members[c]
    ]
    query = Query(
        cost,
        by=dimensions,
        grain="month" if metric.monthly else "day",
        where=(*conditions(where), *conditions(metric.means.condition), *asked),
        start=start,
        end=end,
        allocated=allocated,
    )
    found = ledger.query(query).rename({PERIOD: DAY, cost: "cost"})
    found = found.select(
        polars.col(DAY).cast(polars.Date),
        CURRENCY,
        *[polars.col(d).cast(polars.String).alias(c) for c, d in zip(columns, dimensions, strict=True)],
        polars.col("cost").fill_null(_NOTHING).cast(MONEY),
    )
    measured = metric.table.select(columns).unique() if columns else None
    return found if measured is None else found.join(measured, on=columns, how="semi", nulls_equal=True)


def _joined(
    metric: Metric, units: polars.DataFrame, costs: polars.DataFrame, by: str | None
) -> polars.DataFrame:
    """`date`, BillingCurrency, `member`, `cost`, `units` (null: none were told), one row a day, members and currency."""
    keys = [DAY, *metric.mapped]
    if by is not None and by not in metric.mapped:
        return _shared(metric, units, costs, by)
    summed = units.group_by(keys).agg(polars.col(QUANTITY).sum().cast(MONEY).alias("units"))
    if costs.is_empty():
        currencies = polars.DataFrame({CURRENCY: []}, schema={CURRENCY: polars.String})
    else:
        currencies = costs.select(CURRENCY).unique()
    # A day that has units has a row in every currency that its members are ever charged in.
    members = costs.select(CURRENCY, *metric.mapped).unique()
    on = list(metric.mapped)
    wanted = summed.join(members, on=on, nulls_equal=True) if on else summed.join(currencies, how="cross")
    found = wanted.join(costs, on=[*keys, CURRENCY], how="full", coalesce=True, nulls_equal=True)
    member = polars.col(by) if by is not None else polars.lit(None, polars.String)
    return found.select(
        DAY, CURRENCY, member.alias(MEMBER), polars.col("cost").fill_null(_NOTHING).cast(MONEY), "units"
    )


def _shared(metric: Metric, units: polars.DataFrame, costs: polars.DataFrame, by: str) -> polars.DataFrame:
    """The cost of each day shared by units: a member's part is what it adds to a running share, so parts sum to the cost."""
    keys = [DAY, *metric.mapped]
    weights = units.group_by([*keys, by]).agg(polars.col(QUANTITY).sum().cast(MONEY).alias("units"))
    whole = weights.group_by(keys).agg(
        polars.col("units").sum().cast(MONEY).alias("all"), polars.col("units").min().alias("least")
    )
    sound = whole.filter((polars.col("all") > 0) & (polars.col("least") >= 0))
    found = costs.join(sound, on=keys, how="left", nulls_equal=True)
    lost = found.filter(polars.col("all").is_null()).select(
        DAY, CURRENCY, polars.lit(None, polars.String).alias(MEMBER), "cost", polars.lit(None, MONEY).alias("units")
    )  # fmt: skip
    kept = found.filter(polars.col("all").is_not_null()).join(weights, on=keys, nulls_equal=True)
    kept = kept.sort(CURRENCY, *keys, by, nulls_last=True)
    ends = kept.with_columns(polars.col("units").cum_sum().over([CURRENCY, *keys]).alias("end"))
    parts = []
    with localcontext(EXACT):
        for cost, share, end, total in ends.select("cost", "units", "end", "all").iter_rows():
            parts.append(_upto(cost, end, total) - _upto(cost, end - share, total))
    shared = ends.with_columns(polars.Series("cost", parts, MONEY)).select(
        DAY, CURRENCY, polars.col(by).alias(MEMBER), "cost", "units"
    )
    return polars.concat([shared, lost])


def _upto(cost: Decimal, end: Decimal, total: Decimal) -> Decimal:
    units, weight, whole = (int(value.scaleb(18)) for value in (cost, end, total))
    part = units * weight // whole if units >= 0 else -(-units * weight // whole)
    return Decimal(part).scaleb(-18)


def _summed(joined: polars.DataFrame, metric: Metric, grain: str) -> polars.DataFrame:
    has = polars.col("units").is_not_null()
    period = {
        "day": polars.col(DAY),
        "week": polars.col(DAY).dt.truncate("1w"),
        "month": polars.col(DAY).dt.truncate("1mo"),
        "quarter": polars.col(DAY).dt.truncate("1q"),
        "year": polars.col(DAY).dt.truncate("1y"),
    }.get(grain)
    keys = [*([PERIOD] if period is not None else []), CURRENCY, MEMBER]
    frame = joined.with_columns(period.alias(PERIOD)) if period is not None else joined
    daily = frame.group_by([*keys, DAY]).agg(
        polars.col("cost").sum().cast(MONEY),
        polars.col("cost").filter(~has).sum().cast(MONEY).alias("unmeasured"),
        polars.col("units").sum().cast(MONEY).alias("units"),
        has.any().alias("has"),
    )
    told = polars.col("has")
    found = daily.group_by(keys).agg(
        polars.col("cost").sum().cast(MONEY),
        polars.col("unmeasured").sum().cast(MONEY),
        polars.when(told.any()).then(polars.col("units").filter(told).sum()).cast(MONEY).alias("units"),
        told.sum().cast(polars.Int64).alias("days"),
        (~told).sum().cast(polars.Int64).alias("missing"),
        (told & (polars.col("units") <= 0)).sum().cast(polars.Int64).alias("idle"),
    )
    if metric.means.level:
        found = found.with_columns(_averaged(found))
    rates = [per_unit(c - u, q) for c, u, q in found.select("cost", "unmeasured", "units").iter_rows()]
    return found.with_columns(polars.Series("cost_per_unit", rates, MONEY)).sort(keys, nulls_last=True)


def _averaged(found: polars.DataFrame) -> polars.Series:
    """Of a level: the mean of the days (or months) that have one."""
    with localcontext() as context:
        context.prec = 60
        means = [
            None if units is None else (units / days).quantize(_PLACES)
            for units, days in found.select("units", "days").iter_rows()
        ]
    return polars.Series("units", means, MONEY)


def per_unit(cost: Decimal, units: Decimal | None) -> Decimal | None:
    """Cost ÷ units at 18 decimals; None where units are unknown or not above 0, or so few that the price cannot be written."""
    if units is None or units <= 0:
        return None
    with localcontext() as context:
        context.prec = 60
        found = (cost / units).quantize(_PLACES)
    return found if abs(found) < Decimal(10) ** 19 else None


def _told(table: polars.DataFrame, metric: Metric) -> list[str]:
    """What is odd about the units, in words."""
    if table.is_empty():
        return [f"no day has both charges and {metric.name}"]
    found = []
    unit = "months" if metric.monthly else "days"
    missing, idle = int(table["missing"].sum()), int(table["idle"].sum())
    if missing:
        lost = table.group_by(CURRENCY).agg(polars.col("unmeasured").sum()).sort(CURRENCY)
        told = " and ".join(f"{amount:,.2f} {code}" for code, amount in lost.iter_rows() if amount)
        found.append(
            f"{missing:,} {unit} of members have charges and no units: {told or 'nothing'} is left out of unit costs"
        )
    if idle:
        found.append(
            f"{idle:,} {unit} of members have 0 units or less: their cost counts, a unit cost they have none"
        )
    return found
