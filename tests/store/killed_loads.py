"""Runs loads that are killed or starved at a named step, each in a process of its own; started by test_survival.

Reads one JSON list of jobs from standard input and answers with a JSON list of exit codes, negative for a signal. It
forks before any library has started threads of its own, so that the imports are paid for once.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from finops_core.errors import FarthingError
from finops_core.store.home import Home
from finops_core.store.load import load


def at_step(step: str, act: Callable[[], None]) -> None:
    """Has `act` called at a step: `before` or `after` a call of `module:name`, by default the first, `#2` the second."""
    when, target = step.split(" ", 1)
    target, _, number = target.partition("#")
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner: Any = import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    original = getattr(owner, name)
    calls = 0

    def patched(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if when == "before" and calls == int(number or 1):
            act()
        answer = original(*arguments, **options)
        if when == "after" and calls == int(number or 1):
            act()
        return answer

    setattr(owner, name, patched)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run(job: dict[str, Any]) -> int:
    if job.get("step"):
        at_step(job["step"], kill)
    if job.get("largest_file") is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["largest_file"], job["largest_file"]))
    try:
        load(Home(Path(job["home"])), [Path(p) for p in job["paths"]])
    except FarthingError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code
    return 0


def main() -> None:
    codes = []
    for job in json.load(sys.stdin):
        child = os.fork()
        if child == 0:
            os._exit(run(job))
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print(json.dumps(codes))


if __name__ == "__main__":
    main()
