"""What savings items have really saved: their own charges against what they cost before, month by month.

Realised = baseline cost a day × days × volume factor − actual cost, from the day on which an item shows. Net is that less what doing it cost. A
charge counts for one item: what an item that showed earlier measures is left out of one that showed later, before and after, and said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext

from finops_core.analysis.units import known_metrics
from finops_core.analysis.units.metrics import Metric, metric_named
from finops_core.model import words
from finops_core.model.engine import CURRENCY
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months, month_start
from finops_core.model.query import AllOf, Condition, Node, Not, Query
from finops_core.model.span import span
from finops_core.store.savings import (
    DONE,
    NO_VOLUME,
    ONCE,
    RECURRING,
    UNITS,
    USAGE,
    VERIFIED,
    SavingsItem,
)
from finops_core.store.unit_tables import DAY, QUANTITY

_NOTHING, _ONE = Decimal(0), Decimal(1)
_PLACES = Decimal(1).scaleb(-18)
_USED = (
    Condition("ChargeCategory", "=", ("Usage",)),
    Condition("CommitmentDiscountStatus", "!=", ("Unused",)),
)


@dataclass(frozen=True)
class Realised:
    """What an item saved in a month, in its currency. `gross` = `baseline` − `actual`; `net` = `gross` − `cost`. Below 0 it cost more."""

    key: str
    title: str
    kind: str
    currency: str
    month: date
    days: int
    baseline: Decimal
    """What these days would have cost without it: the baseline's cost a day, by days and volume."""
    actual: Decimal
    volume_factor: Decimal
    """Volume a day of the month ÷ that of the baseline; 1 where the item is not adjusted."""
    gross: Decimal
    cost: Decimal
    net: Decimal
    verified: bool
    note: str = ""

    @property
    def sentence(self) -> str:
        """`Would have cost 1,200 USD, cost 900: saved 300, net 250.`"""
        told = f"{self.month:%B %Y}, {self.days} days: would have cost {words.money(self.baseline, self.currency)}"
        if self.volume_factor != 1:
            told += f" (volume × {self.volume_factor:.3f})"
        told += f", cost {words.amount(self.actual)}: saved {words.amount(self.gross)}, net {words.amount(self.net)}"
        return f"{told}; {self.note}" if self.note else told


def realised(ledger: Ledger, items: Sequence[SavingsItem], until: date | None = None) -> list[Realised]:
    """What the items that are done have saved, by item and month, up to a day (excluded; by default the last that is complete).

    One-time savings are measured in the first month from the day on which they show. Items without baseline are left out. An item whose volume is not
    known in a month is measured without it there, and that is said.
    """
    measured = sorted((i for i in items if i.is_measured), key=lambda i: (i.done_on or date.max, i.key))
    if not measured or ledger.is_empty():
        return []
    end = min(until or date.max, span(ledger).complete_until)
    units = known_metrics(ledger) if any(i.volume.startswith(UNITS) for i in measured) else {}
    found: list[Realised] = []
    for place, item in enumerate(measured):
        found += _of(ledger, item, measured[:place], end, units)
    return found


def sums(found: Sequence[Realised]) -> dict[tuple[str, str], dict[str, Decimal]]:
    """(currency, kind) → the sums of gross, cost and net, and the verified part of net."""
    result: dict[tuple[str, str], dict[str, Decimal]] = {}
    for one in found:
        own = result.setdefault(
            (one.currency, one.kind), dict.fromkeys(("gross", "cost", "net", "verified"), _NOTHING)
        )
        for name in ("gross", "cost", "net"):
            own[name] += getattr(one, name)
        if one.verified:
            own["verified"] += one.net
    return result


def planned(items: Sequence[SavingsItem], month: date) -> dict[str, Decimal]:
    """Currency → what items that are done should save in a month (its first day): from the month in which they show on; a one-time
    saving in that month alone."""
    found: dict[str, Decimal] = {}
    for item in items:
        if item.state not in (DONE, VERIFIED) or item.done_on is None:
            continue
        first = month_start(item.done_on)
        if first == month or (first < month and item.recurrence == RECURRING):
            part = _NOTHING
            with localcontext() as context:
                context.prec = 60
                days = (add_months(month, 1) - max(item.done_on, month)).days
                whole = (add_months(month, 1) - month).days
                part = item.expected_monthly if item.recurrence == ONCE else (item.expected_monthly * days / whole).quantize(_PLACES)  # fmt: skip
            found[item.currency] = found.get(item.currency, _NOTHING) + part
    return found


def _of(
    ledger: Ledger, item: SavingsItem, earlier: Sequence[SavingsItem], end: date, units: dict[str, Metric]
) -> Iterator[Realised]:
    assert item.baseline_start and item.baseline_end and item.done_on
    where, note = _apart(ledger, item, earlier, end)
    base = _cost(ledger, item, where, item.baseline_start, item.baseline_end)
    base_days = (item.baseline_end - item.baseline_start).days
    base_volume = _volume(ledger, item, where, item.baseline_start, item.baseline_end, units)
    paid = _NOTHING
    for start, stop in _months(item, end):
        days = (stop - start).days
        actual = _cost(ledger, item, where, start, stop)
        factor, doubt = _ONE, ""
        if item.volume != NO_VOLUME:
            now = _volume(ledger, item, where, start, stop, units)
            if base_volume and now:
                with localcontext() as context:
                    context.prec = 60
                    factor = (now / base_volume).quantize(_PLACES)
            else:
                doubt = f"its volume ({item.volume}) is not known then, so it is measured without it"
        with localcontext() as context:
            context.prec = 80
            expected = (base * days / base_days * factor).quantize(_PLACES)
            whole = (add_months(month_start(start), 1) - month_start(start)).days
            monthly = (item.cost_monthly * days / whole).quantize(_PLACES) if item.recurrence == RECURRING else item.cost_monthly  # fmt: skip
            cost = monthly + (item.cost_once - paid)
        paid = item.cost_once
        gross = expected - actual
        told = "; ".join(filter(None, (note, doubt)))
        yield Realised(
            item.key, item.title, item.kind, item.currency, month_start(start), days, expected, actual, factor, gross, cost, gross - cost,
            item.state == VERIFIED, told,
        )  # fmt: skip


def _months(item: SavingsItem, end: date) -> Iterator[tuple[date, date]]:
    """The days of each month in which an item shows, [start, stop)."""
    assert item.done_on
    start = item.done_on
    while start < end:
        stop = add_months(month_start(start), 1)
        yield start, min(stop, end)
        start = stop
        if item.recurrence == ONCE:
            return


def _apart(
    ledger: Ledger, item: SavingsItem, earlier: Sequence[SavingsItem], end: date
) -> tuple[tuple[Node, ...], str]:
    """An item's conditions without the charges that earlier ones measure, and which those are."""
    where = list(item.conditions)
    shared = []
    for other in earlier:
        if other.currency != item.currency or other.metric != item.metric:
            continue
        both = (*item.conditions, *other.conditions)
        if ledger.query(_query(item, both, min(item.baseline_start or end, end - timedelta(1)), end)).height:
            own = other.conditions
            where.append(Not(own[0] if len(own) == 1 else AllOf(own)))
            shared.append(other.key)
    return tuple(where), f"without charges that {', '.join(shared)} counts" if shared else ""


def _query(item: SavingsItem, where: Sequence[Node], start: date, end: date, metric: str = "") -> Query:
    only = Condition(CURRENCY, "=", (item.currency,))
    return Query(metric or item.metric, where=(*where, only), start=start, end=end)


def _cost(ledger: Ledger, item: SavingsItem, where: Sequence[Node], start: date, end: date) -> Decimal:
    found = ledger.query(_query(item, where, start, end))
    value = found[item.metric].sum() if len(found) else None
    return Decimal(value) if value is not None else _NOTHING


def _volume(
    ledger: Ledger, item: SavingsItem, where: Sequence[Node], start: date, end: date, units: dict[str, Metric]
) -> Decimal | None:
    """The volume a day of some days; None where it is not known, nothing, or of several units."""
    if item.volume == USAGE:
        asked = _query(item, (*where, *_USED), start, end, "PricingQuantity").but(by=("PricingUnit",))
        found = ledger.query(asked).drop_nulls("PricingUnit")
        value = float(found["PricingQuantity"].sum() or 0.0) if len(found) == 1 else 0.0
        return _a_day(Decimal(repr(value)), (end - start).days)
    if item.volume.startswith(UNITS):
        metric = metric_named(units, item.volume.removeprefix(UNITS))
        table = metric.table.filter((metric.table[DAY] >= start) & (metric.table[DAY] < end))
        told = table[DAY].unique()
        days = sum((add_months(day, 1) - day).days for day in told) if metric.monthly else len(told)
        return _a_day(Decimal(table[QUANTITY].sum() or 0), days)
    return None


def _a_day(volume: Decimal, days: int) -> Decimal | None:
    with localcontext() as context:
        context.prec = 60
        return volume / days if days and volume > 0 else None
