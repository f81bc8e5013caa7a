"""A second company that never was: daily costs of teams, with incidents whose truth is known.

It was written from the protocol alone, without a look at the first simulator or at the detector, so that neither was made
for the other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy
import polars
from _protocol import DEADLINES

Span = tuple[float, float]
Array = numpy.ndarray

LEAST = 100.0
"""USD of excess below which something is no incident."""
TEAM = 10
"""Series of a team: within it costs migrate."""
LEARN, APART, LONGEST = 60, 25, 60
"""Days before a first incident, between two of them, and after which a new level is the normal one."""


@dataclass(frozen=True)
class Surroundings:
    """What a set of series is like: ranges are drawn from, rates are per series and day unless said otherwise."""

    name: str
    noise: Span
    kinds: tuple[str, ...] = (
        "steady", "weekday", "growing", "shrinking", "month-end", "spiky", "seasonal", "intermittent", "new",
    )  # fmt: skip
    persistence: float = 0.0
    level: Span = (30, 4000)
    days: int = 300
    incidents: float = 1 / 100
    strength: float = 1.0
    migrations: float = 0.3
    """Per team."""
    bursts: float = 0.0
    """Chance of a day of up to twice the usual, which is normal, in any series."""
    holidays: float = 0.0
    """Chance that a working day is kept as a Sunday, by the whole company."""
    missing: float = 0.0


SURROUNDINGS = (
    Surroundings("calm", noise=(0.02, 0.05), migrations=0.2),
    Surroundings("typical", noise=(0.03, 0.12), persistence=0.2, holidays=0.01),
    Surroundings("noisy", noise=(0.08, 0.2), persistence=0.4, bursts=0.003, holidays=0.02, missing=0.01, migrations=0.5),
    Surroundings("small", noise=(0.03, 0.12), level=(8, 150), persistence=0.2),
    Surroundings("faint", noise=(0.03, 0.12), persistence=0.2, strength=0.6),
    Surroundings("seven kinds", noise=(0.03, 0.1), kinds=("steady", "weekday", "growing", "month-end", "spiky", "seasonal", "new")),
)  # fmt: skip


@dataclass(frozen=True)
class Incident:
    """What a detector should find, and the money beyond (or short of) the usual."""

    series_id: str
    kind: str
    start: date
    end: date
    excess: float

    @property
    def deadline(self) -> date:
        """The last day on which raising it counts."""
        return min(self.end, self.start + timedelta(DEADLINES[self.kind] - 1))


@dataclass(frozen=True)
class Estate:
    """Columns series_id, date, cost; the incidents in them; what each day would have cost without."""

    series: polars.DataFrame
    incidents: tuple[Incident, ...]
    series_count: int
    first: date
    days: int


@dataclass
class _Series:
    """One series as it comes into being."""

    name: str
    kind: str
    born: int
    usual: Array
    cost: Array
    rests: bool = False
    incidents: list[tuple[str, int, int, float]] = field(default_factory=list)


def estate(around: Surroundings, count: int, seed: int) -> Estate:
    """`count` series in teams of ten, the same for the same seed."""
    draw = numpy.random.default_rng([seed, *around.name.encode()])
    first = date(2024, 1, 1) + timedelta(int(draw.integers(0, 365)))
    days = [first + timedelta(n) for n in range(around.days)]
    rest = numpy.array([day.weekday() >= 5 for day in days])
    rest = rest | (draw.random(around.days) < around.holidays)
    made = [_series(around, f"series-{n:03d}", draw, days, rest) for n in range(count)]
    for start in range(0, count, TEAM):
        if draw.random() < around.migrations:
            _migrate(made[start : start + TEAM], draw)
    for one in made:
        one.cost = one.usual * _noise(around, one, draw)
    for one in made:
        _afflict(around, one, draw, days)
    return Estate(
        _table(around, made, days, draw),
        tuple(
            Incident(one.name, kind, days[start], days[end], money)
            for one in made
            for kind, start, end, money in one.incidents
        ),
        count,
        first,
        around.days,
    )


def _within(draw: numpy.random.Generator, span: Span) -> float:
    return float(draw.uniform(*span))


def _scale(draw: numpy.random.Generator, span: Span) -> float:
    return float(numpy.exp(draw.uniform(*numpy.log(span))))


def _series(
    around: Surroundings, name: str, draw: numpy.random.Generator, days: list[date], rest: Array
) -> _Series:
    kind = str(draw.choice(around.kinds))
    usual = numpy.full(len(days), _scale(draw, around.level))
    born = 0
    rests = kind == "weekday" or (kind in ("growing", "new", "month-end") and draw.random() < 0.4)
    if rests:
        usual = usual * numpy.where(rest, _within(draw, (0.25, 0.65)), 1.0)
    elif kind != "intermittent":
        usual = usual * numpy.where(rest, _within(draw, (0.88, 1.02)), 1.0)
    n = numpy.arange(len(days))
    if kind == "growing":
        usual = usual * (1 + _within(draw, (0.1, 0.6))) ** (n / 90)
    elif kind == "shrinking":
        usual = usual * (1 - _within(draw, (0.05, 0.35))) ** (n / 90)
    elif kind == "month-end":
        usual = usual * _month_end(draw, days)
    elif kind == "seasonal":
        wave = 1 + _within(draw, (0.05, 0.25)) * numpy.sin(2 * numpy.pi * (n / 365 + draw.random()))
        usual = usual * wave * _deployments(draw, len(days))
    elif kind == "intermittent":
        usual = usual * _runs(draw, days)
    elif kind == "new":
        born = int(draw.integers(30, max(31, len(days) // 2)))
        ramp = int(draw.integers(1, 21))
        usual = usual * numpy.clip((n - born + 1) / ramp, 0, 1)
    return _Series(name, kind, born, usual, usual, rests)


def _month_end(draw: numpy.random.Generator, days: list[date]) -> Array:
    """The last days of a month, or the first ones, cost more; quarters' ends more again."""
    length, factor = int(draw.integers(1, 4)), _within(draw, (1.5, 4))
    quarter = _within(draw, (1, 1.5))
    at_end = draw.random() < 0.7
    shape = numpy.ones(len(days))
    for n, day in enumerate(days):
        if at_end:
            last = day + timedelta(length)
            if last.month != day.month:
                shape[n] = factor * (quarter if day.month % 3 == 0 else 1)
        elif day.day <= length:
            shape[n] = factor * (quarter if day.month % 3 == 1 else 1)
    return shape


def _deployments(draw: numpy.random.Generator, length: int) -> Array:
    """Small steps to a new level, as releases make them."""
    shape = numpy.ones(length)
    for start in numpy.flatnonzero(draw.random(length) < 1 / 75):
        shape[start:] *= 1 + float(draw.choice((-1, 1))) * _within(draw, (0.03, 0.1))
    return shape


def _runs(draw: numpy.random.Generator, days: list[date]) -> Array:
    """A job that runs on some weekdays, or whenever somebody wants it."""
    if draw.random() < 0.5:
        when = draw.choice(7, int(draw.integers(1, 4)), replace=False)
        return numpy.array([1.0 if day.weekday() in when else 0.0 for day in days])
    return (draw.random(len(days)) < _within(draw, (0.1, 0.5))).astype(float)


def _migrate(team: list[_Series], draw: numpy.random.Generator) -> None:
    """A part of one series goes over to another within days; their sum does not move."""
    movable = [one for one in team if one.born == 0 and one.kind not in ("intermittent", "month-end")]
    if len(movable) < 2:
        return
    source, target = (movable[int(n)] for n in draw.choice(len(movable), 2, replace=False))
    length = len(source.usual)
    start, over = int(draw.integers(LEARN + 20, length - 30)), int(draw.integers(1, 11))
    share = _within(draw, (0.3, 0.95)) * numpy.clip((numpy.arange(length) - start + 1) / over, 0, 1)
    moved = source.usual * share
    source.usual, target.usual = source.usual - moved, target.usual + moved


def _noise(around: Surroundings, one: _Series, draw: numpy.random.Generator) -> Array:
    size = _within(draw, around.noise)
    length = len(one.usual)
    shocks = draw.standard_normal(length)
    if one.kind == "spiky":
        size *= 2
        shocks = draw.standard_t(4, length) / numpy.sqrt(2)
    kept = around.persistence
    logs = numpy.empty(length)
    before = 0.0
    for n in range(length):
        before = kept * before + numpy.sqrt(1 - kept**2) * shocks[n]
        logs[n] = before
    factor = numpy.exp(numpy.clip(size * logs, -1.5, 1.5))
    chance = 0.03 if one.kind == "spiky" else around.bursts
    bursts = numpy.where(draw.random(length) < chance, draw.uniform(1.3, 2, length), 1.0)
    return numpy.asarray(factor * bursts)


def _afflict(around: Surroundings, one: _Series, draw: numpy.random.Generator, days: list[date]) -> None:
    """Lets incidents happen, each at least a while after the last one and of the least money."""
    day = one.born + LEARN
    while True:
        day += int(draw.exponential(1 / around.incidents))
        if day > len(days) - 15:
            return
        made = _incident(around, one, draw, days, day)
        if made is None:
            continue
        kind, start, end, effect = made
        money = float(abs(effect.sum()))
        if money < LEAST:
            continue
        one.cost = one.cost + effect
        one.incidents.append((kind, start, end, money))
        day = end + APART


Effect = Callable[[Surroundings, numpy.random.Generator, Array], Array]


def _incident(
    around: Surroundings, one: _Series, draw: numpy.random.Generator, days: list[date], day: int
) -> tuple[str, int, int, Array] | None:
    kinds = [kind for kind in DEADLINES if kind != "weekend leak" or one.rests]
    if one.kind == "intermittent":
        kinds = ["spike", "runaway", "level shift"]
    kind = str(draw.choice(kinds))
    if kind == "weekend leak":
        return _weekend_leak(one, draw, days, day)
    length, effect = EFFECTS[kind](around, draw)
    end = min(day + length, len(days)) - 1
    added = numpy.zeros(len(days))
    base = one.cost
    if one.kind == "intermittent":
        # What runs too much runs every day.
        base = numpy.maximum(one.cost, one.usual.max())
    added[day : end + 1] = base[day : end + 1] * effect[: end + 1 - day]
    return kind, day, end, added


def _weekend_leak(
    one: _Series, draw: numpy.random.Generator, days: list[date], day: int
) -> tuple[str, int, int, Array] | None:
    """What was switched off at weekends runs through several of them."""
    start = day + (5 - days[day].weekday()) % 7
    end = start + 7 * int(draw.integers(1, 5)) + 1
    if end >= len(days):
        return None
    working = float(numpy.median([one.cost[n] for n in range(start - 7, start) if days[n].weekday() < 5]))
    share = _within(draw, (0.7, 1.0))
    added = numpy.zeros(len(days))
    for n in range(start, end + 1):
        if days[n].weekday() >= 5:
            added[n] = max(share * working - one.cost[n], 0)
    return "weekend leak", start, end, added


def _spike(around: Surroundings, draw: numpy.random.Generator) -> tuple[int, Array]:
    length = int(draw.integers(1, 4))
    return length, numpy.full(length, around.strength * _scale(draw, (0.5, 4)))


def _drop(around: Surroundings, draw: numpy.random.Generator) -> tuple[int, Array]:
    length = int(draw.integers(2, 8))
    return length, numpy.full(length, -min(1, around.strength * _within(draw, (0.4, 1.0))))


def _runaway(around: Surroundings, draw: numpy.random.Generator) -> tuple[int, Array]:
    length = int(draw.integers(6, 15))
    growth = 1 + around.strength * _within(draw, (0.15, 0.45))
    return length, numpy.minimum(growth ** numpy.arange(1, length + 1), 10) - 1


def _level_shift(around: Surroundings, draw: numpy.random.Generator) -> tuple[int, Array]:
    length = LONGEST if draw.random() < 0.3 else int(draw.integers(14, LONGEST))
    return length, numpy.full(length, around.strength * _scale(draw, (0.25, 1.2)))


def _slow_leak(around: Surroundings, draw: numpy.random.Generator) -> tuple[int, Array]:
    length = int(draw.integers(28, LONGEST))
    return length, around.strength * _within(draw, (0.01, 0.03)) * numpy.arange(1, length + 1)


EFFECTS: dict[str, Callable[[Surroundings, numpy.random.Generator], tuple[int, Array]]] = {
    "spike": _spike,
    "drop": _drop,
    "runaway": _runaway,
    "level shift": _level_shift,
    "slow leak": _slow_leak,
}


def _table(
    around: Surroundings, made: list[_Series], days: list[date], draw: numpy.random.Generator
) -> polars.DataFrame:
    return polars.concat(list(_rows(around, made, days, draw)))


def _rows(
    around: Surroundings, made: list[_Series], days: list[date], draw: numpy.random.Generator
) -> Iterator[polars.DataFrame]:
    for one in made:
        kept = draw.random(len(days)) >= around.missing
        kept[: one.born] = False
        if one.kind == "intermittent":
            kept |= True
        yield polars.DataFrame(
            {"series_id": one.name, "date": days, "cost": numpy.round(one.cost, 2)}
        ).filter(polars.Series(kept))
