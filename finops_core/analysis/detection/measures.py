"""How far the last days are from what was expected, over several spans: in money, and in deviations of the series' own."""

from dataclasses import dataclass

import numpy

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

    def counted(self, weekday: numpy.ndarray) -> Booleans:
        """Which days it counts."""
        return (weekday >= 5) | (not self.weekends)


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
_WINSOR, _WINSOR_SIGMAS = 0.3, 3.0
"""How far a day counts within longer spans, relative and in deviations: one peak is no new level."""
_MODEL_ERROR = 0.04
"""Error of the expectation, relative to it, that a series' own history does not show."""
_LEVEL_ERROR = 0.2
"""Error of a median of 28 days, in deviations of a day: 1.25 ÷ √28."""
_OWN_WEEKS, _OWN_RANK = 17, 3
_OWN_BOUNDS = (1.5, 6.0)
_UNKNOWN_BAR = 3.0
_BAR, _BAR_BASE = 0.75, 2.0
_NOTHING = 1.0
"""A series whose days cost less than this cost nothing so far: new spend has no deviations to be measured in."""
_NEW_STRENGTH = 1.5
_MOST = 100.0


def plausible(found: Expectation, span: Span, weekday: numpy.ndarray) -> tuple[Floats, Floats]:
    """(actual, expected) money of the span's days; expected is the end of the plausible range that is next to the actual.

    The expectation is that of the day before the span began: what happens within does not move it. It may grow or stay,
    and for falls return to where it was before something rose.
    """
    counted = span.counted(weekday) & ~numpy.isnan(found.cost)
    actual = rolling.total(numpy.where(counted, found.cost, 0), span.days)
    return actual, _edge(found, span, counted)


def _edge(found: Expectation, span: Span, counted: Booleans) -> Floats:
    shares = rolling.total(numpy.where(counted, found.share, 0), span.days)
    growth = numpy.exp(rolling.shifted(found.growth, span.days - 1) * (LEVEL_DAYS + span.days) / 2)
    level = rolling.shifted(found.level, span.days - 1)
    if span.direction > 0:
        return numpy.fmax(level, level * growth) * shares
    lowest = rolling.shifted(found.low_level, span.days - 1)
    return numpy.fmin(numpy.fmin(level, level * growth), lowest) * shares


def strengths(found: Expectation, weekday: numpy.ndarray) -> dict[str, Floats]:
    """Span's column → deviations above or below what was plausible ÷ the deviations that it takes for this series; 1 is the bar."""
    bound = numpy.fmax(_WINSOR_SIGMAS * found.scale, _WINSOR) * found.size
    clipped = found.plain + numpy.clip(found.cost - found.plain, -bound, bound)
    clipped = numpy.where(numpy.isnan(clipped), found.cost, clipped)
    explained = MOVE_FACTOR * moved(found)
    new = (found.size < _NOTHING) | (rolling.shifted(found.size, LEVEL_DAYS) < _NOTHING)
    bars: dict[int, Floats] = {}
    result = {}
    for span in SPANS:
        deviations = _deviations(found, span, clipped if span.days > 1 else found.cost, weekday)
        actual, expected = plausible(found, span, weekday)
        quiet = numpy.abs(actual - expected) <= explained * span.days
        bar = numpy.clip(numpy.nan_to_num(_own_bar(deviations, weekday), nan=_UNKNOWN_BAR), *_OWN_BOUNDS)
        bar = numpy.maximum(bar, bars.setdefault(span.direction, bar) if span.weekends else 0)
        strength = numpy.nan_to_num(deviations / (_BAR * (_BAR_BASE + bar)))
        strength[quiet & (explained > 0)] = 0
        strength[new] = 0
        if span.column == "up_3":
            strength[new & _jumped(found.cost) & ~(explained > 0)] = _NEW_STRENGTH
        result[span.column] = numpy.minimum(strength, _MOST)
    return result


def _deviations(found: Expectation, span: Span, cost: Floats, weekday: numpy.ndarray) -> Floats:
    counted = span.counted(weekday) & ~numpy.isnan(found.cost)
    away = span.direction * (
        rolling.total(numpy.where(counted, cost, 0), span.days) - _edge(found, span, counted)
    )
    deviation = numpy.where(counted, found.scale * found.size, 0)
    size = rolling.total(numpy.where(counted, found.size, 0), span.days)
    systematic = _MODEL_ERROR * size + _LEVEL_ERROR * rolling.total(deviation, span.days)
    error = numpy.sqrt(rolling.total(deviation**2, span.days) + systematic**2)
    today = span.direction * (found.cost - found.plain) >= _TODAY * found.size * found.scale
    return numpy.where(counted & today, numpy.maximum(away, 0) / numpy.maximum(error, 1e-9), 0)


def _own_bar(deviations: Floats, weekday: numpy.ndarray) -> Floats:
    """The third largest of the last 17 weeks' maxima: what this series reaches without any news, and what incidents hardly move.

    Weeks end on Sundays; a day is judged by those that are over.
    """
    sundays = numpy.flatnonzero(weekday == 6)
    weekly = rolling.largest(deviations, 7)[:, sundays]
    share = 1 - (_OWN_RANK - 1) / (_OWN_WEEKS - 1)
    bars = rolling.quantile(weekly, _OWN_WEEKS, share, least=4, lag=0)
    unknown = numpy.full((len(deviations), 1), numpy.nan)
    newest = numpy.searchsorted(sundays, numpy.arange(len(weekday)), side="left")
    return numpy.hstack([unknown, bars])[:, newest]


def _jumped(cost: Floats) -> Booleans:
    """Three days of about the same cost after next to none: new spend, while what moves in little by little has no such step."""
    days = [rolling.shifted(cost, n) for n in range(3)]
    least, most = numpy.minimum.reduce(days), numpy.maximum.reduce(days)
    before = numpy.nan_to_num(rolling.shifted(cost, 3))
    jumped: Booleans = (least >= 0.5 * most) & (before <= 0.1 * least)
    return jumped


MEMORY = 10
MOVE_FACTOR = 2.5
_MOVES = ((1, 1, 6.0, 0.1), (14, 2, 3.0, 0.15), (28, 4, 2.0, 0.25))
"""Days, parts of them that must all agree, deviations that both sides must show at least, and how far they may differ, relative."""


def moved(found: Expectation) -> Floats:
    """Money a day that one series gains and another loses, in every part of the days looked at: cost that moved, none that came; else 0.

    For ten days after it was seen: a move takes weeks, and shows on most of its days, not on all.
    """
    seen = numpy.zeros(found.cost.shape)
    for days, count, least, apart in _MOVES:
        parts, strong = _away(found, days, count)
        if days == 1:  # of what changed at once, only what changed on that day
            strong = numpy.where(
                numpy.abs(rolling.shifted(parts[0], 1)) <= 0.3 * numpy.abs(parts[0]), strong, 0
            )
        for day in range(days, len(seen.T)):
            gains = numpy.flatnonzero(strong[:, day] >= least)
            losses = numpy.flatnonzero(strong[:, day] <= -least)
            if len(gains) and len(losses):
                match = numpy.ones((len(gains), len(losses)), bool)
                for part in parts:
                    gain, loss = part[gains, day][:, None], part[losses, day][None, :]
                    size = numpy.maximum(numpy.abs(gain), numpy.abs(loss))
                    match &= numpy.abs(gain + loss) <= apart * size
                for pair in (gains[match.any(axis=1)], losses[match.any(axis=0)]):
                    seen[pair, day] = numpy.maximum(seen[pair, day], numpy.abs(parts[-1][pair, day]) / days)
    return rolling.largest(seen, MEMORY)


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
