"""What the conditions of budgets cost by day: one question for all members of a dimension, one for each other condition."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars

from finops_core.analysis.cents import total as sum_of
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months
from finops_core.model.query import AllOf, AnyOf, Condition, Node, Not, Query
from finops_core.store.budgets import BudgetLine
from finops_core.vocabulary.dimensions import DAY_DIMENSIONS, filterable

COST = "cost"
MONEY = polars.Decimal(38, 18)
_SCHEMA: dict[str, polars.DataType | type[polars.DataType]] = {
    PERIOD: polars.Date,
    CURRENCY: polars.String,
    COST: MONEY,
}


@dataclass(frozen=True)
class Counted:
    """Which charges a budget counts, and by which cost; `where` in the spelling of a BudgetLine."""

    metric: str
    where: str
    nodes: tuple[Node, ...]

    @classmethod
    def of(cls, line: BudgetLine) -> "Counted":
        return cls(line.metric, line.where, line.nodes)

    @property
    def member(self) -> tuple[str, str | None] | None:
        """Dimension and member, where the condition is just that; None are charges without one."""
        node = self.nodes[0] if len(self.nodes) == 1 else None
        if not isinstance(node, Condition) or node.operator not in ("=", "is null"):
            return None
        found = filterable(node.dimension)
        if found.kind != "text" or found.name in (CURRENCY, *DAY_DIMENSIONS):
            return None
        return node.dimension, (node.values[0] if node.values else None)

    def query(self, start: date, end: date, currency: str | None = None) -> Query:
        """Its question over a range of days, in one currency where one is named."""
        own = () if currency is None else (Condition(CURRENCY, "=", (currency,)),)
        return Query(self.metric, where=(*self.nodes, *own), start=start, end=end)


def by_day(
    ledger: Ledger, asked: Iterable[Counted], start: date, end: date
) -> dict[Counted, polars.DataFrame]:
    """ChargePeriod (Date), BillingCurrency, cost (Decimal, an unknown sum 0) of each, by day of [start, end)."""
    found: dict[Counted, polars.DataFrame] = {}
    members: dict[tuple[str, str], list[tuple[Counted, str | None]]] = defaultdict(list)
    for counted in dict.fromkeys(asked):
        if counted.member is None:
            query = counted.query(start, end).but(grain="day")
            found[counted] = _days(ledger.query(query), counted.metric)
        else:
            name, member = counted.member
            members[counted.metric, name].append((counted, member))
    for (metric, name), some in members.items():
        answer = ledger.query(Query(metric, by=(name,), grain="day", start=start, end=end))
        for counted, member in some:
            column = polars.col(name)
            own = answer.filter(column.is_null() if member is None else column == member)
            found[counted] = _days(own, metric)
    return found


def _days(answer: polars.DataFrame, metric: str) -> polars.DataFrame:
    if answer.is_empty():
        return polars.DataFrame(schema=_SCHEMA)
    cost = polars.col(metric).cast(MONEY).fill_null(Decimal(0)).alias(COST)
    return answer.select(polars.col(PERIOD).cast(polars.Date), CURRENCY, cost)


def total(days: polars.DataFrame, currency: str, start: date, end: date) -> Decimal:
    """The exact sum of a currency over days of [start, end)."""
    own = (polars.col(CURRENCY) == currency) & (polars.col(PERIOD) >= start) & (polars.col(PERIOD) < end)
    return Decimal(days.filter(own)[COST].sum() or 0)


def left_over(asked: Collection[Counted]) -> tuple[Node, ...] | None:
    """Conditions of the charges that none of them counts; None where one counts all."""
    if any(not counted.nodes for counted in asked):
        return None
    members: dict[str, list[str]] = defaultdict(list)
    parts: list[Node] = []
    for counted in dict.fromkeys(asked):
        if counted.member is not None and counted.member[1] is not None:
            members[counted.member[0]].append(counted.member[1])
        else:
            parts.append(_all(counted.nodes))
    parts += [Condition(name, "in", tuple(values)) for name, values in members.items()]
    if not parts:
        return ()
    return (Not(parts[0] if len(parts) == 1 else AnyOf(tuple(parts))),)


def _all(nodes: tuple[Node, ...]) -> Node:
    return nodes[0] if len(nodes) == 1 else AllOf(nodes)


def member_named(line: BudgetLine, by: str) -> tuple[str | None] | None:
    """The one member of a dimension that a budget counts charges of (None: charges without one); None where it names none."""
    for node in line.nodes:
        for part in node.parts if isinstance(node, AllOf) else (node,):
            if isinstance(part, Condition) and part.dimension == by and part.operator in ("=", "is null"):
                return (part.values[0] if part.values else None,)
    return None


def planned(
    lines: Iterable[BudgetLine], version: str, month: date, by: str
) -> dict[tuple[str, str | None], Decimal]:
    """(currency, member) → the sum of a month's budgets that name the member; budgets that name none are left out."""
    return _by_member((key, line.amount) for key, line in _naming(lines, version, month, by))


def spent(
    ledger: Ledger, lines: Iterable[BudgetLine], version: str, month: date, by: str
) -> dict[tuple[str, str | None], Decimal]:
    """(currency, member) → what the budgets of `planned` count of the month's charges, each budget for itself."""
    own = _naming(lines, version, month, by)
    end = add_months(month, 1)
    days = by_day(ledger, (Counted.of(line) for _, line in own), month, end)
    return _by_member((key, total(days[Counted.of(line)], line.currency, month, end)) for key, line in own)


def _naming(
    lines: Iterable[BudgetLine], version: str, month: date, by: str
) -> list[tuple[tuple[str, str | None], BudgetLine]]:
    """A month's budgets that name a member, with currency and member."""
    found = []
    for line in lines:
        named = member_named(line, by)
        if named is not None and (line.version, line.month) == (version, month):
            found.append(((line.currency, named[0]), line))
    return found


def _by_member(
    amounts: Iterable[tuple[tuple[str, str | None], Decimal]],
) -> dict[tuple[str, str | None], Decimal]:
    found: dict[tuple[str, str | None], list[Decimal]] = defaultdict(list)
    for key, amount in amounts:
        found[key].append(amount)
    return {key: sum_of(each) for key, each in found.items()}
