"""Which incidents a reader is told of: the evidence walked through once, day by day, all series at a time."""

from dataclasses import dataclass
from datetime import date

import numpy
import polars

from finops_core.analysis.detection import kinds
from finops_core.analysis.detection.evidence import SCORES
from finops_core.analysis.detection.expectation import LEVEL_DAYS, Expectation
from finops_core.analysis.detection.grid import Booleans, Floats
from finops_core.analysis.detection.measures import SPANS, plausible
from finops_core.analysis.detection.records import Evidence, Finding, Settings

_DEFAULT = Settings()
_QUIET_DAYS, _QUIET_DAYS_WEEKENDS = 3, 9
"""Quiet days after which an incident is over; one of weekends wants to see the next weekend."""
_CALM_DAYS, _ACCEPTED_AFTER = 5, 18
"""An incident ends where its level has been the usual one for some days, weeks after it began."""
_MEMORY = 60
"""Days for which the return to the level before an incident is no news."""


@dataclass(frozen=True)
class _Walk:
    """The evidence as matrices, day × series: each step reads one row."""

    names: list[str]
    days: list[date]
    weekday: numpy.ndarray
    found: Expectation
    """Series × day."""
    cost: Floats
    away: Floats
    """Deviations of each day from its own expectation, signed."""
    scores: Floats
    """Span × day × series; 0 where the money is too little."""


def findings(found: Evidence, settings: Settings = _DEFAULT) -> list[Finding]:
    """The incidents that the evidence holds at these settings, by first_seen and series.

    One row an incident: neither what it does after it was raised, nor the return to the level before it is another one.
    """
    if found.days.is_empty():
        return []
    walk = _prepared(found.days, settings)
    bar = _bar(settings, walk.names)
    rows = _Incidents(walk, bar, settings.complete_until).rows()
    return sorted(rows, key=lambda row: (row.first_seen, row.series_id, row.start))


def _bar(settings: Settings, names: list[str]) -> Floats:
    """The score that it takes to be raised: 1 at sensitivity 0.5, 2.5 at 0, 0.4 at 1, times what triage taught."""
    factor = numpy.array([settings.by_series.get(name, 1.0) for name in names])
    return factor * 2.5 ** (1 - 2 * settings.sensitivity)


def _prepared(days: polars.DataFrame, settings: Settings) -> _Walk:
    names = days["series_id"].unique(maintain_order=True).to_list()
    shape = (len(names), days.height // len(names))
    weekdays = days["date"].head(shape[1]).to_list()

    def matrix(column: str) -> Floats:
        values = days[column].cast(polars.Float64).fill_null(float("nan")).to_numpy()
        reshaped: Floats = values.reshape(shape)
        return reshaped

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
        score = days[column].to_numpy().reshape(shape)
        scores.append(numpy.where(enough, score, 0).T)
    away = (found.cost - found.plain) / (found.size * found.scale)
    return _Walk(
        names,
        weekdays,
        weekday,
        found,
        numpy.ascontiguousarray(found.cost.T),
        numpy.ascontiguousarray(away.T),
        numpy.ascontiguousarray(scores),
    )


class _Incidents:
    """The open incident of each series, and those that are over."""

    def __init__(self, walk: _Walk, bar: Floats, complete_until: date | None) -> None:
        count = len(walk.names)
        self.walk, self.bar, self.complete_until = walk, bar, complete_until
        self.done: list[Finding] = []
        self.direction = numpy.zeros(count, int)
        """Of the open incident; 0 where none is."""
        self.start, self.last, self.seen = (numpy.zeros(count, int) for _ in range(3))
        self.ended = numpy.full(count, -1_000)
        self.score, self.level, self.least = (numpy.zeros(count) for _ in range(3))
        """`level` is that of before, `least` the relative excess from which a day belongs to the incident."""
        self.quiet, self.calm = numpy.zeros(count, int), numpy.zeros(count, int)
        self.weekends = numpy.zeros(count, bool)
        self.former = {1: numpy.full(count, numpy.nan), -1: numpy.full(count, numpy.nan)}
        """Direction → the level before the last incident."""
        self.remembered = {1: numpy.full(count, -1), -1: numpy.full(count, -1)}

    def rows(self) -> list[Finding]:
        for day in range(len(self.walk.days)):
            complete = self.complete_until is None or self.walk.days[day] <= self.complete_until
            if complete:
                self._follow(day)
            for direction in (1, -1) if complete else (1,):
                self._raise(day, direction)
        for series in numpy.flatnonzero(self.direction).tolist():
            self._close(series, ongoing=True)
        return self.done

    def _follow(self, day: int) -> None:
        """What the day says of the open incidents."""
        opened = self.direction != 0
        if not opened.any():
            return
        walk, cost = self.walk, self.walk.cost[day]
        usual = self.level * walk.found.share[:, day]
        size = numpy.maximum(numpy.abs(usual), 0.25 * numpy.abs(self.level))
        goes_on = opened & ((cost - usual) * self.direction > self.least * size)
        self.last[goes_on] = day
        if walk.weekday[day] < 5:
            self.weekends &= ~goes_on
        self.quiet = numpy.where(goes_on, 0, self.quiet + ~numpy.isnan(cost))
        away = numpy.abs(walk.away[day])
        self.calm = numpy.where(away < 2.5, self.calm + 1, numpy.where(away > 3, 0, self.calm))
        over = self.quiet >= numpy.where(self.weekends, _QUIET_DAYS_WEEKENDS, _QUIET_DAYS)
        accepted = (self.calm >= _CALM_DAYS) & (day - self.start >= _ACCEPTED_AFTER)
        for series in numpy.flatnonzero(opened & (over | accepted)).tolist():
            self._close(series, ongoing=False)
            direction = int(self.direction[series])
            self.former[direction][series] = self.level[series]
            self.remembered[direction][series] = day + _MEMORY
            self.ended[series] = self.last[series]
            self.direction[series] = 0

    def _raise(self, day: int, direction: int) -> None:
        walk = self.walk
        spans = [n for n, span in enumerate(SPANS) if span.direction == direction]
        lengths = numpy.array([SPANS[n].days for n in spans])[:, None]
        # a span that reaches into the last incident would tell of it again
        scores = numpy.where(lengths <= day - self.ended, walk.scores[spans, day], 0)
        best = scores.max(axis=0)
        new = (self.direction == 0) & (best >= self.bar)
        if not new.any():
            return
        new &= ~self._returns(day, direction)
        for series in numpy.flatnonzero(new).tolist():
            self._open(series, day, spans[int(scores[:, series].argmax())], float(best[series]))

    def _returns(self, day: int, direction: int) -> Booleans:
        """Whether the day is on its way back to the level before the last incident of the other direction."""
        former = self.former[-direction] * self.walk.found.share[:, day]
        cost = self.walk.cost[day]
        back: Booleans = cost > 0.75 * former if direction < 0 else cost < 1.25 * former
        return back & (self.remembered[-direction] > day)

    def _open(self, series: int, day: int, number: int, score: float) -> None:
        span, walk = SPANS[number], self.walk
        before = max(0, day - span.days + 1)
        level = walk.found.level[series, before] * numpy.exp(
            walk.found.growth[series, before] * (LEVEL_DAYS + 1) / 2
        )
        usual = level * walk.found.share[series, day]
        size = max(abs(usual), 0.25 * abs(level), 1e-9)
        excess = span.direction * (walk.cost[day, series] - usual) / size
        start = self._began(series, day, number)
        away = span.direction * walk.away[start : day + 1, series]
        weekend = walk.weekday[start : day + 1] >= 5
        self.direction[series] = span.direction
        self.start[series], self.last[series], self.seen[series] = start, day, day
        self.score[series], self.level[series] = score, level
        scale = walk.found.scale[series, before]
        self.least[series] = max(2.5 * scale, 0.08, 0.4 * min(1.0, max(0.0, excess)))
        self.quiet[series] = self.calm[series] = 0
        self.weekends[series] = weekend[-1] and bool(numpy.all(weekend | ~(away >= 1.5)))

    def _began(self, series: int, day: int, number: int) -> int:
        """The first day of the span, at most a week ago, from which the days are clearly away."""
        span, walk = SPANS[number], self.walk
        start = day
        for earlier in range(day - 1, max(-1, day - min(span.days, 9)), -1):
            if span.direction * walk.away[earlier, series] >= 2 and (
                not span.weekends or walk.weekday[earlier] >= 5
            ):
                start = earlier
            elif span.days <= 7 and not span.weekends:
                break
        return max(start, day - 6) if span.days >= 14 else start

    def _close(self, series: int, ongoing: bool) -> None:
        walk, direction = self.walk, int(self.direction[series])
        start, last = int(self.start[series]), int(self.last[series])
        actual = walk.cost[start : last + 1, series]
        expected = self.level[series] * walk.found.share[series, start : last + 1]
        known = ~numpy.isnan(actual)
        excess = numpy.where(known, actual - expected, 0.0)
        spent, usual = float(actual[known].sum()), float(expected[known].sum())
        self.done.append(
            Finding(
                walk.names[series],
                walk.days[start],
                walk.days[last],
                walk.days[int(self.seen[series])],
                "up" if direction > 0 else "down",
                spent - usual,
                usual,
                spent,
                (spent - usual) / (last - start + 1),
                float(self.score[series]),
                kinds.kind(direction, excess, usual, bool(self.weekends[series])),
                ongoing,
            )
        )
