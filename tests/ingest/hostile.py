"""What the tests of hostile files share: a home with one month loaded, and proof that a refusal left it as it was."""

import gzip
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from finops_core import Ledger, Query
from finops_core.errors import InputRefused
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from tests.exports import CUR_HEADER, FOCUS_HEADER, csv_text, cur_row, focus_row

AMOUNTS = ("1.25", "2.5", "3")
ROWS = [focus_row(BilledCost=amount, EffectiveCost=amount) for amount in AMOUNTS]
CUR_ROWS = [{name: cur_row(cost=amount)[name] for name in CUR_HEADER} for amount in AMOUNTS]
FOCUS = csv_text(ROWS, FOCUS_HEADER)
CUR = csv_text(CUR_ROWS, CUR_HEADER)
GZ_CUT = gzip.compress(FOCUS.encode(), mtime=0)[:-30]
OTHER = focus_row(BilledCost="40", EffectiveCost="40", SubAccountId="other", BillingAccountId="other")


def focus_csv(row: int = 3, **changes: str) -> bytes:
    """Three FOCUS rows; keyword arguments replace cells of one, counted as a spreadsheet does."""
    rows = [dict(r) for r in ROWS]
    rows[row - 2] |= changes
    return csv_text(rows, FOCUS_HEADER).encode()


def cur_csv(column: str, value: str) -> bytes:
    rows = [dict(r) for r in CUR_ROWS]
    rows[1][column] = value
    return csv_text(rows, CUR_HEADER).encode()


def json_lines(**changes: object) -> bytes:
    rows: list[Mapping[str, object]] = [{k: v for k, v in row.items() if v} for row in ROWS]
    rows[1] = {**rows[1], **changes}
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def parquet(rows: list[dict[str, str]] = ROWS, **columns: pyarrow.Array) -> bytes:
    table = {name: pyarrow.array([r[name] or None for r in rows]) for name in FOCUS_HEADER}
    return parquet_of(pyarrow.table({**table, **columns}))


def parquet_of(table: pyarrow.Table, **options: object) -> bytes:
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out, **options)
    return out.getvalue()


def zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


@dataclass
class Fortress:
    """A home with one month of another source loaded."""

    home: Home
    directory: Path

    def file(self, name: str, data: bytes) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def state(self) -> list[tuple[str, int, int]]:
        """Every file of the store, its size and when it was written: what a refused load must not change."""
        found = []
        for path in sorted(self.home.path.rglob("*")):
            if path.is_file() and path.name != ".lock":
                about = path.lstat()
                found.append((str(path), about.st_size, about.st_mtime_ns))
        return found

    def answers(self) -> object:
        """What the store says: the figures, and `sources`."""
        ledger = Ledger(self.home)
        table = ledger.query(Query(["BilledCost", "ChargeCount"], by=["x_Source", "BillingPeriod"]))
        return table.rows(), [b.to_json() for b in ledger.current_batches()]

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        before = self.state()
        yield
        assert self.state() == before
        assert not self.home.staging.exists() or list(self.home.staging.iterdir()) == []

    def refused(self, *paths: Path) -> InputRefused:
        """The refusal of a load, after which the store is as it was."""
        with self.unchanged(), pytest.raises(InputRefused) as caught:
            load(self.home, paths)
        return caught.value

    def read(self, *paths: Path) -> tuple[dict[str, str], list[str]]:
        """BilledCost by currency and the warnings of a load that reconciles; nothing is stored."""
        batches = load(self.home, paths, LoadOptions(dry_run=True))
        assert all(b.reconciled for b in batches)
        assert all(
            b.rows_in == b.rows_stored + sum(b.dropped.values()) - sum(b.derived.values()) for b in batches
        )
        billed: dict[str, Decimal] = {}
        for batch in batches:
            for currency, totals in batch.totals.items():
                billed[currency] = billed.get(currency, Decimal(0)) + Decimal(totals["BilledCost"])
        return {c: format(v, "f") for c, v in billed.items()}, [w for b in batches for w in b.warnings]


@pytest.fixture(scope="module")
def fortress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fortress]:
    directory = tmp_path_factory.mktemp("hostile")
    found = Fortress(Home(directory / "home"), directory / "files")
    load(found.home, [found.file("other.csv", csv_text([OTHER], FOCUS_HEADER).encode())])
    before = found.answers()
    yield found
    assert found.answers() == before
