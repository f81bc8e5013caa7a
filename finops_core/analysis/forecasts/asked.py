"""What a Query's cost will be: a sum of the book's leaves, or of what is its share in them."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars

from finops_core.analysis.forecasts.book import (
    IS_USAGE,
    LEAF,
    METRICS,
    MONEY,
    NO_USAGE,
    Book,
    about,
    estimate,
)
from finops_core.errors import UsageError
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months, month_start
from finops_core.model.query import AnyOf, Node, Query, conditions

FIGURES = ("mean", "p10", "p50", "p90", "actual", "rest")
_RECENT = 28
_MONTHS = 3
_DRAWN = 3.0
_UNTRIED = 0.15
"""The usual relative error of a month where no past could be compared."""
_BLOCK = 30
_UNMEASURED = ((1.28, 1.28), (1.7, 1.7), (2.2, 2.2))


@dataclass(frozen=True)
class Asked:
    """The forecast of a query by month."""

    table: polars.DataFrame
    """ChargePeriod (first day of the month), BillingCurrency, the dimensions, FIGURES: Decimal(38, 18), per month. `actual` is what
    complete days of the running month and its booked fees cost, `rest` what is forecast, `mean` their sum. Means of members sum to that
    of all; p10 and p90 do not."""
    tested: polars.DataFrame
    """BillingCurrency, the dimensions, origin (Date), ahead (1 to 3), said, came: usage of 30 days, float."""


def asked(ledger: Ledger, book: Book, query: Query, months: int) -> Asked:
    """The running month and those after it, `months` in all, of a query: its metric, dimensions and conditions."""
    by = tuple(d for d in query.by if d != CURRENCY)
    if query.metrics != (book.metric,):
        raise UsageError(f"one of {', '.join(METRICS)} is forecast at a time, not {', '.join(query.metrics)}")
    if not 1 <= months <= len(book.months):
        raise UsageError(f"a forecast goes 1 to {len(book.months)} months ahead, not {months}")
    wanted = book.months[:months]
    keys = [CURRENCY, *by]
    parts = _parts(ledger, book, query, by)
    ahead = polars.concat([_used(book, parts, keys, wanted), _charged(ledger, book, query, by, keys, wanted)])
    rest = ahead.group_by(PERIOD, *keys).agg(polars.col("rest").sum(), polars.col("used").sum())
    actual = _actual(ledger, book, query, by)
    table = (
        rest.join(actual, on=[PERIOD, *keys], how="full", coalesce=True, nulls_equal=True)
        .with_columns(polars.col("rest", "used", "actual").fill_null(0).cast(MONEY))
        .with_columns((polars.col("actual") + polars.col("rest")).cast(MONEY).alias("mean"))
    )
    tested = _tested(book, parts, keys)
    return Asked(_banded(table, tested, book, keys).select(PERIOD, *keys, *FIGURES), tested)


def _parts(ledger: Ledger, book: Book, query: Query, by: tuple[str, ...]) -> polars.DataFrame:
    """leaf, the dimensions, share (float), whole (whether the parts of the leaf are all of it): by the cost of the last four weeks."""
    metric = book.metric
    found = ledger.query(
        Query(
            metric,
            by=tuple(dict.fromkeys((*LEAF[1:], *by))),
            where=(*conditions(query.where), IS_USAGE),
            start=book.start - timedelta(_RECENT),
            end=book.start,
            allocated=query.allocated,
        )
    )
    whole = ledger.query(
        Query(metric, by=LEAF[1:], where=(IS_USAGE,), start=book.start - timedelta(_RECENT), end=book.start)
    ).rename({metric: "total"})
    return _shares(found.rename({metric: "part"}), whole, list(LEAF)).join(
        book.leaves.select("leaf", *LEAF), on=LEAF, how="inner", nulls_equal=True
    )


def _shares(found: polars.DataFrame, whole: polars.DataFrame, keys: list[str]) -> polars.DataFrame:
    """Adds share and whole to parts of totals."""
    joined = found.join(whole, on=keys, how="inner", nulls_equal=True)
    total = polars.col("total").cast(polars.Float64)
    share = polars.when(total != 0).then(polars.col("part").cast(polars.Float64) / total).otherwise(0.0)
    return joined.with_columns(
        share.alias("share"), (polars.col("part").sum().over(keys) == polars.col("total")).alias("whole")
    )


def _split(amounts: polars.DataFrame, per: list[str]) -> polars.DataFrame:
    """Adds `rest`: mean × share; where the parts are all of it, the largest takes what rounding leaves, so that they sum to it."""
    part = estimate(polars.col("mean").cast(polars.Float64) * polars.col("share"))
    left = polars.col("mean") - polars.col("rest").sum().over(per)
    largest = polars.col("share").abs().rank("ordinal", descending=True).over(per) == 1
    return amounts.with_columns(part.alias("rest")).with_columns(
        polars.when(polars.col("whole") & largest)
        .then(polars.col("rest") + left)
        .otherwise(polars.col("rest"))
        .cast(MONEY)
        .alias("rest")
    )


def _used(book: Book, parts: polars.DataFrame, keys: list[str], months: tuple[date, ...]) -> polars.DataFrame:
    monthly = (
        book.days.group_by("leaf", polars.col("date").dt.truncate("1mo").alias(PERIOD))
        .agg(polars.col("mean").sum())
        .filter(polars.col(PERIOD).is_in(months))
    )
    split = _split(monthly.join(parts, on="leaf", how="inner"), ["leaf", PERIOD])
    return split.select(PERIOD, *keys, "rest", polars.col("rest").alias("used"))


def _charged(
    ledger: Ledger, book: Book, query: Query, by: tuple[str, ...], keys: list[str], months: tuple[date, ...]
) -> polars.DataFrame:
    """What is expected beside usage, split as in the last three months."""
    first = month_start(book.start)
    of = [*LEAF, "ChargeCategory"]

    def answer(dimensions: tuple[str, ...], where: tuple[Node, ...]) -> polars.DataFrame:
        return ledger.query(
            Query(
                book.metric,
                by=tuple(dict.fromkeys((*of[1:], *dimensions))),
                where=where,
                start=add_months(first, -_MONTHS),
                end=add_months(first, 1),
                allocated=query.allocated and bool(dimensions),
            )
        )

    parts = _shares(
        answer(by, (*conditions(query.where), _by_rule(book))).rename({book.metric: "part"}),
        answer((), (_by_rule(book),)).rename({book.metric: "total"}),
        of,
    )
    due = book.items.filter(polars.col("month").is_in(months)).rename({"month": PERIOD})
    split = _split(due.join(parts, on=of, how="inner", nulls_equal=True), [*of, PERIOD])
    return split.select(PERIOD, *keys, "rest", polars.lit(0).cast(MONEY).alias("used"))


def _by_rule(book: Book) -> Node:
    """Keeps what is forecast by rule, and some more usage of the same services."""
    return NO_USAGE if book.booked.is_empty() else AnyOf((NO_USAGE, about(book.booked)))


def _actual(ledger: Ledger, book: Book, query: Query, by: tuple[str, ...]) -> polars.DataFrame:
    """What the running month has cost: usage of complete days, and all that is booked in it of what is forecast by rule."""
    first = month_start(book.start)
    following = add_months(first, 1)

    def charged(node: Node, start: date, end: date, dimensions: tuple[str, ...]) -> polars.DataFrame:
        return ledger.query(
            Query(
                book.metric,
                by=dimensions,
                where=(*conditions(query.where), node),
                start=start,
                end=end,
                allocated=query.allocated,
            )
        ).rename({book.metric: "actual"})

    frames = [charged(NO_USAGE, first, following, by)]
    if book.start > first:
        frames.append(charged(IS_USAGE, first, book.start, by))
    if len(book.booked):
        late = charged(about(book.booked), book.start, following, tuple(dict.fromkeys((*LEAF[1:], *by))))
        own = late.join(book.booked, on=LEAF, how="semi", nulls_equal=True)
        frames.append(own.select(frames[0].columns))
    return (
        polars.concat(frames)
        .group_by(CURRENCY, *by)
        .agg(polars.col("actual").sum().cast(MONEY))
        .with_columns(polars.lit(first).alias(PERIOD))
    )


def _tested(book: Book, parts: polars.DataFrame, keys: list[str]) -> polars.DataFrame:
    share = polars.col("share")
    return (
        book.tested.join(parts.select("leaf", "share", *keys), on="leaf", how="inner")
        .group_by(*keys, "origin", "ahead")
        .agg((polars.col("said") * share).sum(), (polars.col("came") * share).sum())
        .sort("origin", "ahead", *keys)
    )


def _banded(
    table: polars.DataFrame, tested: polars.DataFrame, book: Book, keys: list[str]
) -> polars.DataFrame:
    """Adds p10, p50, p90: the usual error of the query's own past months, drawn to that of its neighbours, as often as the quantiles say."""
    said = polars.col("said").abs()
    errors = (
        tested.filter((polars.col("ahead") == 1) & (said > 0))
        .with_columns(((polars.col("came") - polars.col("said")).abs() / said).clip(0, 3).alias("error"))
        .group_by(keys)
        .agg(
            polars.col("error").sum(),
            polars.len().alias("tried"),
            polars.col("error").median().alias("middle"),
        )
    )
    neighbours = errors.group_by(CURRENCY).agg(polars.col("middle").median().alias("of_all"))
    of_all = (
        polars.when(polars.col("of_all") > 0).then(polars.col("of_all")).otherwise(_UNTRIED)
    )  # of its own currency alone: the others may be asked beside it or not
    usual = (polars.col("error").fill_null(0.0) + _DRAWN * of_all) / (
        polars.col("tried").fill_null(0) + _DRAWN
    )
    quantiles = book.quantiles if len(book.quantiles) == len(_UNMEASURED) else _UNMEASURED
    blocks = polars.DataFrame(
        [
            (month, *quantiles[min(max((month - book.start).days + 15, 0) // _BLOCK, len(quantiles) - 1)])
            for month in book.months
        ],
        schema={PERIOD: polars.Date, "below": polars.Float64, "above": polars.Float64},
        orient="row",
    )
    used = polars.col("used").cast(polars.Float64).abs()
    wide = (
        table.join(errors, on=keys, how="left", nulls_equal=True)
        .join(neighbours, on=CURRENCY, how="left")
        .join(blocks, on=PERIOD)
    )
    below = estimate(used * (usual * polars.col("below")).clip(0, 1))
    above = estimate(used * usual * polars.col("above"))
    return wide.with_columns(
        (polars.col("mean") - below).cast(MONEY).alias("p10"),
        polars.col("mean").alias("p50"),
        (polars.col("mean") + above).cast(MONEY).alias("p90"),
    ).sort(PERIOD, CURRENCY, "mean", descending=[False, False, True])
