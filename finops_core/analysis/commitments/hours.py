"""Commitments by the hour, where the charges are: what is left to cover, and coverage by hour and weekday."""

from collections.abc import Sequence
from datetime import date, timedelta

import polars

from finops_core.analysis.commitments.charges import (
    COMMITTED,
    MONEY,
    ON_DEMAND,
    UNCOVERED,
    USAGE,
    eligible,
    paid,
    sums,
)
from finops_core.analysis.commitments.rates import totals
from finops_core.model.engine import CURRENCY
from finops_core.model.ledger import Ledger
from finops_core.model.query import Node, Query, Where, conditions

MANY = 12
"""Hours of a day at which charges begin, from which on they are by the hour."""
HOUR = "ChargePeriodStart"
"""The dimension that tells charges apart by the moment at which they begin."""


def leftovers_by_hour(
    ledger: Ledger, by: Sequence[str], start: date, end: date, where: Where = ()
) -> polars.DataFrame:
    """Eligible use that no commitment covers, by ChargePeriodStart: that, BillingCurrency, the dimensions, on_demand. Empty where charges
    are by the day."""
    asked = (*conditions(where), *UNCOVERED)
    if not is_hourly(ledger, asked, end):
        schema = {
            HOUR: polars.Datetime(),
            **dict.fromkeys((CURRENCY, *by), polars.String()),
            ON_DEMAND: MONEY,
        }
        return polars.DataFrame(schema=schema)
    return sums(ledger, (HOUR, *by), asked, start, end).select(HOUR, CURRENCY, *by, ON_DEMAND)


def by_hour(ledger: Ledger, start: date, end: date, where: Where = ()) -> polars.DataFrame:
    """`weekday` (1 Monday to 7), `hour`, BillingCurrency, used, unused, utilisation, covered, eligible, coverage, over all weeks of some
    days; empty where charges are by the day."""
    given = conditions(where)
    if not is_hourly(ledger, (*given, USAGE, COMMITTED), end):
        return polars.DataFrame(schema={"weekday": polars.Int8, "hour": polars.Int8, CURRENCY: polars.String})
    keys = ["weekday", "hour", CURRENCY]
    cost = paid(ledger, (HOUR,), given, start, end)
    open_ = eligible(ledger, given, start, end, by=(HOUR,))
    found = [
        frame.with_columns(
            polars.col(HOUR).dt.weekday().alias("weekday"), polars.col(HOUR).dt.hour().alias("hour")
        )
        for frame in (cost, open_)
    ]
    return totals(found[0], found[1], keys)


def is_hourly(ledger: Ledger, where: Sequence[Node], end: date) -> bool:
    """Whether charges of the days before one begin at all hours of a day; days that begin at another zone's midnight are days."""
    asked = Query("ChargeCount", by=(HOUR,), where=tuple(where), start=end - timedelta(3), end=end)
    moments = ledger.query(asked)[HOUR]
    return len(moments) > 0 and moments.dt.hour().n_unique() >= MANY
