"""What a file is, by its content: compression, encoding, delimiter, header. Nothing is guessed from its name."""

import codecs
import csv
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, cast

import duckdb
import pyarrow.parquet

from finops_core.errors import InputRefused, Place
from finops_core.formats.format import Header, SourceColumn

CHUNK = 1 << 20
_PICTURES = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word document",
    b"SQLite": "an SQLite file",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"BZh": "a bzip2 archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
}
_SAVE_AS = "Upload the export as the cloud ships it: csv, gz, zip, parquet or JSON lines"
csv.field_size_limit(1 << 28)


@dataclass(frozen=True)
class ExportFile:
    """A file that counts: where it is, how it is named to people, and what a manifest said of it."""

    path: Path
    name: str
    hint: str = ""
    rows: int | None = None
    export: str = ""
    """Which of a provider's exports the manifest is of, where each is a source of its own."""
    manifest: str = ""
    """The manifest that names the file; empty where none does."""


@dataclass(frozen=True)
class Examined:
    """A readable table: one file, or one member of an archive. `delimiter` is empty unless it is a csv."""

    file: ExportFile
    header: Header
    compression: str = ""  # "" | gzip | zip
    member: str = ""
    encoding: str = "utf-8"
    delimiter: str = ""

    @property
    def name(self) -> str:
        return f"{self.file.name}:{self.member}" if self.member else self.file.name


def refuse(
    file: ExportFile | Examined,
    what: str,
    advice: str = "",
    row: int | None = None,
    column: str | None = None,
) -> InputRefused:
    return InputRefused(what, Place(file.name, row, column), advice)


def examine(file: ExportFile) -> list[Examined]:
    """Looks at the beginning of a file. Raises InputRefused where it is empty, broken, or no table."""
    try:
        with file.path.open("rb") as raw:
            head = raw.read(8)
    except OSError as error:
        raise refuse(file, f"cannot be read: {error.strerror}") from error
    if not head:
        raise refuse(file, "the file is empty", "Download it again; an export has at least a header")
    for magic, words in _PICTURES.items():
        if head.startswith(magic):
            raise refuse(file, f"this is {words}, not an export", _SAVE_AS)
    if head.startswith(b"PAR1"):
        return [Examined(file, _parquet_header(file))]
    if head.startswith(b"PK"):
        return _examine_zip(file)
    if head.startswith(b"\x1f\x8b"):
        return [_examine_text(Examined(file, Header("csv", ()), "gzip"))]
    if file.name.lower().endswith((".parquet", ".gz", ".zip")):
        kind = file.name.rsplit(".", 1)[1]
        if kind == "parquet" or not _looks_like_text(file.path):
            raise refuse(
                file,
                f"named .{kind}, but it is none: its content is damaged or of another kind",
                "Download it again",
            )
    return [_examine_text(Examined(file, Header("csv", ())))]


def open_bytes(table: Examined) -> IO[bytes]:
    """The decompressed bytes of a table."""
    if table.compression == "gzip":
        return gzip.open(table.file.path, "rb")  # type: ignore[return-value]
    if table.compression == "zip":
        return zipfile.ZipFile(table.file.path).open(table.member)
    return table.file.path.open("rb")


def decompressed(table: Examined) -> Iterator[bytes]:
    """All bytes in UTF-8, a block at a time; a truncated or damaged archive is refused at its end."""
    decoder = codecs.getincrementaldecoder(table.encoding)() if table.encoding != "utf-8" else None
    try:
        with open_bytes(table) as stream:
            while block := stream.read(CHUNK):
                yield decoder.decode(block).encode() if decoder else block
    except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise refuse(table, f"the archive is cut off or damaged ({error})", "Download it again") from error
    except UnicodeError as error:
        raise refuse(table, f"not readable as {table.encoding}: {error}", "Save it as UTF-8") from error


def _looks_like_text(path: Path) -> bool:
    with path.open("rb") as raw:
        block = raw.read(CHUNK)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(block)
    except UnicodeDecodeError:
        return block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return b"\x00" not in block


def _examine_zip(file: ExportFile) -> list[Examined]:
    try:
        with zipfile.ZipFile(file.path) as archive:
            members = [m for m in archive.namelist() if not m.endswith("/") and "__MACOSX" not in m]
    except zipfile.BadZipFile as error:
        raise refuse(file, f"the zip archive is cut off or damaged ({error})", "Download it again") from error
    if any(m.startswith("xl/") for m in members):
        raise refuse(
            file,
            "this is an Excel workbook, not an export",
            "Save the sheet as CSV UTF-8, or upload the original export",
        )
    if not members:
        raise refuse(file, "the zip archive is empty")
    tables = [
        m
        for m in members
        if not m.lower().endswith((".json", ".txt", ".md", ".yml", ".sql")) or len(members) == 1
    ]
    return [_examine_text(Examined(file, Header("csv", ()), "zip", member)) for member in tables]


def _examine_text(table: Examined) -> Examined:
    head = b""
    try:
        with open_bytes(table) as stream:
            while len(head) < CHUNK and (block := stream.read(CHUNK - len(head))):
                head += block
    except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise refuse(table, f"the archive is cut off or damaged ({error})", "Download it again") from error
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \r\n\t"):
        raise refuse(table, "the file is empty", "Download it again; an export has at least a header")
    if head.startswith(b"PAR1"):
        raise refuse(
            table, "a parquet file inside an archive", "Unpack it and upload the parquet file itself"
        )
    encoding = _encoding(table, head)
    text = codecs.getincrementaldecoder(encoding)().decode(head).removeprefix("\ufeff")
    table = replace(table, encoding=encoding)
    if text.lstrip().startswith(("{", "[")):
        return replace(table, header=_json_header(table, text))
    delimiter, names = _csv_header(table, text)
    columns = tuple(SourceColumn(name, "VARCHAR", f"c{i}") for i, name in enumerate(names))
    return replace(table, header=Header("csv", columns), delimiter=delimiter)


def _encoding(table: Examined, head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in head:
        raise refuse(
            table,
            "not text: it holds NUL bytes",
            _SAVE_AS + "; text must be UTF-8, or UTF-16 with a byte order mark",
        )
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError as error:
        row = head[: error.start].count(b"\n") + 1
        raise refuse(table, "not UTF-8 text", "Save it as UTF-8", row=row) from error
    return "utf-8"


def _csv_header(table: Examined, text: str) -> tuple[str, list[str]]:
    """Delimiter and names. The delimiter is the one that splits the header into most columns."""
    counts = {d: len(next(csv.reader(io.StringIO(text), delimiter=d), [])) for d in ",;\t|"}
    delimiter = max(counts, key=lambda d: counts[d])
    names = next(csv.reader(io.StringIO(text), delimiter=delimiter), [])
    if len(names) < 2:
        raise refuse(table, "no table: its first line has no columns", _SAVE_AS)
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise refuse(
            table, f"the column {sorted(twice)[0]!r} stands twice in the header", "Export it again", row=1
        )
    return delimiter, names


def _json_header(table: Examined, text: str) -> Header:
    """Header of JSON lines from the lines at hand: nested fields by their dotted names."""
    if text.lstrip().startswith("["):
        raise refuse(
            table, "a JSON array, not JSON lines", "Export as newline-delimited JSON, one row a line"
        )
    names: dict[str, None] = {}
    lines = text.splitlines()
    for number, line in enumerate(lines[:-1] or lines, start=1):
        if line.strip():
            try:
                names |= dict.fromkeys(_dotted(json.loads(line)))
            except (json.JSONDecodeError, RecursionError) as error:
                raise refuse(
                    table, f"no JSON: {error}", "Each line must be one JSON object", row=number
                ) from error
    return Header("json", tuple(SourceColumn(name, "JSON", "") for name in names))


def _dotted(value: object, prefix: str = "") -> Iterator[str]:
    if isinstance(value, dict) and (value or not prefix):
        for key, inner in value.items():
            yield from _dotted(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix


def _parquet_header(file: ExportFile) -> Header:
    try:
        pyarrow.parquet.ParquetFile(file.path)
        with duckdb.connect() as connection:
            relation = connection.sql(f"SELECT * FROM {parquet_sql(file.path)}")
            names = pyarrow.parquet.read_schema(file.path).names
            columns = list(zip(names, relation.columns, relation.types, strict=True))
    except (pyarrow.ArrowException, duckdb.Error, OSError, ValueError) as error:
        raise refuse(file, "the parquet file is cut off or damaged", "Download it again") from error
    found: list[SourceColumn] = []
    for name, identifier, kind in columns:
        found.extend(_fields(name, '"' + identifier.replace('"', '""') + '"', kind))
    return Header("parquet", tuple(found))


def _fields(name: str, sql: str, kind: "duckdb.sqltypes.DuckDBPyType") -> Iterator[SourceColumn]:
    if kind.id == "struct":
        for child, inner in cast("list[tuple[str, duckdb.sqltypes.DuckDBPyType]]", kind.children):
            yield from _fields(f"{name}.{child}", f'{sql}."{child}"', inner)
    else:
        yield SourceColumn(name, str(kind), sql)


def parquet_sql(path: Path, rows: bool = False) -> str:
    """Table function that reads a parquet file; with `rows`, with the number of each row."""
    escaped = str(path).replace("'", "''")
    return f"read_parquet('{escaped}', hive_partitioning=false{', file_row_number=true' if rows else ''})"
