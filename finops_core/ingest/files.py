"""What a file is, by its content: compression, encoding, delimiter, header. Nothing is guessed from its name."""

import codecs
import csv
import gzip
import io
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, cast

import duckdb
import pyarrow.parquet

from finops_core.errors import FarthingError, InputRefused, Place, disk_is_full
from finops_core.formats.expressions import identifier
from finops_core.formats.format import Header, SourceColumn

CHUNK = 1 << 20
MAX_COLUMNS = 10_000
_BOMB_SIZE, _BOMB_RATIO = 2 << 30, 250
"""An archive that unpacks to more than both is refused; exports compress 10 to 50 times."""
_BROKEN_ARCHIVE = (
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    RuntimeError,
    NotImplementedError,
)
_OTHER_KINDS = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word document",
    b"SQLite": "an SQLite file",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"BZh": "a bzip2 archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"RIFF": "a picture or sound",
    b"<": "a web page or XML (an error message instead of the export?)",
}
_ARCHIVES = {b"\x1f\x8b": "a gzip file", b"PK": "a zip archive", b"PAR1": "a parquet file"}
_SAVE_AS = "Upload the export as the cloud ships it: csv, gz, zip, parquet or JSON lines"
NESTED = "the JSON is nested too deeply"
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

    @property
    def path(self) -> str:
        """Where it is, unique in a set: a member lies in its archive as a file in a directory."""
        return str(self.file.path / self.member)


def refuse(
    file: ExportFile | Examined,
    what: str,
    advice: str = "",
    row: int | None = None,
    column: str | None = None,
) -> InputRefused:
    return InputRefused(what, Place(file.name, row, column), advice)


@contextmanager
def damage_in_words(table: Examined | ExportFile) -> Iterator[None]:
    """Whatever a reader stumbles over in a file is a refusal that names it; a full disk is not the file's fault."""
    try:
        yield
    except FarthingError:
        raise
    except Exception as error:
        if disk_is_full(error):
            raise
        first = next(iter(str(error).splitlines()), "")[:200]
        words = f"cannot be read: {first or type(error).__name__}"
        raise refuse(table, words, "Is it damaged? Download it again") from error


def examine(file: ExportFile) -> list[Examined]:
    """Looks at the beginning of a file. Raises InputRefused where it is empty, broken, or no table."""
    try:
        with file.path.open("rb") as raw:
            head = raw.read(8)
    except OSError as error:
        raise refuse(file, f"cannot be read: {error.strerror}") from error
    if not head:
        raise refuse(file, "the file is empty", "Download it again; an export has at least a header")
    _refuse_other_kinds(file, head)
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


def _refuse_other_kinds(file: ExportFile | Examined, head: bytes) -> None:
    """Raises InputRefused for what starts like a picture, a document or a web page."""
    for magic, words in _OTHER_KINDS.items():
        if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(magic):
            raise refuse(file, f"this is {words}, not an export", _SAVE_AS)


def open_bytes(table: Examined) -> IO[bytes]:
    """The decompressed bytes of a table."""
    if table.compression == "gzip":
        return gzip.open(table.file.path, "rb")  # type: ignore[return-value]
    if table.compression == "zip":
        # The file behind an archive stays open for its open member, and no longer.
        with zipfile.ZipFile(table.file.path) as archive:
            return archive.open(table.member)
    return table.file.path.open("rb")


def decompressed(table: Examined) -> Iterator[bytes]:
    """All bytes in UTF-8, a block at a time; a truncated or damaged archive is refused at its end."""
    decoder = codecs.getincrementaldecoder(table.encoding)() if table.encoding != "utf-8" else None
    packed = table.file.path.stat().st_size
    size = 0
    try:
        with open_bytes(table) as stream:
            while block := stream.read(CHUNK):
                size += len(block)
                if table.compression and size > max(_BOMB_SIZE, packed * _BOMB_RATIO):
                    raise refuse(
                        table,
                        f"unpacks to more than {_BOMB_RATIO} times its size: no export compresses like this",
                        "If it is one, unpack it yourself and load the csv",
                    )
                yield decoder.decode(block).encode() if decoder else block
            if decoder:
                yield decoder.decode(b"", final=True).encode()
    except _BROKEN_ARCHIVE as error:
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
    if any(m in ("[Content_Types].xml", "mimetype") for m in members):
        raise refuse(file, "this is an office document, not an export", _SAVE_AS)
    if not members:
        raise refuse(file, "the zip archive is empty")
    if len(set(members)) < len(members):
        raise refuse(file, "the zip archive holds two files of one name", "Unpack it and load the right one")
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
    except _BROKEN_ARCHIVE as error:
        raise refuse(table, f"the archive is cut off or damaged ({error})", "Download it again") from error
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \r\n\t"):
        raise refuse(table, "the file is empty", "Download it again; an export has at least a header")
    for magic, words in _ARCHIVES.items():
        if head.startswith(magic):
            raise refuse(table, f"{words} inside an archive", "Unpack the outer archive first")
    _refuse_other_kinds(table, head[:64])
    encoding = _encoding(table, head)
    text = codecs.getincrementaldecoder(encoding)().decode(head).removeprefix("\ufeff")
    table = replace(table, encoding=encoding)
    if text.lstrip().startswith(("{", "[")):
        return replace(table, header=_json_header(table, text))
    delimiter, names = _csv_header(table, text)
    columns = tuple(SourceColumn(name, "VARCHAR", f"c{i}") for i, name in enumerate(names))
    return replace(table, header=Header("csv", columns), delimiter=delimiter)


def _encoding(table: Examined, head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise refuse(table, "this is UTF-32 text", "Save it as UTF-8")
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
    if "\r" in text and "\n" not in text:
        raise refuse(
            table, "its lines end with a carriage return alone", "Save it with line ends of Unix or Windows"
        )
    if len(text) >= CHUNK and "\n" not in text:
        raise refuse(table, f"no table: its first line is longer than {CHUNK:,} bytes", _SAVE_AS)
    try:
        headers = {d: next(csv.reader(io.StringIO(text, newline=""), delimiter=d), []) for d in ",;\t|"}
    except csv.Error as error:
        raise refuse(table, f"no table: {error}", _SAVE_AS, row=1) from error
    delimiter = max(headers, key=lambda d: len(headers[d]))
    names = headers[delimiter]
    if len(names) < 2:
        raise refuse(table, "no table: its first line has no columns", _SAVE_AS)
    if len(names) > MAX_COLUMNS:
        raise refuse(table, f"{len(names):,} columns in the header: this is no export", _SAVE_AS, row=1)
    _refuse_twins(table, names)
    return delimiter, names


def _refuse_twins(table: ExportFile | Examined, names: Iterable[str]) -> None:
    """Which of two columns of one name counts cannot be known; blank names are columns without meaning."""
    twice = sorted(name for name, times in Counter(names).items() if times > 1 and name.strip())
    if twice:
        raise refuse(table, f"the column {twice[0]!r} stands twice in the header", "Export it again", row=1)


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
            except RecursionError as error:
                raise refuse(table, NESTED, "This is no export", row=number) from error
            except json.JSONDecodeError as error:
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
        names = pyarrow.parquet.read_schema(file.path).names
        _refuse_twins(file, names)
        with duckdb.connect() as connection:
            relation = connection.sql(f"SELECT * FROM {parquet_sql(file.path)}")
            columns = list(zip(names, relation.columns, relation.types, strict=True))
    except (pyarrow.ArrowException, duckdb.Error, OSError, ValueError) as error:
        raise refuse(file, "the parquet file is cut off or damaged", "Download it again") from error
    found: list[SourceColumn] = []
    for name, written, kind in columns:
        found.extend(struct_fields(name, identifier(written), kind))
    return Header("parquet", tuple(found))


def struct_fields(name: str, sql: str, kind: "duckdb.sqltypes.DuckDBPyType") -> Iterator[SourceColumn]:
    """The columns that a column amounts to: the fields of a struct, by their dotted names, or itself."""
    if kind.id == "struct":
        for child, inner in cast("list[tuple[str, duckdb.sqltypes.DuckDBPyType]]", kind.children):
            yield from struct_fields(f"{name}.{child}", f"{sql}.{identifier(child)}", inner)
    else:
        yield SourceColumn(name, str(kind), sql)


def parquet_sql(path: Path, rows: bool = False) -> str:
    """Table function that reads a parquet file; with `rows`, with the number of each row."""
    escaped = str(path).replace("'", "''")
    return f"read_parquet('{escaped}', hive_partitioning=false{', file_row_number=true' if rows else ''})"
