"""Messages: notices that go to one channel together, in words for people and as data for webhooks."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from finops_core.alerting.rule import DAILY, IMMEDIATE
from finops_core.analysis.incidents.incident import SEVERITIES
from finops_core.store.alerts import Notice

_ALONE = 5
"""Up to how many immediate alerts of one owner are a message each in a run; more are one message."""
_LISTED = 50
"""How many alerts a message tells one by one."""


@dataclass(frozen=True)
class Message:
    """One message to one channel, of one owner."""

    channel: str
    owner: str
    notices: tuple[Notice, ...]
    app: str = ""
    """The address of the app."""

    @property
    def severity(self) -> str:
        """The gravest of its alerts."""
        return max((n.alert.severity for n in self.notices), key=SEVERITIES.index)

    @property
    def title(self) -> str:
        owner = f" for {self.owner}" if self.owner else ""
        if len(self.notices) == 1:
            return f"[{self.severity}] {self.notices[0].alert.subject}{owner}"
        return f"[{self.severity}] {len(self.notices)} alerts{owner}"

    @property
    def body(self) -> str:
        """A paragraph an alert, the gravest first."""
        told = sorted(self.notices, key=lambda n: (-SEVERITIES.index(n.alert.severity), n.alert.subject))
        parts = [self._told(notice) for notice in told[:_LISTED]]
        if len(told) > _LISTED:
            parts.append(f"And {len(told) - _LISTED} more: {self.app}/alerts")
        return "\n\n".join(parts)

    def _told(self, notice: Notice) -> str:
        alert = notice.alert
        head = [f"{alert.subject} ({alert.severity}, {alert.state})"] if len(self.notices) > 1 else []
        since = f"Rule {alert.rule}, state {alert.state}, since {alert.since}"
        return "\n".join(
            [*head, f"{alert.sentence}.", since, *([f"{self.app}{alert.link}"] if self.app else [])]
        )

    def payload(self) -> dict[str, Any]:
        """What json:// and jsons:// channels get beside title, message and type: documented in docs/how-to/alerts.md."""
        return {
            "source": "farthing",
            "severity": self.severity,
            "owner": self.owner,
            "alerts": [
                {
                    "id": n.key,
                    "rule": n.alert.rule,
                    "key": n.alert.key,
                    "state": n.alert.state,
                    "severity": n.alert.severity,
                    "owner": n.alert.owner,
                    "subject": n.alert.subject,
                    "sentence": n.alert.sentence,
                    "link": f"{self.app}{n.alert.link}",
                    "currency": n.alert.currency,
                    "figures": n.alert.figures,
                    "since": n.alert.since,
                }
                for n in self.notices
            ],
        }


def due(
    kept: Sequence[Notice], now: datetime, app: str = "", rules: Iterable[str] | None = None
) -> list[Message]:
    """The messages that are to go out now, of the notices that have not arrived; by default of all rules.

    Immediate notices go at once, one message each, or one of all where an owner has many. Those of a digest go together with the first
    check of a UTC day (or ISO week, of weekly ones) that has something to tell to their owner and channel.
    """
    wanted = None if rules is None else set(rules)
    groups: dict[tuple[str, str, str], list[Notice]] = defaultdict(list)
    for notice in kept:
        if not notice.is_done and (wanted is None or notice.alert.rule in wanted):
            groups[notice.channel, notice.alert.owner, notice.digest].append(notice)
    told = {(n.channel, n.alert.owner, n.digest, _bucket(n.digest, _day(n.at))) for n in kept if n.is_done}
    messages = []
    for (channel, owner, digest), found in sorted(groups.items()):
        if digest == IMMEDIATE and len(found) <= _ALONE:
            messages += [Message(channel, owner, (notice,), app) for notice in found]
        elif digest == IMMEDIATE or (channel, owner, digest, _bucket(digest, now.date())) not in told:
            messages.append(Message(channel, owner, tuple(found), app))
    return messages


def _day(at: str) -> date:
    return date.fromisoformat(at[:10])


def _bucket(digest: str, day: date) -> str:
    return day.isoformat() if digest == DAILY else "{}-{}".format(*day.isocalendar())
