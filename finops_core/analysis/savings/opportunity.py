"""What could be saved, as the bill alone shows it."""

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal

from finops_core.model.query import Query


@dataclass(frozen=True)
class Opportunity:
    """A kind of waste of one team. Money in `currency`, of the 30 days that were looked at."""

    key: str
    """Stays the same from month to month: of kind, currency and team."""
    kind: str
    """The finder that found it."""
    title: str
    sentence: str
    currency: str
    cost: Decimal
    """What these charges cost in 30 days, exactly: the query's total."""
    saving: Decimal
    """An estimate of what of it could be saved a month, to the cent."""
    query: Query
    resources: tuple[tuple[str, Decimal], ...]
    """The costliest, with their cost."""
    team: str
    """Whose they are; empty where nobody's."""
    effort: str
    """S | M | L"""
    risk: str
    """low | medium | high"""
    caveats: tuple[str, ...]
    """What the bill does not show, and what to look at before anything is done."""


def key_of(kind: str, currency: str, team: str | None) -> str:
    """The key of an opportunity."""
    return hashlib.sha256(json.dumps([kind, currency, team]).encode()).hexdigest()[:12]
