"""Turns the tables of an export set into staged charges: one parquet file of FOCUS columns a table, nothing lost.

Every source row becomes a staged row (kept, or with the reason why it is dropped), every derived charge carries the
reason why it exists; so rows in = stored + dropped − derived can be counted, not hoped for.
"""

from collections.abc import Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import duckdb
from duckdb.func import FunctionNullHandling

from finops_core.errors import InputRefused, disk_is_full
from finops_core.focus.charges import staged_columns
from finops_core.formats.expressions import MACROS, PLACE_MARK, Compiler, mapping_rows, quoted
from finops_core.formats.format import Format
from finops_core.ingest.arrays import array_json
from finops_core.ingest.copies import StagedTable, leave_out_copies
from finops_core.ingest.files import Examined, damage_in_words, refuse
from finops_core.ingest.read import RawTable, read
from finops_core.ingest.sql import scalar
from finops_core.ingest.totals import SourceSums, sum_source

MEMORY_LIMIT = "1500MB"
_WORDS = {
    "number": ("is not a number", "Costs need a decimal point, no thousands mark and no currency sign"),
    "range": ("is beyond what can be stored exactly", "At most 20 digits before the point and 18 after it"),
    "date": (
        "is not a date",
        "Dates must be ISO 8601, such as 2026-09-01T00:00:00Z, or as the provider writes them",
    ),
    "pattern": (
        "is not a date as the mapping writes it",
        "Correct its `format` in the mapping; lines of totals must go",
    ),
    "comma": (
        "is not a number with a decimal comma",
        "Such as 1.234,56; with a decimal point leave `decimal` out",
    ),
    "month": ("is not an invoice month", "Months must be YYYYMM, such as 202609"),
    "list": (
        "is not a list of records",
        'Lists must be JSON, such as [{"key": "team"}], or as Python writes it; a cell that is cut off loses money',
    ),
    "unmapped": ("is not in the mapping's `map`", "Add it there, or give a `default`"),
}


@dataclass
class Staged:
    """The charges of one export set, on disk, with what the sources themselves say."""

    format: Format
    version: str
    relation: str
    """SQL of all staged rows, settled over the whole set: charge columns, x_Role, x_Drop."""
    rows: int
    sums: SourceSums
    roles: set[str]
    warnings: list[str] = field(default_factory=list)


def connect(workspace: Path) -> duckdb.DuckDBPyConnection:
    """A connection for staging: bounded memory, spilling into the workspace, UTC, our macros and mapping tables."""
    connection = duckdb.connect()
    connection.execute(
        f"SET memory_limit='{MEMORY_LIMIT}'; SET temp_directory={quoted(str(workspace / 'spill'))}"
    )
    connection.execute("SET TimeZone='UTC'; SET preserve_insertion_order=false")
    connection.create_function(
        "python_array", array_json, ["VARCHAR"], "VARCHAR", null_handling=FunctionNullHandling.SPECIAL
    )
    # It makes a join of every list of null words: most of the time that a small file takes.
    connection.execute("SET disabled_optimizers='in_clause'")
    connection.execute(MACROS)
    return connection


def stage(
    format: Format,
    version: str,
    tables: list[Examined],
    workspace: Path,
    connection: duckdb.DuckDBPyConnection,
    keep_copies: bool = False,
) -> Staged:
    """Stages the tables of one set. Raises InputRefused with file, row and column; then nothing has been stored.

    Of several downloads of one bill the newest counts, unless `keep_copies` says that they are different spend.
    """
    # A load may have several sets: each stages into a directory of its own.
    directory = workspace / f"staged-{len(list(workspace.glob('staged-*'))):03d}"
    directory.mkdir()
    done: list[StagedTable] = []
    warnings: list[str] = []
    roles: set[str] = set()
    with ThreadPoolExecutor(1) as second_reader:
        for raw, compiler in _with_roles(format, tables, workspace, connection):
            table = raw.table
            with damage_in_words(table):
                counting = second_reader.submit(
                    sum_source, raw, format.total(raw.header, compiler.role), compiler.find, format.nulls
                )
                target = directory / f"{len(done):05d}.parquet"
                count = _stage_table(format, raw, compiler, target, connection)
                table_sums = counting.result()
                warnings += [*raw.warnings, *_lost_digits(raw, compiler, table_sums, connection)]
                _refuse_counts(table, count, sum(table_sums.rows.values()))
            roles.add(compiler.role)
            done.append(StagedTable(table, target, table_sums))
    if not keep_copies:
        warnings += leave_out_copies(done, connection)
    sums = SourceSums()
    for one in done:
        sums.merge(one.sums)
    rows = sum(sums.rows.values())
    staged = f"({' UNION ALL '.join(one.select() for one in done)})"
    return Staged(format, version, f"({format.complete(staged)})", rows, sums, roles, warnings)


def _refuse_counts(table: Examined, count: int, second: int) -> None:
    if table.file.rows is not None and table.file.rows != count:
        raise refuse(
            table, f"{count:,} rows where the manifest says {table.file.rows:,}", "Download it again"
        )
    if second != count:
        raise refuse(table, f"two readers count {count:,} and {second:,} rows", "Export it again")


def _lost_digits(
    raw: RawTable, compiler: Compiler, sums: SourceSums, connection: duckdb.DuckDBPyConnection
) -> list[str]:
    """Words for what the 18 decimals of the store could not hold: the summed costs by the second reader, the rest here."""
    words = []
    if sums.rounded:
        words.append(f"{sums.rounded:,} costs have more than 18 decimals and were rounded at the 18th")
    others = [c for c in compiler.money if c.name not in sums.columns and c.type in ("VARCHAR", "JSON")]
    others.sort(key=lambda c: c.name)
    if others:
        counts = ", ".join(f"count(*) FILTER (has_lost_digits({c.sql}))" for c in others)
        found = connection.execute(f"SELECT {counts} FROM {raw.relation}").fetchall()[0]
        words += [
            f"{count:,} values of {column.name} have more than 18 decimals and were rounded at the 18th"
            for column, count in zip(others, found, strict=True)
            if count
        ]
    return words


def _with_roles(
    format: Format, tables: list[Examined], workspace: Path, connection: duckdb.DuckDBPyConnection
) -> list[tuple[RawTable, Compiler]]:
    """Each table, read, with the compiler that knows its role: a role is settled when all files are known."""
    opened = []
    for table in tables:
        with damage_in_words(table):
            raw = read(table, workspace, connection)
            opened.append((raw, _compiler(format, raw, connection)))
    by_path = {raw.table.path: (raw, compiler) for raw, compiler in opened}

    @cache
    def months(path: str) -> Set[str]:
        raw, compiler = by_path[path]
        with damage_in_words(raw.table):
            return _months(raw, compiler, connection)

    settled = format.settle({path: compiler.role for path, (_, compiler) in by_path.items()}, months)
    for raw, compiler in opened:
        compiler.role = settled[raw.table.path]
    return opened


def _months(raw: RawTable, compiler: Compiler, connection: duckdb.DuckDBPyConnection) -> Set[str]:
    """The billing periods of a table, as YYYY-MM."""
    start = compiler.sql(compiler.format.columns["BillingPeriodStart"])
    compiler.used.clear()
    try:
        rows = connection.execute(
            f"SELECT DISTINCT strftime({start}, '%Y-%m') FROM {raw.relation}"
        ).fetchall()
    except duckdb.Error as error:
        raise _refusal(raw, error) from error
    return {month for (month,) in rows}


def _compiler(format: Format, raw: RawTable, connection: duckdb.DuckDBPyConnection) -> Compiler:
    compiler = Compiler(format, raw.header)
    for wanted in format.required:
        if not any(compiler.find(name) for name in wanted.split("|")):
            names = " or ".join(repr(name) for name in wanted.split("|"))
            raise refuse(
                raw.table,
                f"looks like {format.title}, but the column {names} is missing",
                "Export it with this column",
                row=1,
                column=wanted.split("|")[0],
            )

    def count(condition: str) -> int:
        return int(scalar(connection, f"SELECT count(*) FROM {raw.relation} WHERE {compiler.sql(condition)}"))

    compiler.role = format.role(raw.header, raw.table.file.hint, count)
    compiler.used.clear()
    return compiler


def _stage_table(
    format: Format, raw: RawTable, compiler: Compiler, target: Path, connection: duckdb.DuckDBPyConnection
) -> int:
    """Writes the staged rows of one table; returns how many rows the source has."""
    select = staging_sql(format, raw, compiler)
    _refuse_twins(raw, compiler)
    for name in sorted(compiler.tables):
        _load_mapping(name, connection)
    try:
        connection.execute(f"COPY ({select}) TO {quoted(str(target))} (FORMAT parquet, COMPRESSION snappy)")
    except duckdb.Error as error:
        if disk_is_full(error):
            raise
        raise _refusal(raw, error) from error
    return int(scalar(connection, f"SELECT count(*) FROM {raw.relation}"))


def _refuse_twins(raw: RawTable, compiler: Compiler) -> None:
    """Two columns whose names mean the same cost, currency or period (BilledCost and billed_cost)."""
    required = [compiler.find(name) for wanted in compiler.format.required for name in wanted.split("|")]
    for column in (*required, *sorted(compiler.money, key=lambda c: c.name)):
        twin = compiler.twin(column) if column is not None else None
        if column is not None and twin is not None:
            raise refuse(
                raw.table,
                f"the columns {column.name!r} and {twin.name!r} mean the same: which one counts cannot be known",
                "Export it again with one of them",
                row=1,
                column=twin.name,
            )


def staging_sql(format: Format, raw: RawTable, compiler: Compiler) -> str:
    """The SELECT that maps one table: its rows, and the charges derived from them."""
    types = staged_columns()
    relation = compiler.prepared(raw.relation)
    own = {name: compiler.sql(format.columns.get(name, "NULL")) for name in types}
    drops = "".join(f" WHEN {compiler.sql(d.when)} THEN {quoted(d.reason)}" for d in format.drop)
    own |= {
        "x_File": quoted(raw.table.name),
        "x_Row": compiler.row,
        "x_Role": quoted(compiler.role),
        "x_Drop": f"CASE{drops} END" if drops else "NULL",
        "x_Derived": "NULL",
        "BillingCurrency": f"upper(trim({own['BillingCurrency']}))",
    }
    derived = []
    for rule in format.derive:
        changed = {name: compiler.sql(expression) for name, expression in rule.columns.items()}
        columns = {**own, **changed, "x_Drop": "NULL", "x_Derived": quoted(rule.reason)}
        derived.append((columns, compiler.sql(rule.when)))
    extra = compiler.extra()
    selects = [_select({**own, "x_Extra": extra}, types, relation)]
    selects += [_select({**c, "x_Extra": "NULL"}, types, relation) + f" WHERE {when}" for c, when in derived]
    return " UNION ALL ".join(selects)


def _select(columns: dict[str, str], types: dict[str, str], relation: str) -> str:
    body = ",\n  ".join(f"CAST({columns[name]} AS {kind}) AS {name}" for name, kind in types.items())
    return f"SELECT {body}\nFROM {relation}"


def _load_mapping(table: str, connection: duckdb.DuckDBPyConnection) -> None:
    """A map by key for each column of the table: many times faster than a join of rows as wide as these."""
    rows = mapping_rows(table)
    keys = [row["key"] for row in rows]
    for column in rows[0]:
        values = [row[column] for row in rows]
        connection.execute(
            f"SET VARIABLE {table}_{column} = (SELECT map(?::VARCHAR[], ?::VARCHAR[]))", [keys, values]
        )


def _refusal(raw: RawTable, error: duckdb.Error) -> InputRefused:
    """An error raised inside the mapping, as words with its place."""
    message = str(error)
    if f"farthing{PLACE_MARK}" in message:
        kind, row, column, value = message.split(f"farthing{PLACE_MARK}", 1)[1].split(PLACE_MARK, 3)
        what, advice = _WORDS[kind]
        return refuse(raw.table, f"{value.splitlines()[0]!r} {what}", advice, int(row), column)
    if raw.header.kind == "parquet":
        return refuse(
            raw.table, f"the parquet file is damaged: {message.splitlines()[0][:200]}", "Download it again"
        )
    return refuse(raw.table, f"cannot be mapped: {message.splitlines()[0][:300]}")
