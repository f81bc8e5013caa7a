"""The shape of the days within a forecast: weekdays, and the last days of a month, as factors on the level."""

import calendar
from datetime import date, timedelta

import numpy
from numpy.typing import NDArray

from finops_core.analysis.forecasting.panel import WEEK, Floats

_WEEKS = 10
_CLOSING = 3
"""Days before the end of a month that may have a cost of their own."""
_LEAST = 0.05
"""A closing day is its own only if it differs from other days by this share of them."""
_TIMES = 3
"""Months after which closing days are believed to differ."""


def weekdays(costs: Floats, weeks: int = _WEEKS) -> Floats:
    """Series × 7: what a day costs against the mean of its week, the first column being the day after the last.

    The mean of the middle of ten weeks, so that no single week shapes it; 1 where a series is shorter than two weeks or free.
    """
    count = min(weeks, costs.shape[1] // WEEK)
    if count < 2:
        return numpy.ones((len(costs), WEEK))
    by_week = costs[:, costs.shape[1] - WEEK * count :].reshape(len(costs), count, WEEK)
    mean = by_week.mean(2, keepdims=True)
    ratio = numpy.divide(by_week, mean, out=numpy.ones_like(by_week), where=mean > 0)
    cut = count // 5
    factors = numpy.sort(ratio, 1)[:, cut : count - cut].mean(1)
    total = factors.mean(1, keepdims=True)
    even = ~numpy.isfinite(total) | (total <= 0)
    return numpy.where(even, 1.0, factors / numpy.where(even, 1.0, total))


def from_end(days: list[date]) -> NDArray[numpy.int64]:
    """Days from each day to the end of its month: 0 on the last."""
    return numpy.array([calendar.monthrange(d.year, d.month)[1] - d.day for d in days], dtype=numpy.int64)


def closing(costs: Floats, first: date) -> Floats:
    """Series × 3: what the last, last but one and last but two days of a month cost against other days of their weekday.

    The median over the months seen, if there are three and all go the same way by a twentieth; else 1.
    """
    length = costs.shape[1]
    factors = numpy.ones((len(costs), _CLOSING))
    if length < 3 * 28 + 2 * WEEK:
        return factors
    left = from_end([first + timedelta(n) for n in range(length)])
    for position in range(_CLOSING):
        found = []
        for day in numpy.flatnonzero(left == position):
            near = [day + WEEK * n for n in (-2, -1, 1, 2) if 0 <= day + WEEK * n < length]
            near = [n for n in near if left[n] >= _CLOSING]
            if len(near) < 2:
                continue
            usual = numpy.median(costs[:, near], axis=1)
            found.append(numpy.divide(costs[:, day], usual, out=numpy.ones(len(costs)), where=usual > 0))
        if len(found) < _TIMES:
            continue
        ratios = numpy.stack(found[-12:], 1)
        same = (ratios > 1 + _LEAST).all(1) | (ratios < 1 - _LEAST).all(1)
        factors[:, position] = numpy.where(same, numpy.clip(numpy.median(ratios, 1), 0, 10), 1.0)
    return factors


def shape(costs: Floats, first: date, horizon: int) -> tuple[Floats, Floats]:
    """Factors of the days ahead, series × horizon, and the mean factor of the last 28 days (or fewer), series.

    A day costs level × its factor / that mean, the level being the mean of those last days.
    """
    length = costs.shape[1]
    by_weekday, by_closing = weekdays(costs), closing(costs, first)
    recent = min(28, length)
    day = numpy.arange(-recent, horizon)
    left = from_end([first + timedelta(int(length + n)) for n in day])
    factors = by_weekday[:, day % WEEK]
    closes = left < _CLOSING
    factors[:, closes] = factors[:, closes] * by_closing[:, left[closes]]
    usual = factors[:, :recent].mean(1)
    return factors[:, recent:], numpy.where(usual > 0, usual, 1.0)
