"""The line items of a month as one table, in the columns of CUR 2.0; money as exact decimals."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import numpy
import pyarrow
import pyarrow.compute

from finops_core.demo import aws_lines as items
from finops_core.demo.aws_commitments import PLANS, RESERVATIONS
from finops_core.demo.aws_fees import Bill
from finops_core.demo.estate import Shape, Tags, accounts, digest, resource_id, shapes, tags
from finops_core.demo.money import Ints, Mask, decimals
from finops_core.demo.usage import Usage
from finops_core.formats.expressions import mapping_rows

PAYER = "finch-payer"
_ISSUER = "Amazon Web Services, Inc."
_MONEY = pyarrow.decimal128(38, 10)
_TIME = pyarrow.timestamp("ms")
TAG_MAP = pyarrow.map_(pyarrow.string(), pyarrow.string())
_LOCATIONS = {
    "eu-west-1": "EU (Ireland)",
    "us-east-1": "US East (N. Virginia)",
    "eu-central-1": "EU (Frankfurt)",
}
_TEXTS = (
    "line_item_usage_account_id",
    "line_item_usage_account_name",
    "line_item_product_code",
    "line_item_usage_type",
    "line_item_operation",
    "line_item_availability_zone",
    "line_item_resource_id",
    "line_item_line_item_description",
    "line_item_unblended_rate",
    "product_instance_type",
    "product_location",
    "product_product_name",
    "product_region_code",
    "product_servicecode",
    "product_sku",
    "pricing_public_on_demand_rate",
    "pricing_rate_code",
    "pricing_unit",
)
"""Columns that say the same of a resource on every day."""
SCHEMA = pyarrow.schema(
    [
        ("identity_line_item_id", pyarrow.string()),
        ("identity_time_interval", pyarrow.string()),
        ("bill_bill_type", pyarrow.string()),
        ("bill_billing_entity", pyarrow.string()),
        ("bill_billing_period_start_date", _TIME),
        ("bill_billing_period_end_date", _TIME),
        ("bill_invoice_id", pyarrow.string()),
        ("bill_invoicing_entity", pyarrow.string()),
        ("bill_payer_account_id", pyarrow.string()),
        ("bill_payer_account_name", pyarrow.string()),
        ("line_item_line_item_type", pyarrow.string()),
        ("line_item_usage_start_date", _TIME),
        ("line_item_usage_end_date", _TIME),
        ("line_item_usage_amount", pyarrow.decimal128(38, 6)),
        ("line_item_currency_code", pyarrow.string()),
        ("line_item_unblended_cost", _MONEY),
        ("line_item_net_unblended_cost", _MONEY),
        ("line_item_tax_type", pyarrow.string()),
        ("line_item_legal_entity", pyarrow.string()),
        *((name, pyarrow.string()) for name in _TEXTS),
        ("pricing_public_on_demand_cost", _MONEY),
        ("pricing_term", pyarrow.string()),
        ("reservation_reservation_arn", pyarrow.string()),
        ("reservation_effective_cost", _MONEY),
        ("reservation_net_effective_cost", _MONEY),
        ("reservation_unused_amortized_upfront_fee_for_billing_period", _MONEY),
        ("reservation_net_unused_amortized_upfront_fee_for_billing_period", _MONEY),
        ("reservation_unused_recurring_fee", _MONEY),
        ("reservation_net_unused_recurring_fee", _MONEY),
        ("savings_plan_savings_plan_arn", pyarrow.string()),
        ("savings_plan_savings_plan_effective_cost", _MONEY),
        ("savings_plan_net_savings_plan_effective_cost", _MONEY),
        ("savings_plan_total_commitment_to_date", _MONEY),
        ("savings_plan_used_commitment", _MONEY),
        ("resource_tags", TAG_MAP),
    ]
)


@cache
def _service_names() -> dict[str, str]:
    return {row["key"]: row["ServiceName"] for row in mapping_rows("aws_services")}


def commitment_arns() -> list[str]:
    """The ARNs of plans, then of reservations, in their order."""
    payer = accounts("AWS")[PAYER].account_id
    plans = [p.arn.format(account=payer) for p in PLANS]
    return plans + [
        f"arn:aws:rds:eu-west-1:{accounts('AWS')[r.account].account_id}:ri:{r.key}" for r in RESERVATIONS
    ]


def table(bill: Bill, seed: int) -> pyarrow.Table:
    """All rows of a month's bill."""
    usage = _usage_rows(bill, seed)
    extras = pyarrow.Table.from_pylist([_extra_row(bill, row) for row in bill.extras], SCHEMA)
    rows = pyarrow.concat_tables([usage, extras])
    prefix = digest(seed, bill.month.label)[:20]
    numbers = pyarrow.array(numpy.arange(10**8, 10**8 + len(rows))).cast(pyarrow.string())
    ids = pyarrow.compute.binary_join_element_wise(prefix, numbers, "")
    return rows.set_column(0, SCHEMA.field(0), ids).combine_chunks()


def _usage_rows(bill: Bill, seed: int) -> pyarrow.Table:
    lines, month = bill.lines, bill.month
    rows = len(lines.kind)
    negated = lines.kind == items.NEGATION
    # Negations are of a workload: the second half of the resources has neither id nor tags.
    resource = lines.resource + negated * len(bill.usage.shape)
    own = _resources(bill.usage, seed).take(pyarrow.array(resource))
    days = [_instant(day) for day in month.days]
    starts = pyarrow.array(days, _TIME)
    ends = pyarrow.array([d + timedelta(days=1) for d in days], _TIME)
    intervals = pyarrow.array([_interval(d, d + timedelta(days=1)) for d in month.days])
    of_day = pyarrow.array(lines.day)
    covered, discounted = lines.kind == items.COVERED, lines.kind == items.DISCOUNTED
    arns = pyarrow.array(commitment_arns())
    columns: dict[str, Any] = {
        "identity_time_interval": intervals.take(of_day),
        "line_item_line_item_type": pyarrow.array(items.TYPES).take(pyarrow.array(lines.kind)),
        "line_item_usage_start_date": starts.take(of_day),
        "line_item_usage_end_date": ends.take(of_day),
        "line_item_usage_amount": decimals(lines.micro, 6),
        "line_item_unblended_cost": decimals(lines.unblended),
        "line_item_net_unblended_cost": decimals(lines.net),
        "pricing_public_on_demand_cost": decimals(lines.public, where=~negated),
        "pricing_term": _choose(discounted, "Reserved", "OnDemand"),
        "reservation_reservation_arn": arns.take(_at(lines.commitment, discounted)),
        "savings_plan_savings_plan_arn": arns.take(_at(lines.commitment, covered | negated)),
    }
    for name in ("reservation_effective_cost", "reservation_net_effective_cost"):
        columns[name] = decimals(lines.reservation, where=discounted)
    for name in ("savings_plan_savings_plan_effective_cost", "savings_plan_net_savings_plan_effective_cost"):
        columns[name] = decimals(lines.plan, where=covered)
    columns |= {name: own[name] for name in own.column_names}
    columns |= {name: pyarrow.repeat(value, rows) for name, value in _same(bill).items()}
    return pyarrow.table(
        [_column(columns.get(f.name), f, rows) for f in SCHEMA],
        schema=SCHEMA,
    )


def _column(found: Any, field: pyarrow.Field, rows: int) -> Any:
    return pyarrow.nulls(rows, field.type) if found is None else found.cast(field.type)


def _choose(where: Mask, yes: str, no: str) -> pyarrow.Array:
    return pyarrow.compute.if_else(pyarrow.array(where), yes, no)


def _at(index: Ints, where: Mask) -> pyarrow.Array:
    return pyarrow.array(index.clip(0), mask=~where)


def _instant(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def _interval(start: date, end: date) -> str:
    return f"{start:%Y-%m-%d}T00:00:00Z/{end:%Y-%m-%d}T00:00:00Z"


def _same(bill: Bill) -> dict[str, Any]:
    """What stands on every row of a month."""
    month = bill.month
    found = {
        "bill_bill_type": "Anniversary",
        "bill_billing_entity": "AWS",
        "bill_billing_period_start_date": pyarrow.scalar(_instant(month.first), _TIME),
        "bill_billing_period_end_date": pyarrow.scalar(_instant(month.following), _TIME),
        "bill_invoicing_entity": _ISSUER,
        "bill_payer_account_id": accounts("AWS")[PAYER].account_id,
        "bill_payer_account_name": PAYER,
        "line_item_currency_code": "USD",
        "line_item_legal_entity": _ISSUER,
    }
    if month.is_closed:
        found["bill_invoice_id"] = str(1_700_000_000 + month.number * 7919)
    return found


def _resources(usage: Usage, seed: int) -> pyarrow.Table:
    """What is said of each resource; then the same once more without id and tags."""
    estate = shapes("aws")
    facts = [_facts(estate[s], int(n), seed) for s, n in zip(usage.shape, usage.number, strict=True)]
    anonymous = [{**f, "line_item_resource_id": None, "line_item_availability_zone": None} for f in facts]
    texts = {name: [f[name] for f in (*facts, *anonymous)] for name in _TEXTS}
    known = [list(_keyed(tags(estate[s], int(n)))) for s, n in zip(usage.shape, usage.number, strict=True)]
    return pyarrow.table(
        {name: pyarrow.array(values, pyarrow.string()) for name, values in texts.items()}
        | {"resource_tags": pyarrow.array([*known, *([] for _ in known)], TAG_MAP)}
    )


def _keyed(found: Tags) -> Iterable[tuple[str, str]]:
    """Tag keys as CUR 2.0 spells them: user_team, aws_eks_cluster_name."""
    for key, value in found:
        yield re.sub("[^A-Za-z0-9]", "_", key if key.startswith("aws:") else f"user_{key}"), value


def _facts(shape: Shape, number: int, seed: int) -> dict[str, str | None]:
    account = accounts("AWS")[shape.account]
    region, code, usage_type = shape["region"], shape["service"], shape["usage_type"]
    sku = digest(code, usage_type, shape["operation"])[:14].upper()
    machine = re.search(
        r"(?:Usage|Host|Notebk|Instance|Kafka|Node)[.:]([a-z0-9.]+\.[a-z0-9]+(?:\.[a-z0-9]+)?)", usage_type
    )
    rate = f"{shape.rate:.10f}".rstrip("0").rstrip(".")
    public = f"{items.rates([shape])[1][0]:.10f}".rstrip("0").rstrip(".")
    what = f"On Demand Linux {machine.group(1)} Instance Hour" if machine and code == "AmazonEC2" else ""
    zoned = shape.kind == "fleet" and region
    return {
        "line_item_usage_account_id": account.account_id,
        "line_item_usage_account_name": account.name,
        "line_item_product_code": code,
        "line_item_usage_type": usage_type,
        "line_item_operation": shape["operation"],
        "line_item_availability_zone": f"{region}{'abc'[number % 3]}" if zoned else None,
        "line_item_resource_id": resource_id(shape, number, seed, account.account_id, region),
        "line_item_line_item_description": f"${rate} per {what or f'{shape.unit} - {usage_type}'}",
        "line_item_unblended_rate": rate,
        "product_instance_type": machine.group(1) if machine else None,
        "product_location": _LOCATIONS.get(region, "Any"),
        "product_product_name": _service_names().get(code.lower(), code),
        "product_region_code": region or None,
        "product_servicecode": code,
        "product_sku": sku,
        "pricing_public_on_demand_rate": public,
        "pricing_rate_code": f"{sku}.JRTCKXETXF.6YS6EN2CT7",
        "pricing_unit": shape.unit,
    }


def _extra_row(bill: Bill, row: dict[str, Any]) -> dict[str, Any]:
    """A fee, tax, credit or refund as a row of the table."""
    same = {n: v.as_py() if isinstance(v, pyarrow.Scalar) else v for n, v in _same(bill).items()}
    kind, number = row["kind"], row.get("commitment")
    arn = None if number is None else commitment_arns()[number]
    is_plan = number is not None and number < len(PLANS)

    def money(name: str) -> Any:
        return None if name not in row else decimals(numpy.array([row[name]]))[0].as_py()

    found = same | {
        "bill_bill_type": {"Refund": "Refund"}.get(
            kind, "Purchase" if row.get("micro") and "pfront fee" in row["words"] else "Anniversary"
        ),
        "identity_time_interval": _interval(row["start"], row["end"]),
        "line_item_line_item_type": kind,
        "line_item_usage_start_date": _instant(row["start"]),
        "line_item_usage_end_date": _instant(row["end"]),
        "line_item_usage_amount": decimals(numpy.array([row.get("micro", 10**6)]), 6)[0].as_py(),
        "line_item_unblended_cost": money("unblended"),
        "line_item_net_unblended_cost": money("net"),
        "line_item_tax_type": "US Sales Tax" if kind == "Tax" else None,
        "line_item_usage_account_id": row["account"].account_id,
        "line_item_usage_account_name": row["account"].name,
        "line_item_product_code": row["service"],
        "line_item_usage_type": row["usage_type"] or None,
        "line_item_line_item_description": row["words"],
        "product_product_name": _service_names().get(row["service"].lower(), row["service"]),
        "product_servicecode": row["service"],
        "pricing_unit": row.get("unit"),
        "resource_tags": [],
    }
    if is_plan:
        found |= {
            "savings_plan_savings_plan_arn": arn,
            "savings_plan_total_commitment_to_date": money("committed"),
            "savings_plan_used_commitment": money("used"),
        }
    elif arn is not None:
        found["reservation_reservation_arn"] = arn
        for ours, theirs in (
            ("idle_upfront", "unused_amortized_upfront_fee_for_billing_period"),
            ("idle_recurring", "unused_recurring_fee"),
        ):
            found[f"reservation_{theirs}"] = found[f"reservation_net_{theirs}"] = money(ours)
    return found
