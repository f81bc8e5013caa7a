"""Google Cloud: the detailed export from BigQuery, a parquet file an invoice month, in USD.

Commitments follow the new model: covered usage is priced at the discounted price, and a fee row without project, less
its offset, is what was left idle. Credits stand in an array on the row. Days are Pacific, as invoices are.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy
import pyarrow

from finops_core.demo.aws_commitments import Plan, fill, part
from finops_core.demo.estate import Shape, accounts, digest, resource_id, shapes, tags
from finops_core.demo.gcp_schema import CREDIT, PRICE, SCHEMA, TIME, USAGE
from finops_core.demo.incidents import Incident
from finops_core.demo.money import MICRO, UNIT, Ints, cost, doubles, share
from finops_core.demo.seasons import Month
from finops_core.demo.totals import MonthTotals
from finops_core.demo.usage import Usage, use
from finops_core.demo.writing import write_parquet

_ACCOUNT = "01F2A3-B4C5D6-E7F809"
_CONTRACT = 0.96
_SUSTAINED = 0.2
_PROMOTION = 0.3
_PROMOTED = (date(2025, 12, 1), date(2026, 2, 28))
COMMITMENT = Plan(
    "flex-2026-02", "Flexible CUD", "", 8.0, 0.28, "1yr", "NoUpfront", date(2026, 2, 1), date(2027, 1, 31)
)
_TAX = 0.012
_SUPPORT = 0.03
_CORRECTED = (date(2026, 4, 1), date(2026, 3, 15), 412.35, 329.88)
"""In this invoice month, usage of that day is taken back and billed anew."""
_DEFAULT = {"id": "7754-699E-0EBF", "description": "Default"}
_FLEXIBLE = {"id": "9E1B-4AE5-2F17", "description": "Compute Flexible CUDs - 1 Year"}
_COUNTRIES = {"us-central1": "US", "europe-west1": "BE", "europe-west4": "NL"}

_OF_RESOURCE = ("service", "sku", "project", "labels", "system_labels", "location", "resource")


def write_month(
    root: Path, month: Month, scale: float, seed: int, incidents: Sequence[Incident]
) -> MonthTotals:
    """Writes an invoice month. Returns what a correct reader finds."""
    estate = shapes("gcp")
    usage = use(estate, month, scale, seed, incidents, "gcp")
    rate = numpy.array([s.rate for s in estate])[usage.shape][:, None]
    listed, micro = cost(usage.micro, rate), usage.micro.copy()
    rows = numpy.flatnonzero(numpy.array([s.commitment != "" for s in estate])[usage.shape])
    capacity = numpy.array([COMMITMENT.daily(scale) if COMMITMENT.is_active(d) else 0 for d in month.days])
    wanted = share(share(listed[rows], _CONTRACT), 1 - COMMITMENT.discount)
    covered = fill(capacity, wanted)
    own, hours = part(listed[rows], covered, wanted), part(micro[rows], covered, wanted)
    listed[rows] -= own
    micro[rows] -= hours
    plain = _pieces(numpy.arange(len(usage.shape)), micro, listed, share(listed, _CONTRACT))
    flexible = _pieces(rows, hours, own, covered)
    found = MonthTotals()
    tables = [
        _usage_rows(month, estate, usage, seed, plain, found, _DEFAULT),
        _usage_rows(month, estate, usage, seed, flexible, found, _FLEXIBLE),
    ]
    single = _account_rows(month, scale, capacity, covered, found)
    tables.append(pyarrow.Table.from_pylist([_account_row(month, row) for row in single], SCHEMA))
    idle = sum(1 for row in single if row.get("offset") and row["cost"] + row["offset"])
    found.rows += len(single) + idle
    write_parquet(
        root / f"gcp_billing_export_resource_v1_{_ACCOUNT}-{month.first:%Y%m}.parquet",
        pyarrow.concat_tables(tables),
    )
    _count_incidents(found, estate, usage, rate, incidents)
    return found


def _pieces(rows: Ints, micro: Ints, listed: Ints, paid: Ints) -> tuple[Ints, ...]:
    """resource, day, quantity, list cost, cost: where anything was used, day by day."""
    day, at = numpy.nonzero((micro.T > 0) | (listed.T > 0) | (paid.T > 0))
    return rows[at], day, micro[at, day], listed[at, day], paid[at, day]


def _count_incidents(
    found: MonthTotals, estate: Sequence[Shape], usage: Usage, rate: Any, incidents: Sequence[Incident]
) -> None:
    for incident in incidents:
        rows = numpy.array([estate[s].key == incident.workload for s in usage.shape])
        costs = [share(cost(micro, rate)[rows], _CONTRACT) for micro in (usage.micro, usage.usual)]
        extra = int((costs[0] - costs[1]).sum())
        if incident.provider == "gcp" and extra:
            found.incidents[incident.key] = extra


def _usage_rows(
    month: Month,
    estate: Sequence[Shape],
    usage: Usage,
    seed: int,
    pieces: tuple[Ints, ...],
    found: MonthTotals,
    model: dict[str, str],
) -> pyarrow.Table:
    resource, day, micro, listed, paid = pieces
    shape = usage.shape[resource]
    credits, given = _credits(estate, shape, month, day, paid, model is _DEFAULT)
    default = paid if model is _DEFAULT else share(listed, _CONTRACT)
    found.rows += len(paid) + int((given[1] != 0).sum())
    total = int(paid.sum() + given[0].sum() + given[1].sum())
    found.billed += total
    found.effective += total
    sums = numpy.zeros(len(estate), dtype=numpy.int64)
    numpy.add.at(sums, shape, paid + given[0] + given[1])
    for s, amount in zip(estate, sums, strict=True):
        found.add_team(s.team, int(amount))
    starts = [_instant(d) for d in month.days]
    columns: dict[str, Any] = {
        "usage_start_time": pyarrow.array(starts, TIME).take(pyarrow.array(day)),
        "usage_end_time": pyarrow.array([s + timedelta(days=1) for s in starts], TIME).take(
            pyarrow.array(day)
        ),
        "export_time": pyarrow.array([s + timedelta(hours=31) for s in starts], TIME).take(
            pyarrow.array(day)
        ),
        "cost": doubles(paid),
        "cost_at_list": doubles(listed),
        "cost_at_effective_price_default": doubles(default),
        "usage": _amounts(estate, shape, micro),
        "price": _prices(estate, shape, model is _DEFAULT),
        "credits": credits,
    }
    facts = [_facts(estate[s], int(n), seed) for s, n in zip(usage.shape, usage.number, strict=True)]
    for name in _OF_RESOURCE:
        values = pyarrow.array([f[name] for f in facts], SCHEMA.field(name).type)
        columns[name] = values.take(pyarrow.array(resource))
    for name, value in _same(month, model).items():
        kind = SCHEMA.field(name).type
        columns[name] = pyarrow.array([value], kind).take(
            pyarrow.array(numpy.zeros(len(paid), dtype=numpy.int64))
        )
    return pyarrow.table([columns[f.name] for f in SCHEMA], schema=SCHEMA)


def _same(month: Month, model: dict[str, str]) -> dict[str, Any]:
    return {
        "billing_account_id": _ACCOUNT,
        "currency": "USD",
        "currency_conversion_rate": 1.0,
        "invoice": {"month": f"{month.first:%Y%m}", "publisher_type": "GOOGLE"},
        "cost_type": "regular",
        "adjustment_info": None,
        "consumption_model": model,
        "subscription": None,
        "transaction_type": "GOOGLE",
        "seller_name": "Google",
    }


def _instant(day: date) -> datetime:
    """Midnight in the Pacific winter: a day's row lies in its invoice month all year."""
    return datetime(day.year, day.month, day.day, 8, tzinfo=UTC)


def _credits(
    estate: Sequence[Shape], shape: Ints, month: Month, day: Ints, paid: Ints, can_have: bool
) -> tuple[pyarrow.Array, tuple[Ints, Ints]]:
    """The arrays of credits, and the amounts: sustained use (netted into the row) and promotion (a credit of its own)."""
    old = numpy.array(["N1 Predefined" in s["sku"] for s in estate])[shape] & can_have
    vertex = numpy.array([s["service"] == "Vertex AI" and s.env == "prod" for s in estate])[shape]
    promoted = numpy.array([_PROMOTED[0] <= d <= _PROMOTED[1] for d in month.days])[day] & vertex & can_have
    sustained = -share(paid, _SUSTAINED) * old
    promotion = -share(paid, _PROMOTION) * promoted
    amount = sustained + promotion
    has = amount != 0
    one = promoted[has]
    values = pyarrow.StructArray.from_arrays(
        [
            pyarrow.array(numpy.where(one, "Startup promotion", "Sustained Usage Discount")),
            doubles(amount[has]),
            pyarrow.array(numpy.where(one, "Vertex AI startup promotion 2026", "Sustained Usage Discount")),
            pyarrow.array(numpy.where(one, "PROMO-VERTEX-26", "SUD")),
            pyarrow.array(numpy.where(one, "PROMOTION", "SUSTAINED_USAGE_DISCOUNT")),
        ],
        fields=list(CREDIT),
    )
    offsets = numpy.concatenate([[0], numpy.cumsum(has)]).astype(numpy.int32)
    array = pyarrow.ListArray.from_arrays(pyarrow.array(offsets), values).cast(SCHEMA.field("credits").type)
    return array, (sustained, promotion)


def _amounts(estate: Sequence[Shape], shape: Ints, micro: Ints) -> pyarrow.Array:
    quantity = micro / MICRO
    per = numpy.array([float(s["per"]) for s in estate])[shape]
    at = pyarrow.array(shape)
    return pyarrow.StructArray.from_arrays(
        [
            pyarrow.array(quantity * per),
            pyarrow.array([s["usage_unit"] for s in estate]).take(at),
            pyarrow.array(quantity),
            pyarrow.array([s.unit for s in estate]).take(at),
        ],
        fields=list(USAGE),
    )


def _prices(estate: Sequence[Shape], shape: Ints, is_default: bool) -> pyarrow.Array:
    prices = []
    for s in estate:
        contract = round(s.rate * _CONTRACT, 12)
        paid = contract if is_default else round(contract * (1 - COMMITMENT.discount), 12)
        prices.append(
            {
                "list_price": s.rate,
                "effective_price_default": contract,
                "effective_price": paid,
                "tier_start_amount": 0.0,
                "unit": s.unit,
                "pricing_unit_quantity": 1.0,
            }
        )
    return pyarrow.array(prices, PRICE).take(pyarrow.array(shape))


def _facts(shape: Shape, number: int, seed: int) -> dict[str, Any]:
    project = accounts("Google Cloud")[shape.account]
    region = shape["region"]
    name = resource_id(shape, number, seed, project.account_id, region)
    found = tags(shape, number)
    own_labels = [] if project.team == "" else [{"key": "cost-center", "value": project.cost_center}]
    return {
        "service": {"id": _code(shape["service"]), "description": shape["service"]},
        "sku": {"id": _code(shape["sku"]), "description": shape["sku"]},
        "project": {
            "id": project.account_id,
            "number": str(int(digest(project.account_id)[:10], 16)),
            "name": project.name,
            "labels": own_labels,
            "ancestry_numbers": "/420019933711/",
        },
        # Labels are lower case, and their values hold no spaces.
        "labels": [{"key": k.lower(), "value": v.lower()} for k, v in found if _is_label(k)],
        "system_labels": _machine(shape["sku"]),
        "location": {
            "location": region,
            "country": _COUNTRIES.get(region, ""),
            "region": region if "-" in region else "",
            "zone": "",
        },
        "resource": {"name": name.rsplit("/", 1)[-1] if name else None, "global_name": name},
    }


def _is_label(key: str) -> bool:
    return not key.startswith("aws:")


def _machine(sku: str) -> list[dict[str, str]]:
    if not sku.startswith("N2 Instance"):
        return []
    return [{"key": "compute.googleapis.com/machine_spec", "value": "n2-standard-16"}]


def _code(name: str) -> str:
    text = digest("gcp", name)[:12].upper()
    return f"{text[:4]}-{text[4:8]}-{text[8:]}"


def _account_rows(
    month: Month, scale: float, capacity: Ints, covered: Ints, found: MonthTotals
) -> list[dict[str, Any]]:
    """Rows without a project: commitment fees, support, tax, corrections. `cost` and `offset` in units."""
    used = covered.sum(axis=0) if len(covered) else capacity * 0
    rows: list[dict[str, Any]] = [
        {
            "service": "Compute Engine",
            "sku": "Commitment - dollar based v2: Compute Flexible CUDs - 1 Year",
            "day": day,
            "cost": int(fee),
            "offset": -int(offset),
            "subscription": {"instance_id": digest("gcp", COMMITMENT.key)[:32]},
        }
        for day, fee, offset in zip(month.days, capacity, used, strict=True)
        if fee
    ]
    spent = found.billed
    closing = month.days[-1]
    rows.append(
        {"service": "Support", "sku": "Enhanced Support", "day": closing, "cost": _cents(spent * _SUPPORT)}
    )
    rows.append(
        {"service": "Invoice", "sku": "Tax", "day": closing, "cost": _cents(spent * _TAX), "type": "tax"}
    )
    invoice, day, wrong, right = _CORRECTED
    if invoice == month.first:
        adjustment = {
            "id": "adj-2026-04-0193",
            "description": "Wrong tier applied to BigQuery analysis",
            "mode": "COMPLETE_NEGATION_WITH_REMONETIZATION",
            "type": "GENERAL_ADJUSTMENT",
        }
        for amount in (-wrong, right):
            rows.append(
                {
                    "service": "BigQuery",
                    "sku": "Analysis (eu)",
                    "day": day,
                    "cost": round(amount * scale * 100) * 10**8,
                    "type": "adjustment" if amount < 0 else "regular",
                    "adjustment": adjustment,
                    "project": "finch-analytics-prod",
                }
            )
    total = sum(row["cost"] + row.get("offset", 0) for row in rows)
    found.billed += total
    found.effective += total
    found.add_team("", total)
    return rows


def _cents(amount: float) -> int:
    return round(amount / 10**8) * 10**8


def _account_row(month: Month, row: dict[str, Any]) -> dict[str, Any]:
    start, amount = _instant(row["day"]), row["cost"] / UNIT
    project = accounts("Google Cloud")[row["project"]] if "project" in row else None
    offset = row.get("offset", 0)
    is_tax = row.get("type") == "tax"
    credits = [
        {
            "name": "Fee utilization offset: Compute Flexible CUDs - 1 Year",
            "amount": offset / UNIT,
            "full_name": "",
            "id": "FEE-OFFSET",
            "type": "FEE_UTILIZATION_OFFSET",
        }
    ]
    return _same(month, _DEFAULT) | {
        "service": {"id": _code(row["service"]), "description": row["service"]},
        "sku": {"id": _code(row["sku"]), "description": row["sku"]},
        "usage_start_time": start,
        "usage_end_time": start + timedelta(hours=15, minutes=59),
        "export_time": start + timedelta(hours=31),
        "project": project
        and {
            "id": project.account_id,
            "number": str(int(digest(project.account_id)[:10], 16)),
            "name": project.name,
            "labels": [],
            "ancestry_numbers": "/420019933711/",
        },
        "labels": [],
        "system_labels": [],
        "location": {"location": "global", "country": "", "region": "", "zone": ""},
        "resource": {"name": None, "global_name": None},
        "cost": amount,
        "cost_at_list": None if is_tax else amount,
        "cost_at_effective_price_default": None if is_tax else amount,
        "usage": {"amount": 1.0, "unit": "count", "amount_in_pricing_units": 1.0, "pricing_unit": "count"},
        "credits": credits if offset else [],
        "cost_type": row.get("type", "regular"),
        "adjustment_info": row.get("adjustment"),
        "price": None,
        "subscription": row.get("subscription"),
    }
