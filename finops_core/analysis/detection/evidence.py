"""What each day of each series says."""

import os
from bisect import bisect_left
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import date
from typing import TypeVar

import numpy
import polars
from numpy.typing import NDArray

from finops_core.analysis.detection.expectation import Expectation, Taught, expectation
from finops_core.analysis.detection.forest import weighted
from finops_core.analysis.detection.grid import Booleans, Floats, Grid, grid
from finops_core.analysis.detection.measures import SPANS, changes, moved, strengths
from finops_core.analysis.detection.records import Evidence
from finops_core.analysis.detection.walk import Incidents, walk_of

Part = TypeVar("Part")
_THREADS, _WORTH_A_THREAD = 4, 200
_AT_ONCE = 200
"""Series that are looked at together: their matrices stay in the processor's cache."""
_RESERVE = 4_000_000
"""Numbers that are asked for and given back before: from then on glibc keeps that much for what is asked for next, rather than have
every matrix zeroed anew by the system, which is a fifth of the time (mallopt(3), M_MMAP_THRESHOLD, which is dynamic up to 32 MiB)."""
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
LOOKS = 2
"""How often what was taken for incidents is left out of what is learnt, and the days are looked at again."""
YOUNG = 35
"""Days of a series before any of them is judged: so that each has seen the end of a month."""


def evidence(
    series: polars.DataFrame, since: date | None = None, parents: Mapping[str, str] | None = None
) -> Evidence:
    """The evidence of daily series: series_id (String), date (Date), cost (Float64; null where it is not known).

    A day is judged by itself and earlier days of the file only. `since` leaves out what is before, not what is read: the rows are
    those of the whole. `parents`: series_id → the series that it is a part of: cost moves between parts of the same whole only.
    """
    numpy.empty(_RESERVE)
    made = grid(series)
    if not made.names:
        made = Grid((), (date.min,), numpy.empty((0, 1)))
    young = numpy.cumsum(~numpy.isnan(made.cost), axis=1) <= YOUNG
    found, scores = _looked(made, young, _groups(made.names, parents or {}))
    begin = 0 if since is None else bisect_left(made.days, since)
    scores = weighted(scores, found, made.days, ~young & ~numpy.isnan(made.cost), begin)
    best = numpy.max(list(scores.values()), axis=0)
    return Evidence(_table(made, found, scores, best, young, begin))


def _groups(names: tuple[str, ...], parents: Mapping[str, str]) -> NDArray[numpy.int64]:
    """The parent of each series as a number; those without one are a group of their own."""
    numbers: dict[str | None, int] = {}
    return numpy.array([numbers.setdefault(parents.get(name), len(numbers)) for name in names], numpy.int64)


def _looked(
    made: Grid, young: Booleans, groups: NDArray[numpy.int64]
) -> tuple[Expectation, dict[str, Floats]]:
    """What was expected, and the strengths. What a look took for incidents teaches the next look nothing; series in which it is the
    same as before are not looked at again."""
    found = _expected(made)
    moves = moved(_at_once(lambda rows: changes(_of(found, rows)), len(made.names)), groups)
    taught = Taught(made.cost, numpy.full(made.cost.shape, numpy.nan), numpy.zeros(made.cost.shape, bool))
    scores = _scores(made, found, young, moves, taught.inside)
    for _ in range(LOOKS):
        seen = Incidents(walk_of(made, found, list(scores.values())), numpy.ones(len(made.cost)), None)
        seen.rows()
        before, taught = taught, Taught(seen.cleaned.T, seen.reset.T, seen.inside.T)
        other = numpy.flatnonzero(taught.differs(before))
        part = Grid(tuple(made.names[n] for n in other), made.days, made.cost[other])
        again = _expected(part, taught.of(other))
        for field in fields(Expectation):
            getattr(found, field.name)[other] = getattr(again, field.name)
        for name, values in _scores(part, again, young[other], moves[other], taught.inside[other]).items():
            scores[name][other] = values
    return found, scores


def _scores(
    made: Grid, found: Expectation, young: Booleans, moves: Floats, inside: Booleans
) -> dict[str, Floats]:
    scores = {name: numpy.zeros(young.shape) for name in SCORES}

    def of(rows: slice) -> None:
        for name, values in strengths(_of(found, rows), made.weekday, moves[rows], inside[rows]).items():
            scores[name][rows] = numpy.where(young[rows], 0, values)

    _at_once(of, len(made.names))
    return scores


def _expected(made: Grid, taught: Taught | None = None) -> Expectation:
    found = Expectation(*(numpy.empty(made.cost.shape) for _ in fields(Expectation)))

    def of(rows: slice) -> None:
        part = Grid(made.names[rows], made.days, made.cost[rows])
        made_of = expectation(part, None if taught is None else taught.of(rows))
        for field in fields(Expectation):
            getattr(found, field.name)[rows] = getattr(made_of, field.name)

    _at_once(of, len(made.names))
    return found


def _of(found: Expectation, rows: slice) -> Expectation:
    return Expectation(*(getattr(found, field.name)[rows] for field in fields(Expectation)))


def _at_once(of: Callable[[slice], Part], count: int) -> list[Part]:
    """What is made of each series by itself, by as many threads as there are cores: numpy lets others run while it sorts and adds."""
    rows = [slice(begin, begin + _AT_ONCE) for begin in range(0, max(count, 1), _AT_ONCE)]
    threads = min(_THREADS, os.cpu_count() or 1, max(1, count // _WORTH_A_THREAD))
    if threads == 1:
        return [of(part) for part in rows]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(of, rows))


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
