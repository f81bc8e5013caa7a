"""Azure: an Enterprise Agreement in EUR, as the pair of exports ActualCost and AmortizedCost, one run a month.

A reservation's purchase stands in the actual export only; in the amortised one its price is on the usage that it
covers, and on rows for what nobody used.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy
import polars

from finops_core.demo.aws_commitments import Reservation, fill, part
from finops_core.demo.estate import Shape, accounts, digest, resource_id, shapes, tags
from finops_core.demo.incidents import Incident
from finops_core.demo.money import MICRO, Ints, cost, decimals
from finops_core.demo.seasons import LAST_DAY, Month
from finops_core.demo.totals import MonthTotals
from finops_core.demo.usage import Usage, use
from finops_core.demo.writing import write_csv, write_json

_ENROLLMENT = "0081457"
RESERVATION = Reservation(
    "wms-vm", "Virtual Machines", "D8s v5", "fn-warehouse-prod", 11, 0.2471, "All Upfront",
    date(2026, 1, 15), date(2027, 1, 14),
)  # fmt: skip
_ORDER = "/providers/Microsoft.Capacity/reservationOrders/7c1f5a2e-9d30-4b7e-8c55-1a2b3c4d5e6f"
_MARKETPLACE = 890.0
_REFUND = date(2026, 6, 9)
COLUMNS = (
    "InvoiceSectionName", "AccountName", "AccountOwnerId", "SubscriptionId", "SubscriptionName",
    "ResourceGroup", "ResourceLocation", "Date", "ProductName", "MeterCategory", "MeterSubCategory",
    "MeterId", "MeterName", "MeterRegion", "UnitOfMeasure", "Quantity", "EffectivePrice",
    "CostInBillingCurrency", "CostCenter", "ConsumedService", "ResourceId", "Tags", "OfferId",
    "AdditionalInfo", "ServiceInfo1", "ServiceInfo2", "ResourceName", "ReservationId", "ReservationName",
    "UnitPrice", "ProductOrderId", "ProductOrderName", "Term", "PublisherType", "PublisherName",
    "ChargeType", "Frequency", "PricingModel", "AvailabilityZone", "BillingAccountId", "BillingAccountName",
    "BillingCurrencyCode", "BillingPeriodStartDate", "BillingPeriodEndDate", "BillingProfileId",
    "BillingProfileName", "InvoiceSectionId", "IsAzureCreditEligible", "PartNumber", "PayGPrice",
    "PlanName", "ServiceFamily", "CostAllocationRuleName", "benefitId", "benefitName",
)  # fmt: skip
_FAMILIES = {"Virtual Machines": "Compute", "Storage": "Storage", "Backup": "Storage", "Bandwidth": "Networking",
             "SQL Database": "Databases", "SQL Managed Instance": "Databases"}  # fmt: skip


@dataclass
class Rows:
    """Rows of an export: `resource` and `day` index the month's; costs in units; further columns that differ."""

    resource: Ints
    day: Ints
    micro: Ints
    cost: Ints
    columns: dict[str, Any]


def write_month(
    root: Path, month: Month, scale: float, seed: int, incidents: Sequence[Incident]
) -> MonthTotals:
    """Writes both exports of a month. Returns what a reader of the pair must find."""
    estate = shapes("azure")
    usage = use(estate, month, scale, seed, incidents, "azure")
    rate = numpy.array([s.rate / float(s["block"]) for s in estate])[usage.shape][:, None]
    demand, micro = cost(usage.micro, rate), usage.micro.copy()
    reserved = numpy.flatnonzero(numpy.array([s.commitment != "" for s in estate])[usage.shape])
    daily = RESERVATION.daily_hours(scale)
    capacity = numpy.array([daily if RESERVATION.is_active(d) else 0 for d in month.days])
    hours = fill(capacity, micro[reserved])
    demand[reserved] -= part(demand[reserved], hours, micro[reserved])
    micro[reserved] -= hours
    paid = _nonzero(numpy.arange(len(usage.shape)), micro, demand, {"PricingModel": "OnDemand"})
    worth = numpy.asarray(RESERVATION.worth(hours))
    own = {"PricingModel": "Reservation", "ReservationId": _ORDER, "ReservationName": "wms-app-d8s",
           "benefitId": _ORDER, "benefitName": "wms-app-d8s"}  # fmt: skip
    covered = _nonzero(reserved, hours, worth, own | {"EffectivePrice": f"{RESERVATION.hourly:g}"})
    facts = _resources(estate, usage, seed)
    actual_covered = Rows(
        covered.resource, covered.day, covered.micro, covered.cost * 0, own | {"EffectivePrice": "0"}
    )
    idle = capacity - hours.sum(axis=0)
    both = _both(month, scale)
    purchase, term = _purchase(month, scale, own)
    unused = [_idle_row(d, int(n), own) for d, n in zip(month.days, idle, strict=True) if n > 0]
    parts = {
        "actual": [_frame(month, facts, r) for r in (paid, actual_covered)]
        + _single([*both, *purchase], month),
        "amortized": [_frame(month, facts, r) for r in (paid, covered)] + _single([*both, *unused], month),
    }
    for name, frames in parts.items():
        _write(root, name, month, polars.concat(frames).select(COLUMNS))
    extra = sum(row["cost"] for row in both)
    idle_cost = int(RESERVATION.worth(int(idle.sum())))
    found = MonthTotals(
        rows=len(paid.cost) + len(covered.cost) + len(both) + len(purchase) + len(unused),
        billed=int(paid.cost.sum()) + extra + term,
        effective=int(paid.cost.sum()) + int(covered.cost.sum()) + idle_cost + extra,
    )
    _by_team(found, estate, usage, (paid, covered))
    found.add_team("", idle_cost + extra)
    _count_incidents(found, estate, usage, rate, incidents)
    return found


def _nonzero(resources: Ints, micro: Ints, costs: Ints, columns: dict[str, Any]) -> Rows:
    day, at = numpy.nonzero((micro.T > 0) | (costs.T > 0))
    return Rows(resources[at], day, micro[at, day], costs[at, day], columns)


def _by_team(found: MonthTotals, estate: Sequence[Shape], usage: Usage, parts: Sequence[Rows]) -> None:
    for rows in parts:
        sums = numpy.zeros(len(estate), dtype=numpy.int64)
        numpy.add.at(sums, usage.shape[rows.resource], rows.cost)
        for shape, amount in zip(estate, sums, strict=True):
            found.add_team(shape.team, int(amount))


def _count_incidents(
    found: MonthTotals, estate: Sequence[Shape], usage: Usage, rate: Any, incidents: Sequence[Incident]
) -> None:
    for incident in incidents:
        rows = numpy.array([estate[s].key == incident.workload for s in usage.shape])
        extra = int((cost(usage.micro, rate)[rows] - cost(usage.usual, rate)[rows]).sum())
        if incident.provider == "azure" and extra:
            found.incidents[incident.key] = extra


def _us(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"


def _plain(value: float) -> str:
    return f"{value:.10f}".rstrip("0").rstrip(".")


def _resources(estate: Sequence[Shape], usage: Usage, seed: int) -> polars.DataFrame:
    return polars.DataFrame(
        [_facts(estate[s], int(n), seed) for s, n in zip(usage.shape, usage.number, strict=True)],
        infer_schema_length=None,
    )


def _facts(shape: Shape, number: int, seed: int) -> dict[str, str]:
    subscription = accounts("Azure")[shape.account]
    name = resource_id(shape, number, seed, subscription.account_id, shape["region"]) or ""
    namespace, *kinds = shape["provider"].split("/")
    path = "/".join(f"{k}/{n}" for k, n in zip(kinds, name.split("/"), strict=False))
    group = shape["resource_group"]
    full = f"/subscriptions/{subscription.account_id}/resourceGroups/{group}/providers/{namespace}/{path}"
    return {
        "SubscriptionId": subscription.account_id,
        "SubscriptionName": subscription.name,
        "ResourceGroup": group,
        "ResourceLocation": shape["region"],
        "ProductName": shape["product"],
        "MeterCategory": shape["category"],
        "MeterSubCategory": shape["subcategory"],
        "MeterId": digest("meter", shape["meter"], shape["product"])[:32],
        "MeterName": shape["meter"],
        "MeterRegion": shape["region"],
        "UnitOfMeasure": shape.unit,
        "EffectivePrice": _plain(shape.rate),
        "ConsumedService": namespace,
        "ResourceId": full if name else "",
        # The export leaves the braces out.
        "Tags": ",".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in tags(shape, number)),
        "ResourceName": name.split("/")[-1],
        "UnitPrice": _plain(shape.rate),
        "PayGPrice": _plain(float(shape["payg"])),
        "ServiceFamily": _FAMILIES.get(shape["category"], "Other"),
    }


def _same(month: Month) -> dict[str, str]:
    last = _us(month.following - timedelta(days=1))
    return {
        "AccountName": "Finch Cloud",
        "AccountOwnerId": "cloud@marlowfinch.example",
        "InvoiceSectionName": "Marlow & Finch",
        "PublisherType": "Azure",
        "PublisherName": "Microsoft",
        "ChargeType": "Usage",
        "Frequency": "UsageBased",
        "BillingAccountId": _ENROLLMENT,
        "BillingAccountName": "Marlow & Finch",
        "BillingCurrencyCode": "EUR",
        "BillingPeriodStartDate": _us(month.first),
        "BillingPeriodEndDate": last,
        "BillingProfileId": _ENROLLMENT,
        "BillingProfileName": "Marlow & Finch",
        "IsAzureCreditEligible": "True",
        "OfferId": "MS-AZR-0017P",
    }


def _frame(month: Month, facts: polars.DataFrame, rows: Rows) -> polars.DataFrame:
    own = facts[rows.resource]
    dates = polars.Series([_us(d) for d in month.days])[rows.day]
    constants = {**_same(month), **rows.columns}
    found = own.with_columns(
        dates.alias("Date"),
        polars.Series("Quantity", _trimmed(rows.micro, 6)),
        polars.Series("CostInBillingCurrency", _trimmed(rows.cost, 10)),
        *(polars.lit(value).alias(name) for name, value in constants.items()),
    )
    return _complete(found)


def _trimmed(whole: Ints, scale: int) -> polars.Series:
    """Whole numbers as texts without trailing zeros, as Azure writes them."""
    text = polars.Series(polars.from_arrow(decimals(whole, scale))).cast(polars.String)
    return text.str.strip_chars_end("0").str.strip_chars_end(".")


def _complete(frame: polars.DataFrame) -> polars.DataFrame:
    missing = [polars.lit("").alias(name) for name in COLUMNS if name not in frame.columns]
    return frame.with_columns(missing).select(COLUMNS).cast(polars.String)


def _single(rows: list[dict[str, Any]], month: Month) -> list[polars.DataFrame]:
    """Rows that are no usage, as frames."""
    frames = []
    for row in rows:
        texts = {**_same(month), **{n: v for n, v in row.items() if n not in ("cost", "day")}}
        texts |= {
            "Date": _us(row["day"]),
            "CostInBillingCurrency": _trimmed(numpy.array([row["cost"]]), 10)[0],
        }
        frames.append(_complete(polars.DataFrame([texts])))
    return frames


def _subscription(name: str) -> dict[str, str]:
    account = accounts("Azure")[name]
    return {"SubscriptionId": account.account_id, "SubscriptionName": account.name}


def _both(month: Month, scale: float) -> list[dict[str, Any]]:
    """Purchases from the marketplace, and their refund: the same in both exports."""
    row = _subscription("fn-finance-prod") | {
        "PublisherType": "Marketplace", "PublisherName": "Ledgerline", "ChargeType": "Purchase",
        "Frequency": "Recurring", "PricingModel": "OnDemand", "MeterCategory": "SaaS", "Quantity": "1",
        "ProductName": "Ledgerline tax engine, monthly plan", "UnitOfMeasure": "1", "IsAzureCreditEligible": "False",
    }  # fmt: skip
    amount = round(_MARKETPLACE * scale * 100) * 10**8
    found: list[dict[str, Any]] = [{**row, "day": month.first, "cost": amount}]
    if month.first <= _REFUND < month.following:
        found.append({**row, "ChargeType": "Refund", "day": _REFUND, "cost": -(amount // 2)})
    return found


def _purchase(month: Month, scale: float, own: dict[str, str]) -> tuple[list[dict[str, Any]], int]:
    if not month.first <= RESERVATION.start < month.following:
        return [], 0
    days = (RESERVATION.end - RESERVATION.start).days + 1
    amount = int(RESERVATION.worth(RESERVATION.daily_hours(scale) * days))
    row = own | _subscription(RESERVATION.account) | {
        "ChargeType": "Purchase", "Frequency": "OneTime", "MeterCategory": "Virtual Machines", "Quantity": "1",
        "ProductName": "Reserved VM Instance, Standard_D8s_v5, EU West, 1 Year", "UnitOfMeasure": "1", "Term": "12",
        "ConsumedService": "Microsoft.Capacity", "day": RESERVATION.start, "cost": amount,
    }  # fmt: skip
    return [row], amount


def _idle_row(day: date, micro: int, own: dict[str, str]) -> dict[str, Any]:
    return own | _subscription(RESERVATION.account) | {
        "ChargeType": "UnusedReservation", "MeterCategory": "Virtual Machines", "MeterName": "D8s v5",
        "ProductName": "Virtual Machines Dsv5 Series - D8s v5 - EU West", "UnitOfMeasure": "1 Hour",
        "Quantity": _plain(micro / MICRO), "EffectivePrice": f"{RESERVATION.hourly:g}",
        "ConsumedService": "Microsoft.Compute", "day": day, "cost": int(RESERVATION.worth(micro)),
    }  # fmt: skip


def _write(root: Path, name: str, month: Month, rows: polars.DataFrame) -> None:
    last = month.following - timedelta(days=1)
    period = f"{month.first:%Y%m%d}-{last:%Y%m%d}"
    made = (month.following if month.is_closed else LAST_DAY) + timedelta(days=2)
    run = digest("azure", name, month.label)[:32]
    folder = f"azexports/finch-{name}/{period}/{made:%Y%m%d}0600/{run}"
    blob = f"{folder}/part_0_0001.csv.gz"
    write_csv(root / blob, rows, bom=True)
    manifest = {
        "manifestVersion": "2024-04-01",
        "byteCount": (root / blob).stat().st_size,
        "blobCount": 1,
        "dataRowCount": len(rows),
        "exportConfig": {
            "exportName": f"finch-{name}",
            "resourceId": f"/providers/Microsoft.Billing/billingAccounts/{_ENROLLMENT}"
            f"/providers/Microsoft.CostManagement/exports/finch-{name}",
            "dataVersion": "2021-10-01",
            "apiVersion": "2023-07-01-preview",
            "type": "ActualCost" if name == "actual" else "AmortizedCost",
            "timeFrame": "MonthToDate",
            "granularity": "Daily",
        },
        "deliveryConfig": {
            "partitionData": True,
            "dataOverwriteBehavior": "CreateNewReport",
            "fileFormat": "Csv",
            "compressionMode": "Gzip",
        },
        "runInfo": {
            "executionType": "Scheduled",
            "submittedTime": f"{made:%Y-%m-%d}T06:00:00.0000000Z",
            "runId": run,
            "startDate": f"{month.first}T00:00:00",
            "endDate": f"{last}T00:00:00",
        },
        "blobs": [{"blobName": blob, "byteCount": (root / blob).stat().st_size, "dataRowCount": len(rows)}],
    }
    write_json(root / folder / "manifest.json", manifest)
