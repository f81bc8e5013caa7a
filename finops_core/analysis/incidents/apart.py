"""Runs an analysis in a process of its own, so that an app that serves readers neither waits for it nor keeps its memory.

`python -m finops_core.analysis.incidents.apart` is that process: a pickled call comes in, its pickled result goes out. Both ends are
ours; nothing that a user gave is ever unpickled.
"""

import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from finops_core.errors import FarthingError
from finops_core.model.ledger import Ledger

Result = TypeVar("Result")
LARGE = 2_000_000
"""Charges from which on incidents are looked for in a process of their own: it takes seconds, and a gigabyte that is not kept."""
_FAILED = "another process that looked at this store failed"


def apart(work: Callable[..., Result], *arguments: object) -> Result:
    """What a function of a module returns for arguments that can be pickled. Its FarthingErrors are raised here."""
    done = subprocess.run(
        [sys.executable, "-m", __name__], input=pickle.dumps((work, arguments)), capture_output=True, check=False
    )  # fmt: skip
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise FarthingError(f"{_FAILED}: {last[-1] if last else f'exit code {done.returncode}'}")
    found = pickle.loads(done.stdout)
    if isinstance(found, FarthingError):
        raise found
    return found  # type: ignore[no-any-return]


def is_large(ledger: Ledger) -> bool:
    """Whether looking for incidents is work for a process of its own."""
    return sum(batch.rows_stored for batch in ledger.current_batches()) > LARGE


def _work() -> None:
    out = sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is no result
    work, arguments = pickle.load(sys.stdin.buffer)
    found: Any
    try:
        found = work(*arguments)
    except FarthingError as error:
        found = error
    out.write(pickle.dumps(found))
    out.flush()


if __name__ == "__main__":
    _work()
