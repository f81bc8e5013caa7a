"""Simulated series of daily cost with known incidents, and how detectors are judged on them.

Two generators that differ in noise, shapes and sizes, so that what was tuned on one is judged on the other. `DEVELOPMENT` seeds are for
looking at; `HELD_OUT` ones only for final figures.
"""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy
import polars
from _protocol import DEADLINES

DEVELOPMENT, HELD_OUT = range(100, 104), range(70_000, 70_040)
KINDS = (
    "steady",
    "weekday",
    "office",
    "retail",
    "growing",
    "month-end",
    "spiky",
    "intermittent",
    "steps",
    "migrating",
)


@dataclass(frozen=True)
class World:
    """What a generator makes: the ranges that its series and incidents are drawn from."""

    name: str
    noise: str = "normal"
    """normal, student, gamma or mixed: the law of the daily factor."""
    noises: tuple[float, float] = (0.02, 0.15)
    levels: tuple[float, float] = (20, 5000)
    days: tuple[int, int] = (180, 420)
    autocorrelation: tuple[float, float] = (0.0, 0.3)
    missing: float = 0.003
    """Share of days that have no row, in one of five series."""
    every: float = 110
    """Days between incidents of a series, on average."""
    size: float = 1.0
    """Factor on the size of incidents."""
    first: int = 42
    """No incident before this day of a series."""
    kinds: tuple[str, ...] = KINDS
    holidays: bool = False
    benign: float = 0.3
    """Share of series with something that must not alarm for long: a planned step, a change of price."""


WORLDS = {
    "first": World("first"),
    "second": World(
        "second",
        noise="mixed",
        noises=(0.03, 0.25),
        levels=(30, 20000),
        days=(150, 400),
        autocorrelation=(0.0, 0.6),
        every=90,
        holidays=True,
    ),
    "small sizes": World("small sizes", size=0.6),
    "large sizes": World("large sizes", size=1.6, every=160),
    "heavy tails": World("heavy tails", noise="student", noises=(0.05, 0.2)),
    "plain kinds": World(
        "plain kinds",
        kinds=("steady", "weekday", "office", "retail", "growing", "month-end", "migrating"),
        benign=0.0,
        levels=(50, 3000),
        noises=(0.03, 0.10),
        missing=0,
    ),
    "plain and large": World(
        "plain and large",
        kinds=("steady", "weekday", "office", "retail", "growing", "month-end", "migrating"),
        benign=0.0,
        levels=(50, 3000),
        noises=(0.03, 0.10),
        missing=0,
        size=1.8,
    ),
    "short": World("short", days=(110, 140), first=35),
}
"""The first is for tuning; the others tell how far that carries."""


@dataclass(frozen=True)
class Truth:
    """An incident: on which series, when, and the money that it cost (or did not, for a drop)."""

    series_id: str
    kind: str
    start: date
    end: date
    money: float


@dataclass(frozen=True)
class Simulated:
    series: polars.DataFrame
    """series_id, date, cost."""
    incidents: tuple[Truth, ...]
    series_days: int


def simulate(world: World, count: int, seed: int) -> Simulated:
    """`count` series of a world; the same arguments give the same series."""
    random = numpy.random.default_rng([seed, *world.name.encode()])
    frames, incidents, total = [], [], 0
    begin = date(2025, 1, 1) + timedelta(days=int(random.integers(0, 365)))
    length = int(random.integers(world.days[0], world.days[1] + 1))
    days = [begin + timedelta(days=n) for n in range(length)]
    pending: numpy.ndarray | None = None
    for number in range(count):
        kind = world.kinds[number % len(world.kinds)]
        if kind == "migrating" and pending is None and number + len(world.kinds) >= count:
            kind = "steady"  # nobody is left to move to
        name = f"{number:04d} {kind}"
        usual = _usual(world, kind, days, random)
        if kind == "migrating":  # what one team moves to another account: the pair's sum stays
            if pending is None:
                share = _migrated(length, random)
                pending, usual = usual * share, usual * (1 - share)
            else:
                usual, pending = pending, None
        cost, happened = _with_incidents(world, kind, name, days, usual, random)
        incidents += happened
        kept = numpy.ones(length, bool)
        if random.random() < 0.2:
            kept = random.random(length) > world.missing * 5
        total += int(kept.sum())
        frames.append(
            polars.DataFrame(
                {"series_id": name, "date": days, "cost": numpy.round(cost, 4)},
                schema={"series_id": polars.String, "date": polars.Date, "cost": polars.Float64},
            ).filter(polars.Series(kept))
        )
    return Simulated(polars.concat(frames), tuple(incidents), total)


def _usual(world: World, kind: str, days: Sequence[date], random: numpy.random.Generator) -> numpy.ndarray:
    length = len(days)
    level = float(numpy.exp(random.uniform(*numpy.log(world.levels))))
    weekday = numpy.array([d.weekday() for d in days])
    shape = numpy.ones(length)
    t = numpy.arange(length)
    if kind == "weekday":
        shape *= numpy.where(weekday < 5, 1, random.uniform(0.4, 0.8)) * (
            1 + 0.05 * random.standard_normal(7)[weekday]
        )
    elif kind == "office":
        shape *= numpy.where(weekday < 5, 1, random.choice([0.0, 0.02, 0.05, 0.12, 0.2]))
    elif kind == "retail":
        shape *= numpy.array([0.95, 0.94, 0.95, 0.98, 1.03, 1.12, 1.15])[weekday] ** random.uniform(0.5, 2.5)
        if random.random() < 0.5:  # a season
            shape *= 1 + random.uniform(0.1, 0.3) * numpy.exp(
                -(((t - random.uniform(0, length)) / random.uniform(15, 40)) ** 2)
            )
    elif kind == "growing":
        shape *= (1 + random.uniform(0.03, 0.2)) ** (t / 30.4)
    elif kind == "month-end":
        shape *= numpy.where(weekday < 5, 1, random.uniform(0.3, 1.0)) * _batch(days, random)
    elif kind == "spiky":
        peaks = random.random(length) < random.uniform(0.03, 0.10)
        shape *= 1 + peaks * random.gamma(2, random.uniform(0.15, 0.5), length)
    elif kind == "intermittent":
        on = random.random(length) < random.uniform(0.3, 0.85)
        shape *= on * numpy.exp(0.3 * random.standard_normal(length))
    elif kind == "steps":
        at = numpy.cumsum(random.random(length) < 1 / 60)
        shape *= numpy.cumprod(1 + random.uniform(-0.08, 0.09, length + 1))[at]
    if kind not in ("growing", "steps") and random.random() < 0.5:
        shape *= (1 + random.uniform(-0.02, 0.04)) ** (t / 30.4)
    if random.random() < world.benign and kind not in ("intermittent", "spiky"):
        at = random.integers(length // 3, length)
        shape *= numpy.where(t >= at, 1 + random.uniform(-0.06, 0.06), 1)
    if world.holidays and kind in ("weekday", "office", "month-end"):
        off = [(d.month, d.day) in {(12, 25), (12, 26), (1, 1), (5, 1)} for d in days]
        shape *= numpy.where(off, 0.7, 1)
    return level * shape * _noise(world, length, random)


def _batch(days: Sequence[date], random: numpy.random.Generator) -> numpy.ndarray:
    left = numpy.array([calendar.monthrange(d.year, d.month)[1] - d.day for d in days])
    quarter = numpy.array([d.month % 3 == 0 for d in days])
    monthly, quarterly = random.uniform(0.15, 1.2), random.uniform(0.0, 0.9)
    width = int(random.integers(1, 4))
    return 1 + monthly * (left < width) + quarterly * ((left < 3) & quarter)


def _migrated(length: int, random: numpy.random.Generator) -> numpy.ndarray:
    start = random.uniform(0.3, 0.7) * length
    weeks = random.uniform(4, 9)
    return numpy.clip((numpy.arange(length) - start) / (7 * weeks), 0, 1)


def _noise(world: World, length: int, random: numpy.random.Generator) -> numpy.ndarray:
    sigma = float(numpy.exp(random.uniform(*numpy.log(world.noises))))
    law = str(random.choice(["normal", "student", "gamma"])) if world.noise == "mixed" else world.noise
    if law == "student":
        shocks = random.standard_t(4, length) / numpy.sqrt(2)
    elif law == "gamma":
        shape = 1 / sigma**2
        shocks = (random.gamma(shape, 1 / shape, length) - 1) / sigma
    else:
        shocks = random.standard_normal(length)
    rho = random.uniform(*world.autocorrelation)
    for n in range(1, length):
        shocks[n] = rho * shocks[n - 1] + numpy.sqrt(1 - rho**2) * shocks[n]
    return numpy.clip(1 + sigma * shocks, 0.05, None)


def _with_incidents(
    world: World,
    kind: str,
    name: str,
    days: Sequence[date],
    usual: numpy.ndarray,
    random: numpy.random.Generator,
) -> tuple[numpy.ndarray, list[Truth]]:
    cost, happened = usual.copy(), []
    at = world.first + int(random.exponential(world.every / 2))
    while at < len(days) - 8:
        what = str(random.choice(list(DEADLINES)))
        start, extra = _incident(what, at, days, usual, world.size, random)
        before = usual[max(0, start - 28) : start].mean()
        money = float(extra.sum())
        if start < len(days) and abs(money) >= 100 and before > 0:
            extra = extra[: len(days) - start]
            if len(extra) >= min(DEADLINES[what], 4) or what == "spike":
                money = float(extra.sum())
                if abs(money) >= 100:
                    cost[start : start + len(extra)] += extra
                    end = start + int(numpy.flatnonzero(extra)[-1])
                    happened.append(Truth(name, what, days[start], days[end], abs(money)))
                    at = end
        at += 21 + int(random.exponential(world.every))
    return cost, happened


def _incident(
    what: str,
    at: int,
    days: Sequence[date],
    usual: numpy.ndarray,
    size: float,
    random: numpy.random.Generator,
) -> tuple[int, numpy.ndarray]:
    """Its first day and the money that it adds to each day."""
    level = float(numpy.mean(usual[max(0, at - 28) : at]))
    if what == "spike":
        return at, size * level * random.uniform(0.6, 4) * random.uniform(0.7, 1, int(random.integers(1, 4)))
    if what == "drop":
        length = int(random.integers(2, 8))
        return at, -min(0.98, size * random.uniform(0.4, 0.95)) * usual[at : at + length]
    if what == "runaway":
        length = int(random.integers(7, 13))
        growth = random.uniform(1.2, 1.5)
        return at, size * level * random.uniform(0.05, 0.25) * growth ** numpy.arange(length)
    if what == "weekend leak":
        start = at + (5 - days[at].weekday()) % 7
        length = 7 * int(random.integers(2, 6)) + 2
        inside = numpy.array([(days[start] + timedelta(days=n)).weekday() >= 5 for n in range(length)], float)
        return start, size * level * random.uniform(0.3, 1.2) * inside * random.uniform(0.9, 1.1, length)
    if what == "level shift":
        length = int(random.integers(14, 46))
        return at, level * size * float(numpy.exp(random.uniform(*numpy.log([0.15, 2.0])))) * random.uniform(
            0.95, 1.05, length
        )
    length = int(random.integers(30, 71))
    return at, size * level * random.uniform(0.4, 1.5) * numpy.arange(1, length + 1) / length


@dataclass(frozen=True)
class Report:
    """What a detector said, as `detect` writes it."""

    series_id: str
    start: date
    end: date
    score: float
    first_seen: date


@dataclass(frozen=True)
class Judgement:
    found: float
    money: float
    false_alerts: float
    """Per team-month: 10 series × 30 days."""
    delay: float
    """Median days from start to first_seen of what was found."""
    by_kind: dict[str, float]
    threshold: float

    def __str__(self) -> str:
        kinds = ", ".join(f"{k} {v:.0%}" for k, v in self.by_kind.items())
        return (
            f"found {self.found:.1%}, money {self.money:.1%}, {self.false_alerts:.2f} false alerts, "
            f"delay {self.delay:g} days ({kinds})"
        )


def judge(made: Simulated, reports: Sequence[Report], threshold: float = -numpy.inf) -> Judgement:
    """The protocol: found = raised inside the incident and before its deadline; false alerts = runs of reported days outside
    incidents, each of at most 7 days."""
    reports = [r for r in reports if r.score >= threshold]
    of: dict[str, list[Truth]] = {}
    for t in made.incidents:
        of.setdefault(t.series_id, []).append(t)
    seen: dict[Truth, int] = {}
    outside: dict[str, set[date]] = {}
    for r in reports:
        inside: set[date] = set()
        for t in of.get(r.series_id, []):
            late = (r.first_seen - t.start).days
            if t.start <= r.first_seen <= t.end and late < DEADLINES[t.kind]:
                seen[t] = min(late, seen.get(t, late))
            inside |= {t.start + timedelta(days=n) for n in range((t.end - t.start).days + 1)}
        said = {r.start + timedelta(days=n) for n in range((r.end - r.start).days + 1)}
        outside.setdefault(r.series_id, set()).update(said - inside)
    false = sum(_runs(days) for days in outside.values())
    total = max(1e-9, sum(t.money for t in made.incidents))
    kinds = {
        k: float(numpy.mean([t in seen for t in made.incidents if t.kind == k]))
        for k in DEADLINES
        if any(t.kind == k for t in made.incidents)
    }
    return Judgement(
        len(seen) / max(1, len(made.incidents)),
        sum(t.money for t in seen) / total,
        false * 300 / max(1, made.series_days),
        float(numpy.median(list(seen.values()))) if seen else float("nan"),
        kinds,
        threshold,
    )


def _runs(days: set[date]) -> int:
    """Runs of consecutive days, cut after seven."""
    count, length, before = 0, 0, None
    for day in sorted(days):
        if before is not None and (day - before).days == 1 and length < 7:
            length += 1
        else:
            count, length = count + 1, 1
        before = day
    return count


def judge_at(made: Simulated, reports: Sequence[Report], false_alerts: float) -> Judgement:
    """At the lowest threshold on the score that has at most so many false alerts."""
    scores = sorted({r.score for r in reports})
    low, high = 0, len(scores)
    while low < high:
        middle = (low + high) // 2
        if judge(made, reports, scores[middle]).false_alerts <= false_alerts:
            high = middle
        else:
            low = middle + 1
    return judge(made, reports, scores[low] if low < len(scores) else numpy.inf)


def joined(parts: Sequence[tuple[Simulated, Sequence[Report]]]) -> tuple[Simulated, list[Report]]:
    """Several simulations as one, series kept apart."""
    frames, incidents, reports, total = [], [], [], 0
    for number, (made, said) in enumerate(parts):
        mark = f"{number} "
        frames.append(
            made.series.with_columns((polars.lit(mark) + polars.col("series_id")).alias("series_id"))
        )
        incidents += [replace(t, series_id=mark + t.series_id) for t in made.incidents]
        reports += [replace(r, series_id=mark + r.series_id) for r in said]
        total += made.series_days
    return Simulated(polars.concat(frames), tuple(incidents), total), reports


def simple_rule(series: polars.DataFrame) -> list[Report]:
    """40 % and 100 USD above or below the mean of the 7 days before."""
    usual = polars.col("cost").shift(1).rolling_mean(7, min_samples=5).over("series_id")
    return _daily(series.sort("series_id", "date").with_columns(usual.alias("usual")), relative=0.4)


def robust_z(series: polars.DataFrame) -> list[Report]:
    """Beyond 4 robust deviations and 100 USD from the median of the same weekday in the 8 weeks before."""
    by = ["series_id", polars.col("date").dt.weekday()]
    series = series.sort("series_id", "date").with_columns(
        polars.col("cost").shift(1).rolling_median(8, min_samples=4).over(by).alias("usual")
    )
    away = (polars.col("cost") - polars.col("usual")).abs()
    series = series.with_columns(
        (away.shift(1).rolling_median(42, min_samples=14).over("series_id") * 1.4826).alias("sigma")
    )
    return _daily(series, sigmas=4)


def _daily(series: polars.DataFrame, relative: float = 0.0, sigmas: float = 0.0) -> list[Report]:
    away = (polars.col("cost") - polars.col("usual")).abs()
    wanted = (away >= 100) & (away >= relative * polars.col("usual").abs())
    score = away / polars.max_horizontal(polars.col("usual").abs(), 1.0)
    if sigmas:
        floor = polars.max_horizontal("sigma", polars.col("usual").abs() * 0.02)
        score, wanted = away / floor, wanted & (away >= sigmas * floor)
    rows = series.filter(wanted).with_columns(score.alias("score"))
    return [
        Report(r["series_id"], r["date"], r["date"], r["score"], r["date"])
        for r in rows.iter_rows(named=True)
    ]
