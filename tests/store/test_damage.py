"""What happens when files of the store are lost or altered, and where there can be no home."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest

from finops_core import Ledger
from finops_core.errors import InputRefused, NothingLoaded, StoreDamaged, UsageError
from finops_core.quality.verify import verify
from finops_core.store.home import Home
from finops_core.store.lake import Lake
from finops_core.store.load import load, rebuild
from tests.store.surviving import NEW, OLD, exports, holds, is_tidy, loaded, old, total

__all__ = ["exports", "loaded", "old"]


@pytest.fixture
def damaged(request: pytest.FixtureRequest, old: Home) -> Iterator[Home]:
    current = old.current()
    match request.param:
        case "link missing":
            old.link.unlink()
        case "version missing":
            current.unlink()
        case "version cut off":
            os.truncate(current, 5_000)
        case "version emptied":
            current.write_bytes(b"")
        case "version overwritten":
            current.write_bytes(b"not a database " * 50_000)
        case "link to nowhere":
            old.link.unlink()
            old.link.symlink_to("warehouse/finops-000099-nothing.duckdb")
        case "no warehouse":
            shutil.rmtree(old.warehouse)
    yield old


DAMAGE = ["link missing", "version missing", "version cut off", "version emptied", "version overwritten", "link to nowhere",
          "no warehouse"]  # fmt: skip


@pytest.mark.parametrize("damaged", DAMAGE, indirect=True)
def test_a_lost_warehouse_is_said_and_built_anew(damaged: Home, exports: dict[str, Path]) -> None:
    with pytest.raises(StoreDamaged, match="`farthing rebuild` makes it anew"):
        verify(damaged)
    with pytest.raises((StoreDamaged, NothingLoaded)):
        total(damaged)
    rebuild(damaged)
    holds(damaged, OLD)
    is_tidy(damaged)


@pytest.mark.parametrize("damaged", DAMAGE[::3], indirect=True)
def test_the_next_load_repairs_a_lost_warehouse(damaged: Home, exports: dict[str, Path]) -> None:
    load(damaged, [exports["new"]])
    holds(damaged, NEW)
    is_tidy(damaged)


def months(home: Home) -> dict[str, bool]:
    return {check.billing_period: check.agrees for check in verify(home)}


def test_lake_files_that_are_lost_or_altered_are_named(old: Home) -> None:
    (file,) = (old.lake / "x_Source=focus-007" / "BillingPeriod=2026-10").glob("*.parquet")
    data = file.read_bytes()
    file.unlink()
    assert months(old) == {"2026-09": True, "2026-10": False}
    (broken,) = [c for c in verify(old) if not c.agrees]
    assert (
        "No such file" in broken.figures["lake"]["damage"]
        and broken.figures["charges"]["BilledCost"] == "0.5"
    )
    file.write_bytes(data[:-50])
    assert months(old) == {"2026-09": True, "2026-10": False}
    file.write_bytes(data[:100] + bytes(400) + data[500:])
    assert months(old) == {"2026-09": True, "2026-10": False}
    file.write_bytes(data)
    assert months(old) == {"2026-09": True, "2026-10": True}


def test_a_lake_without_a_readable_log_is_said(old: Home, exports: dict[str, Path]) -> None:
    log = old.lake / "_delta_log" / f"{1:020d}.json"
    text = log.read_bytes()
    log.write_bytes(text[:100])
    for act in (lambda: verify(old), lambda: load(old, [exports["new"]]), lambda: rebuild(old)):
        with pytest.raises(StoreDamaged, match=r"the lake .* cannot be read"):
            act()
    assert total(old) == OLD
    log.write_bytes(text)
    holds(old, OLD)


def test_a_lake_whose_log_was_cleaned_loses_no_file(old: Home, exports: dict[str, Path]) -> None:
    """Spark and others may drop old entries of the log behind a checkpoint: what they named is not an orphan."""
    load(old, [exports["new"]])
    Lake(old.lake).table().create_checkpoint()
    (old.lake / "_delta_log" / f"{1:020d}.json").unlink()
    before = sorted(old.lake.rglob("BillingPeriod=*/*.parquet"))
    Lake(old.lake).sweep()
    assert sorted(old.lake.rglob("BillingPeriod=*/*.parquet")) == before and len(before) == 4


# --- homes that cannot be -----------------------------------------------------------------------------------------


def test_a_home_that_is_a_file(tmp_path: Path, exports: dict[str, Path]) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match="a file is in its way"):
            load(Home(path), [exports["new"]])
    with pytest.raises(UsageError, match="is a file"):
        total(Home(tmp_path / "file"))


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_home_that_may_not_be_written(
    old: Home, exports: dict[str, Path], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    opened = os.open

    def refused(path: object, flags: int, *more: object, **options: object) -> int:
        if flags & os.O_CREAT and str(old.path) in str(path):
            raise OSError(number, os.strerror(number), str(path))
        return opened(path, flags, *more, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(InputRefused, match="cannot be written") as caught:
        load(old, [exports["new"]])
    assert caught.value.exit_code == 3
    holds(old, OLD)


def test_a_home_without_charges_verifies_and_a_home_that_is_not_there_does_not(tmp_path: Path) -> None:
    assert verify(Home(tmp_path)) == []
    with pytest.raises(NothingLoaded):
        verify(Home(tmp_path / "nowhere"))


def test_lake_files_older_than_a_column_are_read_with_nulls(old: Home) -> None:
    """A release that adds a column finds files without it, alone or beside newer ones."""
    columns = ("x_CostCategories", "ConsumedQuantity", "ChargePeriodEnd")
    before = total(old)
    for file in old.lake.rglob("BillingPeriod=*/*.parquet"):
        table = pyarrow.parquet.read_table(file, partitioning=None)
        pyarrow.parquet.write_table(table.drop_columns(list(columns)), file)
    rebuild(old)
    assert total(old) == before
    counted = ", ".join(f"count({name}) AS {name}" for name in columns)
    assert Ledger(old).sql(f"SELECT {counted} FROM charges").rows() == [(0, 0, 0)]
