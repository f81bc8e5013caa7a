"""Forecasts as they were made, kept in state so that they can be held against what came: once per metric and day, never changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from finops_core.store.state import State

_KIND = "forecast"


@dataclass(frozen=True)
class Said:
    """What was said of a month of one team in one currency."""

    metric: str
    made: date
    """The first day that was not known then."""
    month: date
    currency: str
    team: str | None
    mean: Decimal
    p10: Decimal
    p90: Decimal


def keep(state: State, metric: str, made: date, rows: Iterable[Said], who: str) -> bool:
    """Keeps the forecast of a metric made on a day; False where there is one of that day already, which stays."""
    key = f"{metric} {made}"
    with state.writing() as connection:
        if key in state.kept(_KIND, connection):
            return False
        told = [
            [r.month.isoformat(), r.currency, r.team, *(format(v, "f") for v in (r.mean, r.p10, r.p90))]
            for r in rows
        ]
        state.keep(_KIND, {key: {"rows": told}}, who, connection)
    return True


def is_kept(state: State, metric: str, made: date) -> bool:
    """Whether the forecast of a day is kept already."""
    return f"{metric} {made}" in state.kept(_KIND)


def said(state: State, metric: str) -> list[Said]:
    """All forecasts of a metric that were kept, by the day they were made on."""
    found = []
    for key, kept in state.kept(_KIND).items():
        name, _, made = key.partition(" ")
        if name == metric:
            found += [
                Said(
                    metric,
                    date.fromisoformat(made),
                    date.fromisoformat(month),
                    currency,
                    team,
                    *(Decimal(v) for v in figures),
                )
                for month, currency, team, *figures in kept.record["rows"]
            ]
    return found
