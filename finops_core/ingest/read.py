"""Brings a table into DuckDB as it stands, every cell as text (parquet keeps its types), each row with its number."""

import codecs
import csv
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from finops_core.errors import InputRefused, disk_is_full
from finops_core.formats.expressions import quoted
from finops_core.formats.format import Header, SourceColumn
from finops_core.ingest.files import Examined, decompressed, parquet_sql, refuse, struct_fields
from finops_core.ingest.json_lines import check_lines
from finops_core.ingest.json_structure import exact_shape, leaf_paths, merged_structure, text_shape, unfit
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
    lines: int = 0
    """Line ends in the plain file; 0 for parquet."""


def read(table: Examined, workspace: Path, connection: duckdb.DuckDBPyConnection) -> RawTable:
    """Reads a whole table. Raises InputRefused with the row where it is damaged."""
    if table.header.kind == "parquet":
        relation = f"(SELECT *, file_row_number + 1 AS x_Row FROM {parquet_sql(table.file.path, rows=True)})"
        return RawTable(table, relation, table.header, table.file.path)
    plain, text = _plain(table, workspace)
    raw = workspace / f"raw-{abs(hash((table.file.path, table.member))):x}.parquet"
    if table.header.kind == "json":
        check_lines(table, plain, MAX_LINE, connection)
        return _read_json(table, plain, raw, connection)
    warnings = (
        [] if text.complete else [f"{table.name}: the last line has no line end: is the file complete?"]
    )
    try:
        _copy_csv(table, plain, raw, connection)
    except duckdb.Error as error:
        if disk_is_full(error):
            raise
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
        warnings.append(
            f"{table.name}: quotes that are not escaped, or mixed line ends;"
            f" every row still has {len(table.header.columns)} columns"
        )
    relation = f"(SELECT *, file_row_number + 2 AS x_Row FROM {parquet_sql(raw, rows=True)})"
    found = RawTable(table, relation, table.header, plain, tuple(warnings), text.lines)
    _refuse_swallowed_rows(found, connection)
    return found


class _Text:
    """Looks at every byte of a text once: what is no text, or cannot be cut into lines, is refused with its row."""

    def __init__(self, table: Examined) -> None:
        self.table = table
        self.lines = 0
        self.complete = True
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._length = 0

    def look(self, block: bytes) -> None:
        if not block:
            return
        if not block.isascii() or self._decoder.getstate()[0]:
            try:
                self._decoder.decode(block)
            except UnicodeDecodeError as error:
                raise self._refusal("not UTF-8 text", "Save it as UTF-8", block, error.start) from error
        if (position := block.find(b"\0")) >= 0:
            raise self._refusal("a NUL byte", "The file is damaged: download it again", block, position)
        ends = block.count(b"\n")
        self._length += block.find(b"\n") if ends else len(block)
        if self._length > MAX_LINE:
            words = f"a line longer than {MAX_LINE:,} bytes"
            raise self._refusal(words, "A quote that is never closed? Export it again", block, 0)
        if ends:
            self._length = len(block) - block.rfind(b"\n") - 1
        self.lines += ends
        self.complete = block.endswith((b"\n", b"\r"))

    def _refusal(self, what: str, advice: str, block: bytes, position: int) -> InputRefused:
        return refuse(self.table, what, advice, self.lines + block.count(b"\n", 0, position) + 1)


def _plain(table: Examined, workspace: Path) -> tuple[Path, _Text]:
    """The table as an uncompressed UTF-8 file, and what was seen on the way."""
    text = _Text(table)
    as_it_stands = not table.compression and table.encoding == "utf-8"
    plain = workspace / f"plain-{abs(hash((table.file.path, table.member))):x}"
    with ExitStack() as stack:
        out = None if as_it_stands else stack.enter_context(plain.open("wb"))
        for block in decompressed(table):
            text.look(block)
            if out is not None:
                out.write(block)
    return table.file.path if as_it_stands else plain, text


def _refuse_swallowed_rows(raw: RawTable, connection: duckdb.DuckDBPyConnection) -> None:
    """A quote that opens in one row and closes in a later one makes one row of several: it shows as a cell with line
    ends and as many separators as a row has."""
    if raw.lines <= int(scalar(connection, f"SELECT count(*) FROM {raw.relation}")) + 1:
        return
    columns, separator = raw.header.columns, quoted(raw.table.delimiter)
    swallowed = ", ".join(
        f"min(x_Row) FILTER (contains({c.sql}, chr(10)) AND length({c.sql}) - length(replace({c.sql}, {separator}, ''))"
        f" >= {len(columns) - 1} * (length({c.sql}) - length(replace({c.sql}, chr(10), ''))))"
        for c in columns
    )
    found = connection.execute(f"SELECT {swallowed} FROM {raw.relation}").fetchall()[0]
    for column, row in zip(columns, found, strict=True):
        if row is not None and len(columns) > 3:
            words = "a quote opens here and closes only in a later row"
            raise refuse(
                raw.table, words, "Export the file again with its quotes doubled", int(row), column.name
            )


def _copy_csv(table: Examined, plain: Path, raw: Path, connection: duckdb.DuckDBPyConnection) -> None:
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(table.header.columns)))
    source = str(plain).replace("'", "''")
    with in_order(connection):
        connection.execute(
            f"""COPY (SELECT * FROM read_csv('{source}', columns={{{columns}}}, auto_detect=false, header=true,
            delim='{table.delimiter}', quote='"', escape='"', strict_mode=true, null_padding=false,
            max_line_size={MAX_LINE}, compression='none', encoding='utf-8', allow_quoted_nulls=false, nullstr='\x01'))
            TO '{raw}' (FORMAT parquet, COMPRESSION snappy)"""
        )


def _csv_refusal(table: Examined, message: str) -> InputRefused | None:
    """The refusal that DuckDB's message amounts to; None where another dialect may still read the file."""
    message = message.split("Possible fixes:")[0]
    line = re.search(r"CSV Error on Line: (\d+)", message)
    row = int(line.group(1)) if line else None
    counts = re.search(r"^Expected Number of Columns: (\d+) Found: (\d+)", message, re.M)
    if counts and '"' not in message:
        return _width_refusal(table, int(counts.group(2)), row)
    if "Maximum line size" in message:
        return refuse(
            table,
            f"a row longer than {MAX_LINE:,} bytes",
            "A quote that is never closed? Export it again",
            row=row,
        )
    return None


def _width_refusal(table: Examined, found: int, row: int | None) -> InputRefused:
    """A row of more or fewer cells than the header."""
    expected = len(table.header.columns)
    cells = f"{found:,} cells" if found != 1 else "1 cell"
    what = f"{cells} where the header has {expected:,} columns"
    if found < expected:
        advice = "The row is cut off, or a quote in it is not closed or not doubled: export the file again"
    else:
        advice = _lost_separator(table, expected, found)
    return refuse(table, what, advice, row=row)


def _lost_separator(table: Examined, expected: int, found: int) -> str:
    suspects = [
        n for n in table.header.names if re.search(r"[a-z](bill|lineItem|pricing|product|resource)/", n[1:])
    ]
    where = f", perhaps in {suspects[0]!r}" if suspects else ""
    if found == expected + 1:
        return (
            f"A separator was lost in the header{where}, or stands unquoted in the row: export the file again"
        )
    return "Separators stand unquoted in the row: export the file again"


class _Lines:
    """Hands out the lines of a file, and knows when there are no more."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            return next(self._lines)
        except StopIteration:
            self.ended = True
            raise


def _rewritten(table: Examined, plain: Path, workspace: Path) -> Path:
    """A lenient reading, accepted only if every row has exactly the header's cells; written anew in strict form."""
    target = workspace / f"rewritten-{abs(hash((table.file.path, table.member))):x}.csv"
    width = len(table.header.columns)
    with (
        plain.open(encoding="utf-8-sig", newline="") as source,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        writer = csv.writer(out, delimiter=table.delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
        lines = _Lines(source)
        number = 0
        try:
            for number, row in enumerate(csv.reader(lines, delimiter=table.delimiter), start=1):
                if lines.ended:  # it asked for another line: a quote is open
                    advice = "The file is cut off, or a quote is not doubled: download it again"
                    raise refuse(table, "a quote is never closed", advice, number)
                if row and len(row) != width:
                    raise _width_refusal(table, len(row), number)
                if row:
                    writer.writerow(row)
        except csv.Error as error:
            raise refuse(table, f"not a well-formed csv: {error}", "Export it again", number + 1) from error
    return target


def _read_json(table: Examined, plain: Path, raw: Path, connection: duckdb.DuckDBPyConnection) -> RawTable:
    """JSON lines become typed columns: all values as text, lists of objects as lists of structs of texts.

    DuckDB writes a JSON number that has a point out of a double, so beyond 17 digits it would differ from the file: the
    exact value of those stands beside the text (`SourceColumn.exact`).
    """
    lines = f"""read_json_objects({quoted(str(plain))}, format='newline_delimited', compression='none',
                                  maximum_object_size={MAX_LINE})"""
    try:
        fields = merged_structure(connection.execute(f"SELECT DISTINCT json_structure(json) FROM {lines}"))
        if not isinstance(fields, dict) or unfit(fields):
            raise refuse(table, "the lines are no JSON objects with distinct keys", "One row a line")
        exact = exact_shape(fields)
        select = [f"json_transform(json, {quoted(json.dumps(text_shape(fields)))}) AS written"]
        if exact:
            select.append(f"json_transform(json, {quoted(json.dumps(exact))}) AS exact")
        with in_order(connection):
            connection.execute(
                f"COPY (SELECT {', '.join(select)} FROM {lines}) TO '{raw}' (FORMAT parquet, COMPRESSION snappy)"
            )
    except duckdb.OutOfMemoryException:
        raise
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
    header = Header("json", tuple(_json_columns(raw, exact, connection)))
    return RawTable(replace(table, header=header), relation, header, plain)


def _json_columns(
    raw: Path, exact: dict[str, Any], connection: duckdb.DuckDBPyConnection
) -> Iterator[SourceColumn]:
    written = connection.sql(f"SELECT written FROM {parquet_sql(raw)}").types[0]
    beside = set(leaf_paths(exact))
    for column in struct_fields("", "written", written):
        path = column.sql.removeprefix("written")
        yield replace(
            column, name=column.name.removeprefix("."), exact=f"exact{path}" if path in beside else ""
        )


@contextmanager
def in_order(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Keeps the order of a file, which is what its rows are numbered by; elsewhere order costs and says nothing."""
    connection.execute("SET preserve_insertion_order=true")
    try:
        yield
    finally:
        connection.execute("SET preserve_insertion_order=false")
