"""A month of a home, and what the analyses say of it; each is asked once, for all indicators and sections."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

import polars

from finops_core.analysis.budgets import Account, account
from finops_core.analysis.commitments import Commitments, commitments
from finops_core.analysis.forecasts import forecast_of
from finops_core.analysis.incidents.apart import apart, is_large
from finops_core.analysis.movers import Movers, movers
from finops_core.analysis.ownership import unallocated
from finops_core.analysis.savings import Opportunity, Realised, find, realised
from finops_core.analysis.triaging import Triaged, triaged, triaged_of
from finops_core.analysis.units import UnitLine, known_metrics, unit_costs, unit_lines
from finops_core.model.ledger import Ledger
from finops_core.model.periods import Period, add_months, month_start, previous
from finops_core.model.query import Query
from finops_core.model.span import Span, span
from finops_core.quality.freshness import SourcePeriod, source_periods
from finops_core.quality.reconciliation import Reconciliation, reconcile
from finops_core.quality.tag_exceptions import exceptions
from finops_core.quality.tag_policy import tag_policy
from finops_core.quality.tags import Coverage, coverage
from finops_core.store.budgets import BudgetLine, budgets
from finops_core.store.savings import SavingsItem, items
from finops_core.store.state import State

METRIC = "EffectiveCost"


@dataclass(frozen=True)
class Known:
    """What is known of a home, whatever month is told."""

    ledger: Ledger
    state: State

    @cached_property
    def span(self) -> Span:
        return span(self.ledger)

    @cached_property
    def budget_lines(self) -> list[BudgetLine]:
        return budgets(self.state)

    @cached_property
    def incidents(self) -> list[Triaged]:
        """All incidents as they stand, without their explanations."""
        if is_large(self.ledger):
            return apart(triaged_of, self.ledger.home)
        return triaged(self.ledger, self.state)

    @cached_property
    def items(self) -> list[SavingsItem]:
        return items(self.state)

    @cached_property
    def realised(self) -> list[Realised]:
        return realised(self.ledger, self.items)

    @cached_property
    def opportunities(self) -> list[Opportunity]:
        return find(self.ledger)

    @cached_property
    def reconciled(self) -> list[Reconciliation]:
        return reconcile(self.ledger.batches(), self.state.invoices())

    @cached_property
    def sources(self) -> list[SourcePeriod]:
        return source_periods(self.ledger.current_batches())

    @cached_property
    def forecast(self) -> polars.DataFrame:
        """Three months ahead, by currency."""
        return forecast_of(self.ledger, Query(METRIC), 3).table

    @cached_property
    def unit_months(self) -> dict[tuple[str, str, date], tuple[Decimal | None, Decimal]]:
        """(metric, currency, month) → cost per unit and cost, of each metric's members together."""
        found: dict[tuple[str, str, date], tuple[Decimal | None, Decimal]] = {}
        for metric in known_metrics(self.ledger).values():
            if not metric.is_revenue:
                table = unit_costs(self.ledger, metric).table
                rows = table.select("BillingCurrency", "ChargePeriod", "cost_per_unit", "cost").iter_rows()
                found |= {(metric.name, code, month): (rate, cost) for code, month, rate, cost in rows}
        return found


@dataclass(frozen=True)
class Situation:
    """A month of a home."""

    known: Known
    month: date
    """The first day of the month."""

    def at(self, month: date) -> "Situation":
        """The same home in another month."""
        return Situation(self.known, month)

    @property
    def ledger(self) -> Ledger:
        return self.known.ledger

    @property
    def state(self) -> State:
        return self.known.state

    @property
    def span(self) -> Span:
        return self.known.span

    @property
    def period(self) -> Period:
        """The month as a calendar has it."""
        return Period(self.month, add_months(self.month, 1))

    @property
    def days(self) -> Period:
        """Its days with charges that are complete; of a month that is over, all."""
        end = min(
            self.period.end, max(self.span.complete_until, date.fromordinal(self.month.toordinal() + 1))
        )
        return Period(self.month, end)

    @property
    def is_running(self) -> bool:
        return self.span.complete_until < self.period.end

    def query(self, *by: str, metric: str = METRIC) -> Query:
        """A question of the month."""
        return Query(metric, by=by, start=self.period.start, end=self.period.end)

    @cached_property
    def account(self) -> Account:
        return account(self.ledger, self.known.budget_lines, self.month)

    @cached_property
    def commitments(self) -> Commitments:
        return commitments(self.ledger, self.period.start, self.period.end)

    @cached_property
    def unallocated(self) -> polars.DataFrame:
        return unallocated(self.ledger, self.query())

    @cached_property
    def tags(self) -> Coverage:
        return coverage(self.ledger, self.query(), tag_policy(self.ledger.home.rules), exceptions(self.state))

    @property
    def incidents_of_month(self) -> list[Triaged]:
        """Those that went on in the month."""
        last = self.period.end
        return [t for t in self.known.incidents if t.incident.start < last and t.incident.end >= self.month]

    @cached_property
    def units(self) -> list[UnitLine]:
        return unit_lines(self.ledger, self.month, months=2)

    @cached_property
    def units_together(self) -> list[UnitLine]:
        """Each metric's members together."""
        return unit_lines(self.ledger, self.month, by="", months=2)

    @cached_property
    def _moved(self) -> dict[str, Movers]:
        return {}

    def moved(self, by: str) -> Movers:
        """What changed against the same days of the month before."""
        if by not in self._moved:
            asked = Query(METRIC, by=(by,), start=self.days.start, end=self.days.end)
            self._moved[by] = movers(self.ledger, asked, previous(self.days))
        return self._moved[by]


def situation(ledger: Ledger, month: date | None = None) -> Situation:
    """The situation of a month, by default the last whole one (the running one where there is no other)."""
    known = Known(ledger, State(ledger.home))
    return Situation(known, month_start(month) if month else known.span.usual_month)
