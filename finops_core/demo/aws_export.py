"""Writes AWS's bills as AWS delivers them: legacy CUR (gzipped csv, assemblies) first, Data Exports (CUR 2.0) later."""

import re
from datetime import date, timedelta
from pathlib import Path

import numpy
import polars
import pyarrow
import pyarrow.compute

from finops_core.demo.aws_fees import Bill
from finops_core.demo.aws_lines import USAGE
from finops_core.demo.aws_table import PAYER, SCHEMA, table
from finops_core.demo.estate import accounts, shapes
from finops_core.demo.seasons import LAST_DAY, Month
from finops_core.demo.writing import write_csv, write_json, write_parquet

_REPORT = "finch-cur"
_EXPORT = "finch-cur2"
_BUCKET = "finch-billing"
_CHUNK = 12_000
_TAG_KEYS = {
    "user:Name": "user_Name",
    "user:team": "user_team",
    "user:Team": "user_Team",
    "user:environment": "user_environment",
    "user:env": "user_env",
    "user:product": "user_product",
    "user:application": "user_application",
    "user:cost-center": "user_cost_center",
    "aws:eks:cluster-name": "aws_eks_cluster_name",
}
"""Legacy CUR has a column a key; CUR 2.0 a map, in which what is no letter or digit became an underscore."""
_NOT_LEGACY = ("bill_payer_account_name", "line_item_usage_account_name", "resource_tags")
_CATEGORIES = ("identity", "bill", "line_item", "product", "pricing", "reservation", "savings_plan")
_SPELLED = {"product_region_code": "product/region", "product_product_name": "product/ProductName"} | {
    f"product_{name}": f"product/{name}" for name in ("servicecode", "sku", "location")
}


def write_legacy(root: Path, bill: Bill, seed: int) -> None:
    """A month of legacy CUR: chunks of an assembly, its manifest, and the period's."""
    month = bill.month
    _discounts(bill)
    rows = _legacy_columns(table(bill, seed))
    period = f"{month.first:%Y%m%d}-{month.following:%Y%m%d}"
    assembly = f"{month.number:08x}-5c0e-4f6b-9a3d-finch{seed:07d}"
    base = f"cur/{_REPORT}/{period}"
    keys = []
    for number, start in enumerate(range(0, len(rows), _CHUNK), start=1):
        keys.append(f"{base}/{assembly}/{_REPORT}-{number:05d}.csv.gz")
        write_csv(root / keys[-1], rows.slice(start, _CHUNK))
    manifest = {
        "assemblyId": assembly,
        "account": accounts("AWS")[PAYER].account_id,
        "columns": [dict(zip(("category", "name"), n.split("/", 1), strict=True)) for n in rows.columns],
        "charset": "UTF-8",
        "compression": "GZIP",
        "contentType": "text/csv",
        "reportId": "f1c4",
        "reportName": _REPORT,
        "billingPeriod": {
            "start": f"{month.first:%Y%m%d}T000000.000Z",
            "end": f"{month.following:%Y%m%d}T000000.000Z",
        },
        "bucket": _BUCKET,
        "reportKeys": keys,
    }
    write_json(root / base / assembly / f"{_REPORT}-Manifest.json", manifest)
    write_json(root / base / f"{_REPORT}-Manifest.json", manifest)


def _discounts(bill: Bill) -> None:
    """Legacy CUR shows the discount as rows too; their Net cost is 0, since the Net columns hold it already."""
    lines = bill.lines
    usage = lines.kind == USAGE
    estate = shapes("aws")
    keys = [(s.account, s["service"]) for s in estate]
    order = list(dict.fromkeys(keys))
    at = numpy.array([order.index(k) for k in keys])[bill.usage.shape[lines.resource[usage]]]
    sums = numpy.zeros(len(order), dtype=numpy.int64)
    numpy.add.at(sums, at, lines.unblended[usage] - lines.net[usage])
    for (account, service), amount in zip(order, sums, strict=True):
        if amount:
            bill.extras.append(
                {
                    "kind": "EdpDiscount",
                    "account": accounts("AWS")[account],
                    "unblended": -int(amount),
                    "net": 0,
                    "start": bill.month.first,
                    "end": bill.month.following,
                    "service": service,
                    "usage_type": "",
                    "words": f"Enterprise Discount Program discount on {service}",
                }
            )
            bill.totals.rows += 1


def _legacy_columns(rows: pyarrow.Table) -> polars.DataFrame:
    """The table in the names and texts of legacy CUR, a column for each tag key."""
    entries = rows["resource_tags"].combine_chunks()
    plain = polars.DataFrame(polars.from_arrow(rows.drop_columns(list(_NOT_LEGACY))))
    parents = numpy.repeat(numpy.arange(len(rows)), numpy.diff(entries.offsets.to_numpy()))
    keys, items = numpy.array(entries.keys.to_pylist(), dtype=object), entries.items
    tag_columns = []
    for name, key in _TAG_KEYS.items():
        mine = numpy.flatnonzero(keys == key)
        place = numpy.full(len(rows), -1)
        place[parents[mine]] = mine
        values = items.take(pyarrow.array(place.clip(0), mask=place < 0))
        tag_columns.append(polars.Series(f"resourceTags/{name}", values))
    times = [f.name for f in SCHEMA if pyarrow.types.is_timestamp(f.type) and f.name in plain.columns]
    texts = plain.with_columns(polars.col(times).dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return texts.rename({name: _legacy_name(name) for name in texts.columns}).with_columns(tag_columns)


def _legacy_name(name: str) -> str:
    """line_item_usage_amount → lineItem/UsageAmount."""
    if name in _SPELLED:
        return _SPELLED[name]
    category = next(c for c in _CATEGORIES if name.startswith(c + "_"))
    words = "".join(w.capitalize() for w in name.removeprefix(category + "_").split("_"))
    words = (
        words[0].lower() + words[1:] if category in ("product", "pricing") and words != "RateCode" else words
    )
    words = re.sub("Arn$", "ARN", words)
    head, *rest = category.split("_")
    return "/".join((head + "".join(w.capitalize() for w in rest), words))


def write_data_export(root: Path, bill: Bill, seed: int, restated: bool = False) -> Path | None:
    """A month of CUR 2.0. A restated month has an earlier run beside the current one: its file is returned."""
    rows = table(bill, seed)
    month = bill.month
    made = month.following if month.is_closed else LAST_DAY
    first = None
    if restated:
        first = _run(root, month, made + timedelta(days=1), first_version(rows), current=False)
        made += timedelta(days=12)
    _run(root, month, made + timedelta(days=1), rows, current=True)
    return first


def first_version(rows: pyarrow.Table) -> pyarrow.Table:
    """A restated month as it was first delivered: without the credits, and with the last days' egress not yet in."""
    compute = pyarrow.compute
    last = pyarrow.scalar(max(rows["line_item_usage_start_date"].to_pylist()), pyarrow.timestamp("ms"))
    credit = compute.equal(rows["line_item_line_item_type"], "Credit")
    late = compute.and_(
        compute.equal(rows["line_item_product_code"], "AmazonCloudFront"),
        compute.equal(rows["line_item_usage_start_date"], last),
    )
    return rows.filter(compute.invert(compute.or_(credit, late))).combine_chunks()


def _run(root: Path, month: Month, made: date, rows: pyarrow.Table, current: bool) -> Path:
    execution = f"{made:%Y%m%d}T060000Z-{month.number:06x}"
    partition = f"BILLING_PERIOD={month.label}"
    name = f"{_EXPORT}/data/{partition}/{execution}/{_EXPORT}-00001.snappy.parquet"
    write_parquet(root / name, as_doubles(rows))
    manifest = {
        "executionId": execution,
        "exportArn": f"arn:aws:bcm-data-exports:us-east-1:{accounts('AWS')[PAYER].account_id}:export/{_EXPORT}",
        "contentType": "application/parquet",
        "dataFiles": [f"s3://{_BUCKET}/{name}"],
    }
    metadata = root / _EXPORT / "metadata" / partition
    write_json(metadata / execution / f"{_EXPORT}-Manifest.json", manifest)
    if current:
        write_json(metadata / f"{_EXPORT}-Manifest.json", manifest)
    return root / name


def as_doubles(rows: pyarrow.Table) -> pyarrow.Table:
    """The table with its decimals as the doubles that CUR 2.0 has."""
    columns = []
    for field, column in zip(rows.schema, rows.columns, strict=True):
        array = column.combine_chunks() if isinstance(column, pyarrow.ChunkedArray) else column
        if pyarrow.types.is_decimal(field.type):
            array = _doubles(array, field.type.scale)
        columns.append(array)
    return pyarrow.table(columns, names=rows.column_names)


def _doubles(array: pyarrow.Array, scale: int) -> pyarrow.Array:
    """The nearest double of each decimal: its shortest text has the decimal's digits."""
    whole = numpy.frombuffer(array.buffers()[1], dtype=numpy.int64)[0::2]
    whole = whole[array.offset : array.offset + len(array)]
    known = array.is_valid().to_numpy(zero_copy_only=False)
    return pyarrow.array(numpy.where(known, whole, 0) / float(10**scale), mask=~known)
