"""From when to when each commitment is seen in the charges, whether it has ended, and when it will."""

from datetime import date, timedelta

import polars

from finops_core.analysis.commitments.charges import COMMITTED, ID, PURCHASE, STATUS, USAGE
from finops_core.analysis.commitments.terms import expiry, terms
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.query import AllOf, AnyOf, Query

_SOURCE = "x_Source"
_KEYS = [CURRENCY, ID]
_QUIET = polars.duration(days=7)
"""How long a commitment may have no charge while its source goes on, before it is taken to have ended."""
_SCHEMA = {
    CURRENCY: polars.String,
    ID: polars.String,
    "first": polars.Date,
    "last": polars.Date,
    "expires": polars.Date,
    "expiry": polars.String,
    "ended": polars.Boolean,
}


def lives(ledger: Ledger) -> polars.DataFrame:
    """BillingCurrency, CommitmentDiscountId, first, last (days with charges), expires (the first day without it), expiry (stated |
    estimated | unknown | ended), ended: of all that is loaded.

    Each is held against the days of its own source: another cloud's bill may begin earlier, or go on for longer.
    """
    found = _seen(ledger).join(_edges(ledger), on=[CURRENCY, _SOURCE], how="left", nulls_equal=True)
    found = found.with_columns(
        (polars.col("first") <= polars.col("since")).fill_null(True).alias("from_start"),
        (polars.col("until") - polars.col("lasts") > _QUIET).fill_null(False).alias("ended"),
    )
    whole = found.group_by(_KEYS).agg(
        polars.col("first").min(),
        polars.col("last").max(),
        polars.col("from_start").any(),
        polars.col("ended").all(),
    )
    known = terms(ledger.home)
    rows: list[tuple[object, ...]] = []
    for code, name, first, last, from_start, ended in whole.iter_rows():
        if ended:
            rows.append((code, name, first, last, last + timedelta(1), "ended", True))
        else:
            end = expiry(known, name, first, first if from_start else date.min)
            rows.append((code, name, first, last, end.day, end.known, False))
    return polars.DataFrame(rows, schema=_SCHEMA, orient="row")


def _seen(ledger: Ledger) -> polars.DataFrame:
    """BillingCurrency, CommitmentDiscountId, x_Source, first, last, and lasts: the last day that its charges tell of.

    Days are those of use and idle money; of a commitment that has neither (its bill knows only a fee), those of its purchases. Where
    what is idle stands on the first of a month, it tells of all the month.
    """
    either = AnyOf((AllOf((USAGE, COMMITTED)), AllOf(PURCHASE)))
    by = (ID, _SOURCE, "ChargeCategory", STATUS)
    days = ledger.query(Query("ChargeCount", by=by, grain="day", where=(either,)))
    used = polars.col("ChargeCategory") == "Usage"
    day = polars.col(PERIOD)
    idle = day.filter(polars.col(STATUS).eq_missing(polars.lit("Unused")) | ~used)
    by_month = ((idle.dt.day() == 1).all() & (idle.len() > 0)).fill_null(False)
    return (
        days.filter(used | ~used.any().over(CURRENCY, ID, _SOURCE))
        .group_by(CURRENCY, ID, _SOURCE)
        .agg(
            day.min().alias("first"),
            day.max().alias("last"),
            polars.when(by_month)
            .then(polars.max_horizontal(day.max(), idle.max().dt.month_end()))
            .otherwise(day.max())
            .alias("lasts"),
        )
    )


def _edges(ledger: Ledger) -> polars.DataFrame:
    """BillingCurrency, x_Source, since, until: the first and the last day of use of a source."""
    every = ledger.query(Query("ChargeCount", by=(_SOURCE,), grain="day", where=(USAGE,)))
    return every.group_by(CURRENCY, _SOURCE).agg(
        polars.col(PERIOD).min().alias("since"), polars.col(PERIOD).max().alias("until")
    )
