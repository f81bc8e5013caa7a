"""How far the last days are from what was expected, over several spans: in money, and in deviations of the series' own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from finops_core.analysis.detection import rolling
from finops_core.analysis.detection.expectation import LEVEL_DAYS, Expectation
from finops_core.analysis.detection.grid import Booleans, Floats


@dataclass(frozen=True)
class Span:
    """The last `days` days in one direction; of them only Saturdays and Sundays, where `weekends`."""

    direction: int
    """1 up, −1 down."""
    days: int
    weekends: bool = False

    @property
    def column(self) -> str:
        name = "up" if self.direction > 0 else "down"
        return f"{name}_{self.days}{'_weekend' if self.weekends else ''}"


SPANS = (
    *(Span(1, days) for days in (1, 3, 7, 14, 28)),
    Span(1, 2, weekends=True),
    Span(1, 9, weekends=True),
    *(Span(-1, days) for days in (1, 3, 7)),
    Span(-1, 2, weekends=True),
)
"""A cost that falls slowly is no incident: there is no long span down."""

_TODAY = 1.0
"""Deviations that the day itself must be away: what is over is not raised."""
_LEAST_DROP = 0.25
"""Of the expected cost: what falls less is no alarm, and what falls little by little never falls so much in a week."""
_WINSOR, _WINSOR_SIGMAS = 0.3, 3.0
"""How far a day counts within longer spans, relative and in deviations: one peak is no new level."""
_MODEL_ERROR = 0.04
"""Error of the expectation, relative to it, that a series' own history does not show."""
_LEVEL_ERROR = 0.2
"""Error of a median of 28 days, in deviations of a day: 1.25 ÷ √28."""
_OWN_WEEKS, _OWN_RANK = 17, 3
_OWN_BOUNDS = (1.5, 6.0)
_OF_INCIDENTS = 0.6
"""How much of what a series reached in incidents counts: as much again is news, a little more of the same is not."""
_UNKNOWN_BAR = 3.0
_BAR, _BAR_BASE = 0.75, 2.0
_WILD, _WILDEST = 0.4, 2.5
"""Deviation of a day, relative, from which a series rests and peaks without a calendar: nine of ten of its alarms were false. The wilder,
the more it takes, up to so many times as much."""
_ONE_DAY = 0.65
"""A day that is strange is most often just that: of what was raised by a single day a third more was false than of what was raised by
several, at the same strength. What lasts shows on the next days, and is raised in time by them."""
_NOTHING = 1.0
"""A series whose days cost less than this cost nothing so far: new spend has no deviations to be measured in."""
_NEW_STRENGTH = 1.5
_RESTLESS = 1.0
"""Deviation of a day, relative, from which a series has no rhythm, as jobs that somebody starts: it is judged by its records."""
_RECORD_SPANS, _RECORD_DAYS, _RECORD_EQUALLED, _RECORD_BAR = (1, 7), 84, 0.4, 1.5
"""Days that records are of; how long they count; how near each of three months must have come; and how far above the record is news."""
_MOST = 100.0


class Sums:
    """What spans add up, of every day or of Saturdays and Sundays: each of it once for all spans."""

    def __init__(self, found: Expectation, weekday: numpy.ndarray, weekends: bool) -> None:
        self.counted: Booleans = ((weekday >= 5) | (not weekends)) & ~numpy.isnan(found.cost)
        """Days that spans count."""
        self._found = found
        self._running: dict[str, rolling.Running] = {}
        self._kept: dict[tuple[str, int], Floats] = {}

    def last(self, name: str, days: int, values: Floats) -> Floats:
        """The sum of values on the last so many days, of those that are counted; the name says which values they are."""
        if name not in self._running:
            self._running[name] = rolling.Running(values, self.counted)
        return self._once(name, days, lambda: self._running[name].last(days))

    def error(self, days: int, deviation: Floats, square: Floats) -> Floats:
        """Of the money of the last so many days; `deviation` that of a day, `square` its square."""

        def make() -> Floats:
            size = self.last("size", days, self._found.size)
            systematic = _MODEL_ERROR * size + _LEVEL_ERROR * self.last("deviation", days, deviation)
            error = numpy.sqrt(self.last("square", days, square) + systematic**2)
            return numpy.maximum(error, 1e-9)

        return self._once("error", days, make)

    def grown(self, days: int) -> Floats:
        """The level, with its growth."""
        found = self._found
        return self._once(
            "grown", days, lambda: found.level * numpy.exp(found.growth * (LEVEL_DAYS + days) / 2)
        )

    def _once(self, name: str, days: int, make: Callable[[], Floats]) -> Floats:
        if (name, days) not in self._kept:
            self._kept[name, days] = make()
        return self._kept[name, days]


def plausible(
    found: Expectation, span: Span, weekday: numpy.ndarray, sums: Sums | None = None
) -> tuple[Floats, Floats]:
    """(actual, expected) money of the span's days; expected is the end of the plausible range that is next to the actual.

    The expectation is that of the day before the span began: what happens within does not move it. It may grow or stay,
    and for falls return to where it was before something rose.
    """
    sums = sums or Sums(found, weekday, span.weekends)
    actual, grown = sums.last("cost", span.days, found.cost), sums.grown(span.days)
    if span.direction > 0:
        edge = numpy.fmax(found.level, grown)
    else:
        edge = numpy.fmin(numpy.fmin(found.level, grown), found.low_level)
    return actual, rolling.shifted(edge, span.days - 1) * sums.last("share", span.days, found.share)


def strengths(
    found: Expectation, weekday: numpy.ndarray, moves: Floats, inside: Booleans
) -> dict[str, Floats]:
    """Span's column → deviations above or below what was plausible ÷ the deviations that it takes for this series; 1 is the bar.

    `moves`: money a day that is known to have come from, or gone to, another series (see `moved`). `inside`: days of incidents.
    """
    bound = numpy.fmax(_WINSOR_SIGMAS * found.scale, _WINSOR) * found.size
    clipped = found.plain + numpy.clip(found.cost - found.plain, -bound, bound)
    clipped = numpy.where(numpy.isnan(clipped), found.cost, clipped)
    new = (found.size < _NOTHING) | (rolling.shifted(found.size, LEVEL_DAYS) < _NOTHING)
    restless = new | (found.scale >= _RESTLESS)
    begun, jobs = (numpy.flatnonzero(days.any(axis=1)) for days in (new, restless))
    visited = numpy.flatnonzero(inside.any(axis=1))
    moving = moves > 0
    wild = numpy.clip(numpy.nan_to_num(found.scale, nan=_WILD) / _WILD, 1, _WILDEST)
    deviation = found.scale * found.size
    square = deviation**2
    sums = {weekends: Sums(found, weekday, weekends) for weekends in (False, True)}
    today = {direction: _today(found, direction) for direction in (1, -1)}
    bars: dict[int, Floats] = {}
    result = {}
    for span in SPANS:
        of = sums[span.weekends]
        actual, expected = plausible(found, span, weekday, of)
        judged = actual if span.days == 1 else of.last("clipped", span.days, clipped)
        away = numpy.maximum(judged - expected if span.direction > 0 else expected - judged, 0)
        # spans that end on a day that is away itself
        told = of.counted & today[span.direction]
        deviations = numpy.where(told, away / of.error(span.days, deviation, square), 0)
        bar = _own_bar(deviations, weekday)
        if len(visited):
            usual = numpy.where(inside[visited], numpy.nan, deviations[visited])
            bar[visited] = numpy.maximum(_own_bar(usual, weekday), _OF_INCIDENTS * bar[visited])
        bar = numpy.maximum(bar, bars[span.direction]) if span.weekends else bar
        bars.setdefault(span.direction, bar)
        known = rolling.since_sunday(_BAR * (_BAR_BASE + bar), weekday, _BAR * (_BAR_BASE + _UNKNOWN_BAR))
        strength = numpy.minimum(deviations / (known * wild), _MOST)
        if span.days == 1:
            strength *= _ONE_DAY
        told = ~(new | numpy.isnan(strength))
        if moving.any():
            told &= ~(moving & (numpy.abs(actual - expected) <= _MOVE_FACTOR * span.days * moves))
        strength = numpy.where(told, strength, 0)
        if span.column == "up_3" and len(begun):
            told = new[begun] & _jumped(found.cost[begun]) & (moves[begun] == 0)
            strength[begun] = numpy.where(told, _NEW_STRENGTH, strength[begun])
        if span.direction > 0 and span.days in _RECORD_SPANS and not span.weekends and len(jobs):
            told = restless[jobs] & (moves[jobs] == 0)
            above = _records(found.cost[jobs], span.days)
            strength[jobs] = numpy.where(told, numpy.maximum(strength[jobs], above), strength[jobs])
        result[span.column] = strength
    return result


def _today(found: Expectation, direction: int) -> Booleans:
    """Days that are away themselves."""
    today: Booleans = direction * (found.cost - found.plain) >= _TODAY * found.size * found.scale
    if direction < 0:
        today &= found.low_level * found.share - found.cost >= _LEAST_DROP * found.size
    return today


def _own_bar(deviations: Floats, weekday: numpy.ndarray) -> Floats:
    """The third largest of the last 17 weeks' maxima: what this series reaches without any news, and what incidents hardly move.

    A column a Sunday, on which weeks end; a day is judged by those that are over.
    """
    weekly = rolling.largest_by_week(deviations, weekday)
    share = 1 - (_OWN_RANK - 1) / (_OWN_WEEKS - 1)
    bar = rolling.quantile(weekly, _OWN_WEEKS, share, least=4, lag=0)
    return numpy.clip(numpy.where(numpy.isnan(bar), _UNKNOWN_BAR, bar), *_OWN_BOUNDS)


def _jumped(cost: Floats) -> Booleans:
    """Three days of about the same cost after next to none: new spend, while what moves in little by little has no such step."""
    days = [rolling.shifted(cost, n) for n in range(3)]
    least, most = numpy.minimum.reduce(days), numpy.maximum.reduce(days)
    before = numpy.nan_to_num(rolling.shifted(cost, 3))
    record = numpy.nan_to_num(rolling.largest(rolling.shifted(cost, 3), _RECORD_DAYS))
    jumped: Booleans = (least >= 0.5 * most) & (before <= 0.1 * least) & (record < 0.5 * least)
    return jumped


def _records(cost: Floats, days: int) -> Floats:
    """The cost of the last days ÷ what as many days of the twelve weeks before cost at most: the measure of a series without a rhythm."""
    total = rolling.total(cost, days)
    month = rolling.largest(total, LEVEL_DAYS)
    months = [numpy.nan_to_num(rolling.shifted(month, days + LEVEL_DAYS * ago)) for ago in range(3)]
    most, least = numpy.maximum.reduce(months), numpy.minimum.reduce(months)
    # what came only lately, as spend that moves in, has no records yet
    told = (most >= _NOTHING) & (least >= _RECORD_EQUALLED * most)
    return numpy.where(told, total / (_RECORD_BAR * numpy.maximum(most, _NOTHING)), 0)


_MOVE_DAYS = 10
_MOVE_FACTOR = 2.5
"""A move explains so many times its mean: what moves in little by little ends far above it."""
_MOVES = ((1, 1, 6.0, 0.1), (14, 2, 3.0, 0.15), (28, 4, 2.0, 0.25))
"""Days, parts of them that must all agree, deviations that both sides must show at least, and how far they may differ, relative."""


@dataclass(frozen=True)
class Change:
    """What a series gained or lost within some days, day × series."""

    parts: list[Floats]
    """Money, part by part of the days, newest first, then of all of them."""
    strong: Floats
    """All of it in deviations."""


def changes(found: Expectation) -> list[Change]:
    """One of each of _MOVES."""
    result = []
    for days, count, _, _ in _MOVES:
        parts, strong = _away(found, days, count)
        if days == 1:  # of what changed at once, only what changed on that day
            strong = numpy.where(
                numpy.abs(rolling.shifted(parts[0], 1)) <= 0.3 * numpy.abs(parts[0]), strong, 0
            )
        result.append(Change([part.T for part in parts], strong.T))
    return result


def moved(found: Sequence[Sequence[Change]], groups: NDArray[numpy.int64]) -> Floats:
    """Money a day that one series gains and another loses, in every part of the days looked at: cost that moved, none that came; else 0.

    Series × day. Only within the same of `groups`, one a series. For ten days after it was seen: a move takes weeks, and shows on most of
    its days, not on all. `found`: the changes of the series, some at a time.
    """
    seen = numpy.zeros((found[0][0].strong.shape[0], len(groups)))
    for (days, _, least, apart), of in zip(_MOVES, zip(*found, strict=True), strict=True):
        strong = numpy.hstack([change.strong for change in of])
        parts = [numpy.hstack(part) for part in zip(*(change.parts for change in of), strict=True)]
        both = (strong >= least).any(axis=1) & (strong <= -least).any(axis=1)
        for day in numpy.flatnonzero(numpy.asarray(both)[days:]) + days:
            pair = _alike(parts[-1][day], strong[day], least, apart)
            pair = pair[:, groups[pair[0]] == groups[pair[1]]]
            for part in parts:
                gain, loss = part[day, pair]
                size = numpy.maximum(numpy.abs(gain), numpy.abs(loss))
                pair = pair[:, numpy.abs(gain + loss) <= apart * size]
            seen[day, pair] = numpy.maximum(seen[day, pair], numpy.abs(parts[-1][day, pair]) / days)
    return rolling.largest(numpy.ascontiguousarray(seen.T), _MOVE_DAYS)


def _alike(away: Floats, strong: Floats, least: float, apart: float) -> NDArray[numpy.int64]:
    """Pairs (2 × pairs) of a series that gains and one that loses which may be of the same size: looked up, not all compared."""
    gains, losses = numpy.flatnonzero(strong >= least), numpy.flatnonzero(strong <= -least)
    losses = losses[numpy.argsort(-away[losses], kind="stable")]
    least_apart = 1 - apart - 1e-9
    begin = numpy.searchsorted(-away[losses], away[gains] * least_apart, "left")
    end = numpy.searchsorted(-away[losses], away[gains] / least_apart, "right")
    many = end - begin
    place = (
        numpy.arange(many.sum()) - numpy.repeat(numpy.cumsum(many) - many, many) + numpy.repeat(begin, many)
    )
    return numpy.array([numpy.repeat(gains, many), losses[place]])


def _away(found: Expectation, days: int, count: int) -> tuple[list[Floats], Floats]:
    """Money away from the expectation before the span, part by part, newest first, then of the whole; and of the whole in deviations."""
    level = rolling.shifted(found.level * numpy.exp(found.growth * LEVEL_DAYS / 2), days - 1)
    share = numpy.where(numpy.isnan(found.cost), 0, found.share)
    length = days // count
    parts = []
    for part in range(count):
        cost = rolling.shifted(rolling.total(found.cost, length), part * length)
        shares = rolling.shifted(rolling.total(share, length), part * length)
        parts.append(numpy.nan_to_num(cost - level * shares))
    whole: Floats = numpy.sum(parts, axis=0)
    own = rolling.shifted(found.scale, days - 1) * numpy.sqrt(rolling.total(found.size**2, days))
    error = numpy.sqrt(own**2 + (_MODEL_ERROR * rolling.total(found.size, days)) ** 2)
    return [*parts, whole], numpy.nan_to_num(whole / numpy.maximum(error, 1e-9))
