"""The independent total: a raw file's own cost column, summed in Decimal by another reader, before any mapping.

DuckDB maps the rows; here pyarrow and Python read the same file again and add its cost column up. Agreement of the two
is what "reconciled" means.
"""

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
from finops_core.ingest.arrays import parse_array
from finops_core.ingest.json_rows import arrow_json_batches, json_batches, path_of, picked
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

    def forget(self, period: str) -> None:
        """Leaves a billing period out."""
        self.sums = {key: amount for key, amount in self.sums.items() if key[0] != period}
        self.rows = {group: rows for group, rows in self.rows.items() if group[0] != period}

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
        metrics = {total.metric: total.cost} | ({"EffectiveCost": total.effective} if total.effective else {})
        wanted = {
            metric: [c for name in names.split("|") if (c := find(name))] for metric, names in metrics.items()
        }
        periods = [c for name in total.period.split("|") if (c := find(name))]
        currency = find(total.currency)
        credit = find(total.credits) if total.credits else None
        money = [c for cs in wanted.values() for c in cs]

        def summed(batches: Iterator[dict[str, pyarrow.Array]]) -> SourceSums:
            sums = SourceSums(columns=frozenset(c.name for c in money))
            for batch in batches:
                length = len(next(iter(batch.values()))) if batch else 0
                groups = _groups(batch, periods, currency, total, length)
                for group, chosen in groups.items():
                    rows = length if chosen is None else int(chosen.sum())
                    sums.rows[group] = sums.rows.get(group, 0) + rows
                    for metric, sources in wanted.items():
                        values = [_chosen(batch[c.name], chosen) for c in sources]
                        sums.add((*group, metric), _sum(values, nulls, sums, total.amount_of))
                    if credit is not None:
                        sums.add((*group, total.metric), _credits(_chosen(batch[credit.name], chosen), sums))
            return sums

        texts = [c for c in (*periods, currency) if c]
        if raw.header.kind == "json":
            try:
                return summed(arrow_json_batches(raw.plain, texts, money, credit))
            except pyarrow.ArrowException:
                pass  # a value that Arrow does not take as it is declared: the patient reader takes any
        return summed(_batches(raw, [*texts, *money, *([credit] if credit else [])]))


def _chosen(values: pyarrow.Array, mask: Any) -> pyarrow.Array:
    return values if mask is None else values.filter(pyarrow.array(mask))


def _groups(
    batch: dict[str, pyarrow.Array],
    periods: list[SourceColumn],
    currency: SourceColumn | None,
    total: SourceTotal,
    length: int,
) -> dict[tuple[str, str], Any]:
    """(period, currency) → mask of its rows, or None where one group is the whole batch."""
    codes = numpy.zeros(length, dtype=numpy.int64)
    names: list[list[str]] = []
    for values in (
        _filled([batch[c.name] for c in periods]),
        batch[currency.name] if currency else None,
    ):
        if values is None:
            names.append([""])
            continue
        encoded = _encoded(values)
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


def _filled(columns: list[pyarrow.Array]) -> pyarrow.Array | None:
    """The first column, a later one standing in where it is empty."""
    if len(columns) < 2:
        return columns[0] if columns else None
    texts = []
    for values in columns:
        if pyarrow.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        trimmed = pyarrow.compute.utf8_trim_whitespace(values.cast(pyarrow.string()))
        texts.append(pyarrow.compute.if_else(pyarrow.compute.equal(trimmed, ""), None, trimmed))
    return pyarrow.compute.coalesce(*texts)


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
        if not pyarrow.types.is_decimal(values.type):
            return None
        if values.type.scale > 18:
            values = values.cast(pyarrow.decimal128(38, 18))
        return Decimal(pyarrow.compute.sum(values).as_py() or 0)
    except pyarrow.ArrowException:
        return None


def _texts(values: pyarrow.Array) -> list[str | None]:
    if pyarrow.types.is_float32(values.type):
        return [None if v is None else str(numpy.float32(v)) for v in values.to_pylist()]
    if pyarrow.types.is_floating(values.type):
        return [None if v is None else repr(v) for v in values.to_pylist()]
    return [None if v is None else str(v) for v in _plain(values)]


def _credits(values: pyarrow.Array, sums: SourceSums) -> Decimal:
    """Sum of the amounts in arrays of credits: lists of structs, JSON text, or Python literals."""
    if pyarrow.types.is_list(values.type) or pyarrow.types.is_large_list(values.type):
        credits = values.flatten()
        if not pyarrow.types.is_struct(credits.type) or credits.type.get_field_index("amount") < 0:
            return Decimal(0)
        return _sum([pyarrow.compute.struct_field(credits, "amount")], (), sums)
    amount = Decimal(0)
    if pyarrow.types.is_null(values.type):
        return amount
    for text, count in ((v["values"].as_py(), v["counts"].as_py()) for v in values.value_counts()):
        found = [c for c in parse_array(text) or () if isinstance(c, dict)] if isinstance(text, str) else []
        amounts = [str(c["amount"]) for c in found if c.get("amount") is not None]
        amount += _sum([pyarrow.array(amounts * count, pyarrow.string())], (), sums)
    return amount


def _batches(raw: RawTable, columns: list[SourceColumn]) -> Iterator[dict[str, pyarrow.Array]]:
    kind = raw.header.kind
    if not columns:
        return
    if kind == "parquet":
        yield from _parquet_batches(raw, columns)
    elif kind == "csv":
        yield from _csv_batches(raw, columns)
    else:
        yield from json_batches(raw.plain, columns)


def _parquet_batches(raw: RawTable, columns: list[SourceColumn]) -> Iterator[dict[str, pyarrow.Array]]:
    file = pyarrow.parquet.ParquetFile(raw.plain, page_checksum_verification=True)
    for batch in file.iter_batches(batch_size=131_072, columns=sorted({path_of(c)[0] for c in columns})):
        yield picked(batch, columns)


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
