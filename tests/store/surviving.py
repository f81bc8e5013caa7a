"""What the tests of survival share: exports with known totals, and proof that a store answers, verifies and is tidy."""

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from finops_core import Ledger, Query
from finops_core.quality.verify import verify
from finops_core.store.home import Home
from finops_core.store.lake import Lake
from finops_core.store.load import load
from tests.exports import focus_row, write_focus

OLD, NEW = Decimal("1.5"), Decimal("12.25")


def september(cost: str, **changes: object) -> dict[str, str]:
    return focus_row(BilledCost=cost, EffectiveCost=cost, **changes)


def october(cost: str, **changes: object) -> dict[str, str]:
    month = {"BillingPeriodStart": "2026-10-01", "BillingPeriodEnd": "2026-11-01"}
    days = {"ChargePeriodStart": "2026-10-05", "ChargePeriodEnd": "2026-10-06"}
    return september(cost, **month, **days, **changes)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An old export (1.5) and a new one of the same two months (12.25)."""
    root = tmp_path_factory.mktemp("exports")
    return {
        "old": write_focus(root / "old.csv", [september("1"), october("0.5")]),
        "new": write_focus(
            root / "new.csv", [september("5"), september("7", ResourceId="new"), october("0.25")]
        ),
    }


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory, exports: dict[str, Path]) -> Path:
    """A home with the old export loaded; copied by the tests, never changed."""
    home = Home(tmp_path_factory.mktemp("loaded") / "home")
    load(home, [exports["old"]])
    return home.path


@pytest.fixture
def old(tmp_path: Path, loaded: Path) -> Home:
    shutil.copytree(loaded, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home")


def total(home: Home) -> Decimal:
    ledger = Ledger(home)
    try:
        return sum(ledger.query(Query("BilledCost"))["BilledCost"].to_list(), Decimal(0))
    finally:
        ledger.close()


def holds(home: Home, expected: Decimal) -> None:
    """The store answers with these figures, in every place, and verifies."""
    checks = verify(home)
    assert all(c.agrees for c in checks)
    assert sum((Decimal(c.figures["lake"]["BilledCost"]) for c in checks), Decimal(0)) == expected
    assert total(home) == expected
    assert (
        sum((Decimal(b.total("BilledCost") or 0) for b in Ledger(home).current_batches()), Decimal(0))
        == expected
    )


def is_tidy(home: Home) -> None:
    """No file is left that no version of the store knows."""
    table = Lake(home.lake).table()
    known = {a[kind]["path"] for log in (home.lake / "_delta_log").glob("*.json")
             for a in map(json.loads, log.read_text().splitlines()) for kind in ("add", "remove") if kind in a}  # fmt: skip
    found = {
        p.relative_to(home.lake).as_posix()
        for p in home.lake.rglob("*.parquet")
        if "_delta_log" not in p.parts
    }
    assert found == known
    assert {p.name for p in (home.lake / "_delta_log").iterdir() if p.suffix == ".json"} == {
        f"{number:020d}.json" for number in range(table.version() + 1)
    }
    assert [p.name for p in home.warehouse.iterdir()] == [home.current().name]
    assert not home.staging.exists() or list(home.staging.iterdir()) == []
    assert {p.name for p in home.path.iterdir()} <= {".lock", "lake", "warehouse", "staging", "finops.duckdb"}
