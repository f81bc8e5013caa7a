"""The indicators of a month, with their trend."""

from decimal import Decimal
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from finops_core.model import words
from finops_core.model.periods import add_months, month_start
from finops_core.reporting.scorecard import kpis as _kpis
from finops_core.reporting.scorecard.kpi import HOURS, Kpi, Line
from finops_core.reporting.situation import Situation
from finops_core.store.kpi_targets import KpiTarget, targets

TREND = 6
"""Months of an indicator's course."""


@cache
def kpis() -> tuple[Kpi, ...]:
    """All indicators in their order."""
    found: list[Kpi] = []
    for module in iter_modules(_kpis.__path__):
        found += import_module(f"{_kpis.__name__}.{module.name}").KPIS
    return tuple(sorted(found, key=lambda kpi: kpi.order))


def scorecard(found: Situation, months: int = TREND) -> list[Line]:
    """The indicators of a situation's month, with so many months of trend, this one last; a line a currency where it is of money."""
    first = month_start(found.span.first)
    past = [found.at(add_months(found.month, -n)) for n in range(months - 1, 0, -1)]
    situations = [*(one for one in past if one.month >= first), found]
    set_by_people = targets(found.state)
    lines: list[Line] = []
    for kpi in kpis():
        values = [(one.month, kpi.values(one)) for one in situations]
        own = set_by_people.get(kpi.name, KpiTarget())
        codes = [c for c in (*found.span.currencies, "") if any(c in told for _, told in values)]
        lines += [
            Line(
                kpi, code, found.month, values[-1][1].get(code), kpi.target if own.target is None else own.target, own.owner or kpi.owner,
                tuple((month, told.get(code)) for month, told in values),
            )
            for code in (codes or [""])
        ]  # fmt: skip
    return lines


def told(value: Decimal | None, unit: str) -> str:
    """A value of an indicator for reading."""
    if value is None:
        return "not known"
    if unit == HOURS:
        return f"{value.quantize(Decimal('0.1'))} h"
    return words.percent(value, sign=unit == "ratio")
