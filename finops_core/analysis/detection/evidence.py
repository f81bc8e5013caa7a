"""What each day of each series says."""

from bisect import bisect_left
from collections.abc import Mapping
from datetime import date

import numpy
import polars

from finops_core.analysis.detection.expectation import Expectation, Taught, expectation
from finops_core.analysis.detection.forest import weighted
from finops_core.analysis.detection.grid import Booleans, Floats, Grid, grid
from finops_core.analysis.detection.measures import SPANS, strengths
from finops_core.analysis.detection.records import Evidence
from finops_core.analysis.detection.walk import Incidents, walk_of

SCORES = tuple(span.column for span in SPANS)
_MATRICES = (
    "cost",
    "judged",
    "expected",
    "low",
    "high",
    "score",
    "level",
    "growth",
    "share",
    "scale",
    "size",
    "low_level",
)
_BAND = 2.0
"""Deviations of the range that a day usually stays in."""
YOUNG = 35
"""Days of a series before any of them is judged: so that each has seen the end of a month."""


def evidence(
    series: polars.DataFrame, since: date | None = None, parents: Mapping[str, str] | None = None
) -> Evidence:
    """The evidence of daily series: series_id (String), date (Date), cost (Float64; null where it is not known).

    A day is judged by itself and earlier days of the file only. `since` leaves out what is before, not what is read: the rows are
    those of the whole. `parents`: series_id → the series that it is a part of.
    """
    made = grid(series)
    if not made.names:
        made = Grid((), (date.min,), numpy.empty((0, 1)))
    young = numpy.cumsum(~numpy.isnan(made.cost), axis=1) <= YOUNG
    found = expectation(made)
    scores = _scores(made, found, young)
    # what the first look took for incidents teaches the second look nothing
    seen = Incidents(
        walk_of(made.days, made.weekday, found, list(scores.values())), numpy.ones(len(made.cost)), None
    )
    seen.rows()
    found = expectation(made, Taught(seen.cleaned.T, seen.reset.T, seen.inside.T))
    scores = _scores(made, found, young)
    begin = 0 if since is None else bisect_left(made.days, since)
    scores = weighted(scores, found, made.days, ~young & ~numpy.isnan(made.cost), begin)
    best = numpy.max(list(scores.values()), axis=0)
    return Evidence(_table(made, found, scores, best, young, begin))


def _scores(made: Grid, found: Expectation, young: Booleans) -> dict[str, Floats]:
    scores = strengths(found, made.weekday)
    for values in scores.values():
        values[young] = 0
    return scores


def _table(
    made: Grid,
    found: Expectation,
    scores: Mapping[str, Floats],
    best: Floats,
    young: Booleans,
    begin: int,
) -> polars.DataFrame:
    expected = found.plain + (made.cost - found.cost)
    expected = numpy.where(numpy.isnan(made.cost), found.plain, expected)
    expected[young] = numpy.nan
    band = _BAND * found.scale * found.size
    matrices = (
        made.cost, found.cost, expected, expected - band, expected + band, best, found.level, found.growth,
        found.share, found.scale, found.size, found.low_level,
    )  # fmt: skip
    days = made.days[begin:]
    columns: dict[str, polars.Series] = {
        "series_id": polars.Series(made.names, dtype=polars.String).gather(
            numpy.repeat(numpy.arange(len(made.names)), len(days))
        ),
        "date": polars.Series(list(days) * len(made.names), dtype=polars.Date),
    }
    for name, values in zip(_MATRICES, matrices, strict=True):
        columns[name] = (
            polars.Series(numpy.ascontiguousarray(values[:, begin:]).ravel())
            .cast(polars.Float64)
            .fill_nan(None)
        )
    for name, values in scores.items():
        columns[name] = polars.Series(values[:, begin:].astype(numpy.float32).ravel())
    return polars.DataFrame(columns)
