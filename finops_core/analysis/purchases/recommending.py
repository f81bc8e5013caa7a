"""What to buy for a store: eligible use that nothing covers, by service and region, under the plans on offer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy
import polars

from finops_core.analysis.commitments import HOUR, leftovers_by_day, leftovers_by_hour
from finops_core.analysis.commitments.hours import MANY
from finops_core.analysis.purchases.choosing import Choice, Curve, choose, curve
from finops_core.analysis.purchases.futures import LEAST, Floats, futures
from finops_core.analysis.purchases.plans import Plan, Plans, plans
from finops_core.errors import UsageError
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
_FUTURES = 400
_HOURS_FROM = 126
"""Days that are read by the hour: eighteen weeks."""


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

    Existing commitments are taken to be renewed when they end. Use is by the hour where the charges are (of the last four months), else by the
    day: an hour that is idle while others are not is then not seen. Raises UsageError for a scenario that plans.yaml does not have.
    """
    offered = plans(ledger.home)
    if scenario not in offered.scenarios:
        raise UsageError(f"there is no scenario {scenario!r}; known are {', '.join(offered.scenarios)}")
    buffer = offered.risk if risk is None else risk
    end = min(as_of or date.max, span(ledger).complete_until)
    asked = Condition(
        "ServiceName", "in", tuple(dict.fromkeys(s for plan in offered.plans for s in plan.services))
    )
    use = leftovers_by_day(
        ledger, (*FAMILY, _USAGE_TYPE), end - timedelta(_PAST), end, (*conditions(where), asked)
    )
    hourly = leftovers_by_hour(
        ledger, (*FAMILY, _USAGE_TYPE), end - timedelta(_HOURS_FROM), end, (*conditions(where), asked)
    )
    found = []
    for key, part in use.group_by(CURRENCY, *FAMILY, maintain_order=True):
        code, service, region = (str(k) if k is not None else None for k in key)
        made = []
        for plan in offered.plans:
            days = _daily(_covered(part, plan, service), end)
            if len(days) >= LEAST and float(days[-28:].mean()) >= _LEAST_A_DAY:
                hours = _hourly(_covered(_same(hourly, key), plan, service), end)
                fine = hours is not None and len(hours) >= LEAST * 24
                known = (hours, 24) if hours is not None and fine else (days, 1)
                made.append(
                    _of(code or "", service or "", region, plan, days, known, offered, scenario, buffer)
                )
        made = [m for m in made if m.choice.savings > 0]
        if made:
            found.append(max(made, key=lambda m: m.choice.savings))
    return sorted(found, key=lambda m: m.choice.savings, reverse=True)


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


def _same(hourly: polars.DataFrame, key: tuple[object, ...]) -> polars.DataFrame:
    """The hours of a family."""
    names = (CURRENCY, *FAMILY)
    return hourly.filter(
        *[polars.col(n).eq_missing(polars.lit(k, polars.String)) for n, k in zip(names, key, strict=True)]
    )


def _hourly(part: polars.DataFrame, end: date) -> Floats | None:
    """Use by hour, each as if all hours of a day were like it, from the first whole day; None where charges are not by the hour."""
    if part.is_empty() or part[HOUR].dt.hour().n_unique() < MANY:
        return None
    first = part[HOUR].min()
    assert isinstance(first, datetime)
    begin = datetime.combine(first.date() + timedelta(1), time())
    hours = numpy.zeros(max(0, (end - begin.date()).days * 24))
    own = part.filter(part[HOUR] >= begin)
    at = ((own[HOUR] - begin).dt.total_seconds() // 3600).cast(polars.Int64).to_numpy()
    inside = at < len(hours)
    numpy.add.at(hours, at[inside], own["on_demand"].cast(polars.Float64).to_numpy()[inside] * 24)
    return hours


def tranches(found: Recommendation, start: date, count: int = _TRANCHES) -> list[tuple[date, float]]:
    """The purchase in equal parts a quarter apart, so that not all of it ends on one day: (day, commitment a day)."""
    return [(add_months(start, 3 * n), found.choice.commitment / count) for n in range(count)]


def total_savings(found: Sequence[Recommendation]) -> dict[str, float]:
    """Currency → expected savings a month of all."""
    result: dict[str, float] = {}
    for one in found:
        result[one.currency] = result.get(one.currency, 0.0) + one.monthly_savings
    return result
