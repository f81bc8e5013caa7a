"""The figures of commitments, by commitment, in total, by day, and for those who receive the benefit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars

from finops_core.analysis.commitments.charges import (
    ID,
    MONEY,
    ON_DEMAND,
    PRICED,
    SERVICE,
    TYPE,
    UNCOSTED,
    UNCOVERED,
    USAGE,
    USED,
    covered_services,
    eligible,
    paid,
    sums,
)
from finops_core.analysis.commitments.lives import lives
from finops_core.analysis.commitments.rates import committed, consumed, costed, ratio, totals, with_rates
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.query import Where, conditions

BENEFIT = ("used", "on_demand", "savings")
"""The figures of `benefit`."""
_ITEM = (CURRENCY, ID)
_NOTHING = polars.lit(0, MONEY)


@dataclass(frozen=True)
class Commitments:
    """What commitments did on some days."""

    items: polars.DataFrame
    """CommitmentDiscountId, BillingCurrency, type, used, unused (EffectiveCost), fees (EffectiveCost that the bill leaves on its purchase), on_demand
    (equivalent of what it covered), savings (on_demand − used − unused − fees), utilisation (0 to 1, null where nothing was committed), first, last (days with charges, of all
    loaded), expires (the first day without it, null where not known), expiry (stated | estimated | unknown | ended), ended (bool). Largest first."""
    totals: polars.DataFrame
    """BillingCurrency, used, unused, fees, utilisation, covered, eligible (on-demand equivalents), coverage, savings,
    effective_savings_rate, priced_share (of used, whose on-demand price is known: what is said of prices is of that part; null of
    all where that is nothing)."""


def commitments(
    ledger: Ledger, start: date | None = None, end: date | None = None, where: Where = ()
) -> Commitments:
    """The commitments of a range of days (half-open), of charges that fit the conditions. Money is exact; ratios have 28 digits."""
    given = conditions(where)
    found = paid(ledger, (ID, TYPE), given, start, end)
    return Commitments(_items(ledger, found), totals(found, eligible(ledger, given, start, end)))


def benefit(
    ledger: Ledger, by: Sequence[str], start: date | None, end: date | None, where: Where = ()
) -> polars.DataFrame:
    """Who receives what commitments save: BillingCurrency, the dimensions, used, on_demand, savings (on_demand − used, of what has both; null where nothing has), of covered use."""
    found = sums(ledger, tuple(by), (*conditions(where), USAGE, USED), start, end)
    return (
        found.rename({"EffectiveCost": "used"})
        .with_columns(
            polars.when(costed(ON_DEMAND))
            .then((polars.col(ON_DEMAND) - polars.col(UNCOSTED) - polars.col(PRICED)).cast(MONEY))
            .alias("savings")
        )
        .drop(PRICED, UNCOSTED)
        .sort("savings", descending=True)
    )


def leftovers(
    ledger: Ledger, by: Sequence[str], start: date | None, end: date | None, where: Where = ()
) -> polars.DataFrame:
    """Eligible use that no commitment covered, at on-demand prices: BillingCurrency, the dimensions, on_demand; largest first."""
    given = conditions(where)
    covered = covered_services(ledger, given, start, end)
    found = sums(ledger, tuple(dict.fromkeys((*by, SERVICE))), (*given, *UNCOVERED), start, end)
    return (
        found.join(covered, on=[CURRENCY, SERVICE], how="semi", nulls_equal=True)
        .group_by(CURRENCY, *by)
        .agg(polars.col(ON_DEMAND).sum().cast(MONEY))
        .sort(ON_DEMAND, descending=True)
    )


def leftovers_by_day(
    ledger: Ledger, by: Sequence[str], start: date | None, end: date | None, where: Where = ()
) -> polars.DataFrame:
    """Eligible use that no commitment covers, by day: ChargePeriod, BillingCurrency, the dimensions, on_demand.

    Of all services: what has no commitment yet is what one may be bought for.
    """
    asked = (*conditions(where), *UNCOVERED)
    return sums(ledger, tuple(by), asked, start, end, "day").select(PERIOD, CURRENCY, *by, ON_DEMAND)


def by_day(ledger: Ledger, start: date | None, end: date | None, where: Where = ()) -> polars.DataFrame:
    """ChargePeriod (a day), BillingCurrency, used, unused, fees, utilisation, covered, eligible, coverage: one row a day that has any."""
    given = conditions(where)
    found = paid(ledger, (), given, start, end, "day")
    return totals(found, eligible(ledger, given, start, end, "day"), [PERIOD, CURRENCY])


def _items(ledger: Ledger, charges: polars.DataFrame) -> polars.DataFrame:
    found = committed(charges, _ITEM).join(consumed(charges, _ITEM), on=list(_ITEM), nulls_equal=True)
    # A commitment is one, though an export may write its type on some of its charges only.
    kinds = charges.group_by(_ITEM).agg(polars.col(TYPE).drop_nulls().sort().first())
    found = found.join(kinds, on=list(_ITEM), nulls_equal=True)
    # what is not covered is no commitment's
    found = with_rates(found.with_columns(uncovered=_NOTHING, rest=_NOTHING))
    days = lives(ledger)
    return (
        found.join(days, on=[CURRENCY, ID], how="left", nulls_equal=True)
        .rename({TYPE: "type", "covered": ON_DEMAND})
        .with_columns((polars.col("used") + polars.col("unused") + polars.col("fees")).alias("size"))
        .sort("size", ID, descending=[True, False])
        .select(
            ID, CURRENCY, "type", "used", "unused", "fees", "utilisation", ON_DEMAND, "savings",
            "first", "last", "expires", "expiry", "ended",
        )
    )  # fmt: skip


def expiring(items: polars.DataFrame, days: int) -> polars.DataFrame:
    """What each commitment's end will cost, largest first: CommitmentDiscountId, BillingCurrency, type, expires, expiry, daily (what
    is saved a day over those days, which is then paid more), for those that have not ended."""
    over = polars.Series([Decimal(max(days, 1))] * len(items), dtype=MONEY)
    return (
        items.with_columns(ratio(items["savings"], over).alias("daily"))
        .filter(~polars.col("ended"))
        .select(ID, CURRENCY, "type", "expires", "expiry", "utilisation", "daily")
        .sort("expires", "daily", descending=[False, True], nulls_last=True)
    )
