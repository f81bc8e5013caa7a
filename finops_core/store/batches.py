"""A batch: what one load made of one billing period of one source; kept with the lake's commit, so as lasting as the rows."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

Totals = dict[str, str]
"""Plain decimals by name: rows, the four costs, source_total and source_effective (absent where the source has none)."""


def plain(value: Decimal | int | str) -> str:
    """A plain decimal: no exponent, no trailing zeros, all digits."""
    text = format(Decimal(value), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


@dataclass
class Batch:
    source: str
    format: str
    format_version: str
    billing_period: str
    action: str
    """added | replaced | unchanged | refused"""
    files: list[str]
    rows_in: int
    rows_stored: int
    dropped: dict[str, int]
    derived: dict[str, int]
    totals: dict[str, Totals]
    """By currency."""
    reconciled: bool
    warnings: list[str]
    batch_id: str
    lake_version: int
    loaded_at: str
    fingerprint: str
    newest: str = ""
    """Newest ChargePeriodStart, ISO 8601."""
    accounts: list[str] = field(default_factory=list)
    """Keys (provider|account) of the accounts whose spend the batch holds: for overlap."""
    roles: list[str] = field(default_factory=list)
    starts: list[str] = field(default_factory=list)
    """First days of the billing periods, ISO 8601: several where they start in one calendar month."""

    @property
    def currency(self) -> str | None:
        return next(iter(self.totals)) if len(self.totals) == 1 else None

    def total(self, name: str) -> str | None:
        """A total where there is one currency; None where a sum would add currencies up."""
        return self.totals[self.currency].get(name) if self.currency else None

    def to_json(self) -> dict[str, Any]:
        """The entry of `ingest --json`."""
        record = asdict(self)
        for name in ("fingerprint", "accounts", "roles", "starts"):
            record.pop(name)
        record["currency"] = self.currency or ",".join(sorted(self.totals))
        for name in ("BilledCost", "EffectiveCost", "source_total"):
            record[name] = self.total(name)
        return record

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Batch":
        return cls(**{name: record[name] for name in cls.__dataclass_fields__ if name in record})


def in_force(batches: Iterable[Batch]) -> dict[tuple[str, str], Batch]:
    """The last of each source and billing period, of batches given oldest first."""
    return {(batch.source, batch.billing_period): batch for batch in batches}
