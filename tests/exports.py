"""Small exports as the clouds ship them, written by the tests themselves."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

FOCUS_HEADER = [
    "BilledCost",
    "EffectiveCost",
    "ListCost",
    "ContractedCost",
    "BillingAccountId",
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "CommitmentDiscountId",
    "CommitmentDiscountStatus",
    "ConsumedQuantity",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "ResourceId",
    "ServiceCategory",
    "ServiceName",
    "SubAccountId",
    "Tags",
]


def focus_row(**changes: object) -> dict[str, str]:
    """A FOCUS charge of one dollar on 5 September 2026; keyword arguments replace columns."""
    row = dict.fromkeys(FOCUS_HEADER, "")
    row |= {
        "BilledCost": "1",
        "EffectiveCost": "1",
        "ListCost": "2",
        "ContractedCost": "1",
        "BillingAccountId": "007",
        "BillingCurrency": "USD",
        "BillingPeriodStart": "2026-09-01T00:00:00Z",
        "BillingPeriodEnd": "2026-10-01T00:00:00Z",
        "ChargeCategory": "Usage",
        "ChargePeriodStart": "2026-09-05T00:00:00Z",
        "ChargePeriodEnd": "2026-09-06T00:00:00Z",
        "ProviderName": "AWS",
        "PublisherName": "Amazon Web Services, Inc.",
        "ServiceCategory": "Compute",
        "ServiceName": "Amazon Elastic Compute Cloud",
        "SubAccountId": "0222",
        "Tags": '{"team": "search"}',
    }
    return row | {name: str(value) for name, value in changes.items()}


def csv_text(rows: Iterable[Mapping[str, str]], header: Iterable[str] | None = None) -> str:
    rows = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(header or rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_focus(path: Path, rows: Iterable[Mapping[str, str]], header: list[str] = FOCUS_HEADER) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(csv_text(rows, header), "utf-8")
    return path


CUR_HEADER = [
    "identity/LineItemId",
    "identity/TimeInterval",
    "bill/InvoiceId",
    "bill/PayerAccountId",
    "bill/BillingPeriodStartDate",
    "bill/BillingPeriodEndDate",
    "lineItem/UsageAccountId",
    "lineItem/LineItemType",
    "lineItem/UsageStartDate",
    "lineItem/UsageEndDate",
    "lineItem/ProductCode",
    "lineItem/UsageType",
    "lineItem/Operation",
    "lineItem/ResourceId",
    "lineItem/UsageAmount",
    "lineItem/CurrencyCode",
    "lineItem/UnblendedCost",
    "lineItem/LineItemDescription",
    "product/ProductName",
    "product/region",
    "product/servicecode",
    "pricing/publicOnDemandCost",
    "pricing/unit",
    "reservation/ReservationARN",
    "reservation/EffectiveCost",
    "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod",
    "reservation/UnusedRecurringFee",
    "savingsPlan/SavingsPlanARN",
    "savingsPlan/SavingsPlanEffectiveCost",
    "savingsPlan/TotalCommitmentToDate",
    "savingsPlan/UsedCommitment",
    "resourceTags/user:team",
    "resourceTags/user:Name",
    "resourceTags/user:name",
]
NET_HEADER = [
    *CUR_HEADER,
    "lineItem/NetUnblendedCost",
    "reservation/NetEffectiveCost",
    "savingsPlan/NetSavingsPlanEffectiveCost",
]
PLAN = "arn:aws:savingsplans::012345678901:savingsplan/plan"
RESERVATION = "arn:aws:ec2:us-east-1:012345678901:reserved-instances/one"


def cur_row(
    kind: str = "Usage", cost: str | Decimal = "1", day: int = 5, **changes: object
) -> dict[str, str]:
    """A line item of September 2026; keyword arguments name columns without their slash's category."""
    row = dict.fromkeys(NET_HEADER, "")
    row |= {
        "identity/TimeInterval": f"2026-09-{day:02d}T00:00:00Z/2026-09-{day + 1:02d}T00:00:00Z",
        "bill/PayerAccountId": "012345678901",
        "bill/BillingPeriodStartDate": "2026-09-01T00:00:00Z",
        "bill/BillingPeriodEndDate": "2026-10-01T00:00:00Z",
        "lineItem/UsageAccountId": "000123456789",
        "lineItem/LineItemType": kind,
        "lineItem/UsageStartDate": f"2026-09-{day:02d}T00:00:00Z",
        "lineItem/UsageEndDate": f"2026-09-{day:02d}T23:59:59Z",
        "lineItem/ProductCode": "AmazonEC2",
        "lineItem/UsageType": "BoxUsage:m6i.large",
        "lineItem/UsageAmount": "1",
        "lineItem/CurrencyCode": "USD",
        "lineItem/UnblendedCost": str(cost),
        "product/ProductName": "Amazon Elastic Compute Cloud",
        "product/region": "eu-west-1",
        "product/servicecode": "AmazonEC2",
        "pricing/unit": "Hrs",
    }
    by_end = {name.split("/", 1)[1]: name for name in NET_HEADER}
    return row | {by_end[name]: str(value) for name, value in changes.items()}


def write_cur(path: Path, rows: Iterable[Mapping[str, str]], header: Iterable[str] = CUR_HEADER) -> Path:
    """A chunk of a legacy CUR, gzipped where the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(header)
    data = csv_text([{n: row[n] for n in names} for row in rows], names).encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def write_legacy_report(
    root: Path, period: str, assembly: str, chunks: list[list[dict[str, str]]], current: bool = True
) -> None:
    """A legacy report's folders: chunks of an assembly, its own manifest, and the root manifest if it is current."""
    base = root / "cur" / "report" / period
    keys = []
    for number, rows in enumerate(chunks, start=1):
        name = f"report-{number:05d}.csv.gz"
        write_cur(base / assembly / name, rows)
        keys.append(f"cur/report/{period}/{assembly}/{name}")
    manifest = json.dumps({"assemblyId": assembly, "reportName": "report", "bucket": "b", "reportKeys": keys})
    (base / assembly / "report-Manifest.json").write_text(manifest)
    if current:
        (base / "report-Manifest.json").write_text(manifest)


def write_data_export(
    root: Path, period: str, execution: str, name: str, data: bytes, current: bool = True
) -> None:
    """A Data Exports delivery: one file of an execution, and its manifests."""
    folder = root / "export" / "data" / f"BILLING_PERIOD={period}" / execution
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    manifest = json.dumps(
        {
            "executionId": execution,
            "exportArn": "arn:aws:bcm-data-exports:us-east-1:1:export/e",
            "dataFiles": [f"s3://bucket/export/data/BILLING_PERIOD={period}/{execution}/{name}"],
        }
    )
    metadata = root / "export" / "metadata" / f"BILLING_PERIOD={period}"
    (metadata / execution).mkdir(parents=True, exist_ok=True)
    (metadata / execution / "e-Manifest.json").write_text(manifest)
    if current:
        (metadata / "e-Manifest.json").write_text(manifest)
