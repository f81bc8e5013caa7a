"""How budgets stand in a month: spent, usual by now, forecast; and an account of the whole cost that sums to it exactly."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations

import polars

from finops_core.analysis.budgets import costs
from finops_core.analysis.budgets.costs import Counted
from finops_core.analysis.budgets.pace import MONTHS, UsualShare, in_words, usual_share
from finops_core.analysis.cents import less, total
from finops_core.analysis.forecasts import month_forecast
from finops_core.model import words
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months, month_start
from finops_core.model.query import AllOf, Query
from finops_core.model.span import Span, span
from finops_core.store.budgets import BUDGET, BudgetLine, budgets
from finops_core.store.state import State

THRESHOLDS = (Decimal("0.5"), Decimal("0.8"), Decimal(1))
"""Shares of a budget, spent, that are told of; and all of it, forecast."""
OVER, HEADING_OVER, FAR, HALF, WITHIN = "over", "heading over", "80 % spent", "50 % spent", "within"
UNBUDGETED, TWICE = "(no budget)", "(counted by more than one budget)"
NO_BUDGET, OVERLAP = "no budget", "counted twice"
"""States of the two rows that close the account."""
_MOST_PAIRS = 400
_SHARE_PLACES = Decimal("0.000001")


@dataclass(frozen=True)
class BudgetStatus:
    """A budget in a month. Money is Decimal in `currency`, exact but for the forecast; shares are of 1, at six digits."""

    name: str
    owner: str
    currency: str
    month: date
    budget: Decimal
    actual: Decimal
    """All charges of the month that are there."""
    forecast: Decimal | None
    """What the month will come to; the actual where it is over; None where nothing is known of it."""
    share: Decimal | None
    """actual ÷ budget; None where the budget is not above 0."""
    pace: Decimal | None
    """The cost of complete days ÷ the budget's usual share for those days: 1 is on pace. None where that is nothing."""
    query: Query
    """What it counts: its conditions, currency and month."""
    version: str
    metric: str
    usual: UsualShare
    through: date
    """Days of the month before this one are complete."""
    line: BudgetLine

    @property
    def crossed(self) -> tuple[str, ...]:
        """The thresholds that are passed, lowest first: `actual 50`, `actual 80`, `actual 100`, `forecast 100`."""
        found = [
            f"actual {int(bar * 100)}" for bar in THRESHOLDS if self.share is not None and self.share >= bar
        ]
        if self.budget <= 0 < self.actual:
            found.append("actual 100")
        if self.forecast is not None and self.forecast >= self.budget and self.forecast > 0:
            found.append("forecast 100")
        return tuple(found)

    @property
    def state(self) -> str:
        """`over`, `heading over` (by its forecast), `80 % spent`, `50 % spent` or `within`.

        A month that is over exactly on its budget is not over it.
        """
        if self.actual > self.budget:
            return OVER
        if self.forecast is not None and self.forecast > self.budget:
            return HEADING_OVER
        if self.share is not None and self.share >= THRESHOLDS[1]:
            return FAR
        return HALF if self.share is not None and self.share >= THRESHOLDS[0] else WITHIN

    def in_words(self) -> str:
        """The pace in a sentence."""
        return in_words(self.pace, self.usual, self.through)


@dataclass(frozen=True)
class Overlap:
    """Two budgets that count the same charges, and how much of the month's cost that is."""

    one: str
    other: str
    currency: str
    amount: Decimal

    def in_words(self) -> str:
        return f"{self.one} and {self.other} both count {words.money(self.amount, self.currency)}"


@dataclass(frozen=True)
class Account:
    """A month's cost told by budgets. For every metric and currency, exactly:

    Σ actual of `statuses` − `twice` + `unbudgeted` = `totals`, what a Query answers for the month.
    """

    month: date
    version: str
    statuses: tuple[BudgetStatus, ...]
    unbudgeted: Mapping[tuple[str, str], Decimal]
    """(metric, currency) → the cost that no budget of that metric and currency counts."""
    twice: Mapping[tuple[str, str], Decimal]
    """(metric, currency) → the cost that is counted more often than once, as often as that is too often."""
    totals: Mapping[tuple[str, str], Decimal]
    overlaps: tuple[Overlap, ...]
    more_overlaps: bool
    """Whether there were too many pairs of budgets to look for the ones that overlap."""

    def table(self) -> polars.DataFrame:
        """name, owner, BillingCurrency, month, budget, actual, forecast, share, pace, state; `actual` sums to the total.

        The rows of budgets, then, by currency, what budgets count twice (negative) and what no budget counts.
        """
        rows: list[tuple[object, ...]] = [
            (s.name, s.owner, s.currency, f"{s.month:%Y-%m}", s.budget, s.actual, s.forecast, s.share, s.pace, s.state)
            for s in self.statuses
        ]  # fmt: skip
        for name, state, found in ((TWICE, OVERLAP, self.twice), (UNBUDGETED, NO_BUDGET, self.unbudgeted)):
            for (metric, currency), amount in found.items():
                if amount or name == UNBUDGETED:
                    of = f"{name} {metric}" if len({m for m, _ in self.totals}) > 1 else name
                    shown = less(Decimal(0), amount) if state == OVERLAP else amount
                    rows.append((of, "", currency, f"{self.month:%Y-%m}", Decimal(0), shown, None, None, None, state))  # fmt: skip
        return polars.DataFrame(rows, _SCHEMA, orient="row")


_MONEY = polars.Decimal(38, 18)
_RATIO = polars.Decimal(38, 6)
_SCHEMA: dict[str, polars.DataType | type[polars.DataType]] = {
    "name": polars.String,
    "owner": polars.String,
    "BillingCurrency": polars.String,
    "month": polars.String,
    "budget": _MONEY,
    "actual": _MONEY,
    "forecast": _MONEY,
    "share": _RATIO,
    "pace": _RATIO,
    "state": polars.String,
}


def budget_status(
    ledger: Ledger, state: State, as_of: date | None = None, month: date | None = None, version: str = BUDGET
) -> list[BudgetStatus]:
    """The budgets of a version in a month, by currency, largest first; by default those of the running month.

    `as_of` leaves out charges from that day on. Raises NothingLoaded for an empty store.
    """
    return list(statuses(ledger, budgets(state), month, version, as_of))


def running_month(found: Span, as_of: date | None = None) -> date:
    """The month of the newest complete day."""
    until = min(found.complete_until, as_of) if as_of is not None else found.complete_until
    return month_start(max(until - timedelta(1), found.first))


def statuses(
    ledger: Ledger,
    lines: Sequence[BudgetLine],
    month: date | None = None,
    version: str = BUDGET,
    as_of: date | None = None,
) -> tuple[BudgetStatus, ...]:
    """As `budget_status`, of given lines."""
    known = span(ledger)
    start = month if month is not None else running_month(known, as_of)
    own = [line for line in lines if line.version == version and line.month == start]
    if not own:
        return ()
    end = add_months(start, 1)
    seen = min(end, as_of) if as_of is not None else end
    until = min(known.complete_until, as_of) if as_of is not None else known.complete_until
    through = min(max(until, start), end)
    days = costs.by_day(
        ledger, map(Counted.of, own), add_months(start, -MONTHS), max(seen, start + timedelta(1))
    )
    ahead = _forecasts(ledger, own, start, as_of) if until < end else {}
    found = [
        _status(
            line, days[Counted.of(line)], start, seen, through, ahead.get((Counted.of(line), line.currency))
        )
        for line in own
    ]
    return tuple(sorted(found, key=lambda s: (s.currency, -abs(s.budget), s.name)))


def _status(
    line: BudgetLine, days: polars.DataFrame, start: date, seen: date, through: date, ahead: Decimal | None
) -> BudgetStatus:
    end = add_months(start, 1)
    actual = costs.total(days, line.currency, start, seen)
    complete = costs.total(days, line.currency, start, through)
    own = days.filter(polars.col(CURRENCY) == line.currency)
    usual = usual_share(dict(own.select(PERIOD, costs.COST).iter_rows()), start, through)
    return BudgetStatus(
        name=line.name,
        owner=line.owner,
        currency=line.currency,
        month=start,
        budget=line.amount,
        actual=actual,
        forecast=actual if through == end else _no_less(ahead, actual, less(actual, complete)),
        share=_ratio(actual, line.amount),
        pace=_ratio(complete, line.amount * usual.share),
        query=Counted.of(line).query(start, end, line.currency),
        version=line.version,
        metric=line.metric,
        usual=usual,
        through=through,
        line=line,
    )


def _no_less(ahead: Decimal | None, actual: Decimal, late: Decimal) -> Decimal | None:
    """A forecast, but where charges for the days to come are there already: then at least these."""
    return actual if ahead is not None and late and ahead < actual else ahead


def _ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part / whole).quantize(_SHARE_PLACES) if whole > 0 and abs(part) < whole * 10**12 else None


def _forecasts(
    ledger: Ledger, lines: Sequence[BudgetLine], month: date, as_of: date | None
) -> dict[tuple[Counted, str], Decimal]:
    """The forecast of each condition and currency; one question for all members of a dimension."""
    found: dict[tuple[Counted, str], Decimal] = {}
    members: dict[tuple[str, str], list[Counted]] = defaultdict(list)
    for counted in dict.fromkeys(map(Counted.of, lines)):
        if counted.member is not None:
            members[counted.metric, counted.member[0]].append(counted)
            continue
        query = Query(counted.metric, where=counted.nodes)
        answer = month_forecast(ledger, query, month, as_of)
        found |= {(counted, row[CURRENCY]): row["forecast"] for row in answer.iter_rows(named=True)}
    for (metric, name), some in members.items():
        answer = month_forecast(ledger, Query(metric, by=(name,)), month, as_of)
        known = {(row[name], row[CURRENCY]): row["forecast"] for row in answer.iter_rows(named=True)}
        for counted in some:
            assert counted.member is not None
            own = {c: value for (member, c), value in known.items() if member == counted.member[1]}
            found |= {(counted, currency): value for currency, value in own.items()}
    return found


def account(
    ledger: Ledger,
    lines: Sequence[BudgetLine],
    month: date | None = None,
    version: str = BUDGET,
    as_of: date | None = None,
) -> Account:
    """The month's whole cost, told by the budgets of a version. Raises NothingLoaded for an empty store."""
    start = month if month is not None else running_month(span(ledger), as_of)
    found = statuses(ledger, lines, start, version, as_of)
    end = min(add_months(start, 1), as_of) if as_of is not None else add_months(start, 1)
    end = max(end, start + timedelta(1))
    unbudgeted: dict[tuple[str, str], Decimal] = {}
    twice: dict[tuple[str, str], Decimal] = {}
    totals: dict[tuple[str, str], Decimal] = {}
    for metric in sorted({s.metric for s in found} or {"EffectiveCost"}):
        whole = ledger.query(Query(metric, start=start, end=end))
        sums = {row[CURRENCY]: row[metric] or Decimal(0) for row in whole.iter_rows(named=True)}
        for currency in sorted({*sums, *(s.currency for s in found if s.metric == metric)}):
            own = [s for s in found if (s.metric, s.currency) == (metric, currency)]
            key = (metric, currency)
            totals[key] = sums.get(currency, Decimal(0))
            unbudgeted[key] = _left_over(ledger, own, metric, currency, totals[key], start, end)
            counted = less(totals[key], unbudgeted[key])
            twice[key] = less(total([s.actual for s in own]), counted)
    overlaps, more = _overlaps(ledger, found, end)
    return Account(start, version, found, unbudgeted, twice, totals, overlaps, more)


def _left_over(
    ledger: Ledger,
    own: Collection[BudgetStatus],
    metric: str,
    currency: str,
    whole: Decimal,
    start: date,
    end: date,
) -> Decimal:
    if not own:
        return whole
    nodes = costs.left_over([Counted.of(s.line) for s in own])
    if nodes is None:
        return Decimal(0)
    answer = ledger.query(Query(metric, where=nodes, start=start, end=end)).filter(
        polars.col(CURRENCY) == currency
    )
    return Decimal(answer[metric].sum() or 0)


def _overlaps(ledger: Ledger, found: Sequence[BudgetStatus], end: date) -> tuple[tuple[Overlap, ...], bool]:
    pairs = [
        (a, b)
        for a, b in combinations(found, 2)
        if (a.metric, a.currency) == (b.metric, b.currency)
        and _may_meet(Counted.of(a.line), Counted.of(b.line))
    ]
    meeting = []
    for a, b in pairs[:_MOST_PAIRS]:
        nodes = (*a.line.nodes, *b.line.nodes)
        where = nodes if len(nodes) < 2 else (AllOf(nodes),)
        query = Query(("ChargeCount", a.metric), where=where, start=a.month, end=end)
        own = ledger.query(query).filter(polars.col(CURRENCY) == a.currency)
        if own["ChargeCount"].sum():
            meeting.append(Overlap(a.name, b.name, a.currency, Decimal(own[a.metric].sum() or 0)))
    return tuple(meeting), len(pairs) > _MOST_PAIRS


def _may_meet(one: Counted, other: Counted) -> bool:
    """Two members of one dimension have no charge in common."""
    if one.member is None or other.member is None or one.member[0] != other.member[0]:
        return True
    return one.member[1] == other.member[1]
