"""How good forecasts were: what was said one and three months ahead against what came.

MAPE is the mean of |said − came| / |came| over months and members; WAPE is Σ|said − came| / Σ|came|; bias Σ(said − came) / Σ|came|;
coverage the share of months inside p10 to p90. Each by currency and months ahead.
"""

from collections.abc import Iterable
from datetime import date

import polars

from finops_core.analysis.forecasts.asked import Asked, asked
from finops_core.analysis.forecasts.book import Book
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months, month_start
from finops_core.model.query import Query
from finops_core.store import forecasts as kept
from finops_core.store.state import State

AHEAD = (1, 3)
KEPT_MONTHS = 4


def backtested(found: Asked) -> polars.DataFrame:
    """How forecasts would have been, had they been made before: BillingCurrency, ahead, months, MAPE, WAPE, bias; usage of 30 days each.

    Each was made from the days before it alone. No band: that is made from these very errors.
    """
    return rates(found.tested)


def rates(tested: polars.DataFrame) -> polars.DataFrame:
    """`backtested`, of `Asked.tested`."""
    return _rates(tested.filter(polars.col("ahead").is_in(AHEAD)), [CURRENCY, "ahead"])


def remember(ledger: Ledger, state: State, book: Book, who: str) -> bool:
    """Keeps today's forecast by team, if none of the day is kept yet."""
    if kept.is_kept(state, book.metric, book.start):
        return False
    table = asked(ledger, book, Query(book.metric, by=("x_Team",)), KEPT_MONTHS).table
    rows = (
        kept.Said(book.metric, book.start, month, code, team, mean, p10, p90)
        for month, code, team, mean, p10, p90 in table.select(
            PERIOD, CURRENCY, "x_Team", "mean", "p10", "p90"
        ).iter_rows()
    )
    return kept.keep(state, book.metric, book.start, rows, who)


def told(ledger: Ledger, state: State, metric: str, complete_until: date) -> polars.DataFrame:
    """How the forecasts that were kept turned out: BillingCurrency, ahead, months, MAPE, WAPE, bias, coverage; months that are over.

    Of several forecasts made in a month, the first counts. Months ahead are counted from the month in which one was made.
    """
    rows = [
        (s.currency, s.team, s.month, (s.month.year - s.made.year) * 12 + s.month.month - s.made.month, s.made, float(s.mean), float(s.p10), float(s.p90))
        for s in _firsts(kept.said(state, metric))
        if add_months(s.month, 1) <= complete_until
    ]  # fmt: skip
    frame = polars.DataFrame(rows, schema=_TOLD, orient="row").filter(polars.col("ahead").is_in(AHEAD))
    if frame.is_empty():
        return frame.select(CURRENCY, "ahead").with_columns(polars.lit(0).alias("months"))
    first = min(row[2] for row in rows)
    came = ledger.query(
        Query(metric, by=("x_Team",), grain="month", start=first, end=month_start(complete_until))
    ).rename({PERIOD: "month", metric: "came"})
    joined = frame.join(came, on=[CURRENCY, "x_Team", "month"], how="left", nulls_equal=True).with_columns(
        polars.col("came").cast(polars.Float64).fill_null(0.0)
    )
    held = (polars.col("came") >= polars.col("p10")) & (polars.col("came") <= polars.col("p90"))
    coverage = joined.group_by(CURRENCY, "ahead").agg(held.mean().alias("coverage"))
    return _rates(joined, [CURRENCY, "ahead"]).join(coverage, on=[CURRENCY, "ahead"]).sort(CURRENCY, "ahead")


def _firsts(found: Iterable[kept.Said]) -> list[kept.Said]:
    """The forecasts that were made first in their month."""
    every = list(found)
    first: dict[date, date] = {}
    for s in every:
        first[month_start(s.made)] = min(s.made, first.get(month_start(s.made), s.made))
    return [s for s in every if s.made == first[month_start(s.made)]]


def _rates(frame: polars.DataFrame, keys: list[str]) -> polars.DataFrame:
    off, came = polars.col("said") - polars.col("came"), polars.col("came").abs()
    return (
        frame.group_by(keys)
        .agg(
            polars.len().alias("months"),
            (off.abs() / came).filter(came > 0).mean().alias("MAPE"),
            (off.abs().sum() / came.sum()).alias("WAPE"),
            (off.sum() / came.sum()).alias("bias"),
        )
        .sort(keys)
    )


_TOLD = {
    CURRENCY: polars.String,
    "x_Team": polars.String,
    "month": polars.Date,
    "ahead": polars.Int64,
    "made": polars.Date,
    "said": polars.Float64,
    "p10": polars.Float64,
    "p90": polars.Float64,
}
