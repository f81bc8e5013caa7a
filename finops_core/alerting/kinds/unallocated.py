"""Cost that nobody owns."""

from collections.abc import Iterator
from decimal import Decimal

from finops_core.alerting.alert import Alert, Kind, Situation, link
from finops_core.alerting.rule import Days, Percent, Rule, Severity, Where
from finops_core.allocation.owners import SHARED, UNALLOCATED
from finops_core.analysis.ownership import NOT_ALLOCABLE
from finops_core.model import words
from finops_core.model.engine import CURRENCY
from finops_core.model.query import AnyOf, Condition, Query, conditions

_KIND = "x_AllocationKind"
ALLOCABLE = AnyOf((Condition("ChargeCategory", "not in", NOT_ALLOCABLE), Condition(_KIND, "=", (SHARED,))))
"""Everything but taxes and credits that no pool shares."""


class UnallocatedRule(Rule):
    """EffectiveCost without an owner ÷ EffectiveCost of all allocable charges, by currency, over the last complete days."""

    above: Percent = Decimal(5)
    days: Days = 30
    severity: Severity = "warning"
    owner: str = ""
    where: Where = ()


def find(rule: UnallocatedRule, situation: Situation) -> Iterator[Alert]:
    """An alert a currency."""
    start, end = situation.last_days(rule.days)
    query = Query("EffectiveCost", by=_KIND, where=(*rule.where, ALLOCABLE), start=start, end=end)
    costs: dict[str, dict[str | None, Decimal]] = {}
    for row in situation.ledger.query(query).iter_rows(named=True):
        costs.setdefault(row[CURRENCY], {})[row[_KIND]] = row["EffectiveCost"]
    for currency, by_kind in sorted(costs.items()):
        nobody, total = by_kind.get(UNALLOCATED, Decimal(0)), sum(by_kind.values(), Decimal(0))
        if total <= 0 or nobody * 100 <= rule.above * total:
            continue
        share = nobody / total
        mine = (Condition(CURRENCY, "=", (currency,)), Condition(_KIND, "=", (UNALLOCATED,)))
        yield Alert(
            key=currency,
            state=f"above {rule.above.normalize():f} %",
            severity=rule.severity,
            owner=rule.owner,
            subject=f"{words.percent(share)} of cost has no owner",
            sentence=f"{words.money(nobody, currency)} of {words.money(total, currency)} from {start} until {end} have no owner: "
            f"{words.percent(share)}, above {rule.above.normalize():f} %",
            link=link(
                "explorer",
                query.but(by=("ServiceName",), where=(*conditions(query.where), *mine), grain="day"),
            ),
            figures={"unallocated": nobody, "allocable": total, "share": share},
            currency=currency,
        )


KIND = Kind("unallocated", "A share of cost without an owner above a share", UnallocatedRule, find)
