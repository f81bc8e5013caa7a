"""What every benchmark shares: a workspace, the best of several runs, and a line that says whether a claim holds."""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


@dataclass
class Claims:
    """Lines of figure, bound, and verdict; the exit code is 1 where one fails."""

    failed: int = 0

    def at_most(self, what: str, figure: float, bound: float, unit: str = "") -> None:
        holds = figure <= bound
        self.failed += not holds
        print(
            f"{'holds' if holds else 'FAILS'}  {what}: {figure:.3g}{unit}, at most {bound:g}{unit}",
            flush=True,
        )

    def at_least(self, what: str, figure: float, bound: float, unit: str = "") -> None:
        holds = figure >= bound
        self.failed += not holds
        print(
            f"{'holds' if holds else 'FAILS'}  {what}: {figure:.3g}{unit}, at least {bound:g}{unit}",
            flush=True,
        )

    def finish(self) -> None:
        sys.exit(1 if self.failed else 0)


def arguments(rows: int) -> argparse.Namespace:
    """--rows and --directory, with a default number of rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=rows)
    parser.add_argument(
        "--directory", type=Path, help="where the exports are made and kept; by default a temporary one"
    )
    return parser.parse_args()


@contextmanager
def workspace(kept: Path | None) -> Iterator[Path]:
    """A directory for exports and homes: the kept one, or a temporary one that is gone afterwards."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    directory = Path(tempfile.mkdtemp(prefix="farthing-bench-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def seconds(work: Callable[[], object], runs: int = 5) -> float:
    """The shortest of several runs: what the work takes when nothing disturbs it."""
    best = float("inf")
    for _ in range(runs):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def farthing(home: Path, *words: str) -> tuple[float, float]:
    """Runs the command line in a process of its own: (seconds, its peak memory in GB).

    The peak is read from /proc while it runs: what `getrusage` says of a child includes what its parent held.
    """
    began = time.perf_counter()
    command = [sys.executable, "-m", "finops_core", "--home", str(home), *words]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=said)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, _peak(process.pid))
            time.sleep(0.05)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)}: exit {process.returncode}\n{said.read().decode()}")
    return time.perf_counter() - began, peak


def _peak(process: int) -> float:
    """GB that a process has held at most; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0) / 1e6
    except OSError:
        return 0.0
