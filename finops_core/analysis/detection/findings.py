"""Which incidents a reader is told of: the evidence walked through once, day by day, all series at a time."""

import numpy
import polars

from finops_core.analysis.detection import kinds
from finops_core.analysis.detection.evidence import SCORES
from finops_core.analysis.detection.expectation import LEVEL_DAYS, Expectation
from finops_core.analysis.detection.grid import Floats
from finops_core.analysis.detection.measures import SPANS, plausible
from finops_core.analysis.detection.records import Evidence, Finding, Settings
from finops_core.analysis.detection.walk import Incidents, Row, Walk, walk_of

_DEFAULT = Settings()


def findings(found: Evidence, settings: Settings = _DEFAULT) -> list[Finding]:
    """The incidents that the evidence holds at these settings, by first_seen and series.

    One row an incident: neither what it does after it was raised, nor the return to the level before it is another one.
    """
    if found.days.is_empty():
        return []
    names = found.days["series_id"].unique(maintain_order=True).to_list()
    walk = _prepared(found.days, len(names), settings)
    rows = Incidents(walk, _bar(settings, names), settings.complete_until).rows()
    return sorted(
        [_finding(walk, row, names[row.series]) for row in rows],
        key=lambda row: (row.first_seen, row.series_id, row.start),
    )


def _bar(settings: Settings, names: list[str]) -> Floats:
    """The score that it takes to be raised: 1 at sensitivity 0.5, 2.5 at 0, 0.4 at 1, times what triage taught."""
    factor = numpy.array([settings.by_series.get(name, 1.0) for name in names])
    bar: float = 2.5 ** (1 - 2 * settings.sensitivity)
    return factor * bar


def _prepared(days: polars.DataFrame, count: int, settings: Settings) -> Walk:
    shape = (count, days.height // count)
    weekdays = tuple(days["date"].head(shape[1]).to_list())

    def matrix(column: str) -> Floats:
        flat: Floats = days[column].cast(polars.Float64).fill_null(float("nan")).to_numpy()
        square: Floats = flat.reshape(shape)
        return square

    level, growth, share = matrix("level"), matrix("growth"), matrix("share")
    found = Expectation(
        share=share,
        level=level,
        growth=growth,
        plain=level * share * numpy.exp(growth * (LEVEL_DAYS + 1) / 2),
        size=matrix("size"),
        cost=matrix("judged"),
        scale=matrix("scale"),
        low_level=matrix("low_level"),
    )
    weekday = numpy.array([day.weekday() for day in weekdays])
    scores = []
    for span, column in zip(SPANS, SCORES, strict=True):
        actual, expected = plausible(found, span, weekday)
        enough = span.direction * (actual - expected) >= settings.least_money
        scores.append(numpy.where(enough, matrix(column), 0))
    return walk_of(weekdays, weekday, found, scores)


def _finding(walk: Walk, row: Row, name: str) -> Finding:
    days = slice(row.start, row.last + 1)
    actual = walk.cost[days, row.series]
    expected = row.level * walk.found.share[row.series, days]
    known = ~numpy.isnan(actual)
    excess = numpy.where(known, actual - expected, 0.0)
    spent, usual = float(actual[known].sum()), float(expected[known].sum())
    return Finding(
        series_id=name,
        start=walk.days[row.start],
        end=walk.days[row.last],
        first_seen=walk.days[row.seen],
        direction="up" if row.direction > 0 else "down",
        impact=spent - usual,
        expected=usual,
        actual=spent,
        per_day=(spent - usual) / (row.last - row.start + 1),
        score=row.score,
        kind=kinds.kind(row.direction, excess, usual, row.weekends),
        ongoing=row.ongoing,
    )
