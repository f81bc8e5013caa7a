"""What changed in a month between two loads, by service; the changes sum to the difference."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb

from finops_core.errors import UsageError
from finops_core.store.batches import Batch, plain
from finops_core.store.home import Home
from finops_core.store.lake import Lake, lake_relation


@dataclass(frozen=True)
class ServiceChange:
    """One service and currency of a month in two versions."""

    currency: str
    service: str
    kind: str
    """added | removed | changed | unchanged"""
    rows: tuple[int, int]
    billed: tuple[Decimal, Decimal]
    effective: tuple[Decimal, Decimal]

    def to_json(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "BillingCurrency": self.currency,
            "ServiceName": self.service,
            "kind": self.kind,
            "rows_before": self.rows[0],
            "rows_after": self.rows[1],
        }
        for name, (before, after) in (("BilledCost", self.billed), ("EffectiveCost", self.effective)):
            record |= {
                f"{name}_before": plain(before),
                f"{name}_after": plain(after),
                f"{name}_change": plain(after - before),
            }
        return record


def versions(home: Home, source: str, period: str) -> list[Batch]:
    """The loads of a month, oldest first. Raises UsageError where there was none."""
    found = [b for b in Lake(home.lake).batches() if (b.source, b.billing_period) == (source, period)]
    if not found:
        raise UsageError(f"{source!r} has no billing period {period!r} (see `farthing sources`)")
    return found


def compare(home: Home, source: str, period: str, before: int, after: int) -> list[ServiceChange]:
    """The services of a month at two versions of the lake, those that differ first."""
    lake = Lake(home.lake)
    newest = lake.version() or 0
    for version in (before, after):
        if not 0 <= version <= newest:
            raise UsageError(f"there is no version {version}: the lake has 0 to {newest}")
    sides = [lake_relation(_files(lake, version, (source, period))) for version in (before, after)]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone='UTC'")
        rows = connection.execute(
            f"""WITH sides AS (
                    SELECT 0 AS side, BillingCurrency, ServiceName, BilledCost, EffectiveCost FROM {sides[0]}
                    UNION ALL SELECT 1, BillingCurrency, ServiceName, BilledCost, EffectiveCost FROM {sides[1]})
                SELECT BillingCurrency, coalesce(ServiceName, ''),
                       count(*) FILTER (side = 0), count(*) FILTER (side = 1),
                       coalesce(sum(BilledCost) FILTER (side = 0), 0), coalesce(sum(BilledCost) FILTER (side = 1), 0),
                       coalesce(sum(EffectiveCost) FILTER (side = 0), 0), coalesce(sum(EffectiveCost) FILTER (side = 1), 0)
                FROM sides GROUP BY ALL ORDER BY 1, 2"""
        ).fetchall()
    changes = [
        ServiceChange(currency, service, _kind(n0, n1, (b0, e0), (b1, e1)), (n0, n1), (b0, b1), (e0, e1))
        for currency, service, n0, n1, b0, b1, e0, e1 in rows
    ]
    return sorted(changes, key=lambda c: (c.kind == "unchanged", -abs(c.effective[1] - c.effective[0])))


def _files(lake: Lake, version: int, partition: tuple[str, str]) -> list[str]:
    return lake.files(version, {partition})


def _kind(
    rows_before: int, rows_after: int, before: tuple[Decimal, Decimal], after: tuple[Decimal, Decimal]
) -> str:
    if not rows_before:
        return "added"
    if not rows_after:
        return "removed"
    return "unchanged" if before == after and rows_before == rows_after else "changed"
