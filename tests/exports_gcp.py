"""Google Cloud billing rows as their export ships them: JSON lines, parquet, or flattened to csv."""

import copy
import csv
import gzip
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

Row = dict[str, Any]

USAGE: Row = {
    "billing_account_id": "01ABCD-234567-89EF01",
    "service": {"id": "6F81-5844-456A", "description": "Compute Engine"},
    "sku": {"id": "CF4E-A0C7-E3BF", "description": "N2 Instance Core running in Americas"},
    "usage_start_time": "2026-09-13 10:00:00 UTC",
    "usage_end_time": "2026-09-13 11:00:00 UTC",
    "project": {"id": "shop-prod", "number": "12", "name": "Shop", "labels": [], "ancestry_numbers": "/1/"},
    "labels": [],
    "system_labels": [],
    "tags": [],
    "location": {"location": "us-central1-a", "country": "US", "region": "us-central1", "zone": "us-central1-a"},
    "resource": {"name": "vm1", "global_name": "//compute.googleapis.com/projects/12/zones/a/instances/77"},
    "export_time": "2026-09-13 15:00:00.123456 UTC",
    "cost": Decimal("1.5"),
    "cost_at_list": Decimal("2"),
    "currency": "USD",
    "currency_conversion_rate": Decimal("1"),
    "usage": {"amount": Decimal("3600"), "unit": "seconds", "amount_in_pricing_units": Decimal("4"), "pricing_unit": "hour"},
    "credits": [],
    "invoice": {"month": "202609"},
    "cost_type": "regular",
    "adjustment_info": None,
    "consumption_model": None,
    "price": None,
    "subscription": None,
    "cost_at_effective_price_default": None,
    "seller_name": None,
}  # fmt: skip


def gcp_row(**changes: Any) -> Row:
    """A usage row of 13 September 2026; `service__description="…"` changes a nested field, others a whole one."""
    row = copy.deepcopy(USAGE)
    for name, value in changes.items():
        outer, _, inner = name.partition("__")
        if inner:
            row[outer] = {**(row[outer] or {}), inner: value}
        else:
            row[outer] = value
    return row


def credit(kind: str | None, amount: str, name: str = "a credit", **changes: Any) -> Row:
    return {"id": name, "name": name, "full_name": None, "type": kind, "amount": Decimal(amount)} | changes


def json_line(value: Any, as_text: bool = False, sparse: bool = False) -> str:
    """JSON with numbers as they are, or as strings; `sparse` leaves out what is null."""
    if isinstance(value, Decimal):
        return f'"{value}"' if as_text else str(value)
    if isinstance(value, dict):
        pairs = ((k, v) for k, v in value.items() if not (sparse and v is None))
        return "{" + ", ".join(f"{json.dumps(k)}: {json_line(v, as_text, sparse)}" for k, v in pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(json_line(v, as_text, sparse) for v in value) + "]"
    return json.dumps(value)


def write_json(path: Path, rows: Iterable[Row], as_text: bool = False, sparse: bool = False) -> Path:
    """JSON lines, gzipped where the name says so."""
    data = "".join(json_line(row, as_text, sparse) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def _text(*names: str) -> pyarrow.DataType:
    return pyarrow.struct([(name, pyarrow.string()) for name in names])


def _schema(number: pyarrow.DataType) -> pyarrow.Schema:
    pairs = pyarrow.list_(_text("key", "value"))
    text, double = pyarrow.string(), pyarrow.float64()
    numeric = pyarrow.decimal128(38, 9)
    stamp = pyarrow.timestamp("us", tz="UTC")
    project = [(n, text) for n in ("id", "number", "name", "ancestry_numbers")] + [("labels", pairs)]
    usage = [("amount", double), ("unit", text), ("amount_in_pricing_units", double), ("pricing_unit", text)]
    credits = [(n, text) for n in ("id", "name", "full_name", "type")] + [("amount", number)]
    price = [(n, numeric) for n in ("list_price", "effective_price", "pricing_unit_quantity")]
    kinds = {
        "service": _text("id", "description"),
        "sku": _text("id", "description"),
        "usage_start_time": stamp,
        "usage_end_time": stamp,
        "project": pyarrow.struct(project),
        "labels": pairs,
        "system_labels": pairs,
        "tags": pyarrow.list_(_text("key", "value", "inherited", "namespace")),
        "location": _text("location", "country", "region", "zone"),
        "resource": _text("name", "global_name"),
        "export_time": stamp,
        "cost": number,
        "cost_at_list": number,
        "currency_conversion_rate": double,
        "usage": pyarrow.struct(usage),
        "credits": pyarrow.list_(pyarrow.struct(credits)),
        "invoice": _text("month"),
        "adjustment_info": _text("id", "description", "mode", "type"),
        "consumption_model": _text("id", "description"),
        "price": pyarrow.struct(price),
        "subscription": _text("instance_id"),
        "cost_at_effective_price_default": number,
    }
    return pyarrow.schema([(name, kinds.get(name, text)) for name in USAGE])


def write_parquet(path: Path, rows: Iterable[Row], exact: bool = False) -> Path:
    """Nested parquet; costs as doubles, or as decimals of 18 places."""
    number = pyarrow.decimal128(38, 18) if exact else pyarrow.float64()

    def plain(value: Any, exact: bool = exact) -> Any:
        if isinstance(value, Decimal):
            return value if exact else float(value)
        if isinstance(value, dict):
            doubled = (
                {"amount", "amount_in_pricing_units", "currency_conversion_rate"}
                if "unit" in value
                else set()
            )
            decimal = "list_price" in value
            return {k: plain(v, (exact or decimal) and k not in doubled) for k, v in value.items()}
        return [plain(v) for v in value] if isinstance(value, list) else value

    def stamped(row: Row) -> Row:
        made = plain(row)
        for name in ("usage_start_time", "usage_end_time", "export_time"):
            made[name] = datetime.fromisoformat(row[name].replace(" UTC", "+00:00")).astimezone(UTC)
        made["currency_conversion_rate"] = float(row["currency_conversion_rate"])
        return made

    table = pyarrow.Table.from_pylist([stamped(row) for row in rows], schema=_schema(number))
    pyarrow.parquet.write_table(table, path)
    return path


def python_literal(value: Any) -> str:
    """A list as pandas writes it into a cell."""

    def plain(inner: Any) -> Any:
        if isinstance(inner, Decimal):
            return float(inner)
        if isinstance(inner, dict):
            return {k: plain(v) for k, v in inner.items()}
        return [plain(v) for v in inner] if isinstance(inner, list) else inner

    return repr(plain(value))


def write_flattened(
    path: Path, rows: Iterable[Row], separator: str = ".", array: Callable[[Any], str] = python_literal
) -> Path:
    """A csv of one level: `project.id` or `project_id`, lists as text."""
    flat: list[dict[str, str]] = []
    for row in rows:
        cells: dict[str, str] = {}
        for name, value in row.items():
            inner = value if isinstance(value, dict) else {"": value}
            for key, cell in inner.items():
                text = array(cell) if isinstance(cell, list) else "" if cell is None else str(cell)
                cells[f"{name}{separator}{key}" if key else name] = text
        flat.append(cells)
    names = list(dict.fromkeys(name for cells in flat for name in cells))
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, names, restval="")
        writer.writeheader()
        writer.writerows(flat)
    return path
