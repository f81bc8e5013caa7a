"""A service, a region or another member that an account is charged for, for the first time ever."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import polars
from pydantic import Field, field_validator

from finops_core.alerting.alert import Alert, Kind, Situation, link
from finops_core.alerting.rule import Days, Rule, Severity, Where
from finops_core.model import words
from finops_core.model.engine import CURRENCY, PERIOD
from finops_core.model.query import Condition, Query
from finops_core.vocabulary.dimensions import dimension

_ACCOUNT = "SubAccountId"
_METRIC = "EffectiveCost"


class NewRule(Rule):
    """First charges of members per account, in the last days, from a floor on."""

    by: str = "ServiceName"
    above: Decimal = Field(default=Decimal(10), ge=0)
    """The least that its first days must have cost, in the currency of the charges."""
    days: Days = 14
    """How long something counts as new; the days before that must be loaded."""
    severity: Severity = "warning"
    where: Where = ()

    @field_validator("by")
    @classmethod
    def _is_dimension(cls, name: str) -> str:
        try:
            return dimension(name).name
        except Exception as error:
            raise ValueError(str(error)) from error


def find(rule: NewRule, situation: Situation) -> Iterator[Alert]:
    """An alert an account and member."""
    start = situation.span.end - timedelta(rule.days)
    if start <= situation.span.first:
        return  # everything would be new
    by = [_ACCOUNT, rule.by]
    asked = Query(_METRIC, by=[*by, "x_Team"], grain="day", where=rule.where, start=start)
    recent = situation.ledger.query(asked).filter(polars.col(rule.by).is_not_null())
    before = situation.ledger.query(Query(_METRIC, by=by, where=rule.where, end=start))
    keys = [CURRENCY, *by]
    fresh = recent.join(before, on=keys, how="anti", nulls_equal=True)
    for key, days in sorted(fresh.group_by(keys), key=lambda found: str(found[0])):
        cost = sum(days[_METRIC], Decimal(0))
        if cost >= rule.above and cost > 0:
            yield _alert(rule, tuple(None if part is None else str(part) for part in key), days, cost)


def _alert(rule: NewRule, key: tuple[str | None, ...], days: polars.DataFrame, cost: Decimal) -> Alert:
    currency, account, member = key
    first = days[PERIOD].min()
    owners = days.group_by("x_Team").agg(polars.col(_METRIC).sum()).sort(_METRIC, "x_Team")
    label = dimension(rule.by).label
    own = Condition(_ACCOUNT, "=", (account,)) if account is not None else Condition(_ACCOUNT, "is null")
    where = (Condition(CURRENCY, "=", (str(currency),)), own, Condition(rule.by, "=", (str(member),)))
    asked = Query(_METRIC, grain="day", where=where)
    return Alert(
        key="/".join(str(part) for part in (currency, account or "(none)", rule.by, member)),
        state="new",
        severity=rule.severity,
        owner=str(owners["x_Team"][-1] or ""),
        subject=f"New {label.lower()} in {account or 'no account'}: {member}",
        sentence=f"{label} {member} is charged for the first time in account {account or '(none)'}: "
        f"{words.money(cost, str(currency))} since {first!s}",
        link=link("explorer", asked),
        figures={"cost": cost},
        currency=str(currency),
    )


KIND = Kind("new", "The first charge ever of a service, region or other member in an account", NewRule, find)
