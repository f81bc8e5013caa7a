"""A check: look at all rules, record what changed, and tell whom it concerns, each alert once a state.

Everything that is to be sent is recorded before (`sending`) and after (`sent`, `failed`): what failed, or was cut off, is sent at the next
check. One check runs at a time on a home.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from finops_core.alerting import channels
from finops_core.alerting.alert import Situation
from finops_core.alerting.looking import Changes, Looked, as_json, changes, look, unheard
from finops_core.alerting.messages import Message, due
from finops_core.alerting.rules import AlertRules
from finops_core.model.ledger import Ledger
from finops_core.store import alerts as kept
from finops_core.store.alerts import FAILED, SENDING, SENT, WAITING, LastCheck, Notice, StandingAlert
from finops_core.store.state import State

_PATIENCE = 3
"""After how many failures a channel is left alone until the next check."""


@dataclass(frozen=True)
class Delivery:
    """A message and how it went; `error` is empty where it arrived, and where it was not sent because nothing was to be."""

    message: Message
    error: str = ""
    sent: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "channel": self.message.channel,
            "owner": self.message.owner,
            "title": self.message.title,
            "alerts": [n.key for n in self.message.notices],
            "sent": self.sent,
            "error": self.error,
        }


@dataclass(frozen=True)
class Checked:
    """What a check found and did."""

    at: str
    looked: tuple[Looked, ...]
    changes: Changes
    deliveries: tuple[Delivery, ...]
    waiting: int
    """Notices that wait for their digest."""

    @property
    def holds(self) -> bool:
        """Whether nothing is to be told: no alert stands, every rule could look, and nothing failed to arrive."""
        return not (any(one.alerts or one.error for one in self.looked) or self.failed)

    @property
    def failed(self) -> tuple[Delivery, ...]:
        return tuple(d for d in self.deliveries if d.error)

    def to_json(self) -> dict[str, Any]:
        """For machines; docs/how-to/alerts.md says what each field means."""
        fired = {(a.rule, a.key, a.state) for a in self.changes.fired}
        found = [
            {**as_json(one.rule, a), "new": (one.rule.name, a.key, a.state) in fired}
            for one in self.looked
            for a in one.alerts
        ]
        return {
            "at": self.at,
            "holds": self.holds,
            "rules": [
                {"rule": one.rule.name, "kind": one.rule.kind, "state": one.state, "error": one.error}
                for one in self.looked
            ],
            "alerts": found,
            "ended": [
                {"rule": a.rule, "key": a.key, "state": a.state, "since": a.since} for a in self.changes.ended
            ],
            "deliveries": [d.to_json() for d in self.deliveries],
            "waiting": self.waiting,
        }


def check(
    ledger: Ledger,
    state: State,
    rules: AlertRules,
    who: str,
    *,
    now: datetime | None = None,
    only: str | None = None,
    send: bool = True,
    dry: bool = False,
) -> Checked:
    """Runs all rules, or one. With `dry` nothing is recorded or sent: deliveries say what would be. Without `send` what is new waits.

    Raises NothingLoaded for an empty store, UsageError for a rule that there is not, HomeBusy while another check runs.
    """
    moment = now or datetime.now(UTC)
    at = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    if dry:
        looked = look(rules, Situation(ledger, state, moment), only)
        known, standing = kept.alerts(state), kept.notices(state)
        found = changes(looked, known, at, only is None)
        standing += _notices(_to_tell(looked, found, known, standing), rules, at)
        messages = due(standing, moment, rules.app, _names(only))
        return _checked(at, looked, found, [Delivery(m) for m in messages], standing)
    with ledger.home.checking():
        looked = look(rules, Situation(ledger, state, moment, who), only)
        with state.writing() as connection:
            known = kept.alerts(state, connection)
            found = changes(looked, known, at, only is None)
            telling = _to_tell(looked, found, known, kept.notices(state, connection))
            kept.record_alerts(state, found.all, who, connection)
            kept.record_notices(state, _notices(telling, rules, at), who, connection)
        messages = due(kept.notices(state), moment, rules.app, _names(only)) if send else []
        deliveries = _delivered(state, messages, rules, who, at)
        checked = _checked(at, looked, found, deliveries, kept.notices(state))
        if only is None:
            standing_now = sum(len(one.alerts) for one in looked)
            kept.record_check(state, LastCheck(at, standing_now, len(checked.failed)), who)
        return checked


def _to_tell(
    looked: Sequence[Looked],
    found: Changes,
    known: Mapping[str, StandingAlert],
    standing: Iterable[Notice],
) -> list[StandingAlert]:
    """Alerts that are new, and those that began before there was a channel to tell."""
    told = {(notice.alert.id, notice.alert.firing) for notice in standing}
    return [*found.fired, *unheard(looked, known, told)]


def _names(only: str | None) -> list[str] | None:
    return None if only is None else [only]


def _checked(
    at: str,
    looked: Sequence[Looked],
    found: Changes,
    deliveries: Sequence[Delivery],
    standing: Iterable[Notice],
) -> Checked:
    told = {n.key for d in deliveries for n in d.message.notices}
    waiting = sum(not n.is_done and n.key not in told for n in standing)
    return Checked(at, tuple(looked), found, tuple(deliveries), waiting)


def _notices(fired: Iterable[StandingAlert], rules: AlertRules, at: str) -> list[Notice]:
    """A notice for each channel that a new alert goes to."""
    found = []
    for alert in fired:
        rule = rules.named(alert.rule)
        found += [
            Notice(f"{alert.id}-{alert.firing}-{channel}", alert, channel, rule.digest, WAITING, at=at)
            for channel in rules.channels_of(rule, alert.owner)
        ]
    return found


def _delivered(
    state: State, messages: Sequence[Message], rules: AlertRules, who: str, at: str
) -> list[Delivery]:
    failures: Counter[str] = Counter()
    done = []
    for message in messages:
        if failures[message.channel] >= _PATIENCE:
            done.append(Delivery(message, "not tried: the channel failed before in this check"))
            continue
        result = _deliver(state, message, rules, who, at)
        failures[message.channel] += bool(result.error)
        done.append(result)
    return done


def _deliver(state: State, message: Message, rules: AlertRules, who: str, at: str) -> Delivery:
    """Sends a message: the intent is recorded before, the result after."""
    intended = [replace(n, status=SENDING, attempts=n.attempts + 1, error="", at=at) for n in message.notices]
    kept.record_notices(state, intended, who)
    url = rules.channels.get(message.channel)
    if url is None:
        sent = channels.Sent(f"there is no channel {message.channel!r} any more")
    else:
        sent = channels.send(url, message.title, message.body, message.severity, message.payload())
    status = SENT if sent.arrived else FAILED
    kept.record_notices(state, [replace(n, status=status, error=sent.error) for n in intended], who)
    return Delivery(message, sent.error, sent.arrived)


def try_channel(rules: AlertRules, name: str, who: str) -> channels.Sent:
    """Sends a test message to a channel. Raises UsageError for one that there is not."""
    from finops_core.errors import UsageError

    if name not in rules.channels:
        raise UsageError(f"there is no channel {name!r}; known are {', '.join(rules.channels) or 'none'}")
    words = f"This is a test of the channel {name}, sent by {who}. Nothing is wrong."
    payload = {"source": "farthing", "severity": "info", "owner": "", "alerts": []}
    return channels.send(rules.channels[name], "[test] Farthing", words, "info", payload)
