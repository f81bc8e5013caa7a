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
from finops_core.analysis.forecasts import book_of, forecast_of
from finops_core.analysis.forecasts.supposing import with_scenario
from finops_core.analysis.purchases.futures import Floats
from finops_core.analysis.purchases.plans import Plan, Plans, plans
from finops_core.analysis.purchases.use import Claim, Parcels, Uncovered
from finops_core.errors import InputRefused, UsageError
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months
from finops_core.model.query import Query
from finops_core.model.span import span
from finops_core.store.scenarios import Adjustment, Scenario

_METRIC = "EffectiveCost"
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
    family: str = ""
    """The family of machines that it is bought for, such as db.r6g."""
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
        f"use on demand as of {end}, read by the hour over eighteen weeks where charges are, else by day over up to a year, going on as {found.suppose if isinstance(found.suppose, str) else format(found.suppose, '+.0%')}",
        "commitments in force are renewed when they end",
        "no use is covered twice: purchases take it in the order of their discounts, then of the file, of use that others may cover as much as of the rest",
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
    for purchase in found.purchases:
        if purchase.currency not in currencies:
            raise UsageError(f"there are no charges in {purchase.currency} to buy {purchase.plan} for")
    chosen = [(p, Claim(p.currency, _plan(p, offered), p.regions)) for p in found.purchases]
    uncovered = Uncovered.read(ledger, [s for _, claim in chosen for s in claim.plan.services], end)
    horizon = (add_months(months[-1], 1) - end).days
    parcels = Parcels(uncovered, [claim for _, claim in chosen], horizon, _supposed(found, offered))
    days = [end + timedelta(n // parcels.per_day) for n in range(horizon * parcels.per_day)]
    of_month = {month: numpy.array([(d.year, d.month) == (month.year, month.month) for d in days]) for month in months}  # fmt: skip
    sums: dict[tuple[date, str], Floats] = {}
    told: dict[int, Bought] = {}
    # Clouds apply what saves most first; of the same discount, what stands first in the file.
    for number, (purchase, claim) in sorted(enumerate(chosen), key=lambda at: -at[1][1].plan.discount):
        last = add_months(purchase.start, claim.plan.term_months)
        inside = numpy.array([purchase.start <= day < last for day in days])
        level = purchase.hourly * 24 / (1 - claim.plan.discount)
        use = parcels.left(claim)
        covered = parcels.take(claim, level, inside)
        saved = (covered - purchase.hourly * 24 * inside[None, :]) / parcels.per_day
        told[number] = _told(purchase, claim.plan, use, covered, saved, level, inside)
        for month, own in of_month.items():
            at = (month, purchase.currency)
            sums[at] = sums.get(at, numpy.zeros(parcels.count)) + saved[:, own].sum(1)
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
    return polars.DataFrame(rows, schema, orient="row"), [told[number] for number in sorted(told)]


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
        for name in ("term_months", "payment", "discount", "services", "usage", "family")
        if (value := getattr(purchase, name)) not in (None, (), "")
    }
    if named:
        return named[0].model_copy(update=own)
    if {"discount", "services", "term_months"} <= set(own):
        return Plan(name=purchase.plan, **{"payment": "no upfront", **own})
    known = ", ".join(dict.fromkeys(p.name for p in offered.plans))
    raise UsageError(
        f"there is no plan {purchase.plan!r} of that term and payment; known are {known}; or state its discount, services and term_months"
    )


def _cents(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(_CENT)
