"""A few columns of JSON lines for the independent total, every number as it is written: by Arrow, or patiently by Python."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.compute
import pyarrow.json

from finops_core.formats.format import SourceColumn

_NUMBER = pyarrow.decimal256(76, 38)
_BLOCK = 32 << 20


def path_of(column: SourceColumn) -> list[str]:
    """The keys that lead to a column, of which one may itself hold a dot."""
    keys = re.findall(r'"((?:[^"]|"")*)"', column.sql)
    return [key.replace('""', '"') for key in keys] or [column.name]


def picked(batch: pyarrow.RecordBatch, columns: list[SourceColumn]) -> dict[str, pyarrow.Array]:
    """The columns of a batch by their names, those inside structs too."""
    found = {}
    for column in columns:
        top, *inner = path_of(column)
        array = batch.column(top)
        for key in inner:
            array = pyarrow.compute.struct_field(array, key)
        found[column.name] = array
    return found


def arrow_json_batches(
    plain: Path, texts: list[SourceColumn], money: list[SourceColumn], credit: SourceColumn | None
) -> Iterator[dict[str, pyarrow.Array]]:
    """Batches by Arrow. Raises ArrowException where a value is of another kind than asked for, or too fine or large."""
    kinds: dict[str, pyarrow.DataType] = dict.fromkeys((c.name for c in texts), pyarrow.string())
    kinds |= dict.fromkeys((c.name for c in money), _NUMBER)
    columns = [*texts, *money]
    if credit is not None:
        kinds[credit.name] = pyarrow.list_(pyarrow.struct([("amount", _NUMBER)]))
        columns.append(credit)
    shape: dict[str, Any] = {}
    for column in columns:
        *above, last = path_of(column)
        place = shape
        for key in above:
            place = place.setdefault(key, {})
        place[last] = kinds[column.name]
    reader = pyarrow.json.open_json(
        plain,
        read_options=pyarrow.json.ReadOptions(block_size=_BLOCK),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=pyarrow.schema(_fields(shape)), unexpected_field_behavior="ignore"
        ),
    )
    for batch in reader:
        yield picked(batch, columns)


def _fields(shape: dict[str, Any]) -> list[pyarrow.Field]:
    return [
        pyarrow.field(key, pyarrow.struct(_fields(kind)) if isinstance(kind, dict) else kind)
        for key, kind in shape.items()
    ]


def json_batches(plain: Path, columns: list[SourceColumn]) -> Iterator[dict[str, pyarrow.Array]]:
    """Batches of texts by Python's own reader, whatever the values are."""
    rows: dict[str, list[str | None]] = {c.name: [] for c in columns}

    def flush() -> dict[str, pyarrow.Array]:
        batch = {name: pyarrow.array(values, pyarrow.string()) for name, values in rows.items()}
        for values in rows.values():
            values.clear()
        return batch

    paths = {c.name: path_of(c) for c in columns}
    with plain.open(encoding="utf-8-sig") as lines:
        for line in lines:
            if not line.strip():
                continue
            parsed = json.loads(line, parse_float=_Number, parse_int=_Number)
            for name, path in paths.items():
                value = parsed
                for key in path:
                    value = value.get(key) if isinstance(value, dict) else None
                rows[name].append(value if value is None or isinstance(value, str) else json.dumps(value))
            if len(rows[columns[0].name]) >= 50_000:
                yield flush()
    yield flush()


class _Number(str):
    """A JSON number kept as it is written."""
