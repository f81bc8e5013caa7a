"""One bill, downloaded twice: the same rows in two downloads of a set must not be counted twice.

Manifests, and folders of runs, settle most of it before a row is read. What is left are files that lie side by side:
`bill.csv` and `bill (1).csv`, dated copies, exports that add a file a run. Their names prove nothing, their rows do.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import duckdb

from finops_core.errors import InputRefused, Place
from finops_core.formats.expressions import quoted
from finops_core.ingest.files import Examined
from finops_core.ingest.names import GUID, MOMENT, made_at
from finops_core.ingest.sql import BILLING_PERIOD, scalar
from finops_core.ingest.totals import SourceSums

_SAMPLE = 400_000
"""Distinct rows that are compared; of more, every n-th by its hash."""
_IDENTITY = (
    "BillingAccountId",
    "SubAccountId",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ChargeCategory",
    "ChargeDescription",
    "CommitmentDiscountId",
    "CommitmentDiscountStatus",
    "ServiceName",
    "ResourceId",
    "RegionId",
    "SkuId",
    "SkuPriceId",
    "ConsumedQuantity",
    "PricingQuantity",
    "Tags",
    "x_ChargeType",
    "x_UsageType",
    "x_Operation",
)
"""What makes a charge the same one in a later download. Costs may be restated; ids of lines are given anew."""
_COPY = re.compile(r" ?\((\d+)\)| - copy(?: \(\d+\))?", re.I)
_CHUNK = re.compile(r"(?<=[-_])(?:0\d{4,11}|\d+(?=_\d))(?=$|[-_.])")


@dataclass
class StagedTable:
    """A table on disk as charges, with the source's own sums, and the billing periods that are left out of both."""

    table: Examined
    path: Path
    sums: SourceSums
    left_out: list[str] = field(default_factory=list)

    def leave_out(self, period: str) -> None:
        self.left_out.append(period)
        self.sums.forget(period)

    def select(self) -> str:
        rows = f"SELECT * FROM read_parquet({quoted(str(self.path))}, hive_partitioning=false)"
        if not self.left_out:
            return rows
        return f"{rows} WHERE {BILLING_PERIOD} NOT IN ({', '.join(map(quoted, self.left_out))})"


@dataclass(frozen=True)
class _Shared:
    """Two downloads that hold the same charges of a period."""

    first: str
    second: str
    period: str
    rows: int


def leave_out_copies(tables: Sequence[StagedTable], connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Leaves out of each period what a newer download of the same bill holds; returns warnings that say so.

    Raises InputRefused where two downloads hold the same charges, but do not look like copies of one another, or where
    it cannot be told which of them is newer.
    """
    downloads: dict[str, list[StagedTable]] = {}
    for one in tables:
        downloads.setdefault(_download(one.table), []).append(one)
    if len(downloads) < 2:
        return []
    warnings = []
    for shared in _shared(downloads, connection):
        first, second = downloads[shared.first], downloads[shared.second]
        older, newer = _by_age(first, second, shared, connection)
        for one in older:
            if shared.period not in one.left_out:
                one.leave_out(shared.period)
        warnings.append(
            f"{shared.period}: {newer[0].table.name} is a newer download of {older[0].table.name}"
            f" ({shared.rows:,} charges are in both): only the newer one was taken"
        )
    return warnings


def _download(table: Examined) -> str:
    """What was downloaded together: the files of a manifest, or the chunks of one name in one folder."""
    if table.file.manifest:
        return table.file.manifest
    name = _CHUNK.sub("#", table.file.path.name)
    return f"{table.file.path.parent}/{name}:{_CHUNK.sub('#', table.member)}"


def _family(table: Examined) -> str:
    """The name of a file without what a later download changes in it: ids, moments, marks of copies."""
    name = f"{table.file.path.name}:{PurePosixPath(table.member).name}"
    return _CHUNK.sub("#", MOMENT.sub("", GUID.sub("", _COPY.sub("", name))))


def _shared(downloads: dict[str, list[StagedTable]], connection: duckdb.DuckDBPyConnection) -> list[_Shared]:
    """The pairs of downloads of which one holds at least half of the other's charges of a period, in the same role."""
    names = list(downloads)
    selects = " UNION ALL ".join(
        f"SELECT {number} AS download, {BILLING_PERIOD} AS period, x_Role AS role, InvoiceId AS invoice,"
        f" hash({', '.join(_IDENTITY)}) AS charge FROM read_parquet({quoted(str(one.path))}, hive_partitioning=false)"
        " WHERE x_Drop IS NULL AND x_Derived IS NULL"
        for number, name in enumerate(names)
        for one in downloads[name]
    )
    every = 1 + int(scalar(connection, f"SELECT count(*) FROM ({selects})")) // _SAMPLE
    rows = connection.execute(
        f"""WITH charges AS (SELECT DISTINCT * FROM ({selects}) WHERE charge % {every} = 0),
            counted AS (SELECT download, period, role, count(*) AS charges FROM charges GROUP BY ALL)
            SELECT a.download, b.download, a.period, count(DISTINCT a.charge)
            FROM charges a JOIN charges b USING (period, role, charge)
            JOIN counted x ON x.download = a.download AND x.period = a.period AND x.role IS NOT DISTINCT FROM a.role
            JOIN counted y ON y.download = b.download AND y.period = b.period AND y.role IS NOT DISTINCT FROM b.role
            WHERE a.download < b.download AND (a.invoice = b.invoice OR a.invoice IS NULL OR b.invoice IS NULL)
            GROUP BY ALL HAVING 2 * count(DISTINCT a.charge) >= least(any_value(x.charges), any_value(y.charges))
            ORDER BY ALL"""
    ).fetchall()
    return [_Shared(names[a], names[b], period, count * every) for a, b, period, count in rows]


def _by_age(
    first: list[StagedTable],
    second: list[StagedTable],
    shared: _Shared,
    connection: duckdb.DuckDBPyConnection,
) -> tuple[list[StagedTable], list[StagedTable]]:
    """The older and the newer of two downloads of one bill."""
    advice = "Name only the one that counts; or add --allow-overlap if it is different spend"
    one, other = first[0].table, second[0].table
    names = [one.name, other.name] if one.name != other.name else [str(one.file.path), str(other.file.path)]
    what = f"holds {shared.rows:,} charges of {shared.period} that {names[0]} holds as well"
    if _family(one) != _family(other) or not _same_export(one, other):
        raise InputRefused(f"{what}: they would be counted twice", Place(names[1]), advice)
    ages = zip(_ages(first, connection), _ages(second, connection), strict=True)
    for mine, theirs in ages:
        if mine != theirs and mine is not None and theirs is not None:
            older, newer = (first, second) if mine < theirs else (second, first)
            lost = _accounts(older, shared.period, connection) - _accounts(newer, shared.period, connection)
            if lost:
                raise InputRefused(
                    f"{what}, and {older[0].table.name} alone has the account {min(lost)}",
                    Place(names[1]),
                    advice,
                )
            return older, newer
    if _contents(first) == _contents(second):
        return first, second
    raise InputRefused(f"{what}, and it cannot be told which is newer", Place(names[1]), advice)


def _same_export(one: Examined, other: Examined) -> bool:
    """Manifests have decided already: what they leave are two exports, whose scopes overlap; or, where a set is one
    export of AWS, two downloads of its report, each with its own manifest."""
    return not (one.file.manifest or other.file.manifest) or bool(one.file.export)


def _accounts(download: list[StagedTable], period: str, connection: duckdb.DuckDBPyConnection) -> set[str]:
    files = ", ".join(quoted(str(one.path)) for one in download)
    rows = connection.execute(
        f"""SELECT DISTINCT coalesce(SubAccountId, BillingAccountId, '') FROM read_parquet([{files}], hive_partitioning=false)
            WHERE x_Drop IS NULL AND {BILLING_PERIOD} = {quoted(period)}"""
    ).fetchall()
    return {account for (account,) in rows}


def _contents(download: list[StagedTable]) -> list[tuple[bytes, str]]:
    found = []
    for one in download:
        with one.table.file.path.open("rb") as file:
            found.append((hashlib.file_digest(file, "sha256").digest(), one.table.member))
    return sorted(found)


def _ages(download: list[StagedTable], connection: duckdb.DuckDBPyConnection) -> tuple[str | None, ...]:
    """What tells the age of a download, the surest first: the moment in its name, the number of the copy, its newest
    charge, the time of its files. None where it tells nothing."""
    table = download[0].table
    mark = _COPY.search(table.name)
    parts = (*table.file.path.parts, *PurePosixPath(table.member).parts)
    files = ", ".join(quoted(str(one.path)) for one in download)
    newest = scalar(
        connection, f"SELECT max(ChargePeriodStart) FROM read_parquet([{files}], hive_partitioning=false)"
    )
    written = max(one.table.file.path.stat().st_mtime_ns for one in download)
    return (
        next((moment for part in reversed(parts) if (moment := made_at(part))), None),
        f"{int(mark.group(1) or 1) if mark else 0:05}",
        str(newest) if newest is not None else None,
        f"{written:020}",
    )
