"""Unit costs of a month beside those of the month before: a line a metric, member and currency, and what moved it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import polars

from finops_core.analysis.units.change import effects
from finops_core.analysis.units.measured import MEMBER, UnitCosts, unit_costs
from finops_core.analysis.units.metrics import Metric, known_metrics
from finops_core.model import words
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months
from finops_core.model.query import Where
from finops_core.store.state import State
from finops_core.store.unit_targets import UnitTarget, targets

_NOTHING, _PLACES = Decimal(0), Decimal("0.000001")


@dataclass(frozen=True)
class UnitLine:
    """What a metric's units of a member cost in a month, and the month before. Money in `currency`, exact.

    `change` = `volume` + `efficiency` + `other`. `per_unit` and `before` are null where there were no units above 0.
    """

    metric: str
    unit: str
    scope: str
    """The column and the member, such as `product storefront`; empty for all together."""
    by: str
    member: str
    currency: str
    month: date
    units: Decimal | None
    cost: Decimal
    unmeasured: Decimal
    per_unit: Decimal | None
    units_before: Decimal | None
    cost_before: Decimal | None
    before: Decimal | None
    change: Decimal | None
    volume: Decimal
    efficiency: Decimal
    other: Decimal
    target: Decimal | None
    per: int = 1
    """So many units a price is told for."""
    trend: tuple[tuple[date, Decimal | None], ...] = field(default=(), repr=False)

    @property
    def sentence(self) -> str:
        """`1,000 requests of storefront cost 0.52 USD in October 2026, 4 % less than the month before; …`"""
        where = f" of {self.member}" if self.member else ""
        units = f"{self.per:,} {self.unit}s" if self.per > 1 else f"One {self.unit}"
        month = f"{self.month:%B %Y}"
        if self.per_unit is None:
            why = "no units are known" if self.units is None else f"units came to {self.units.normalize():f}"
            return f"{units}{where}: {why} for {month}, so it has no unit cost; {words.money(self.cost, self.currency)} was spent."
        told = f"{units}{where} cost {price(self.per_unit, self.per)} {self.currency} in {month}"
        relative = relative_change(self.per_unit, self.before)
        if self.before is None or relative is None or self.change is None:
            return f"{told}."
        more = "more" if relative > 0 else "less"
        told += f", {words.percent(abs(relative))} {more} than the month before" if relative else ", as the month before"  # fmt: skip
        return (
            f"{told}; the cost of {words.money(self.cost, self.currency)} changed by {words.signed(self.change)}:"
            f" {words.signed(self.volume)} by volume, {words.signed(self.efficiency)} by efficiency"
            f"{f', {words.signed(self.other)} on days without units' if abs(self.other) >= words.DUST else ''}."
        )

    @property
    def is_above_target(self) -> bool:
        return self.target is not None and self.per_unit is not None and self.per_unit > self.target


def unit_lines(
    ledger: Ledger,
    month: date,
    metric: str | None = None,
    by: str | None = None,
    cost: str = "EffectiveCost",
    allocated: bool = False,
    where: Where = (),
    months: int = 13,
) -> list[UnitLine]:
    """The lines of a month (its first day), of all metrics but revenue or of one, by the column that each is told by at first, or by `by` (an empty text: all together).

    A running month reaches to the last complete day. `trend` has `months` months. Raises UsageError for a metric or column that is none.
    """
    known = {
        m.name: m for m in known_metrics(ledger).values() if not m.is_revenue and metric in (None, m.name)
    }
    aims = targets(State(ledger.home))
    found: list[UnitLine] = []
    for one in known.values():
        column = (by or None) if by is not None else one.usual
        costs = unit_costs(
            ledger, one, column, add_months(month, 1 - months), add_months(month, 1), "month", cost, allocated, where
        )  # fmt: skip
        found += lines_of(costs, month, aims)
    return found


def lines_of(costs: UnitCosts, month: date, aims: Mapping[str, UnitTarget]) -> list[UnitLine]:
    """The lines of a monthly table, the costliest first."""
    found = []
    table = costs.table.with_columns(polars.col(PERIOD).cast(polars.Date))
    for (code, member), part in table.group_by(CURRENCY, MEMBER, maintain_order=True):
        by_month = {row[PERIOD]: row for row in part.iter_rows(named=True)}
        now, past = by_month.get(month), by_month.get(add_months(month, -1))
        if now is not None:
            found.append(_line(costs, str(code), member, now, past, by_month, aims))
    return sorted(found, key=lambda line: (line.currency, -line.cost, line.member))


def _line(
    costs: UnitCosts,
    code: str,
    member: str | None,
    now: Mapping[str, object],
    past: Mapping[str, object] | None,
    by_month: Mapping[date, Mapping[str, object]],
    aims: Mapping[str, UnitTarget],
) -> UnitLine:
    metric = costs.metric
    by = costs.by or ""
    aim = aims.get(UnitTarget(metric.name, by, member or "", code, _NOTHING).key)
    sides = [_side(row) for row in (past, now) if row is not None]
    other = _money(now["unmeasured"]) - (_money(past["unmeasured"]) if past else _NOTHING)
    parts = effects(sides[0], sides[1], other) if past is not None else {}
    rate: Decimal | None = now["cost_per_unit"]  # type: ignore[assignment]
    before: Decimal | None = past["cost_per_unit"] if past is not None else None  # type: ignore[assignment]
    spent = _money(past["cost"]) if past is not None else None
    name = member if member is not None else ("(none)" if costs.by else "")
    return UnitLine(
        metric.name,
        metric.unit,
        f"{by} {name}".strip(),
        by,
        name,
        code,
        now[PERIOD],  # type: ignore[arg-type]
        now["units"],  # type: ignore[arg-type]
        _money(now["cost"]),
        _money(now["unmeasured"]),
        rate,
        past["units"] if past is not None else None,  # type: ignore[arg-type]
        spent,
        before,
        _money(now["cost"]) - spent if spent is not None else None,
        parts.get("volume", _NOTHING),
        parts.get("efficiency", _NOTHING),
        parts.get("other", _NOTHING),
        aim.amount if aim is not None else None,
        per(metric, rate),
        tuple((day, row["cost_per_unit"]) for day, row in sorted(by_month.items())),  # type: ignore[misc]
    )


def _side(row: Mapping[str, object]) -> tuple[Decimal, Decimal | None]:
    return _money(row["cost"]) - _money(row["unmeasured"]), row["units"]  # type: ignore[return-value]


def _money(value: object) -> Decimal:
    assert isinstance(value, Decimal)
    return value


def relative_change(after: Decimal | None, before: Decimal | None) -> Decimal | None:
    """The change of a unit cost as a share of what it was; None where there is nothing to compare with."""
    if after is None or not before:
        return None
    found = after / before - 1
    return found.quantize(_PLACES) if abs(found) < 1000 else None


def per(metric: Metric, rate: Decimal | None) -> int:
    """So many units that their price can be read: 1, or where that is below a cent a thousand or a million."""
    if metric.means.per:
        return metric.means.per
    if not rate:
        return 1
    return next((n for n in (1, 1_000) if abs(rate) * n >= Decimal("0.01")), 1_000_000)


def price(rate: Decimal, count: int = 1) -> str:
    """A price of so many units for reading: three figures that count."""
    value = rate * count
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    places = 2 if abs(value) >= 10 else 3 if abs(value) >= 1 else 4
    return f"{value:,.{places}f}" if abs(value) >= Decimal("0.001") or not value else f"{value:.3g}"
