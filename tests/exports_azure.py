"""Small Azure cost exports as Cost Management ships them, written by the tests themselves."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.exports import csv_text

Row = dict[str, str]

EA_HEADER = [
    "InvoiceSectionName",
    "AccountName",
    "AccountOwnerId",
    "SubscriptionId",
    "SubscriptionName",
    "ResourceGroup",
    "ResourceLocation",
    "Date",
    "ProductName",
    "MeterCategory",
    "MeterSubCategory",
    "MeterId",
    "MeterName",
    "UnitOfMeasure",
    "Quantity",
    "EffectivePrice",
    "CostInBillingCurrency",
    "ConsumedService",
    "ResourceId",
    "Tags",
    "OfferId",
    "AdditionalInfo",
    "ReservationId",
    "ReservationName",
    "UnitPrice",
    "ProductOrderId",
    "PublisherType",
    "PublisherName",
    "ChargeType",
    "Frequency",
    "PricingModel",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrencyCode",
    "BillingPeriodStartDate",
    "BillingPeriodEndDate",
    "PartNumber",
    "PayGPrice",
    "benefitId",
    "benefitName",
]
MCA_NAMES = {
    "CostInBillingCurrency": "costInBillingCurrency",
    "BillingCurrencyCode": "billingCurrency",
    "ResourceGroup": "resourceGroupName",
    "InvoiceSectionName": "invoiceSectionName",
}
"""What a Customer Agreement calls differently, beside the case of the first letter."""

SHOP, DATA = "5f0e0000-0000-4000-8000-000000000001", "5f0e0000-0000-4000-8000-000000000002"
RESERVATION = "/providers/Microsoft.Capacity/reservationOrders/order/reservations/one"
PLAN = "/providers/Microsoft.BillingBenefits/savingsPlanOrders/order/savingsPlans/one"
_LAST = {9: 30, 10: 31}


def azure_row(
    kind: str = "Usage", cost: object = "1", day: int = 5, month: int = 9, **changes: object
) -> Row:
    """A row of September 2026 in euros; keyword arguments replace columns."""
    row = dict.fromkeys(EA_HEADER, "")
    row |= {
        "SubscriptionId": SHOP,
        "SubscriptionName": "shop",
        "ResourceGroup": "RG-Shop",
        "ResourceLocation": "EU West",
        "Date": f"{month}/{day}/2026",
        "ProductName": "Virtual Machines Dv5 - D2s v5",
        "MeterCategory": "Virtual Machines",
        "MeterName": "D2s v5",
        "UnitOfMeasure": "1 Hour",
        "Quantity": "1",
        "CostInBillingCurrency": str(cost),
        "ConsumedService": "Microsoft.Compute",
        "ResourceId": f"/subscriptions/{SHOP}/resourceGroups/RG-Shop/providers/Microsoft.Compute/virtualMachines/VM1",
        "PublisherType": "Azure",
        "PublisherName": "Microsoft",
        "ChargeType": kind,
        "Frequency": "UsageBased"
        if kind in ("Usage", "UnusedReservation", "UnusedSavingsPlan")
        else "OneTime",
        "PricingModel": "OnDemand",
        "BillingAccountId": "0081234",
        "BillingAccountName": "Contoso",
        "BillingCurrencyCode": "EUR",
        "BillingPeriodStartDate": f"{month}/1/2026",
        "BillingPeriodEndDate": f"{month}/{_LAST[month]}/2026",
        "UnitPrice": "0",
        "PayGPrice": "0",
    }
    return row | {name: str(value) for name, value in changes.items()}


def reserved(kind: str, cost: object, **changes: object) -> Row:
    """A row of a reservation: usage that it covers, its unused part, its purchase or refund."""
    return azure_row(
        kind,
        cost,
        **{"PricingModel": "Reservation", "benefitId": RESERVATION, "benefitName": "vm", **changes},
    )


def planned(kind: str, cost: object, **changes: object) -> Row:
    """The same of a savings plan."""
    return azure_row(
        kind, cost, **{"PricingModel": "SavingsPlan", "benefitId": PLAN, "benefitName": "plan", **changes}
    )


def mca(rows: Iterable[Mapping[str, str]], **more: str) -> list[Row]:
    """Rows in the words of a Customer Agreement: camelCase, other synonyms, further columns (`more`, the same in every row)."""
    more = {"billingProfileId": "PROF-1", "billingProfileName": "Profile", "pricingCurrency": "USD"} | more
    return [
        {MCA_NAMES.get(name, name[0].lower() + name[1:]): value for name, value in row.items()} | more
        for row in rows
    ]


def write_azure(path: Path, rows: Iterable[Mapping[str, str]], header: Iterable[str] | None = None) -> Path:
    """An export of one file, with the byte order mark that Azure writes."""
    rows = list(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\ufeff" + csv_text(rows, header or (list(rows[0]) if rows else EA_HEADER)), "utf-8")
    return path


def write_azure_run(
    root: Path,
    kind: str,
    rows: list[Row],
    *,
    month: int = 9,
    run: str = "202611020600",
    export: str = "",
    scope: str = "/providers/Microsoft.Billing/billingAccounts/0081234",
    manifest: bool = True,
    parts: int = 2,
) -> Path:
    """One run of an export (`kind` ActualCost or AmortizedCost) in its folders, in parts, with its manifest."""
    export = export or f"daily-{kind.lower()}"
    period = f"2026{month:02d}01-2026{month:02d}{_LAST[month]}"
    folder = root / "exports" / export / period / run / f"guid-{run}"
    blobs = []
    for number in range(parts):
        part = rows[number::parts]
        file = write_azure(folder / f"part_{number}_0001.csv", part, EA_HEADER)
        name = f"exports/{export}/{period}/{run}/guid-{run}/{file.name}"
        blobs.append({"blobName": name, "byteCount": file.stat().st_size, "dataRowCount": len(part)})
    if manifest:
        text = {
            "manifestVersion": "2024-04-01",
            "blobCount": parts,
            "dataRowCount": len(rows),
            "exportConfig": {
                "exportName": export,
                "resourceId": f"{scope}/providers/Microsoft.CostManagement/exports/{export}",
                "dataVersion": "2021-10-01",
                "type": kind,
            },
            "runInfo": {
                "submittedTime": run,
                "runId": f"guid-{run}",
                "startDate": f"2026-{month:02d}-01T00:00:00",
            },
            "blobs": blobs,
        }
        (folder / "manifest.json").write_text(json.dumps(text))
    return folder
