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
_LEVEL_ERROR = 0.25
"""Error of a median of 28 days, in deviations of a day: 1.25 ÷ √28."""
_OWN_WEEKS, _OWN_RANK = 17, 3
_OWN_BOUNDS = (1.5, 6.0)
_UNKNOWN_BAR = 3.0
_BAR_BASE = 2.0


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
    quiet = rolling.largest(moved(found).astype(float), 10) > 0
    new = found.size < 0.05 * numpy.abs(found.cost)
    bars: dict[int, Floats] = {}
    result = {}
    for span in SPANS:
        deviations = _deviations(found, span, clipped if span.days > 1 else found.cost, weekday)
        bar = numpy.clip(numpy.nan_to_num(_own_bar(deviations), nan=_UNKNOWN_BAR), *_OWN_BOUNDS)
        bar = numpy.maximum(bar, bars.setdefault(span.direction, bar) if span.weekends else 0)
        strength = numpy.nan_to_num(deviations / (_BAR_BASE + bar))
        strength[quiet] = 0
        if span.days < 14:
            strength[new] = 0
        result[span.column] = strength
    return result


def _deviations(found: Expectation, span: Span, cost: Floats, weekday: numpy.ndarray) -> Floats:
    counted = span.counted(weekday) & ~numpy.isnan(found.cost)
    away = span.direction * (
        rolling.total(numpy.where(counted, cost, 0), span.days) - _edge(found, span, counted)
    )
    scale = rolling.shifted(found.scale, span.days - 1)
    own = scale * numpy.sqrt(rolling.total(numpy.where(counted, found.size, 0) ** 2, span.days))
    size = rolling.total(numpy.where(counted, found.size, 0), span.days)
    error = numpy.sqrt(own**2 + ((_MODEL_ERROR + _LEVEL_ERROR * scale) * size) ** 2)
    today = span.direction * (found.cost - found.plain) >= _TODAY * found.size * found.scale
    return numpy.where(counted & today, numpy.maximum(away, 0) / numpy.maximum(error, 1e-9), 0)


def _own_bar(deviations: Floats) -> Floats:
    """The third largest of the last 17 weeks' maxima: what this series reaches without any news, and what incidents hardly move."""
    weekly = rolling.largest(deviations, 7)
    share = 1 - (_OWN_RANK - 1) / (_OWN_WEEKS - 1)
    return rolling.quantile(weekly, _OWN_WEEKS, share, least=4, step=7)


def moved(found: Expectation, days: int = 14) -> Booleans:
    """Where what one series gains is what another loses, in each of the last two weeks: cost that moved, none that came."""
    half = days // 2
    level = rolling.shifted(found.level, days - 1)
    share = numpy.where(numpy.isnan(found.cost), 0, found.share)
    away = numpy.nan_to_num(rolling.total(found.cost, days) - level * rolling.total(share, days))
    recent = numpy.nan_to_num(rolling.total(found.cost, half) - level * rolling.total(share, half))
    own = rolling.shifted(found.scale, days - 1) * numpy.sqrt(rolling.total(found.size**2, days))
    error = numpy.sqrt(own**2 + (_MODEL_ERROR * rolling.total(found.size, days)) ** 2)
    strong = numpy.nan_to_num(away / numpy.maximum(error, 1e-9))
    result = numpy.zeros(found.cost.shape, bool)
    for day in range(days, len(result.T)):
        gains, losses = numpy.flatnonzero(strong[:, day] >= 2), numpy.flatnonzero(strong[:, day] <= -2)
        if len(gains) and len(losses):
            match = numpy.ones((len(gains), len(losses)), bool)
            for part in (away, recent, away - recent):
                gain, loss = part[gains, day][:, None], part[losses, day][None, :]
                match &= numpy.abs(gain + loss) <= 0.25 * numpy.maximum(numpy.abs(gain), numpy.abs(loss))
            result[gains[match.any(axis=1)], day] = True
            result[losses[match.any(axis=0)], day] = True
    return result
