"""Required tags that too little of the cost carries."""

from collections.abc import Iterator
from decimal import Decimal

from finops_core.alerting.alert import Alert, Kind, Situation, link
from finops_core.alerting.rule import Days, Names, Percent, Rule, Severity, Where
from finops_core.model import words
from finops_core.model.query import Condition, Query, conditions
from finops_core.quality.tag_exceptions import exceptions
from finops_core.quality.tag_policy import tag_policy
from finops_core.quality.tags import coverage


class TagRule(Rule):
    """Coverage by cost of the required tag keys, over the last complete days."""

    below: Percent = Decimal(95)
    keys: Names = ()
    """Only these; by default all that the tag policy requires."""
    effective: bool = False
    """As it is after rules, and not as tagged at the source."""
    days: Days = 30
    severity: Severity = "warning"
    owner: str = ""
    where: Where = ()


def find(rule: TagRule, situation: Situation) -> Iterator[Alert]:
    """An alert a key and currency."""
    start, end = situation.last_days(rule.days)
    query = Query("EffectiveCost", where=rule.where, start=start, end=end)
    policy = tag_policy(situation.ledger.home.rules)
    spared = exceptions(situation.state)
    for key in coverage(situation.ledger, query, policy, spared, situation.now.date(), 1).keys:
        tally = key.tally
        share = tally.effective_coverage_by_cost if rule.effective else tally.coverage_by_cost
        if share is None or share * 100 >= rule.below or (rule.keys and key.key not in rule.keys):
            continue
        currency = key.currency or ""
        shown = query.but(where=(*conditions(query.where), Condition("BillingCurrency", "=", (currency,))))
        yield Alert(
            key=f"{key.key}/{currency}",
            state=f"below {rule.below.normalize():f} %",
            severity=rule.severity,
            owner=rule.owner,
            subject=f"Tag {key.key} covers {words.percent(share)} of cost",
            sentence=f"The tag {key.key} is on {words.percent(share)} of the cost that can carry it from {start} until {end}, below "
            f"{rule.below.normalize():f} %{' after rules' if rule.effective else ''}; "
            f"{words.money(tally.uncovered_cost, currency)} are without",
            link=link("tags", shown) + f"&key={key.key}",
            figures={
                "coverage": share,
                "taggable_cost": tally.taggable_cost,
                "uncovered_cost": tally.uncovered_cost,
            },
            currency=currency,
        )


KIND = Kind("tags", "A required tag that covers less than a share of the cost", TagRule, find)
