"""Forecasts of what a Query's cost will be, on the store: usage by day, everything else by rule, always a sum of the same leaves."""

from datetime import date, timedelta
from functools import lru_cache

import polars

from finops_core.analysis.forecasts import book as books
from finops_core.analysis.forecasts.asked import FIGURES, Asked, asked
from finops_core.analysis.forecasts.book import LONGEST, METRICS, Book
from finops_core.model.ledger import Ledger
from finops_core.model.periods import month_start
from finops_core.model.query import Query
from finops_core.store import derived
from finops_core.store.fingerprint import rules_digest

__all__ = ["FIGURES", "LONGEST", "METRICS", "Asked", "Book", "book_of", "forecast_of", "month_forecast"]

_MADE_BY = ("finops_core.analysis.forecasting", __name__)
"""Packages whose code makes forecasts: what other code made is made again."""
_PARTS = ("leaves", "days", "items", "methods", "tested", "quantiles")


def book_of(ledger: Ledger, metric: str, as_of: date | None = None) -> Book:
    """The book of a metric, as of a day (by default of all that is known): made once a version, and kept.

    Raises UsageError for a metric that is not forecast; NothingLoaded for an empty store.
    """
    return _book(ledger, ledger.version, metric, books.complete_until(ledger, as_of))


def forecast_of(ledger: Ledger, query: Query, months: int = 3, as_of: date | None = None) -> Asked:
    """The forecast of a query by month, the running one first; its range of days and its grain say nothing here."""
    return asked(ledger, book_of(ledger, query.metrics[0], as_of), query, months)


def month_forecast(ledger: Ledger, query: Query, month: date, as_of: date | None = None) -> polars.DataFrame:
    """One month of `forecast_of`: BillingCurrency, the dimensions, actual, rest, forecast (= actual + rest), p10, p90: Decimal.

    Empty for a month that is over, or further ahead than is forecast.
    """
    book = book_of(ledger, query.metrics[0], as_of)
    months = book.months.index(month_start(month)) + 1 if month_start(month) in book.months else 0
    table = asked(ledger, book, query, max(months, 1)).table
    return (
        table.filter(polars.col("ChargePeriod") == month_start(month) if months else polars.lit(False))
        .rename({"mean": "forecast"})
        .drop("ChargePeriod", "p50")
    )


@lru_cache(maxsize=8)
def _book(ledger: Ledger, version: str, metric: str, start: date) -> Book:
    made: list[Book] = []

    def make() -> dict[str, polars.DataFrame]:
        found = books.make(ledger, metric, start)
        made.append(found)
        quantiles = polars.DataFrame(
            found.quantiles, schema={"below": polars.Float64, "above": polars.Float64}, orient="row"
        )
        return {
            "leaves": found.leaves,
            "days": found.days,
            "items": found.items,
            "methods": found.methods,
            "tested": found.tested,
            "quantiles": quantiles,
        }

    form = rules_digest(_MADE_BY).hex()[:8]
    frames = derived.tables(ledger.home, f"forecast-{metric}", form, f"{version}-{start}", _PARTS, make)
    if made:
        return made[0]
    return Book(
        metric,
        start,
        frames["leaves"],
        frames["days"],
        frames["items"],
        frames["methods"],
        frames["tested"],
        tuple(frames["quantiles"].iter_rows()),
    )


def days_of(book: Book) -> polars.DataFrame:
    """BillingCurrency, date, mean: the usage forecast by day, float, for a line on a chart."""
    return (
        book.days.join(book.leaves.select("leaf", "BillingCurrency"), on="leaf")
        .group_by("BillingCurrency", "date")
        .agg(polars.col("mean").sum().cast(polars.Float64))
        .sort("BillingCurrency", "date")
    )


def begins(book: Book) -> date:
    """The last day that is known in full."""
    return book.start - timedelta(1)
