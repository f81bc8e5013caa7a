"""Which incidents a reader is told of: the evidence walked through once, day by day, all series at a time."""

from bisect import bisect_right

import numpy
import polars

from finops_core.analysis.detection import kinds
from finops_core.analysis.detection.evidence import SCORES
from finops_core.analysis.detection.expectation import LEVEL_DAYS, Expectation
from finops_core.analysis.detection.grid import Floats, Grid
from finops_core.analysis.detection.measures import SPANS, plausible
from finops_core.analysis.detection.records import Evidence, Finding, Settings, Telling
from finops_core.analysis.detection.walk import BEYOND_DOUBT, Incidents, Row, Walk, walk_of

_DEFAULT = Settings()
_LEAST_SHARE = 0.3
"""A day of which less is usually there is not judged by what is."""
_DEVIATIONS, _MODEL_ERROR = 5.0, 0.1
"""What an incomplete day must be away to be raised, in deviations; and the error of taking it for its usual share."""


def findings(found: Evidence, settings: Settings = _DEFAULT) -> list[Finding]:
    """The incidents that the evidence holds at these settings, by first_seen and series.

    One row an incident: neither what it does after it was raised, nor the return to the level before it is another one.
    """
    if found.days.is_empty():
        return []
    names = tuple(found.days["series_id"].unique(maintain_order=True).to_list())
    walk = _prepared(found.days, names, settings)
    rows = Incidents(walk, _bar(settings, names), settings.complete_until).rows()
    return sorted(
        [_finding(walk, row, names[row.series]) for row in rows],
        key=lambda row: (row.first_seen, row.series_id, row.start),
    )


def _bar(settings: Settings, names: tuple[str, ...]) -> Floats:
    """The score that it takes to be raised: 1 at sensitivity 0.5, 2.5 at 0, 0.4 at 1, times what triage taught."""
    factor = numpy.array([settings.by_series.get(name, 1.0) for name in names])
    bar: float = BEYOND_DOUBT ** (1 - 2 * settings.sensitivity)
    return factor * bar


def _prepared(days: polars.DataFrame, names: tuple[str, ...], settings: Settings) -> Walk:
    shape = (len(names), days.height // len(names))
    weekdays = tuple(days["date"].head(shape[1]).to_list())

    def matrix(column: str) -> Floats:
        flat: Floats = days[column].cast(polars.Float64).fill_null(float("nan")).to_numpy()
        square: Floats = flat.reshape(shape)
        return square

    made = Grid(names, weekdays, matrix("cost"))
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
    scores = []
    for span, column in zip(SPANS, SCORES, strict=True):
        actual, expected = plausible(found, span, made.weekday)
        enough = span.direction * (actual - expected) >= settings.least_money
        scores.append(numpy.where(enough, matrix(column), 0))
    if settings.complete_until is not None:
        begin = bisect_right(weekdays, settings.complete_until)
        scores[0][:, begin:] = numpy.maximum(scores[0][:, begin:], _incomplete(made, found, settings, begin))
    return walk_of(made, found, scores)


def _incomplete(made: Grid, found: Expectation, settings: Settings, begin: int) -> Floats:
    """Scores up of the days from `begin`, whose charges are not all there: of what they will cost, going by the usual share of their age.

    Days of unknown age keep the score of what is there; a day that is not complete says nothing of falls.
    """
    ages = [(made.days[-1] - day).days for day in made.days[begin:]]
    share = numpy.array([settings.usual_share.get(age, 1.0) for age in ages])
    size = found.size[:, begin:]
    away = found.cost[:, begin:] / numpy.maximum(share, _LEAST_SHARE) - found.plain[:, begin:]
    score = numpy.nan_to_num(away / (size * numpy.hypot(found.scale[:, begin:], _MODEL_ERROR)) / _DEVIATIONS)
    return numpy.where((away >= settings.least_money) & (share >= _LEAST_SHARE), score, 0)


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
        tellings=_tellings(walk, row, excess),
    )


def _tellings(walk: Walk, row: Row, excess: Floats) -> tuple[Telling, ...]:
    """`excess`: money above what was expected, day by day from the row's start to its last day."""
    begins = [row.start, *(day for day, _ in row.again), row.last + 1]
    raised = [(row.seen, row.score), *row.again]
    return tuple(
        Telling(
            walk.days[begin],
            walk.days[end - 1],
            walk.days[seen],
            float(excess[begin - row.start : end - row.start].sum()),
            score,
        )
        for begin, end, (seen, score) in zip(begins, begins[1:], raised, strict=False)
    )
