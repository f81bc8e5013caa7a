"""What to buy for a store: eligible use that nothing covers, by service and region, under the plans on offer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy

from finops_core.analysis.purchases.choosing import Choice, Curve, choose, curve
from finops_core.analysis.purchases.futures import LEAST, Floats, futures
from finops_core.analysis.purchases.plans import Plan, Plans, plans
from finops_core.analysis.purchases.use import PLACE, Uncovered
from finops_core.errors import UsageError
from finops_core.model import words
from finops_core.model.engine import CURRENCY
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months
from finops_core.model.query import Where
from finops_core.model.span import span

_LEAST_A_DAY = 5.0
"""On-demand use a day below which nothing is recommended: not worth anybody's signature."""
_TRANCHES = 4
_FUTURES = 400


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
    grain: str = "day"
    """day | hour: how finely use was known."""
    people: int = 1
    """How many different people must sign."""

    @property
    def what(self) -> str:
        """What it is bought for: `Amazon Relational Database Service, eu-west-1, db.r6g`."""
        return ", ".join(part for part in (self.service, self.region, self.plan.family) if part)

    @property
    def total(self) -> float:
        """What is committed over the whole term."""
        return self.choice.commitment * 365 / 12 * self.plan.term_months

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
            f"use falls below {words.percent(round(Decimal(1 - self.plan.discount), 4))} of the {self.choice.level:,.2f} {self.currency} a day that it covers"
            f" for most of its {self.plan.term_months} months"
        )


def recommend(
    ledger: Ledger,
    scenario: str = "baseline",
    risk: float | None = None,
    where: Where = (),
    as_of: date | None = None,
) -> list[Recommendation]:
    """What to buy, the most saved first: for each service and region the plan that saves most at a risk that is borne; family by family,
    where a plan is bound to one.

    Existing commitments are taken to be renewed when they end. Use is by the hour where the charges are (of the last four months), else by the
    day: an hour that is idle while others are not is then not seen. Raises UsageError for a scenario that plans.yaml does not have.
    """
    offered = plans(ledger.home)
    if scenario not in offered.scenarios:
        raise UsageError(f"there is no scenario {scenario!r}; known are {', '.join(offered.scenarios)}")
    buffer = offered.risk if risk is None else risk
    end = min(as_of or date.max, span(ledger).complete_until)
    uncovered = Uncovered.read(ledger, [s for plan in offered.plans for s in plan.services], end, where)
    found: list[Recommendation] = []
    places = uncovered.by_day.select(CURRENCY, *PLACE).unique(maintain_order=True)
    for number, (code, service, region) in enumerate(places.iter_rows()):
        part = uncovered.only(places.slice(number, 1))
        choices = []
        for plan in offered.plans:
            made = []
            for own in _bought(plan, part.of_plan(plan)):
                use = part.of_plan(own)
                days = use.days()
                if len(days) >= LEAST and float(days[-28:].mean()) >= _LEAST_A_DAY:
                    hours = use.hours()
                    known = (days, 1) if hours is None else (hours, 24)
                    made.append(
                        _of(code or "", service or "", region, own, days, known, offered, scenario, buffer)
                    )
            choices.append([m for m in made if m.choice.savings > 0])
        found += max(choices, key=lambda made: sum(m.choice.savings for m in made), default=[])
    return sorted(found, key=lambda m: m.choice.savings, reverse=True)


def _bought(plan: Plan, use: Uncovered) -> list[Plan]:
    """What is bought of a plan: itself, or one for each family of machines."""
    return [plan.of_family(name) for name in use.families()] if plan.by_family else [plan]


def _of(
    code: str,
    service: str,
    region: str | None,
    plan: Plan,
    days: Floats,
    known: tuple[Floats, int],
    offered: Plans,
    scenario: str,
    risk: float,
) -> Recommendation:
    past, per_day = known
    term = (
        round(plan.term_months * 365 / 12) if per_day == 1 else min(365, round(plan.term_months * 365 / 12))
    )
    count = _FUTURES if per_day == 1 else _FUTURES // 4
    found = curve(futures(past, term, offered.scenarios[scenario], count, per_day=per_day), plan.discount)
    choice = choose(found, plan.discount, risk)
    others = {}
    for name, supposed in offered.scenarios.items():
        use = futures(past, term, supposed, count, per_day=per_day)
        covered = numpy.minimum(use, choice.level).mean()
        others[name] = float(covered - choice.commitment) * 365 / 12
    approval = offered.approval(choice.commitment * 365 / 12 * plan.term_months)
    return Recommendation(
        code,
        service,
        region,
        plan,
        choice,
        found,
        float(days[-28:].mean()),
        others,
        approval.role,
        len(days),
        "day" if per_day == 1 else "hour",
        approval.people,
    )


def tranches(found: Recommendation, start: date, count: int = _TRANCHES) -> list[tuple[date, float]]:
    """The purchase in equal parts a quarter apart, so that not all of it ends on one day: (day, commitment a day)."""
    return [(add_months(start, 3 * n), found.choice.commitment / count) for n in range(count)]


def total_savings(found: Sequence[Recommendation]) -> dict[str, float]:
    """Currency → expected savings a month of all."""
    result: dict[str, float] = {}
    for one in found:
        result[one.currency] = result.get(one.currency, 0.0) + one.monthly_savings
    return result
