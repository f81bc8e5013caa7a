"""Series in, forecast out: the level of the coming months by the method that a series is left to, and the shape of its days."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

import numpy
import polars
from numpy.typing import NDArray

from finops_core.analysis.forecasting.backtest import (
    BLOCKS,
    PLAIN,
    Backtest,
    agreed,
    backtest,
    followed,
    relative_errors,
)
from finops_core.analysis.forecasting.bands import Bands, bands
from finops_core.analysis.forecasting.features import MONTH
from finops_core.analysis.forecasting.methods import methods
from finops_core.analysis.forecasting.panel import Floats, Panel, panel
from finops_core.analysis.forecasting.shapes import shape, weekdays
from finops_core.errors import UsageError

Grain = Literal["day", "month"]
LONGEST = 1100
_SHORT = 2 * MONTH
"""Days below which a series has too little past for a method to be chosen."""
_Z = 1.2816
"""The 90th percentile of the normal distribution, for the noise of single days."""


@dataclass(frozen=True)
class Forecast:
    """The forecast of series of daily cost, from the day after the newest day of all."""

    table: polars.DataFrame
    """series_id, period (Date: the day, or the first of its month), mean, p10, p50, p90: currency per period, float. A month covers
    the days of the forecast that lie in it."""
    methods: polars.DataFrame
    """series_id, method, why (a sentence), wape (of the method in backtests, share of what came; null where none was possible)."""
    tested: polars.DataFrame
    """What would have been said before and what came: series_id, origin (the first day asked for), ahead (1: the first month of 30
    days, 2, 3), said, came (currency in those days)."""
    quantiles: tuple[tuple[float, float], ...]
    """For the first, second and third month ahead: how many of its usual errors a forecast's band reaches down and up."""


def forecast(series: polars.DataFrame, horizon_days: int, grain: Grain = "day") -> Forecast:
    """Forecasts series (series_id, date, cost; complete days only) for so many days after the newest day of all.

    p10 and p90 hold four of five periods in between, by the errors of the same method in backtests. Raises UsageError for a
    horizon that is not between 1 and 1,100 days.
    """
    if not 1 <= horizon_days <= LONGEST:
        raise UsageError(f"a forecast goes 1 to {LONGEST:,} days ahead, not {horizon_days}")
    known = panel(series)
    ahead = _Ahead.of(known, horizon_days)
    return Forecast(_table(known, ahead, grain), ahead.methods, ahead.tested, ahead.bands.quantiles)


def paths(series: polars.DataFrame, horizon_days: int) -> polars.DataFrame:
    """The mean cost of each day ahead: series_id, date, mean."""
    return forecast(series, horizon_days).table.select(
        "series_id", polars.col("period").alias("date"), "mean"
    )


@dataclass(frozen=True)
class _Ahead:
    """Series × days ahead."""

    mean: Floats
    least: Floats
    """What the band is measured against where the mean of a day is less: for series that change their sign."""
    bands: Bands
    noise: Floats
    """The relative noise of a single day of each series: what is left when level and shape are known."""
    methods: polars.DataFrame
    tested: polars.DataFrame

    @classmethod
    def of(cls, known: Panel, horizon: int) -> "_Ahead":
        count = len(known.ids)
        mean = numpy.zeros((count, horizon))
        names, why = [""] * count, [""] * count
        wape, least = numpy.full(count, numpy.nan), numpy.zeros(count)
        widths = Bands(numpy.full((count, len(BLOCKS)), 0.5), numpy.full((count, len(BLOCKS)), 0.5), False)
        trials = polars.DataFrame(schema=_TESTED)
        long = (known.lengths >= _SHORT) & ~known.ended
        if long.any():
            costs = known.costs[long]
            tested = backtest(costs, known.starts[long])
            found = numpy.stack([methods()[name].means(costs, BLOCKS) for name in tested.names])
            found = followed(found, tested.names, tested.shares)
            chosen = _said_by(tested.chosen(), tested.names, found)
            levels = found[chosen, numpy.arange(len(costs))]
            mean[long] = _daily(costs, known.first, levels, horizon)
            least[long] = _least(costs)
            own = bands(relative_errors(tested, chosen, least[long]))
            widths.low[long], widths.high[long] = own.low, own.high
            widths = replace(widths, quantiles=own.quantiles)
            trials = _trials(known, numpy.flatnonzero(long), tested, chosen)
            errors = tested.errors()[chosen, numpy.arange(len(costs))]
            for row, name, error in zip(
                numpy.flatnonzero(long), agreed(tested.names, chosen), errors, strict=True
            ):
                names[row], wape[row] = name, error
                why[row] = _reason(name, error)
        for row in numpy.flatnonzero(~long):
            names[row], why[row], mean[row] = _short(known, int(row), horizon)
        for row in numpy.flatnonzero(_constant(known)):
            cost = known.costs[row, -1]
            names[row], why[row], mean[row] = (
                "constant",
                "Every day of the last eight weeks cost the same",
                cost,
            )
            wape[row], widths.low[row], widths.high[row] = 0.0, 0.0, 0.0
        told = polars.DataFrame(
            {"series_id": known.ids, "method": names, "why": why, "wape": wape},
            schema={
                "series_id": polars.String,
                "method": polars.String,
                "why": polars.String,
                "wape": polars.Float64,
            },
        ).with_columns(polars.col("wape").fill_nan(None))
        return cls(mean, least, widths, _noise(known), told, trials)


def _trials(
    known: Panel, rows: NDArray[numpy.int64], tested: Backtest, chosen: NDArray[numpy.int64]
) -> polars.DataFrame:
    """The backtests of the methods chosen, as `Forecast.tested`."""
    said = numpy.take_along_axis(tested.said, chosen[None, None, :, None], axis=0)[0]
    frames = []
    for number, day in enumerate(tested.days):
        for block, (start, end) in enumerate(BLOCKS):
            there = numpy.isfinite(tested.came[number, :, block])
            frames.append(
                polars.DataFrame(
                    {
                        "series_id": [known.ids[row] for row in rows[there]],
                        "origin": [known.first + timedelta(day)] * int(there.sum()),
                        "ahead": [block + 1] * int(there.sum()),
                        "said": said[number, there, block] * (end - start),
                        "came": tested.came[number, there, block] * (end - start),
                    },
                    schema=_TESTED,
                )
            )
    return polars.concat(frames) if frames else polars.DataFrame(schema=_TESTED)


def _said_by(chosen: NDArray[numpy.int64], names: tuple[str, ...], found: Floats) -> NDArray[numpy.int64]:
    """Where the trees had nothing to learn from, they say what the plain mean says, and it is told so."""
    plain = names.index(PLAIN)
    same = (found[chosen, numpy.arange(found.shape[1])] == found[plain]).all(1)
    return numpy.where(same, plain, chosen)


def _least(costs: Floats) -> Floats:
    recent = costs[:, -MONTH:]
    both = (recent < 0).any(1) & (recent > 0).any(1)
    return numpy.where(both, numpy.abs(recent).mean(1), 0.0)


def _constant(known: Panel) -> NDArray[numpy.bool_]:
    """Series that cost the same on each of the last 56 days, none of which need be known beyond that."""
    if known.days < _SHORT:
        return numpy.zeros(len(known.ids), bool)
    recent = known.costs[:, -_SHORT:]
    same = numpy.isfinite(recent) & (recent == recent[:, :1])
    return numpy.asarray(same.all(1)) & ~known.ended


def _reason(name: str, error: float) -> str:
    said = methods()[name].description
    words = f"{said[0].upper()}{said[1:]}"
    return (
        f"{words}; in backtests it was {error:.1%} off"
        if numpy.isfinite(error)
        else f"{words}; nothing to test it on yet"
    )


def _short(known: Panel, row: int, horizon: int) -> tuple[str, str, Floats]:
    """A series that has too little past, or none any more."""
    if known.ended[row] or not known.lengths[row]:
        return "ended", "No cost in the last 28 days: nothing is expected", numpy.zeros(horizon)
    costs = known.costs[row : row + 1, known.starts[row] :]
    length = costs.shape[1]
    usual = costs[:, -MONTH:].mean()
    if length < 14:
        return (
            "mean",
            f"Too short for more: the mean of its {length} day{'s' if length > 1 else ''}",
            numpy.full(horizon, usual),
        )
    factors = weekdays(costs)[0][numpy.arange(horizon) % 7]
    return (
        "weekday mean",
        f"Too short for more: the weekday mean of its last {min(length, MONTH)} days",
        usual * factors,
    )


def _daily(costs: Floats, first: date, levels: Floats, horizon: int) -> Floats:
    """Days from the levels of the blocks: a line through their middles, times the shape of weekdays and closing days."""
    factors, usual = shape(costs, first, horizon)
    middles = numpy.array([(start + end - 1) / 2 for start, end in BLOCKS])
    day = numpy.arange(horizon)
    place = numpy.clip(numpy.searchsorted(middles, day), 1, len(middles) - 1)
    before, after = middles[place - 1], middles[place]
    share = numpy.clip((day - before) / (after - before), -0.5, 1.0)
    line = levels[:, place - 1] * (1 - share) + levels[:, place] * share
    positive = numpy.asarray(levels >= 0).all(axis=1, keepdims=True)
    straight = numpy.where(positive, numpy.maximum(line, 0.0), line)
    return numpy.asarray(straight * factors / usual[:, None])


def _noise(known: Panel) -> Floats:
    days = min(2 * MONTH, known.days)
    if days < 14:
        return numpy.full(len(known.ids), 0.3)
    costs = known.costs[:, known.days - days // 7 * 7 :]
    weeks = costs.reshape(len(costs), -1, 7)
    mean = weeks.mean(2, keepdims=True)
    shaped = mean * weekdays(numpy.nan_to_num(costs))[:, None, :]
    away = numpy.divide(weeks - shaped, mean, out=numpy.full_like(weeks, numpy.nan), where=mean > 0)
    away = numpy.where(numpy.isfinite(away), numpy.abs(away), 0.0)
    return numpy.asarray(numpy.minimum(1.4826 * numpy.median(away.reshape(len(costs), -1), axis=1), 2.0))


def _table(known: Panel, ahead: _Ahead, grain: Grain) -> polars.DataFrame:
    horizon = ahead.mean.shape[1]
    days = [known.following + timedelta(n) for n in range(horizon)] if known.days else []
    if not days:
        return polars.DataFrame(schema=_SCHEMA)
    periods = days if grain == "day" else [d.replace(day=1) for d in days]
    groups: dict[date, list[int]] = {}
    for n, period in enumerate(periods):
        groups.setdefault(period, []).append(n)
    frames = []
    for period, inside in groups.items():
        mean = ahead.mean[:, inside].sum(1)
        against = numpy.maximum(numpy.abs(mean), ahead.least * len(inside))
        low, high = _widths(ahead, inside)
        frames.append(
            polars.DataFrame(
                {
                    "series_id": known.ids,
                    "period": [period] * len(known.ids),
                    "mean": mean,
                    "p10": mean - against * low,
                    "p50": mean,
                    "p90": mean + against * high,
                },
                schema=_SCHEMA,
            )
        )
    return polars.concat(frames).sort("series_id", "period", maintain_order=True)


_TESTED = {
    "series_id": polars.String,
    "origin": polars.Date,
    "ahead": polars.Int64,
    "said": polars.Float64,
    "came": polars.Float64,
}
_SCHEMA = {
    "series_id": polars.String,
    "period": polars.Date,
    "mean": polars.Float64,
    "p10": polars.Float64,
    "p50": polars.Float64,
    "p90": polars.Float64,
}


def _widths(ahead: _Ahead, days: list[int]) -> tuple[Floats, Floats]:
    """The relative widths of a period's band: those of its place ahead, and the noise of days where it has few."""
    middle = sum(days) / len(days)
    block = next((n for n, (_, end) in enumerate(BLOCKS) if middle < end), len(BLOCKS) - 1)
    extra = max(0.0, 1 / len(days) - 1 / 30)
    noise = (_Z * ahead.noise) ** 2 * extra
    return (
        numpy.minimum(numpy.sqrt(ahead.bands.low[:, block] ** 2 + noise), 1.0),
        numpy.sqrt(ahead.bands.high[:, block] ** 2 + noise),
    )
