"""Brings a table into DuckDB as it stands, every cell as text (parquet keeps its types), each row with its number."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from finops_core.errors import InputRefused
from finops_core.formats.format import Header, SourceColumn
from finops_core.ingest.files import Examined, decompressed, parquet_sql, refuse
from finops_core.ingest.sql import scalar

MAX_LINE = 16 << 20


@dataclass(frozen=True)
class RawTable:
    """A table ready to be queried: SQL of the relation (with x_Row), its header, and the plain file behind it."""

    table: Examined
    relation: str
    header: Header
    plain: Path
    warnings: tuple[str, ...] = ()


def read(table: Examined, workspace: Path, connection: duckdb.DuckDBPyConnection) -> RawTable:
    """Reads a whole table. Raises InputRefused with the row where it is damaged."""
    if table.header.kind == "parquet":
        relation = f"(SELECT *, file_row_number + 1 AS x_Row FROM {parquet_sql(table.file.path, rows=True)})"
        return RawTable(table, relation, table.header, table.file.path)
    plain = _plain(table, workspace)
    raw = workspace / f"raw-{abs(hash((table.file.path, table.member))):x}.parquet"
    if table.header.kind == "json":
        return _read_json(table, plain, raw, connection)
    warnings: tuple[str, ...] = ()
    try:
        _copy_csv(table, plain, raw, connection)
    except duckdb.Error as error:
        refusal = _csv_refusal(table, str(error))
        if refusal is not None:
            raise refusal from error
        plain = _rewritten(table, plain, workspace)
        try:
            _copy_csv(table, plain, raw, connection)
        except duckdb.Error as again:
            raise refuse(
                table, f"not a well-formed csv: {str(again).splitlines()[0]}", "Export it again"
            ) from again
        warnings = (
            f"{table.name}: quotes inside cells are not escaped; every row still has {len(table.header.columns)} columns",
        )
    relation = f"(SELECT *, file_row_number + 2 AS x_Row FROM {parquet_sql(raw, rows=True)})"
    return RawTable(table, relation, table.header, plain, warnings)


def _plain(table: Examined, workspace: Path) -> Path:
    """The table as an uncompressed UTF-8 file."""
    if not table.compression and table.encoding == "utf-8":
        return table.file.path
    plain = workspace / f"plain-{abs(hash((table.file.path, table.member))):x}"
    with plain.open("wb") as out:
        for block in decompressed(table):
            out.write(block)
    return plain


def _copy_csv(table: Examined, plain: Path, raw: Path, connection: duckdb.DuckDBPyConnection) -> None:
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(table.header.columns)))
    source = str(plain).replace("'", "''")
    connection.execute(
        f"""COPY (SELECT * FROM read_csv('{source}', columns={{{columns}}}, auto_detect=false, header=true,
            delim='{table.delimiter}', quote='"', escape='"', strict_mode=true, null_padding=false,
            max_line_size={MAX_LINE}, compression='none', encoding='utf-8', allow_quoted_nulls=false, nullstr='\x01'))
            TO '{raw}' (FORMAT parquet, COMPRESSION snappy)"""
    )


def _csv_refusal(table: Examined, message: str) -> InputRefused | None:
    """The refusal that DuckDB's message amounts to; None where another dialect may still read the file."""
    line = re.search(r"CSV Error on Line: (\d+)", message)
    row = int(line.group(1)) if line else None
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if "quote" in message.lower():
        return None
    if counts:
        expected, found = (int(g) for g in counts.groups())
        if found > expected:
            advice = _lost_comma(table, expected, found)
        else:
            advice = "The row is cut off or lacks a separator: export the file again"
        return refuse(table, f"{found} cells where the header has {expected} columns", advice, row=row)
    if "unicode" in message.lower() or "utf-8" in message.lower():
        return refuse(table, "not UTF-8 text", "Save it as UTF-8", row=row)
    if "Maximum line size" in message:
        return refuse(
            table,
            f"a line longer than {MAX_LINE:,} bytes",
            "A quote that is never closed? Export it again",
            row=row,
        )
    return None


def _lost_comma(table: Examined, expected: int, found: int) -> str:
    suspects = [
        n for n in table.header.names if re.search(r"[a-z](bill|lineItem|pricing|product|resource)/", n[1:])
    ]
    where = f", perhaps in {suspects[0]!r}" if suspects else ""
    if found == expected + 1:
        return (
            f"A separator was lost in the header{where}, or stands unquoted in the row: export the file again"
        )
    return "Separators stand unquoted in the row: export the file again"


def _rewritten(table: Examined, plain: Path, workspace: Path) -> Path:
    """A lenient reading, accepted only if every row has exactly the header's cells; written anew in strict form."""
    target = workspace / f"rewritten-{abs(hash((table.file.path, table.member))):x}.csv"
    width = len(table.header.columns)
    with (
        plain.open(encoding="utf-8-sig", newline="") as source,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        writer = csv.writer(out, delimiter=table.delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
        reader = csv.reader(source, delimiter=table.delimiter, doublequote=True, strict=False)
        for number, row in enumerate(reader, start=1):
            if not row:
                continue
            if len(row) != width:
                raise refuse(
                    table,
                    f"{len(row)} cells where the header has {width} columns; a quote is not closed or not escaped",
                    "The row is cut off, or holds quotes that are not doubled: export the file again",
                    row=number,
                )
            if row[-1].endswith("\n"):
                raise refuse(
                    table,
                    "the last cell's quote is never closed",
                    "The file is cut off: download it again",
                    row=number,
                )
            writer.writerow(row)
    return target


def _read_json(table: Examined, plain: Path, raw: Path, connection: duckdb.DuckDBPyConnection) -> RawTable:
    source = str(plain).replace("'", "''")
    try:
        connection.execute(
            f"""COPY (SELECT CAST(json AS VARCHAR) AS line FROM read_json_objects('{source}', format='newline_delimited',
                compression='none', maximum_object_size={MAX_LINE})) TO '{raw}' (FORMAT parquet, COMPRESSION snappy)"""
        )
    except duckdb.Error as error:
        found = re.search(r"(?:line|record/value) (\d+)", str(error))
        row = int(found.group(1)) if found else None
        raise refuse(
            table,
            f"no JSON: {str(error).splitlines()[0][:160]}",
            "The line is cut off or damaged: download the file again",
            row,
        ) from error
    relation = f"(SELECT *, file_row_number + 1 AS x_Row FROM {parquet_sql(raw, rows=True)})"
    structure = scalar(connection, f"SELECT json_group_structure(CAST(line AS JSON)) FROM {relation}")
    fields = json.loads(structure) if structure else {}
    header = Header("json", tuple(_json_columns(fields)))
    return RawTable(replace(table, header=header), relation, header, plain)


def _json_columns(fields: object, path: tuple[str, ...] = ()) -> Iterator[SourceColumn]:
    if isinstance(fields, dict) and fields:
        for key, inner in fields.items():
            yield from _json_columns(inner, (*path, key))
        return
    pointer = "$" + "".join(f'."{key}"' for key in path)
    pointer = pointer.replace("'", "''")
    if isinstance(fields, list) or fields in ("JSON", {}):
        yield SourceColumn(
            ".".join(path), "JSON", f"nullif(CAST(json_extract(line, '{pointer}') AS VARCHAR), 'null')"
        )
    else:
        yield SourceColumn(".".join(path), "VARCHAR", f"json_extract_string(line, '{pointer}')")
