"""What happens when a load is killed, the disk is full, or several load and read at once."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest

from finops_core import Ledger, Query
from finops_core.errors import InputRefused
from finops_core.quality.verify import verify
from finops_core.store import home as homes
from finops_core.store.home import Home
from finops_core.store.lake import Lake
from finops_core.store.load import LoadOptions, load
from tests.exports import write_focus
from tests.store.killed_loads import at_step
from tests.store.surviving import NEW, OLD, exports, holds, is_tidy, loaded, october, old, september, total

__all__ = ["exports", "loaded", "old"]

ROOT = Path(__file__).parents[2]
LAKE, WAREHOUSE, LOAD = (f"finops_core.store.{name}" for name in ("lake", "warehouse", "load"))
STEPS_BEFORE = [
    f"before {LOAD}:repair", f"after {LOAD}:stage", f"after {LAKE}:Lake.create", f"after {LAKE}:Lake.write",
    f"after {LAKE}:Lake.write#2", f"before {WAREHOUSE}:owners", f"before {WAREHOUSE}:_write_meta",
    f"before {WAREHOUSE}:prepared", f"before {LAKE}:Lake.commit",
]  # fmt: skip
"""Killed at one of these, a load has not happened."""
STEPS_BETWEEN = [f"after {LAKE}:DeltaTable.create_write_transaction", f"before {WAREHOUSE}:swap"]
"""Killed at one of these, the lake has the new figures and readers see the old ones, until the next load."""
STEPS_AFTER = [f"after {WAREHOUSE}:os.replace", f"before {WAREHOUSE}:sweep#2", f"after {WAREHOUSE}:swap"]
STEPS = [*STEPS_BEFORE, *STEPS_BETWEEN, *STEPS_AFTER]
FIRST_STEPS = {
    f"after {LAKE}:DeltaTable.create": False, f"before {WAREHOUSE}:swap": False, f"after {LAKE}:Lake.write": False,
    f"before {LAKE}:Lake.commit": False, f"before {WAREHOUSE}:swap#2": False, f"after {WAREHOUSE}:os.replace#2": True,
}  # fmt: skip
"""Steps of a first load, which makes an empty warehouse before it stores anything, and whether it has happened then."""


def run_jobs(jobs: list[dict[str, object]]) -> tuple[list[int], list[str]]:
    command = [sys.executable, "-m", "tests.store.killed_loads"]
    done = subprocess.run(
        command, input=json.dumps(jobs), capture_output=True, text=True, cwd=ROOT, check=True
    )
    return json.loads(done.stdout), done.stderr.splitlines()


# --- killed --------------------------------------------------------------------------------------------------------


def test_a_load_killed_at_any_step_leaves_the_old_figures_or_the_new(
    tmp_path: Path, loaded: Path, exports: dict[str, Path]
) -> None:
    homes = [tmp_path / str(number) for number in range(len(STEPS))]
    for path in homes:
        shutil.copytree(loaded, path, symlinks=True)
    codes, _ = run_jobs(
        [
            {"home": str(h), "paths": [str(exports["new"])], "step": s}
            for h, s in zip(homes, STEPS, strict=True)
        ]
    )
    assert codes == [-signal.SIGKILL] * len(STEPS)
    for path, step in zip(homes, STEPS, strict=True):
        home = Home(path)
        holds(home, NEW if step in STEPS_AFTER else OLD)
        actions = [b.action for b in load(home, [exports["new"]])]
        assert actions == (["replaced"] * 2 if step in STEPS_BEFORE else ["unchanged"] * 2), step
        holds(home, NEW)
        is_tidy(home)


def test_a_first_load_killed_at_any_step_leaves_nothing_or_all(
    tmp_path: Path, exports: dict[str, Path]
) -> None:
    homes = [tmp_path / str(number) for number in range(len(FIRST_STEPS))]
    codes, _ = run_jobs([
        {"home": str(h), "paths": [str(exports["new"])], "step": s} for h, s in zip(homes, FIRST_STEPS, strict=True)
    ])  # fmt: skip
    assert codes == [-signal.SIGKILL] * len(FIRST_STEPS)
    for path, happened in zip(homes, FIRST_STEPS.values(), strict=True):
        home = Home(path)
        assert all(c.agrees for c in verify(home))
        assert Ledger(home).is_empty() is not happened
        load(home, [exports["new"]])
        holds(home, NEW)
        is_tidy(home)


def test_a_load_killed_twice_and_then_another_one(
    old: Home, exports: dict[str, Path], tmp_path: Path
) -> None:
    """What a first killed load prepared must not pass for what a second one committed."""
    third = write_focus(tmp_path / "third.csv", [september("100"), october("200")])
    codes, _ = run_jobs([
        {"home": str(old.path), "paths": [str(exports["new"])], "step": f"before {LAKE}:Lake.commit"},
        {"home": str(old.path), "paths": [str(third)], "step": f"before {WAREHOUSE}:swap"},
    ])  # fmt: skip
    assert codes == [-signal.SIGKILL] * 2
    holds(old, OLD)
    load(old, [third])
    holds(old, Decimal(300))
    is_tidy(old)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_the_command_line_killed_after_a_share_of_its_time(
    old: Home, exports: dict[str, Path], tmp_path: Path, share: float
) -> None:
    command = [sys.executable, "-m", "finops_core", "--home", str(old.path), "ingest", str(exports["new"])]
    shutil.copytree(old.path, tmp_path / "measure", symlinks=True)
    started = time.monotonic()
    measured = [*command[:4], str(tmp_path / "measure"), *command[5:]]
    subprocess.run(measured, cwd=ROOT, check=True, capture_output=True)
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait((time.monotonic() - started) * share)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    assert total(old) in (OLD, NEW)
    assert all(c.agrees for c in verify(old))
    load(old, [exports["new"]])
    holds(old, NEW)
    is_tidy(old)


# --- a full disk ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS_BEFORE[1::2])
def test_a_disk_that_is_full_at_any_step_changes_nothing(
    old: Home, exports: dict[str, Path], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    undo_on_exit(monkeypatch, step)
    at_step(step, full)
    with pytest.raises(InputRefused, match="is full or read-only: No space left") as caught:
        load(old, [exports["new"]])
    assert caught.value.exit_code == 3 and "Nothing was changed" in caught.value.advice
    holds(old, OLD)
    is_tidy(old)
    monkeypatch.undo()
    load(old, [exports["new"]])
    holds(old, NEW)


def undo_on_exit(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Has the attribute that `at_step` replaces put back after the test."""
    module, _, path = step.split(" ", 1)[1].partition("#")[0].partition(":")
    *owners, name = path.split(".")
    owner = import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    monkeypatch.setattr(owner, name, getattr(owner, name))


def test_files_that_may_not_grow(tmp_path: Path, loaded: Path, exports: dict[str, Path]) -> None:
    """A limit on the size of files stands in for a small disk: some write of every kind fails in the middle."""
    sizes = [100, 5_000, 30_000, 300_000, 1_000_000]
    homes = [tmp_path / str(size) for size in sizes]
    for path in homes:
        shutil.copytree(loaded, path, symlinks=True)
    codes, words = run_jobs([
        {"home": str(h), "paths": [str(exports["new"])], "largest_file": size}
        for h, size in zip(homes, sizes, strict=True)
    ])  # fmt: skip
    assert codes == [3] * len(sizes) and len(words) == len(sizes)
    assert all("is full or read-only" in line and "make room and load again" in line for line in words)
    for path in homes:
        holds(Home(path), OLD)
        is_tidy(Home(path))


def test_what_follows_a_commit_may_fail(
    old: Home, exports: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit stands, so the load succeeds: saying that nothing was changed would be wrong."""

    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    step = f"after {LAKE}:DeltaTable.create_write_transaction"
    undo_on_exit(monkeypatch, step)
    at_step(step, full)
    load(old, [exports["new"]])
    holds(old, NEW)
    is_tidy(old)


# --- several at once -----------------------------------------------------------------------------------------------


def ingests(home: Home, arguments: list[list[str]]) -> list[tuple[int, str]]:
    command = [sys.executable, "-m", "finops_core", "--home", str(home.path), "ingest"]
    running = [
        subprocess.Popen(
            [*command, *more], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for more in arguments
    ]
    return [(process.wait(), process.communicate()[1]) for process in running]


def test_three_loads_at_once_lose_nothing(home: Home, tmp_path: Path) -> None:
    files = [
        write_focus(tmp_path / f"{n}.csv", [september(str(10**n), SubAccountId=f"account-{n}")])
        for n in range(3)
    ]
    answers = ingests(home, [[str(file), "--source", f"source-{n}"] for n, file in enumerate(files)])
    assert [code for code, _ in answers] == [0, 0, 0]
    holds(home, Decimal(111))
    is_tidy(home)


def test_one_month_loaded_three_times_at_once_is_one_of_the_three(old: Home, tmp_path: Path) -> None:
    files = [
        write_focus(tmp_path / f"{n}.csv", [september(str(2 * 10**n)), october("0.5")]) for n in range(3)
    ]
    assert [code for code, _ in ingests(old, [[str(file)] for file in files])] == [0, 0, 0]
    assert total(old) in (Decimal("2.5"), Decimal("20.5"), Decimal("200.5"))
    holds(old, total(old))
    is_tidy(old)
    assert Lake(old.lake).version() == 4


def test_a_writer_that_may_not_wait_is_told_so(old: Home, exports: dict[str, Path]) -> None:
    with old.writing(), pytest.raises(homes.HomeBusy, match="another process is writing") as caught:
        load(old, [exports["new"]], LoadOptions(wait=0))
    assert caught.value.exit_code == 4
    holds(old, OLD)


def test_readers_see_the_old_figures_or_the_new_and_never_an_error(
    old: Home, exports: dict[str, Path]
) -> None:
    ledger = Ledger(old)
    seen: set[Decimal] = set()
    errors: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                seen.add(ledger.query(Query("BilledCost"))["BilledCost"].sum())
                assert all(c.agrees for c in verify(old))
        except BaseException as error:
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for export in ("new", "old", "new"):
        load(old, [exports[export]])
    stop.set()
    for reader in readers:
        reader.join()
    assert not errors and seen <= {OLD, NEW}
    assert ledger.query(Query("BilledCost"))["BilledCost"].sum() == NEW


def test_a_ledger_sees_what_another_process_loads(old: Home, exports: dict[str, Path]) -> None:
    ledger = Ledger(old)
    version = ledger.version
    assert ledger.query(Query("BilledCost"))["BilledCost"].sum() == OLD
    assert ingests(old, [[str(exports["new"])]])[0][0] == 0
    assert ledger.version != version
    assert ledger.query(Query("BilledCost"))["BilledCost"].sum() == NEW


def test_a_ledger_sees_a_home_that_was_made_anew(old: Home, exports: dict[str, Path]) -> None:
    """DuckDB gives a process the database that it has open by a path, whatever lies there now."""
    ledger = Ledger(old)
    assert ledger.query(Query("BilledCost"))["BilledCost"].sum() == OLD
    shutil.rmtree(old.path)
    load(old, [exports["new"]])
    assert ledger.query(Query("BilledCost"))["BilledCost"].sum() == NEW
