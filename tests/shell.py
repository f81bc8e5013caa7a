"""The command line in this process: what a shell would see of it, without the second that a new process costs."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from finops_core.cli import session
from finops_core.store.home import Home


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def farthing(home: Home, *words: str | Path) -> Ran:
    """Runs `farthing --home HOME WORDS…`."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = session.run(["--home", str(home.path), *map(str, words)])
        sys.stdout.flush()
        sys.stderr.flush()
    return Ran(code, *(stream.buffer.getvalue().decode("utf-8") for stream in (out, err)))
