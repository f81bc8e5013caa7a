"""The figures of commitments, by commitment, in total, by day, and for those who receive the benefit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal

import polars

from finops_core.analysis.commitments.terms import expiry, terms
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.query import Condition, Node, Query, Where, conditions

MONEY = polars.Decimal(38, 18)
ID = "CommitmentDiscountId"
BENEFIT = ("used", "on_demand", "savings")
"""The figures of `benefit`."""
_ODE, _PRICED = "on_demand", "priced"
_TYPE, _STATUS, _SERVICE = "CommitmentDiscountType", "CommitmentDiscountStatus", "ServiceName"
_USAGE = Condition("ChargeCategory", "=", ("Usage",))
_COMMITTED = Condition(_STATUS, "in", ("Used", "Unused"))
_ELIGIBLE = Condition("PricingCategory", "in", ("Standard", "Committed"))
_COSTS = ("EffectiveCost", "ContractedCost", "ListCost")
_RATIO = Context(prec=28)
_ITEM = (CURRENCY, ID, _TYPE)


@dataclass(frozen=True)
class Commitments:
    """What commitments did on some days."""

    items: polars.DataFrame
    """CommitmentDiscountId, BillingCurrency, type, used, unused (EffectiveCost), on_demand (equivalent of what it covered), savings
    (on_demand − used − unused), utilisation (0 to 1, null where nothing was committed), first, last (days with charges, of all
    loaded), expires (null where not known), expiry (stated | estimated | unknown), ended (bool). Largest first."""
    totals: polars.DataFrame
    """BillingCurrency, used, unused, utilisation, covered, eligible (on-demand equivalents), coverage, savings,
    effective_savings_rate, priced_share (of used, whose on-demand price is known: what is said of prices is of that part; null of
    all where that is nothing)."""


def commitments(
    ledger: Ledger, start: date | None = None, end: date | None = None, where: Where = ()
) -> Commitments:
    """The commitments of a range of days (half-open), of charges that fit the conditions. Money is exact; ratios have 28 digits."""
    given = conditions(where)
    paid = _sums(ledger, (ID, _TYPE, _STATUS), (*given, _USAGE, _COMMITTED), start, end)
    return Commitments(_items(ledger, paid), _totals(paid, _eligible(ledger, given, start, end)))


def benefit(
    ledger: Ledger, by: Sequence[str], start: date | None, end: date | None, where: Where = ()
) -> polars.DataFrame:
    """Who receives what commitments save: BillingCurrency, the dimensions, used, on_demand, savings (on_demand − used), of covered use."""
    used = Condition(_STATUS, "=", ("Used",))
    found = _sums(ledger, tuple(by), (*conditions(where), _USAGE, used), start, end)
    return (
        found.rename({"EffectiveCost": "used"})
        .with_columns((polars.col(_ODE) - polars.col(_PRICED)).cast(MONEY).alias("savings"))
        .drop(_PRICED)
        .sort("savings", descending=True)
    )


def leftovers(
    ledger: Ledger, by: Sequence[str], start: date | None, end: date | None, where: Where = ()
) -> polars.DataFrame:
    """Eligible use that no commitment covered, at on-demand prices: BillingCurrency, the dimensions, on_demand; largest first."""
    given = conditions(where)
    covered = _covered_services(ledger, given, start, end)
    asked = (*given, _USAGE, Condition("PricingCategory", "=", ("Standard",)), Condition(_STATUS, "is null"))
    found = _sums(ledger, tuple(dict.fromkeys((*by, _SERVICE))), asked, start, end)
    return (
        found.join(covered, on=[CURRENCY, _SERVICE], how="semi", nulls_equal=True)
        .group_by(CURRENCY, *by)
        .agg(polars.col(_ODE).sum().cast(MONEY))
        .sort(_ODE, descending=True)
    )


def leftovers_by_day(
    ledger: Ledger, by: Sequence[str], start: date | None, end: date | None, where: Where = ()
) -> polars.DataFrame:
    """Eligible use that no commitment covers, by day: ChargePeriod, BillingCurrency, the dimensions, on_demand.

    Of all services: what has no commitment yet is what one may be bought for.
    """
    asked = (
        *conditions(where),
        _USAGE,
        Condition("PricingCategory", "=", ("Standard",)),
        Condition(_STATUS, "is null"),
    )
    return _sums(ledger, tuple(by), asked, start, end, "day").select(PERIOD, CURRENCY, *by, _ODE)


def by_day(ledger: Ledger, start: date | None, end: date | None, where: Where = ()) -> polars.DataFrame:
    """ChargePeriod (a day), BillingCurrency, used, unused, utilisation, covered, eligible, coverage: one row a day that has any."""
    given = conditions(where)
    paid = _sums(ledger, (_STATUS,), (*given, _USAGE, _COMMITTED), start, end, "day")
    open_ = _eligible(ledger, given, start, end, "day")
    return _totals(paid, open_, [PERIOD, CURRENCY]).sort(PERIOD, CURRENCY)


def _sums(
    ledger: Ledger,
    by: tuple[str, ...],
    where: tuple[Node, ...],
    start: date | None,
    end: date | None,
    grain: str = "none",
) -> polars.DataFrame:
    """BillingCurrency, the dimensions, EffectiveCost, on_demand (the equivalent, row by row), priced (EffectiveCost of the rows of
    which that is known)."""
    by = tuple(d for d in by if d != CURRENCY)
    query = Query(_COSTS, by=by, where=where, start=start, end=end, grain=grain)
    keys = [*([PERIOD] if grain != "none" else []), CURRENCY, *query.by]
    found = ledger.query(query)
    unknown = Condition("ContractedCost", "is null")
    unpriced = ledger.query(query.but(where=(*where, unknown)))
    listed = unpriced.select(*keys, polars.col("ListCost").alias("listed"))
    neither = (*where, unknown, Condition("ListCost", "is null"))
    unknowable = ledger.query(query.but(metrics=("EffectiveCost",), where=neither))
    unknowable = unknowable.rename({"EffectiveCost": "unpriced"})
    return (
        found.join(listed, on=keys, how="left", nulls_equal=True)
        .join(unknowable, on=keys, how="left", nulls_equal=True)
        .with_columns(
            (polars.col("ContractedCost").fill_null(0) + polars.col("listed").fill_null(0))
            .cast(MONEY)
            .alias(_ODE),
            polars.col("EffectiveCost").fill_null(0).cast(MONEY),
            (polars.col("EffectiveCost").fill_null(0) - polars.col("unpriced").fill_null(0))
            .cast(MONEY)
            .alias(_PRICED),
        )
        .select(*keys, "EffectiveCost", _ODE, _PRICED)
    )


def _covered_services(
    ledger: Ledger, given: tuple[Node, ...], start: date | None, end: date | None
) -> polars.DataFrame:
    used = Condition(_STATUS, "=", ("Used",))
    asked = Query("EffectiveCost", by=(_SERVICE,), where=(*given, _USAGE, used), start=start, end=end)
    return ledger.query(asked).select(CURRENCY, _SERVICE)


def _eligible(
    ledger: Ledger,
    given: tuple[Node, ...],
    start: date | None,
    end: date | None,
    grain: str = "none",
    by: tuple[str, ...] = (),
) -> polars.DataFrame:
    """Use that commitments cover or could: keys, status, EffectiveCost, on_demand; of services of which some use was covered."""
    covered = _covered_services(ledger, given, start, end)
    found = _sums(ledger, (*by, _SERVICE, _STATUS), (*given, _USAGE, _ELIGIBLE), start, end, grain)
    return found.filter(polars.col(_STATUS).is_null() | (polars.col(_STATUS) == "Used")).join(
        covered, on=[CURRENCY, _SERVICE], how="semi", nulls_equal=True
    )


def _totals(
    paid: polars.DataFrame, eligible: polars.DataFrame, keys: Sequence[str] = (CURRENCY,)
) -> polars.DataFrame:
    used, none = polars.col(_STATUS) == "Used", polars.col(_STATUS).is_null()
    committed = paid.group_by(keys).agg(
        polars.col("EffectiveCost").filter(used).sum().alias("used"),
        polars.col("EffectiveCost").filter(polars.col(_STATUS) == "Unused").sum().alias("unused"),
        polars.col(_ODE).filter(used).sum().alias("covered"),
        polars.col(_PRICED).filter(used).sum().alias("used_priced"),
    )
    uncovered = eligible.group_by(keys).agg(
        polars.col(_PRICED).filter(none).sum().alias("rest"),
        polars.col(_ODE).filter(none).sum().alias("uncovered"),
    )
    found = committed.join(uncovered, on=list(keys), how="left").with_columns(
        polars.col("used", "unused", "covered", "used_priced", "rest", "uncovered").fill_null(0).cast(MONEY)
    )
    found = found.with_columns(
        (polars.col("covered") + polars.col("uncovered")).cast(MONEY).alias("eligible")
    ).with_columns(
        (polars.col("eligible") - polars.col("used_priced") - polars.col("unused") - polars.col("rest"))
        .cast(MONEY)
        .alias("savings")
    )
    # Where no price of what was covered is known, nothing can be said of what was saved; 0 would be a guess.
    told = (polars.col("used") == 0) | (polars.col("used_priced") != 0)
    found = found.with_columns(
        polars.when(told).then(name).alias(name) for name in ("covered", "eligible", "savings")
    )
    return (
        found.with_columns(
            _ratio(found["used"], _added(found["used"], found["unused"])).alias("utilisation"),
            _ratio(found["covered"], found["eligible"]).alias("coverage"),
            _ratio(found["savings"], found["eligible"]).alias("effective_savings_rate"),
            _ratio(found["used_priced"], found["used"]).alias("priced_share"),
        )
        .select(
            *keys,
            "used",
            "unused",
            "utilisation",
            "covered",
            "eligible",
            "coverage",
            "savings",
            "effective_savings_rate",
            "priced_share",
        )
        .sort(keys)
    )


def _items(ledger: Ledger, paid: polars.DataFrame) -> polars.DataFrame:
    used, unused = (polars.col(_STATUS) == status for status in ("Used", "Unused"))
    found = (
        paid.group_by(_ITEM)
        .agg(
            polars.col("EffectiveCost").filter(used).sum().cast(MONEY).alias("used"),
            polars.col("EffectiveCost").filter(unused).sum().cast(MONEY).alias("unused"),
            polars.col(_ODE).filter(used).sum().cast(MONEY).alias(_ODE),
            polars.col(_PRICED).filter(used).sum().cast(MONEY).alias(_PRICED),
        )
        .with_columns(
            (polars.col(_ODE) - polars.col(_PRICED) - polars.col("unused")).cast(MONEY).alias("savings")
        )
    )
    told = (polars.col("used") == 0) | (polars.col(_PRICED) != 0)
    found = found.with_columns(polars.when(told).then(name).alias(name) for name in (_ODE, "savings"))
    found = found.with_columns(
        _ratio(found["used"], _added(found["used"], found["unused"])).alias("utilisation")
    )
    days = _lives(ledger)
    return (
        found.join(days, on=[CURRENCY, ID], how="left", nulls_equal=True)
        .rename({_TYPE: "type"})
        .with_columns((polars.col("used") + polars.col("unused")).alias("size"))
        .sort("size", ID, descending=[True, False])
        .select(
            ID, CURRENCY, "type", "used", "unused", "utilisation", _ODE, "savings",
            "first", "last", "expires", "expiry", "ended",
        )
    )  # fmt: skip


def _lives(ledger: Ledger) -> polars.DataFrame:
    """BillingCurrency, CommitmentDiscountId, first, last, expires, expiry, ended: of all that is loaded."""
    seen = ledger.query(Query("ChargeCount", by=(ID,), grain="day", where=(_USAGE, _COMMITTED)))
    every = ledger.query(Query("ChargeCount", grain="day", where=(_USAGE,)))
    lives = seen.group_by(CURRENCY, ID).agg(
        polars.col(PERIOD).min().alias("first"), polars.col(PERIOD).max().alias("last")
    )
    edges = every.group_by(CURRENCY).agg(
        polars.col(PERIOD).min().alias("since"), polars.col(PERIOD).max().alias("until")
    )
    known = terms(ledger.home)
    rows = []
    for code, name, first, last, since, until in lives.join(edges, on=CURRENCY).iter_rows():
        end = expiry(known, name, first, since)
        ended = (until - last).days > 7
        if ended:
            rows.append((code, name, first, last, last, "ended", True))
        else:
            rows.append((code, name, first, last, end.day, end.known, False))
    schema = {
        CURRENCY: polars.String, ID: polars.String, "first": polars.Date, "last": polars.Date,
        "expires": polars.Date, "expiry": polars.String, "ended": polars.Boolean,
    }  # fmt: skip
    return polars.DataFrame(rows, schema=schema, orient="row")


def _added(one: polars.Series, other: polars.Series) -> polars.Series:
    return (one + other).cast(MONEY)


def _ratio(part: polars.Series, whole: polars.Series) -> polars.Series:
    """Shares with 18 decimals; null of nothing."""
    found = [
        round(_RATIO.divide(p, w), 18) if w and p is not None else None
        for p, w in zip(part.to_list(), whole.to_list(), strict=True)
    ]
    return polars.Series(found, dtype=MONEY)


def expiring(items: polars.DataFrame, days: int) -> polars.DataFrame:
    """What each commitment's end will cost, largest first: CommitmentDiscountId, BillingCurrency, type, expires, expiry, daily (what
    is saved a day over those days, which is then paid more), for those that have not ended."""
    per_day = [
        None if saved is None else round(_RATIO.divide(saved, Decimal(max(days, 1))), 18)
        for saved in items["savings"].to_list()
    ]
    return (
        items.with_columns(polars.Series("daily", per_day, MONEY))
        .filter(~polars.col("ended"))
        .select(ID, CURRENCY, "type", "expires", "expiry", "utilisation", "daily")
        .sort("expires", "daily", descending=[False, True], nulls_last=True)
    )
