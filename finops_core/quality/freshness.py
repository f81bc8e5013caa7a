"""How old the newest charge of a source is, against a target."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from finops_core.store.batches import Batch

TARGET = timedelta(hours=24)
"""How old the end of the newest charged day may be (configurable by source later)."""


@dataclass(frozen=True)
class SourcePeriod:
    """One source and billing period as it stands."""

    batch: Batch
    newest: str
    state: str
    """fresh | late | closed (a later period of the source is there)"""

    def to_json(self) -> dict[str, Any]:
        batch = self.batch
        return {
            "source": batch.source,
            "billing_period": batch.billing_period,
            "format": batch.format,
            "currency": batch.to_json()["currency"],
            "rows": batch.rows_stored,
            "BilledCost": batch.total("BilledCost"),
            "EffectiveCost": batch.total("EffectiveCost"),
            "totals": batch.totals,
            "reconciled": batch.reconciled,
            "loaded_at": batch.loaded_at,
            "newest_charge": self.newest,
            "freshness": self.state,
            "batch_id": batch.batch_id,
            "lake_version": batch.lake_version,
            "warnings": batch.warnings,
        }


def source_periods(batches: Iterable[Batch], now: datetime | None = None) -> list[SourcePeriod]:
    """The batches in force with their freshness. `now` defaults to the clock."""
    moment = now or datetime.now(UTC)
    listed = list(batches)
    last = {b.source: max(o.billing_period for o in listed if o.source == b.source) for b in listed}
    return [SourcePeriod(b, b.newest, _state(b, last[b.source], moment)) for b in listed]


def age(batch: Batch, now: datetime) -> timedelta | None:
    """How long ago the newest charged day of a batch ended; None where it has no charges."""
    if not batch.newest:
        return None
    newest = datetime.fromisoformat(batch.newest.replace("Z", "+00:00"))
    return now - (newest.replace(hour=0, minute=0, second=0) + timedelta(days=1))


def _state(batch: Batch, last: str, now: datetime) -> str:
    if batch.billing_period < last:
        return "closed"
    old = age(batch, now)
    return "fresh" if old is not None and old <= TARGET else "late"
