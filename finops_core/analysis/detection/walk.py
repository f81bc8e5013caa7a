"""Walking through the days once, all series at a time: incidents open, go on, and are over."""

from dataclasses import dataclass
from datetime import date

import numpy

from finops_core.analysis.detection.expectation import LEVEL_DAYS, Expectation
from finops_core.analysis.detection.grid import Booleans, Floats, Grid
from finops_core.analysis.detection.measures import SPANS

_QUIET_DAYS, _QUIET_DAYS_WEEKENDS = 3, 9
"""Quiet days after which an incident is over; one of weekends wants to see the next weekend."""
_CALM_DAYS, _ACCEPTED_AFTER = 5, 18
"""An incident ends where its level has been the usual one for some days, weeks after it began."""
_SETTLING = 3
"""Days after such an end on which nothing begins: what is left of the old level would be told again."""
_MEMORY = 60
"""Days for which the return to the level before an incident is no news."""
_FORGETTING = 0.5 ** (1 / 120)
FATIGUE = 0.3
SURER, REST_DAYS, RAISING_DAYS = 1.4, 3, 28
"""An open incident is raised again where its score is so many times that of the last time, some days after it, within its first weeks."""
BEYOND_DOUBT = 2.5
"""The score at which nobody wants to be surer: the bar at sensitivity 0."""
LASTING = 3
FALLEN_DAYS = 7
CLEANED_DAYS = 14
"""Days of an incident that teach nothing; what lasts longer is the new level."""
RESET_DAYS = 21
"""Days for which the level before an incident that is over is taken to be the level again."""


@dataclass(frozen=True)
class Walk:
    """What is walked through: one row of each matrix a day."""

    days: tuple[date, ...]
    weekday: numpy.ndarray
    found: Expectation
    """Series × day."""
    cost: Floats
    """Day × series, as the following."""
    away: Floats
    """Deviations of each day from its own expectation, signed."""
    scores: Floats
    """Span × day × series; 0 where it must not be raised."""


def walk_of(made: Grid, found: Expectation, scores: list[Floats]) -> Walk:
    """`scores`: series × day, one a span of SPANS."""
    away = (found.cost - found.plain) / (found.size * found.scale)
    return Walk(
        made.days,
        made.weekday,
        found,
        numpy.ascontiguousarray(found.cost.T),
        numpy.ascontiguousarray(away.T),
        numpy.ascontiguousarray([score.T for score in scores]),
    )


@dataclass(frozen=True)
class Row:
    """An incident in columns of the matrices."""

    series: int
    start: int
    last: int
    seen: int
    direction: int
    level: float
    """Of before."""
    score: float
    weekends: bool
    ongoing: bool
    again: tuple[tuple[int, float], ...]
    """Day and score of each time that it was raised again."""


class Incidents:
    """The open incident of each series, and those that are over."""

    def __init__(self, walk: Walk, bar: Floats, complete_until: date | None) -> None:
        count = len(bar)
        self.walk, self.bar, self.complete_until = walk, bar, complete_until
        self.done: list[Row] = []
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
        self.again: list[list[tuple[int, float]]] = [[] for _ in range(count)]
        self.raised, self.surest = numpy.zeros(count, int), numpy.zeros(count)
        """Day and score of the last time that the open incident was raised."""
        self.often = numpy.zeros(count)
        """How many incidents the last months had, the older ones counting less."""
        self.cleaned = walk.cost.copy()
        """Day × series: the cost, and on days of incidents what it would have been."""
        self.inside = numpy.zeros(walk.cost.shape, bool)
        """Day × series: whether the day was found to belong to an incident."""
        self.reset = numpy.full(walk.cost.shape, numpy.nan)
        """Day × series: the level that a series has returned to, for some time after it did."""
        self.back, self.back_until = numpy.full(count, numpy.nan), numpy.full(count, -1)
        self.returning = numpy.zeros(count, int)

    def rows(self) -> list[Row]:
        for day in range(len(self.walk.days)):
            self.often *= _FORGETTING
            self.reset[day] = numpy.where(self.back_until >= day, self.back, numpy.nan)
            complete = self.complete_until is None or self.walk.days[day] <= self.complete_until
            if complete:
                self._follow(day)
                self._raise_again(day)
            for direction in (1, -1) if complete else (1,):
                self._raise(day, direction)
            self._recover(day)
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
        # a fall that lasts is no incident, but a level: what is told of it is its first week
        told = goes_on & ((self.direction > 0) | (day - self.start < FALLEN_DAYS))
        self.last[told] = day
        self.inside[day] = goes_on & (day - self.start >= LASTING)
        taught = goes_on & (day - self.start < CLEANED_DAYS)
        self.cleaned[day, taught] = usual[taught]
        if walk.weekday[day] < 5:
            self.weekends &= ~goes_on
        self.quiet = numpy.where(goes_on, 0, self.quiet + ~numpy.isnan(cost))
        away = numpy.abs(walk.away[day])
        calm = numpy.where(away < 2.5, self.calm + 1, numpy.where(away > 3, 0, self.calm))
        self.calm = numpy.where(self.weekends & (walk.weekday[day] < 5), self.calm, calm)
        over = self.quiet >= numpy.where(self.weekends, _QUIET_DAYS_WEEKENDS, _QUIET_DAYS)
        accepted = (self.calm >= _CALM_DAYS) & (day - self.start >= _ACCEPTED_AFTER)
        for series in numpy.flatnonzero(opened & (over | accepted)).tolist():
            self._close(series, ongoing=False)
            direction = int(self.direction[series])
            self.former[direction][series] = self.level[series]
            self.remembered[direction][series] = day + _MEMORY
            self.ended[series] = self.last[series] + (0 if over[series] else _SETTLING)
            self.direction[series] = 0
            if over[series]:
                self.back[series], self.back_until[series] = self.level[series], day + RESET_DAYS

    def _recover(self, day: int) -> None:
        """Series whose incident had become the usual level, and that are back where they were before it, three days running."""
        returning = numpy.zeros(len(self.direction), bool)
        for direction in (1, -1):
            level = self.former[direction]
            former = level * self.walk.found.share[:, day]
            size = numpy.maximum(numpy.abs(former), 0.25 * numpy.abs(level))
            near = numpy.abs(self.walk.cost[day] - former) <= 0.2 * size
            away = -direction * self.walk.away[day] > 1.5
            free = (self.remembered[direction] > day) & (self.direction == 0) & (self.back_until < day)
            returning |= free & near & away
            done = free & near & away & (self.returning >= 2)
            self.back[done], self.back_until[done] = level[done], day + RESET_DAYS
        self.returning = numpy.where(returning, self.returning + 1, 0)

    def _raise(self, day: int, direction: int) -> None:
        spans, scores = self._scores(day, direction, self.often)
        best = scores.max(axis=0)
        new = (self.direction == 0) & (best >= self.bar)
        if not new.any():
            return
        new &= ~self._returns(day, direction)
        for series in numpy.flatnonzero(new).tolist():
            self._open(series, day, spans[int(scores[:, series].argmax())], float(best[series]))

    def _raise_again(self, day: int) -> None:
        """Open incidents of which the day makes clearly surer: whoever wants to be told of what is beyond doubt only is told now."""
        due = (day - self.raised >= REST_DAYS) & (day - self.seen <= RAISING_DAYS) & (self.last == day)
        due &= self.surest < BEYOND_DOUBT
        before = self.often - _FORGETTING ** (day - self.seen)  # without the open one
        for direction in (1, -1):
            wanted = due & (self.direction == direction)
            if not wanted.any():
                continue
            best = self._scores(day, direction, before)[1].max(axis=0)
            for series in numpy.flatnonzero(wanted & (best >= SURER * self.surest)).tolist():
                self.raised[series], self.surest[series] = day, best[series]
                self.again[series].append((day, float(best[series])))

    def _scores(self, day: int, direction: int, often: Floats) -> tuple[list[int], Floats]:
        """The numbers of the spans of a direction, and what each says of the day (span × series)."""
        spans = [n for n, span in enumerate(SPANS) if span.direction == direction]
        lengths = numpy.array([SPANS[n].days for n in spans])[:, None]
        # a span that reaches into the last incident would tell of it again
        told = numpy.where(lengths <= day - self.ended, self.walk.scores[spans, day], 0)
        return spans, told / (1 + FATIGUE * often)

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
        self.cleaned[day, series] = usual
        size = max(abs(usual), 0.25 * abs(level), 1e-9)
        excess = span.direction * (walk.cost[day, series] - usual) / size
        start = self._began(series, day, number)
        self.inside[day, series] = day - start >= LASTING
        away = span.direction * walk.away[start : day + 1, series]
        weekend = walk.weekday[start : day + 1] >= 5
        self.direction[series] = span.direction
        self.often[series] += 1
        self.raised[series], self.surest[series], self.again[series] = day, score, []
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
        self.done.append(
            Row(
                series,
                int(self.start[series]),
                int(self.last[series]),
                int(self.seen[series]),
                int(self.direction[series]),
                float(self.level[series]),
                float(self.score[series]),
                bool(self.weekends[series]),
                ongoing,
                tuple(self.again[series]),
            )
        )
