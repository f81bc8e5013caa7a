"""Metrics that compare the rows of an answer: computed after aggregation, over the whole answer, before its limit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import ibis
import ibis.expr.types as ir

from finops_core.errors import UsageError
from finops_core.model.formulas import per, ratio
from finops_core.model.query import Query

PERIOD = "ChargePeriod"
CURRENCY = "BillingCurrency"
UNITS = {"day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y"}
_INTO_THE_NEXT = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
"""Days that lead from the first day of a period into the next one, and never beyond it."""
FIRST_DAY, LAST_DAY = "x_FirstDay", "x_LastDay"
"""Columns beside the metrics while an answer is made: the first and the last day with a charge of the row."""


@dataclass(frozen=True)
class Answer:
    """An aggregated answer, what was asked, and the metric whose rows are compared."""

    table: ir.Table
    query: Query
    metric: str
    additive: bool

    @property
    def value(self) -> Any:
        return self.table[self.metric]

    @property
    def member(self) -> list[str]:
        return [CURRENCY, *self.query.by]


def share_of_total(answer: Answer) -> ir.Value:
    """The row's part of the sum over all rows of its currency and period."""
    _needs_additive(answer, "ShareOfTotal")
    same = [CURRENCY] if answer.query.grain == "none" else [PERIOD, CURRENCY]
    return ratio(answer.value, answer.value.sum().over(ibis.window(group_by=same)))


def running_total(answer: Answer) -> ir.Value:
    """The sum of a member's periods up to the row's."""
    _needs_additive(answer, "RunningTotal")
    _needs_grain(answer, "RunningTotal")
    until = ibis.cumulative_window(group_by=answer.member, order_by=answer.table[PERIOD])
    return cast(ir.Value, answer.value.sum().over(until))


def change(answer: Answer) -> ir.Value:
    """The difference to the period before; null in the first one, where nothing before was asked for."""
    return cast(ir.Value, answer.value - _before(answer, "Change"))


def change_rate(answer: Answer) -> ir.Value:
    """The difference to the period before ÷ the amount of it."""
    before = _before(answer, "ChangeRate")
    return ratio(answer.value - before, before.abs())


def _before(answer: Answer, name: str) -> Any:
    """A member's value in the period before: nothing (0) where it had no charges in it, if the metric is additive."""
    _needs_grain(answer, name)
    grain = answer.query.grain
    period = cast(Any, answer.table[PERIOD])
    rows = ibis.window(group_by=answer.member, order_by=period)
    follows = period.lag().over(rows) == _truncated(period - ibis.interval(days=1), grain)
    nothing = ibis.literal(0 if answer.additive else None, answer.value.type())
    value = ibis.ifelse(follows, answer.value.lag().over(rows), nothing)
    return ibis.cases((period != _first_period(answer), value))


def _first_period(answer: Answer) -> Any:
    start = answer.query.start
    if start is None:
        return cast(Any, answer.table[PERIOD]).min().over(ibis.window())
    return _truncated(ibis.literal(datetime(start.year, start.month, start.day)), answer.query.grain)


def _truncated(day: Any, grain: str) -> Any:
    """The first day of the period that a day is in."""
    return day.cast("timestamp").truncate(UNITS[grain]).cast("date")


def per_day(answer: Answer) -> ir.Value:
    """The row's cost ÷ the days of its period within the query's range.

    A range that is open at an end is taken up to the first or the last day with charges among all rows of the answer.
    """
    query, table = answer.query, cast(Any, answer.table)
    everything = ibis.window()
    first = ibis.literal(query.start) if query.start else table[FIRST_DAY].min().over(everything)
    following = table[LAST_DAY].max().over(everything) + ibis.interval(days=1)
    end = ibis.literal(query.end) if query.end else following
    if query.grain != "none":
        first = ibis.greatest(first, table[PERIOD])
        following = table[PERIOD] + ibis.interval(days=_INTO_THE_NEXT[query.grain])
        end = ibis.least(end, _truncated(following, query.grain))
    days = cast(Any, end).cast("date").delta(cast(Any, first).cast("date"), unit="day")
    return per(answer.value, days)


def _needs_additive(answer: Answer, name: str) -> None:
    if not answer.additive:
        raise UsageError(f"{name} is of sums, and {answer.metric} cannot be added up")


def _needs_grain(answer: Answer, name: str) -> None:
    if answer.query.grain == "none":
        raise UsageError(f"{name} is over periods: ask by day, week, month, quarter or year (--grain)")
