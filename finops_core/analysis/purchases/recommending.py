"""What to buy for a store: eligible use that nothing covers, by service and region, under the plans on offer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy
import polars

from finops_core.analysis.commitments import leftovers_by_day
from finops_core.analysis.purchases.choosing import Choice, Curve, choose, curve
from finops_core.analysis.purchases.futures import LEAST, SCENARIOS, Floats, futures
from finops_core.analysis.purchases.plans import Plan, plans
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months
from finops_core.model.query import Condition, Where, conditions
from finops_core.model.span import span

FAMILY = ("ServiceName", "RegionId")
_USAGE_TYPE = "x_UsageType"
_PAST = 364
_LEAST_A_DAY = 5.0
"""On-demand use a day below which nothing is recommended: not worth anybody's signature."""
_TRANCHES = 4


@dataclass(frozen=True)
class Recommendation:
    """A purchase: what, how much, and what is to be expected of it. Money in `currency`, per day unless said otherwise."""

    currency: str
    service: str
    region: str | None
    plan: Plan
    choice: Choice
    curve: Curve
    on_demand: float
    """Mean on-demand use a day of the last four weeks, which nothing covers."""
    scenarios: dict[str, float]
    """Scenario → expected savings a month of the same commitment under it."""
    approver: str
    days: int
    """Days of the past that it was read from."""

    @property
    def monthly_savings(self) -> float:
        return self.choice.savings * 365 / 12

    @property
    def break_even_months(self) -> float:
        """Months until what is saved has paid what is paid in advance; 0 where nothing is."""
        if not self.plan.is_upfront or not self.choice.level:
            return 0.0
        replaced = self.choice.level * self.choice.utilisation * 365 / 12
        return (
            self.choice.commitment * 365 / 12 * self.plan.term_months / replaced if replaced else float("inf")
        )

    @property
    def wrong_if(self) -> str:
        """What would make it a loss."""
        return (
            f"use falls below {1 - self.plan.discount:.0%} of the {self.choice.level:,.2f} {self.currency} a day that it covers"
            f" for most of its {self.plan.term_months} months"
        )


def recommend(
    ledger: Ledger,
    scenario: str = "baseline",
    risk: float | None = None,
    where: Where = (),
    as_of: date | None = None,
) -> list[Recommendation]:
    """What to buy, the most saved first: for each service and region the plan that saves most at a risk that is borne.

    Existing commitments are taken to be renewed when they end. Use is daily: an hour that is idle while others are not is not seen.
    """
    offered = plans(ledger.home)
    buffer = offered.risk if risk is None else risk
    end = min(as_of or date.max, span(ledger).complete_until)
    asked = Condition(
        "ServiceName", "in", tuple(dict.fromkeys(s for plan in offered.plans for s in plan.services))
    )
    use = leftovers_by_day(
        ledger, (*FAMILY, _USAGE_TYPE), end - timedelta(_PAST), end, (*conditions(where), asked)
    )
    found = []
    for key, part in use.group_by(CURRENCY, *FAMILY, maintain_order=True):
        code, service, region = (str(k) if k is not None else None for k in key)
        made = []
        for plan in offered.plans:
            days = _daily(_covered(part, plan, service), end)
            if len(days) >= LEAST and float(days[-28:].mean()) >= _LEAST_A_DAY:
                made.append(_of(code or "", service or "", region, plan, days, scenario, buffer))
        made = [m for m in made if m.choice.savings > 0]
        if made:
            found.append(max(made, key=lambda m: m.choice.savings))
    return sorted(found, key=lambda m: m.choice.savings, reverse=True)


def _of(
    code: str, service: str, region: str | None, plan: Plan, days: Floats, scenario: str, risk: float
) -> Recommendation:
    term = round(plan.term_months * 365 / 12)
    found = curve(futures(days, term, SCENARIOS[scenario]), plan.discount)
    choice = choose(found, plan.discount, risk)
    others = {}
    for name, supposed in SCENARIOS.items():
        use = futures(days, term, supposed)
        covered = numpy.minimum(use, choice.level).mean()
        others[name] = float(covered - choice.commitment) * 365 / 12
    total = choice.commitment * 365 / 12 * plan.term_months
    return Recommendation(
        code,
        service,
        region,
        plan,
        choice,
        found,
        float(days[-28:].mean()),
        others,
        approver(total),
        len(days),
    )


def approver(total: float) -> str:
    """Who must sign what is committed over a whole term: roles by amount, in the currency of the use."""
    if total < 10_000:
        return "team lead"
    return "head of engineering" if total < 100_000 else "CFO"


def _covered(part: polars.DataFrame, plan: Plan, service: str | None) -> polars.DataFrame:
    """The use of a family that a plan is for."""
    kinds = [kind for kind in part[_USAGE_TYPE].unique().to_list() if plan.covers(service, kind)]
    return part.filter(polars.col(_USAGE_TYPE).is_in(kinds, nulls_equal=True))


def _daily(part: polars.DataFrame, end: date) -> Floats:
    """Use by day from the first day that has any; days without any are 0."""
    first = part[PERIOD].min()
    if not isinstance(first, date):
        return numpy.zeros(0)
    days = numpy.zeros((end - first).days)
    at = (part[PERIOD] - first).dt.total_days().to_numpy()
    numpy.add.at(days, at, part["on_demand"].cast(polars.Float64).to_numpy())
    return days


def tranches(found: Recommendation, start: date, count: int = _TRANCHES) -> list[tuple[date, float]]:
    """The purchase in equal parts a quarter apart, so that not all of it ends on one day: (day, commitment a day)."""
    return [(add_months(start, 3 * n), found.choice.commitment / count) for n in range(count)]


def total_savings(found: Sequence[Recommendation]) -> dict[str, float]:
    """Currency → expected savings a month of all."""
    result: dict[str, float] = {}
    for one in found:
        result[one.currency] = result.get(one.currency, 0.0) + one.monthly_savings
    return result
