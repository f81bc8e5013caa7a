"""Exit codes and words of the command line, end to end: 2 wrong usage, 3 refused, 1 does not hold, 70 a bug."""

import subprocess
import sys
from pathlib import Path

from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import write_focus
from tests.ingest.hostile import FOCUS, GZ_CUT, ROWS, focus_csv

ROOT = Path(__file__).parents[2]


def run(home: Path, *arguments: str, setup: str = "") -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.argv[0] = 'farthing'\n{setup}\nfrom finops_core.cli import main; main()"
    command = [sys.executable, "-c", code, "--home", str(home), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_refused_files_leave_the_store_as_it_was(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    load(home, [write_focus(tmp_path / "good.csv", ROWS)])
    before = run(home.path, "sources", "--json").stdout
    for name, data, words in (
        ("cost.csv", focus_csv(BilledCost="1.234,56"), "cost.csv, row 3, column 'BilledCost': '1.234,56' is not a number"),
        ("cut.csv.gz", GZ_CUT, "cut.csv.gz: the archive is cut off or damaged"),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(data)
        done = run(home.path, "ingest", str(tmp_path / name), "--json")
        assert (done.returncode, done.stdout) == (3, "") and words in done.stderr
    assert run(home.path, "sources", "--json").stdout == before
    assert run(home.path, "verify").returncode == 0


def test_what_does_not_hold_and_what_cannot_be_read(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    load(home, [write_focus(tmp_path / "good.csv", ROWS)])
    (file,) = home.lake.rglob("BillingPeriod=*/*.parquet")
    file.unlink()
    done = run(home.path, "verify")
    assert done.returncode == 1 and "focus-007 2026-09 USD" in done.stdout and "DIFFERS" in done.stdout
    home.current().write_bytes(b"no database")
    for command in (["verify"], ["query", "--metric", "BilledCost"], ["sources"]):
        done = run(home.path, *command)
        assert done.returncode == 1 and "`farthing rebuild`" in done.stderr


def test_wrong_usage_and_bugs(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(FOCUS)
    (tmp_path / "file").write_text("")
    ingest = ["ingest", str(tmp_path / "good.csv")]
    assert run(tmp_path / "home", "ingest").returncode == 2
    assert run(tmp_path / "home", *ingest, "--format", "nope").returncode == 2
    assert run(tmp_path / "file", *ingest).returncode == 2
    bug = "import finops_core.store.load as l\ndef bug(*a): raise ZeroDivisionError('oops')\nl.repair = bug"
    done = run(tmp_path / "home", *ingest, setup=bug)
    assert done.returncode == 70 and "unexpected ZeroDivisionError: oops" in done.stderr
