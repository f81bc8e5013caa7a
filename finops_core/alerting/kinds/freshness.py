"""Sources whose newest charges are older than they should be."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from finops_core.alerting.alert import Alert, Kind, Situation
from finops_core.alerting.rule import Names, Rule, Severity
from finops_core.model import words
from finops_core.quality.freshness import TARGET, age

Hours = Annotated[int, Field(ge=1, le=24 * 366)]
_HOUR = timedelta(hours=1)


class FreshnessRule(Rule):
    """How old the end of the newest charged day of a source may be."""

    hours: Hours = TARGET // _HOUR
    targets: dict[str, Hours] = Field(default_factory=dict)
    """Of single sources."""
    sources: Names = ()
    """Only these."""
    severity: Severity = "high"
    owner: str = ""


def find(rule: FreshnessRule, situation: Situation) -> Iterator[Alert]:
    """An alert a source."""
    newest = {b.source: b for b in sorted(situation.ledger.current_batches(), key=lambda b: b.billing_period)}
    for source, batch in sorted(newest.items()):
        old = age(batch, situation.now)
        target = rule.targets.get(source, rule.hours)
        if (rule.sources and source not in rule.sources) or (old is not None and old <= target * _HOUR):
            continue
        hours = None if old is None else Decimal(old // _HOUR)
        told = (
            f"{source} has no charges"
            if hours is None
            else f"The newest day of {source}, {words.day(date.fromisoformat(batch.newest[:10]))}, ended {hours} hours ago"
        )
        yield Alert(
            key=source,
            state="late",
            severity=rule.severity,
            owner=rule.owner,
            subject=f"Source {source} is late",
            sentence=f"{told}; the target is {target} hours. It was last loaded on {words.moment(batch.loaded_at)}",
            link="/sources",
            figures={"hours": hours, "target_hours": Decimal(target)},
        )


KIND = Kind("freshness", "A source whose newest charges are older than its target", FreshnessRule, find)
