"""Judges alarms against known incidents: each incident once, walking forward, never point-adjusted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy
import polars
from _second_simulator import LEARN, TEAM, Estate, Incident

WEEK, MONTH = 7, 30


@dataclass(frozen=True)
class Alarm:
    """One row of `detect`'s output."""

    series_id: str
    start: date
    end: date
    score: float
    first_seen: date


@dataclass
class Verdict:
    """What was found of what there was; verdicts of several estates are added up."""

    there: int = 0
    found: int = 0
    money: float = 0.0
    money_found: float = 0.0
    false_alerts: int = 0
    team_months: float = 0.0
    delays: list[int] = field(default_factory=list)
    kinds: dict[str, list[bool]] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """False alerts per team and month."""
        return self.false_alerts / self.team_months

    def line(self) -> str:
        kinds = ", ".join(f"{kind} {numpy.mean(hits):.0%}" for kind, hits in sorted(self.kinds.items()))
        delay = numpy.median(self.delays) if self.delays else math.nan
        return (
            f"found {self.found / self.there:.1%}, money {self.money_found / self.money:.1%}, "
            f"{self.rate:.2f} false alerts, delay {delay:g} ({self.there} incidents: {kinds})"
        )


def alarms(table: polars.DataFrame) -> list[Alarm]:
    """The rows of `detect`'s output."""
    wanted = table.select("series_id", "start", "end", "score", "first_seen")
    return [Alarm(*row) for row in wanted.iter_rows()]


def judge(world: Estate, said: Sequence[Alarm], into: Verdict | None = None, strict: bool = False) -> Verdict:
    """Adds what `said` found.

    An alarm is false where no day of it lies in an incident of its series. `strict`: where any day from its being raised
    on lies outside. Each counts once for every week begun.
    """
    verdict = into or Verdict()
    by_series: dict[str, list[Alarm]] = {}
    for alarm in said:
        by_series.setdefault(alarm.series_id, []).append(alarm)
    truth: dict[str, list[Incident]] = {}
    for incident in world.incidents:
        truth.setdefault(incident.series_id, []).append(incident)
        _look_for(incident, by_series.get(incident.series_id, []), verdict)
    begin = world.first + timedelta(LEARN)
    for alarm in said:
        days = _false_days(alarm, truth.get(alarm.series_id, []), strict)
        verdict.false_alerts += math.ceil(sum(day >= begin for day in days) / WEEK)
    verdict.team_months += world.series_count / TEAM * (world.days - LEARN) / MONTH
    return verdict


def _look_for(incident: Incident, said: Sequence[Alarm], verdict: Verdict) -> None:
    raised = [a.first_seen for a in said if incident.start <= a.first_seen <= incident.deadline]
    verdict.there += 1
    verdict.money += incident.excess
    verdict.kinds.setdefault(incident.kind, []).append(bool(raised))
    if raised:
        verdict.found += 1
        verdict.money_found += incident.excess
        verdict.delays.append((min(raised) - incident.start).days)


def _false_days(alarm: Alarm, truth: Sequence[Incident], strict: bool) -> list[date]:
    last = max(alarm.end, alarm.first_seen)
    if strict:
        days = _days(alarm.first_seen, last)
        return [day for day in days if not any(i.start <= day <= i.end for i in truth)]
    if any(i.start <= last and alarm.start <= i.end for i in truth):
        return []
    return _days(alarm.start, last)


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(n) for n in range((end - start).days + 1)]


def cut(
    worlds: Sequence[tuple[Estate, Sequence[Alarm]]], rate: float, strict: bool = False
) -> tuple[float, Verdict]:
    """The lowest score from which on alarms are at most at `rate`, and the verdict on those."""
    scores = sorted({alarm.score for _, said in worlds for alarm in said} | {math.inf})
    low, high = 0, len(scores) - 1
    while low < high:
        middle = (low + high) // 2
        if _above(worlds, scores[middle], strict).rate <= rate:
            high = middle
        else:
            low = middle + 1
    return scores[low], _above(worlds, scores[low], strict)


def _above(worlds: Sequence[tuple[Estate, Sequence[Alarm]]], score: float, strict: bool) -> Verdict:
    verdict = Verdict()
    for world, said in worlds:
        judge(world, [alarm for alarm in said if alarm.score >= score], verdict, strict)
    return verdict
