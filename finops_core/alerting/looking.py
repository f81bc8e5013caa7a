"""Looks at all rules, and tells what began to hold, what still does, and what ended."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from finops_core.alerting.alert import Alert, Situation
from finops_core.alerting.kinds import kinds
from finops_core.alerting.rule import Rule
from finops_core.alerting.rules import AlertRules
from finops_core.errors import FarthingError, NothingLoaded
from finops_core.store.alerts import StandingAlert
from finops_core.store.batches import plain


@dataclass(frozen=True)
class Looked:
    """What a rule found; `error` in words where it could not look, and then nothing is known of its alerts."""

    rule: Rule
    alerts: tuple[Alert, ...] = ()
    error: str = ""

    @property
    def state(self) -> str:
        """`holds`, `2 alerts`, `disabled` or `cannot look`."""
        if not self.rule.enabled:
            return "disabled"
        if self.error:
            return "cannot look"
        number = len(self.alerts)
        return "holds" if not number else f"{number} alert{'s' * (number > 1)}"


def look(rules: AlertRules, situation: Situation, only: str | None = None) -> list[Looked]:
    """What each rule finds, or the rule of one name. A rule that cannot look says so, and the others go on.

    Raises NothingLoaded for an empty store, UsageError for a rule that there is not.
    """
    wanted = [rules.named(only)] if only is not None else list(rules.rules)
    return [_looked(rule, situation) for rule in wanted]


def _looked(rule: Rule, situation: Situation) -> Looked:
    if not rule.enabled:
        return Looked(rule)
    try:
        return Looked(rule, tuple(kinds()[rule.kind].find(rule, situation)))
    except NothingLoaded:
        raise
    except FarthingError as error:
        return Looked(rule, error=str(error))


@dataclass(frozen=True)
class Changes:
    """What a look changes in what was known. Each is as it is to be recorded."""

    fired: tuple[StandingAlert, ...] = ()
    """Those that begin to stand and are told."""
    tacit: tuple[StandingAlert, ...] = ()
    """Those that begin to stand and go without saying."""
    ended: tuple[StandingAlert, ...] = field(default=())

    @property
    def all(self) -> tuple[StandingAlert, ...]:
        return (*self.fired, *self.tacit, *self.ended)


def changes(
    looked: Iterable[Looked], known: Mapping[str, StandingAlert], now: str, complete: bool
) -> Changes:
    """What is new and what ended, against what is known. Of rules that could not look nothing ends.

    `complete`: all rules of the file were looked at, so that alerts of rules that are no longer there end as well.
    """
    fired: list[StandingAlert] = []
    tacit: list[StandingAlert] = []
    standing, blind, seen = set[str](), set[str](), set[str]()
    for found in looked:
        seen.add(found.rule.name)
        if found.error:
            blind.add(found.rule.name)
        for alert in found.alerts:
            for state in (*alert.also, alert.state):
                id = alert.id(found.rule.name, state)
                before = known.get(id)
                if id not in standing and (before is None or not before.holds):
                    firing = 1 if before is None else before.firing + 1
                    one = _standing(id, found.rule, alert, state, firing, now)
                    (fired if state == alert.state else tacit).append(one)
                standing.add(id)
    ended = [
        replace(one, holds=False, ended=now)
        for id, one in known.items()
        if one.holds and id not in standing and one.rule not in blind and (complete or one.rule in seen)
    ]
    return Changes(tuple(fired), tuple(tacit), tuple(ended))


def unheard(
    looked: Iterable[Looked], known: Mapping[str, StandingAlert], told: Collection[tuple[str, int]]
) -> list[StandingAlert]:
    """Those that still stand and that no channel was told of, for there was none when they began; as they are found now.

    `told`: id and firing of the alerts of all notices.
    """
    found = []
    for one in looked:
        for alert in one.alerts:
            before = known.get(alert.id(one.rule.name))
            if (
                before is not None
                and before.holds
                and not before.tacit
                and (before.id, before.firing) not in told
            ):
                found.append(_standing(before.id, one.rule, alert, alert.state, before.firing, before.since))
    return found


def _standing(id: str, rule: Rule, alert: Alert, state: str, firing: int, now: str) -> StandingAlert:
    figures = {name: None if value is None else plain(value) for name, value in alert.figures.items()}
    return StandingAlert(
        id, rule.name, alert.key, state, alert.severity, alert.owner, alert.subject, alert.sentence, alert.link, figures,
        alert.currency, firing, now, tacit=state != alert.state,
    )  # fmt: skip


def as_json(rule: Rule, alert: Alert) -> dict[str, Any]:
    """An alert for machines: money and shares as text."""
    return {
        "rule": rule.name,
        "kind": rule.kind,
        "key": alert.key,
        "state": alert.state,
        "severity": alert.severity,
        "owner": alert.owner,
        "subject": alert.subject,
        "sentence": alert.sentence,
        "link": alert.link,
        "currency": alert.currency,
        "figures": {n: None if v is None else plain(v) for n, v in alert.figures.items()},
    }
