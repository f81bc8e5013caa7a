"""The independent total: a raw file's own cost column, summed in Decimal by another reader, before any mapping.

DuckDB maps the rows; here pyarrow and Python read the same file again and add its cost column up. Agreement of the two
is what "reconciled" means.
"""

import ast
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any

import numpy
import pyarrow
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from finops_core.formats.format import SourceColumn, SourceTotal
from finops_core.ingest.read import RawTable

SMALLEST = Decimal("1e-18")
Key = tuple[str, str, str]
"""(billing period YYYY-MM, currency, metric)"""


@dataclass
class SourceSums:
    """Sums by (period, currency, metric), rows by (period, currency), and how many amounts had more than 18 decimals."""

    sums: dict[Key, Decimal] = field(default_factory=dict)
    rows: dict[tuple[str, str], int] = field(default_factory=dict)
    rounded: int = 0
    columns: frozenset[str] = frozenset()
    """Names of the columns that were summed."""

    def add(self, key: Key, amount: Decimal) -> None:
        self.sums[key] = self.sums.get(key, Decimal(0)) + amount

    def merge(self, other: "SourceSums") -> None:
        for key, amount in other.sums.items():
            self.add(key, amount)
        for group, rows in other.rows.items():
            self.rows[group] = self.rows.get(group, 0) + rows
        self.rounded += other.rounded


def sum_source(
    raw: RawTable, total: SourceTotal, find: Callable[[str], SourceColumn | None], nulls: Sequence[str] = ()
) -> SourceSums:
    """Sums the raw cost column(s) of one file by billing period and currency."""
    with localcontext() as context:
        context.prec = 60
        sums = SourceSums()
        metrics = {total.metric: total.cost} | ({"EffectiveCost": total.effective} if total.effective else {})
        wanted = {
            metric: [c for name in names.split("|") if (c := find(name))] for metric, names in metrics.items()
        }
        period, currency = find(total.period), find(total.currency)
        credit = find(total.credits) if total.credits else None
        sums.columns = frozenset(c.name for cs in wanted.values() for c in cs)
        columns = [c for c in (period, currency, credit, *(c for cs in wanted.values() for c in cs)) if c]
        for batch in _batches(raw, columns):
            length = len(next(iter(batch.values()))) if batch else 0
            groups = _groups(batch, period, currency, total, length)
            for group, chosen in groups.items():
                sums.rows[group] = sums.rows.get(group, 0) + (length if chosen is None else int(chosen.sum()))
                for metric, sources in wanted.items():
                    values = [_chosen(batch[c.name], chosen) for c in sources]
                    sums.add((*group, metric), _sum(values, nulls, sums, total.amount_of))
                if credit is not None:
                    sums.add((*group, total.metric), _credits(_chosen(batch[credit.name], chosen)))
        return sums


def _chosen(values: pyarrow.Array, mask: Any) -> pyarrow.Array:
    return values if mask is None else values.filter(pyarrow.array(mask))


def _groups(
    batch: dict[str, pyarrow.Array],
    period: SourceColumn | None,
    currency: SourceColumn | None,
    total: SourceTotal,
    length: int,
) -> dict[tuple[str, str], Any]:
    """(period, currency) → mask of its rows, or None where one group is the whole batch."""
    codes = numpy.zeros(length, dtype=numpy.int64)
    names: list[list[str]] = []
    for column in (period, currency):
        encoded = _encoded(batch[column.name]) if column else None
        if encoded is None:
            names.append([""])
            continue
        texts = ["" if v is None else str(v) for v in encoded.dictionary.to_pylist()]
        indices = encoded.indices
        if indices.null_count:  # of an array that came encoded: a null becomes the last, the empty text
            indices = pyarrow.compute.fill_null(indices, len(texts))
        codes = codes * (len(texts) + 1) + _numbers(indices)
        names.append([*texts, ""])
    masks: dict[tuple[str, str], Any] = {}
    for code in numpy.unique(codes):
        first, second = divmod(int(code), len(names[1]))
        group = (total.period_of(names[0][first]), total.currency_of(names[1][second]).upper())
        mask = codes == code
        masks[group] = mask if group not in masks else masks[group] | mask
    return masks if len(masks) > 1 else dict.fromkeys(masks)


def _numbers(indices: pyarrow.Array) -> Any:
    """Codes without nulls as numpy's; by their buffer, as Arrow's own way imports pandas, which takes longer than a load."""
    indices = indices.cast(pyarrow.int32())
    if not len(indices):
        return numpy.zeros(0, dtype=numpy.int32)
    return numpy.frombuffer(indices.buffers()[1], numpy.int32, len(indices), indices.offset * 4)


def _encoded(values: pyarrow.Array) -> pyarrow.DictionaryArray:
    return values if pyarrow.types.is_dictionary(values.type) else values.dictionary_encode("encode")


def _plain(values: pyarrow.Array) -> list[Any]:
    if isinstance(values, pyarrow.DictionaryArray) or pyarrow.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return values.to_pylist()  # type: ignore[no-any-return]


def _sum(
    columns: list[pyarrow.Array],
    nulls: Sequence[str],
    sums: SourceSums,
    amount_of: Callable[[str], str] | None = None,
) -> Decimal:
    """Sum over the first column, a later one standing in where it is null."""
    if len(columns) == 1 and (quick := _exact_sum(columns[0])) is not None:
        return quick
    amount = Decimal(0)
    lists = [_texts(column) for column in columns]
    for texts in zip(*lists, strict=True):
        for text in texts:
            if text and (text := text.strip()) and (not nulls or text.upper() not in nulls):
                try:
                    value = Decimal(amount_of(text) if amount_of else text)
                except InvalidOperation:
                    break
                if len(text) > 18 or "e" in text or "E" in text:
                    exponent = value.as_tuple().exponent
                    if isinstance(exponent, int) and exponent < -18:
                        exact = value
                        value = value.quantize(SMALLEST, ROUND_HALF_UP)
                        sums.rounded += value != exact
                amount += value
                break
    return amount


def _exact_sum(values: pyarrow.Array) -> Decimal | None:
    """The sum where Arrow can take every value exactly as a decimal of 18 places; None where it cannot.

    Arrow refuses a text that is no number or has more decimals, so nothing is rounded or skipped here.
    """
    if pyarrow.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    try:
        if pyarrow.types.is_floating(values.type) and not pyarrow.types.is_float16(values.type):
            values = values.cast(pyarrow.string())
        elif pyarrow.types.is_integer(values.type):
            values = values.cast(pyarrow.decimal128(38, 0))
        if pyarrow.types.is_string(values.type) or pyarrow.types.is_large_string(values.type):
            trimmed = pyarrow.compute.utf8_trim_whitespace(values)
            filled = trimmed.filter(pyarrow.compute.binary_length(trimmed).cast(pyarrow.bool_()))
            values = filled.cast(pyarrow.decimal128(38, 18))
        if not pyarrow.types.is_decimal(values.type) or values.type.scale > 18:
            return None
        return Decimal(pyarrow.compute.sum(values).as_py() or 0)
    except pyarrow.ArrowException:
        return None


def _texts(values: pyarrow.Array) -> list[str | None]:
    if pyarrow.types.is_float32(values.type):
        return [None if v is None else str(numpy.float32(v)) for v in values.to_pylist()]
    if pyarrow.types.is_floating(values.type):
        return [None if v is None else repr(v) for v in values.to_pylist()]
    return [None if v is None else str(v) for v in _plain(values)]


def _credits(values: pyarrow.Array) -> Decimal:
    """Sum of the amounts in arrays of credits: nested values, JSON text, or Python literals."""
    amount = Decimal(0)
    for value in values.to_pylist():
        if isinstance(value, str):
            value = parse_array(value)
        for credit in value or ():
            if credit and credit.get("amount") is not None:
                amount += Decimal(str(credit["amount"]))
    return amount


def parse_array(text: str) -> list[Any]:
    """An array written as JSON, or as Python writes it (single quotes, None); empty where it is neither."""
    if not text.strip():
        return []
    try:
        found = json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError:
        try:
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return []
    return found if isinstance(found, list) else []


def _batches(raw: RawTable, columns: list[SourceColumn]) -> Iterator[dict[str, pyarrow.Array]]:
    kind = raw.header.kind
    if not columns:
        return
    if kind == "parquet":
        yield from _parquet_batches(raw, columns)
    elif kind == "csv":
        yield from _csv_batches(raw, columns)
    else:
        yield from _json_batches(raw, columns)


def _parquet_batches(raw: RawTable, columns: list[SourceColumn]) -> Iterator[dict[str, pyarrow.Array]]:
    file = pyarrow.parquet.ParquetFile(raw.plain, page_checksum_verification=True)
    for batch in file.iter_batches(
        batch_size=131_072, columns=sorted({c.name.split(".")[0] for c in columns})
    ):
        found = {}
        for column in columns:
            top, *inner = column.name.split(".")
            if top in batch.schema.names:
                array = batch.column(top)
                for field_name in inner:
                    array = pyarrow.compute.struct_field(array, field_name)
            else:
                array = batch.column(column.name)
            found[column.name] = array
        yield found


def _csv_batches(raw: RawTable, columns: list[SourceColumn]) -> Iterator[dict[str, pyarrow.Array]]:
    if not raw.lines:
        return  # a header without even a line end
    names = [f"c{i}" for i in range(len(raw.header.columns))]
    wanted = sorted({c.sql for c in columns})
    reader = pyarrow.csv.open_csv(
        pyarrow.OSFile(str(raw.plain)),  # by its path, Arrow would unpack what is only named .gz
        read_options=pyarrow.csv.ReadOptions(
            column_names=names, skip_rows_after_names=1, block_size=16 << 20
        ),
        parse_options=pyarrow.csv.ParseOptions(delimiter=raw.table.delimiter, newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pyarrow.string()),
            strings_can_be_null=False,
        ),
    )
    for batch in reader:
        yield {c.name: batch.column(c.sql) for c in columns}


def _json_batches(raw: RawTable, columns: list[SourceColumn]) -> Iterator[dict[str, pyarrow.Array]]:
    rows: dict[str, list[str | None]] = {c.name: [] for c in columns}

    def flush() -> dict[str, pyarrow.Array]:
        batch = {name: pyarrow.array(values, pyarrow.string()) for name, values in rows.items()}
        for values in rows.values():
            values.clear()
        return batch

    with raw.plain.open(encoding="utf-8-sig") as lines:
        for line in lines:
            if not line.strip():
                continue
            parsed = json.loads(line, parse_float=_Number, parse_int=_Number)
            for column in columns:
                value = parsed
                for key in column.name.split("."):
                    value = value.get(key) if isinstance(value, dict) else None
                texts = value is None or isinstance(value, str)
                rows[column.name].append(value if texts else json.dumps(value, default=str))
            if len(rows[columns[0].name]) >= 50_000:
                yield flush()
    yield flush()


class _Number(str):
    """A JSON number kept as it is written."""
