"""Reads the demo company's exports as they lie on disk, independently of the product: text to Decimal, by the rules of
each cloud's own documentation."""

import csv
import gzip
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet

Row = dict[str, Any]


def aws_rows(folder: Path) -> Iterator[Row]:
    """The rows of the current files of both generations, with the names of CUR 2.0 and costs as text."""
    for manifest in sorted(folder.glob("aws/cur/*/*/*-Manifest.json")):
        for key in json.loads(manifest.read_text())["reportKeys"]:
            for row in _csv(folder / "aws" / key):
                tags = {n: v for n, v in row.items() if v and n.startswith("resourceTags/user:")}
                yield {
                    "month": row["bill/BillingPeriodStartDate"][:7],
                    "type": row["lineItem/LineItemType"],
                    "day": row["lineItem/UsageStartDate"][:10],
                    "account": row["lineItem/UsageAccountId"],
                    "meter": row["lineItem/UsageType"],
                    "net": row["lineItem/NetUnblendedCost"],
                    "plan": row["savingsPlan/NetSavingsPlanEffectiveCost"],
                    "reservation": row["reservation/NetEffectiveCost"],
                    "committed": row["savingsPlan/TotalCommitmentToDate"],
                    "used": row["savingsPlan/UsedCommitment"],
                    "idle": row["reservation/NetUnusedAmortizedUpfrontFeeForBillingPeriod"]
                    or row["reservation/NetUnusedRecurringFee"],
                    "arn": row["savingsPlan/SavingsPlanARN"] or row["reservation/ReservationARN"],
                    "resource": row["lineItem/ResourceId"],
                    "tags": {n.removeprefix("resourceTags/user:"): v for n, v in tags.items()},
                }
    for manifest in sorted(folder.glob("aws/finch-cur2/metadata/BILLING_PERIOD=*/*-Manifest.json")):
        for key in json.loads(manifest.read_text())["dataFiles"]:
            path = folder / "aws" / key.split("/", 3)[3]
            yield from map(_cur2_row, pyarrow.parquet.read_table(path, columns=_CUR2).to_pylist())


_CUR2 = [
    "bill_billing_period_start_date",
    "line_item_line_item_type",
    "line_item_usage_start_date",
    "line_item_usage_account_id",
    "line_item_usage_type",
    "line_item_net_unblended_cost",
    "savings_plan_net_savings_plan_effective_cost",
    "reservation_net_effective_cost",
    "savings_plan_total_commitment_to_date",
    "savings_plan_used_commitment",
    "reservation_net_unused_amortized_upfront_fee_for_billing_period",
    "reservation_net_unused_recurring_fee",
    "savings_plan_savings_plan_arn",
    "reservation_reservation_arn",
    "line_item_resource_id",
    "resource_tags",
]


def _cur2_row(row: Row) -> Row:
    def text(name: str) -> str:
        return "" if row[name] is None else repr(row[name])

    return {
        "month": f"{row['bill_billing_period_start_date']:%Y-%m}",
        "type": row["line_item_line_item_type"],
        "day": f"{row['line_item_usage_start_date']:%Y-%m-%d}",
        "account": row["line_item_usage_account_id"],
        "meter": row["line_item_usage_type"],
        "net": text("line_item_net_unblended_cost"),
        "plan": text("savings_plan_net_savings_plan_effective_cost"),
        "reservation": text("reservation_net_effective_cost"),
        "committed": text("savings_plan_total_commitment_to_date"),
        "used": text("savings_plan_used_commitment"),
        "idle": text("reservation_net_unused_amortized_upfront_fee_for_billing_period")
        or text("reservation_net_unused_recurring_fee"),
        "arn": row["savings_plan_savings_plan_arn"] or row["reservation_reservation_arn"] or "",
        "resource": row["line_item_resource_id"] or "",
        "tags": {k.removeprefix("user_"): v for k, v in row["resource_tags"] if k.startswith("user_")},
    }


def aws_effective(row: Row) -> Decimal:
    """What a line item costs when commitments are spread over what they cover."""
    kind = row["type"]
    if kind == "SavingsPlanNegation":
        return Decimal(0)
    if kind == "SavingsPlanCoveredUsage":
        return Decimal(row["plan"])
    if kind == "DiscountedUsage":
        return Decimal(row["reservation"])
    if kind == "SavingsPlanRecurringFee":
        return Decimal(row["committed"]) - Decimal(row["used"])
    if kind == "RIFee":
        return Decimal(row["idle"] or "0")
    return Decimal(0) if row["arn"] else Decimal(row["net"])


def azure_rows(folder: Path, kind: str) -> Iterator[Row]:
    """The rows of one of the two exports: actual or amortized."""
    for path in sorted(folder.glob(f"azure/azexports/finch-{kind}/*/*/*/*.csv.gz")):
        for row in _csv(path):
            month, day, year = row["Date"].split("/")
            yield {
                "month": f"{year}-{int(month):02d}",
                "type": row["ChargeType"],
                "day": f"{year}-{int(month):02d}-{int(day):02d}",
                "account": row["SubscriptionId"],
                "meter": row["MeterName"],
                "cost": Decimal(row["CostInBillingCurrency"]),
                "resource": row["ResourceId"],
                "tags": json.loads("{" + row["Tags"] + "}"),
            }


def gcp_rows(folder: Path) -> Iterator[Row]:
    for path in sorted(folder.glob("gcp/*.parquet")):
        for row in pyarrow.parquet.read_table(path).to_pylist():
            month = row["invoice"]["month"]
            credits = sum((Decimal(repr(c["amount"])) for c in row["credits"]), Decimal(0))
            yield {
                "month": f"{month[:4]}-{month[4:]}",
                "type": row["cost_type"],
                "day": f"{row['usage_start_time']:%Y-%m-%d}",
                "account": (row["project"] or {}).get("id"),
                "meter": row["sku"]["description"],
                "cost": Decimal(repr(row["cost"])) + credits,
                "resource": row["resource"]["global_name"],
                "tags": {p["key"]: p["value"] for p in row["labels"]},
            }


def observa_rows(folder: Path) -> Iterator[Row]:
    for path in sorted(folder.glob("observa/*.csv")):
        for row in _csv(path):
            yield {"month": row["Usage Date"][:7], "cost": Decimal(row["Amount"])}


def totals(folder: Path) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """(source, month) → BilledCost, EffectiveCost."""
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in aws_rows(folder):
        group = sums["demo-aws", row["month"]]
        group[0] += Decimal(row["net"])
        group[1] += aws_effective(row)
    for at, kind in enumerate(("actual", "amortized")):
        for row in azure_rows(folder, kind):
            sums["demo-azure", row["month"]][at] += row["cost"]
    for source, rows in (("demo-gcp", gcp_rows(folder)), ("demo-observa", observa_rows(folder))):
        for row in rows:
            group = sums[source, row["month"]]
            group[0] += row["cost"]
            group[1] += row["cost"]
    return {key: (billed, effective) for key, (billed, effective) in sums.items()}


def daily(rows: Iterable[Row], account: str, meter: str) -> dict[str, Decimal]:
    """EffectiveCost by day of one account and meter."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if (row["account"], row["meter"]) == (account, meter):
            sums[row["day"]] += row["cost"] if "cost" in row else aws_effective(row)
    return dict(sums)


def _csv(path: Path) -> Iterator[dict[str, str]]:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    yield from csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
