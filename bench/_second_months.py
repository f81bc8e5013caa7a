"""A second set of series for forecasts: daily costs whose months follow trends, weekdays, month-ends, steps and launches.

Written without a look at the methods, so that neither was made for the other.
"""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

import numpy
import polars

Array = numpy.ndarray


@dataclass(frozen=True)
class Course:
    """What a set of series is like; spans are drawn from, shares are of series."""

    name: str
    noise: tuple[float, float] = (0.03, 0.12)
    weekend: tuple[float, float] = (0.3, 1.0)
    growth: tuple[float, float] = (-0.03, 0.06)
    """A month."""
    wandering: float = 0.004
    """Deviation of the level's change a day, relative."""
    month_end: float = 0.2
    steps: float = 1 / 120
    """A day: the level moves by −25 % to +35 % and stays."""
    launches: float = 0.05
    endings: float = 0.03
    incidents: float = 1 / 120
    """A day: a third to twice the cost more, for a day up to three weeks."""
    level: tuple[float, float] = (20, 4000)


COURSES = (
    Course("plain", steps=1 / 400, incidents=1 / 400, launches=0, endings=0, wandering=0.002),
    Course("typical"),
    Course("growing", growth=(0.02, 0.12)),
    Course("shrinking", growth=(-0.1, -0.01), launches=0),
    Course("month-ends", month_end=0.8),
    Course("noisy", noise=(0.1, 0.3), wandering=0.008, incidents=1 / 60),
)


def months(course: Course, count: int, length: int, seed: int) -> tuple[date, Array]:
    """The first day, and cost by series and day; nan before a launch. The same for the same seed."""
    draw = numpy.random.default_rng([seed, *course.name.encode()])
    first = date(2023, 1, 1) + timedelta(int(draw.integers(0, 365)))
    days = [first + timedelta(n) for n in range(length)]
    return first, numpy.array([_cost(course, draw, days) for _ in range(count)])


def table(first: date, costs: Array) -> polars.DataFrame:
    """Columns series_id, date, cost of the days known."""
    count, length = costs.shape
    return polars.DataFrame(
        {
            "series_id": numpy.repeat([f"series-{n:03d}" for n in range(count)], length),
            "date": [first + timedelta(n) for n in range(length)] * count,
            "cost": numpy.round(costs.ravel(), 2),
        }
    ).filter(polars.col("cost").is_not_nan())


def _cost(course: Course, draw: numpy.random.Generator, days: list[date]) -> Array:
    length = len(days)
    n = numpy.arange(length)
    level = numpy.exp(draw.uniform(*numpy.log(course.level)))
    walk = numpy.cumsum(course.wandering * draw.standard_normal(length))
    usual = level * (1 + draw.uniform(*course.growth)) ** (n / 30) * numpy.exp(walk)
    for at in numpy.flatnonzero(draw.random(length) < course.steps):
        usual[at:] *= 1 + draw.uniform(-0.25, 0.35)
    rest = numpy.array([day.weekday() >= 5 for day in days])
    usual = usual * numpy.where(rest, draw.uniform(*course.weekend), 1)
    if draw.random() < course.month_end:
        last, factor = int(draw.integers(1, 4)), draw.uniform(1.3, 3)
        ends = [calendar.monthrange(day.year, day.month)[1] - day.day < last for day in days]
        usual = usual * numpy.where(ends, factor, 1)
    cost = usual * numpy.exp(draw.uniform(*course.noise) * draw.standard_normal(length))
    for at in numpy.flatnonzero(draw.random(length) < course.incidents):
        cost[at : at + int(draw.integers(1, 22))] *= 1 + draw.uniform(0.33, 2)
    if draw.random() < course.launches:
        cost[: int(draw.integers(60, length - 90))] = numpy.nan
    if draw.random() < course.endings:
        cost[int(draw.integers(length // 2, length)) :] = 0
    return numpy.asarray(cost)
