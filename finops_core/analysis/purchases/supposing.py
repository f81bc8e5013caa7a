"""What the coming months would cost if something were bought, or changed: a scenario file held against the forecast."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

import numpy
import polars
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finops_core.allocation.written import Written
from finops_core.analysis.commitments import leftovers_by_day
from finops_core.analysis.forecasts import book_of, forecast_of
from finops_core.analysis.forecasts.supposing import with_scenario
from finops_core.analysis.purchases.futures import LEAST, Floats, futures
from finops_core.analysis.purchases.plans import Plan, Plans, plans
from finops_core.errors import InputRefused, UsageError
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months
from finops_core.model.query import Condition, Query
from finops_core.model.span import span
from finops_core.store.scenarios import Adjustment, Scenario

_METRIC = "EffectiveCost"
_PAST = 364
_CENT = Decimal("0.01")


class Purchase(BaseModel):
    """A commitment that would be bought: a plan of plans.yaml by its name, or with its own discount and services."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    plan: str
    hourly: Annotated[float, Field(gt=0)]
    """What is committed an hour, in `currency`."""
    start: date
    currency: str = "USD"
    term_months: Annotated[int, Field(ge=1, le=60)] | None = None
    payment: str | None = None
    discount: Annotated[float, Field(gt=0, lt=1)] | None = None
    services: tuple[str, ...] = ()
    usage: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    """Where it holds; none is everywhere."""


class Supposition(BaseModel):
    """A scenario file: purchases, adjustments as those of the forecast, or both."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = "scenario"
    description: str = ""
    months: Annotated[int, Field(ge=1, le=13)] = 12
    suppose: str | Annotated[float, Field(gt=-1, le=5)] = "baseline"
    """How the use that is bought for goes on: a scenario of plans.yaml, or a change within a year as a share."""
    purchases: tuple[Purchase, ...] = ()
    adjustments: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Bought:
    """A purchase and what becomes of it within the months, in its currency."""

    purchase: Purchase
    plan: Plan
    utilisation: float
    coverage: float
    risk: float
    """Share of futures in which less than nine tenths are used."""
    savings: float
    savings_low: float
    savings_high: float


@dataclass(frozen=True)
class Outcome:
    """`months`: ChargePeriod, BillingCurrency, `before` (the forecast), `adjusted` (with the adjustments), `after` (and the purchases), `savings` (before − after), `savings_low`,
    `savings_high` (the 10th and 90th percentile of what the purchases save): Decimal(38, 18), to the cent where estimated."""

    supposition: Supposition
    months: polars.DataFrame
    bought: tuple[Bought, ...]
    assumptions: tuple[str, ...]


def supposition(written: Written) -> tuple[Supposition, tuple[Adjustment, ...]]:
    """The scenario of a file and its adjustments. Raises InputRefused with file, line and field."""
    found = written.validated(Supposition)
    adjustments = []
    for number, record in enumerate(found.adjustments):
        try:
            adjustments.append(Adjustment.model_validate(record))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            words = first["msg"].removeprefix("Value error, ")
            raise InputRefused(
                f"adjustments.{number + 1}: {words}", written.place(("adjustments", number, *first["loc"]))
            ) from error
    if not found.purchases and not adjustments:
        raise InputRefused("a scenario has purchases or adjustments", written.place())
    return found, tuple(adjustments)


def outcome(ledger: Ledger, found: Supposition, adjustments: Sequence[Adjustment] = ()) -> Outcome:
    """What a scenario makes of the forecast. Raises UsageError for a plan or future that is not known, or a purchase in a currency without charges."""
    offered = plans(ledger.home)
    end = span(ledger).complete_until
    query = Query(_METRIC)
    before = forecast_of(ledger, query, found.months).table.select(
        PERIOD, CURRENCY, polars.col("mean").alias("before")
    )
    table = before
    if adjustments:
        changed = with_scenario(
            ledger, book_of(ledger, _METRIC), query, found.months, Scenario(found.name, tuple(adjustments))
        )
        table = table.join(
            changed.select(PERIOD, CURRENCY, polars.col("mean").alias("adjusted")),
            on=[PERIOD, CURRENCY],
            how="full",
            coalesce=True,
        )
    else:
        table = table.with_columns(polars.col("before").alias("adjusted"))
    months = sorted(set(before[PERIOD]))
    saved, bought = _bought(ledger, found, offered, months, end, set(before[CURRENCY]))
    table = table.join(saved, on=[PERIOD, CURRENCY], how="left").with_columns(
        polars.col("before", "adjusted", "bought", "savings_low", "savings_high").fill_null(0)
    )
    table = table.with_columns((polars.col("adjusted") - polars.col("bought")).alias("after"))
    table = table.with_columns((polars.col("before") - polars.col("after")).alias("savings")).sort(
        CURRENCY, PERIOD
    )
    assumptions = (
        f"use on demand as of {end}, read by day over up to a year, going on as {found.suppose if isinstance(found.suppose, str) else format(found.suppose, '+.0%')}",
        "commitments in force are renewed when they end",
        "purchases of one plan take use in their order; those of different plans are told apart, and may overlap",
        "discounts of the file, of rules/plans.yaml, or the typical ones shipped",
    )
    columns = [PERIOD, CURRENCY, "before", "adjusted", "after", "savings", "savings_low", "savings_high"]
    return Outcome(found, table.select(columns), tuple(bought), assumptions)


def _bought(
    ledger: Ledger,
    found: Supposition,
    offered: Plans,
    months: Sequence[date],
    end: date,
    currencies: set[str],
) -> tuple[polars.DataFrame, list[Bought]]:
    """What purchases save by month and currency, and each of them."""
    change = _supposed(found, offered)
    horizon = (add_months(months[-1], 1) - end).days
    pools: dict[tuple[str, Plan, tuple[str, ...]], Floats] = {}
    sums: dict[tuple[date, str], Floats] = {}
    told = []
    for purchase in found.purchases:
        if purchase.currency not in currencies:
            raise UsageError(f"there are no charges in {purchase.currency} to buy {purchase.plan} for")
        plan = _plan(purchase, offered)
        key = (purchase.currency, plan, purchase.regions)
        if key not in pools:
            pools[key] = futures(_use(ledger, purchase, plan, end), horizon, change)
        use = pools[key]
        days = [end + timedelta(n) for n in range(horizon)]
        last = add_months(purchase.start, plan.term_months)
        inside = numpy.array([purchase.start <= day < last for day in days])
        level = purchase.hourly * 24 / (1 - plan.discount)
        covered = numpy.minimum(use, level) * inside[None, :]
        saved = covered - purchase.hourly * 24 * inside[None, :]
        pools[key] = use - covered
        told.append(_told(purchase, plan, use, covered, saved, level, inside))
        for month in months:
            own = numpy.array([day.year == month.year and day.month == month.month for day in days])
            at = (month, purchase.currency)
            sums[at] = sums.get(at, numpy.zeros(len(saved))) + saved[:, own].sum(1)
    rows = [
        (month, code, _cents(v.mean()), _cents(numpy.quantile(v, 0.1)), _cents(numpy.quantile(v, 0.9)))
        for (month, code), v in sums.items()
    ]
    money = polars.Decimal(38, 18)
    schema: dict[str, Any] = {
        PERIOD: polars.Date,
        CURRENCY: polars.String,
        "bought": money,
        "savings_low": money,
        "savings_high": money,
    }
    return polars.DataFrame(rows, schema, orient="row"), told


def _told(
    purchase: Purchase, plan: Plan, use: Floats, covered: Floats, saved: Floats, level: float, inside: numpy.typing.NDArray[numpy.bool_]
) -> Bought:  # fmt: skip
    days = int(inside.sum())
    used = covered.sum(1) / (level * days) if days else numpy.zeros(len(use))
    whole = use[:, inside].sum(1)
    share = numpy.divide(covered.sum(1), whole, out=numpy.zeros(len(use)), where=whole > 0)
    total = saved.sum(1)
    return Bought(
        purchase, plan, float(used.mean()), float(share.mean()), float((used < 0.9).mean()) if days else 0.0,
        float(total.mean()), float(numpy.quantile(total, 0.1)), float(numpy.quantile(total, 0.9)),
    )  # fmt: skip


def _supposed(found: Supposition, offered: Plans) -> float:
    if isinstance(found.suppose, float):
        return found.suppose
    try:
        return (
            offered.scenarios[found.suppose] if found.suppose in offered.scenarios else float(found.suppose)
        )
    except ValueError:
        raise UsageError(
            f"there is no scenario {found.suppose!r}; known are {', '.join(offered.scenarios)}"
        ) from None


def _plan(purchase: Purchase, offered: Plans) -> Plan:
    """The plan that is meant, with what the purchase says otherwise."""
    named = [
        p for p in offered.plans
        if p.name == purchase.plan and purchase.term_months in (None, p.term_months) and purchase.payment in (None, p.payment)
    ]  # fmt: skip
    own = {
        name: value
        for name in ("term_months", "payment", "discount", "services", "usage")
        if (value := getattr(purchase, name)) not in (None, ())
    }
    if named:
        return named[0].model_copy(update=own)
    if {"discount", "services", "term_months"} <= set(own):
        return Plan(name=purchase.plan, **{"payment": "no upfront", **own})
    known = ", ".join(dict.fromkeys(p.name for p in offered.plans))
    raise UsageError(
        f"there is no plan {purchase.plan!r} of that term and payment; known are {known}; or state its discount, services and term_months"
    )


def _use(ledger: Ledger, purchase: Purchase, plan: Plan, end: date) -> Floats:
    """Daily use on demand that a purchase could cover, from the first day that has any."""
    where = [Condition("ServiceName", "in", plan.services), Condition(CURRENCY, "=", (purchase.currency,))]
    if purchase.regions:
        where.append(Condition("RegionId", "in", purchase.regions))
    found = leftovers_by_day(ledger, ("ServiceName", "x_UsageType"), end - timedelta(_PAST), end, where)
    kept = [
        row
        for row in found.select("ServiceName", "x_UsageType").unique().iter_rows()
        if plan.covers(row[0], row[1])
    ]
    wanted = polars.DataFrame(
        kept, {"ServiceName": polars.String, "x_UsageType": polars.String}, orient="row"
    )
    own = found.join(wanted, on=["ServiceName", "x_UsageType"], how="semi", nulls_equal=True)
    if own.is_empty():
        return numpy.zeros(LEAST)
    first = own[PERIOD].min()
    assert isinstance(first, date)
    days = numpy.zeros(max((end - first).days, LEAST))
    at = (own[PERIOD] - first).dt.total_days().to_numpy() + len(days) - (end - first).days
    numpy.add.at(days, at, own["on_demand"].cast(polars.Float64).to_numpy())
    return days


def _cents(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(_CENT)
