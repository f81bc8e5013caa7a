"""What a rule finds, what it looks at, and how a rule's kind is declared."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from finops_core.model.ledger import Ledger
from finops_core.model.query import Query
from finops_core.model.span import Span, span
from finops_core.store.state import State

if TYPE_CHECKING:
    from finops_core.alerting.rule import Rule


@dataclass(frozen=True)
class Alert:
    """Something that does not hold. It is told once for each `key` and `state`, until that state ends."""

    key: str
    """What it is about, the same on every day: `2026-11/Web`."""
    state: str
    """How it stands: `80 %`, `late`."""
    severity: str
    """info | warning | high | critical"""
    owner: str
    """The team that it is told to; empty where none is known."""
    subject: str
    """A few words."""
    sentence: str
    """What, where, how much and since when, without a full stop."""
    link: str
    """Where the app shows it, from its root: `/explorer?…`."""
    figures: Mapping[str, Decimal | None] = field(default_factory=dict)
    """What was measured, exactly; shares are of 1. None where a figure is not known."""
    currency: str = ""
    also: tuple[str, ...] = ()
    """States that hold too and go without saying: 50 % where 80 % is told."""

    def id(self, rule: str, state: str | None = None) -> str:
        """Names the alert of a rule in one of its states."""
        written = json.dumps([rule, self.key, self.state if state is None else state], ensure_ascii=False)
        return hashlib.sha256(written.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Situation:
    """What rules look at: the store, what people typed, and the clock (UTC)."""

    ledger: Ledger
    state: State
    now: datetime
    who: str = ""
    """Who is told, where what is reported is to be recorded; empty where nothing is to change."""

    @cached_property
    def span(self) -> Span:
        """The days that there are. Raises NothingLoaded where nothing is."""
        return span(self.ledger)

    def last_days(self, days: int) -> tuple[date, date]:
        """The last complete days, as [start, end)."""
        end = max(self.span.complete_until, self.span.first + timedelta(1))
        return max(end - timedelta(days), self.span.first), end


@dataclass(frozen=True)
class Kind:
    """A kind of rule: its name in the YAML, its fields, and how it finds alerts."""

    name: str
    description: str
    rule: "type[Rule]"
    find: Callable[[Any, Situation], Iterable[Alert]]


def link(page: str, query: Query | None = None) -> str:
    """The address of a page that asks a query."""
    return f"/{page}?{urlencode(query.to_params(), doseq=True)}" if query is not None else f"/{page}"
