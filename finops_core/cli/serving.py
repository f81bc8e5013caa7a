"""The command that starts the app."""

import os
import sys
from importlib import import_module
from pathlib import Path
from runpy import run_module
from threading import Thread
from time import sleep
from typing import TYPE_CHECKING, Annotated

import typer

from finops_core.cli.session import app, say, the_home
from finops_core.errors import FarthingError, HomeBusy, UsageError

if TYPE_CHECKING:
    from finops_core.store.home import Home


@app.command()
def serve(
    port: int = 8501,
    address: str = "localhost",
    watch: Annotated[
        bool, typer.Option(help="Follow changes of the app's own files, to write a view.")
    ] = False,
) -> None:
    """Start the app."""
    script = Path(__file__).parents[2] / "app.py"
    if not script.exists():
        raise UsageError(f"the app is not beside the package ({script}): serve from a checkout")
    home = the_home()
    os.environ["FARTHING_HOME"] = str(home.path)
    if home.lake.exists():
        _bring_up_to_date(home)
    say(f"Farthing runs at http://{address}:{port}")
    Thread(target=_keep_warm, args=(home,), daemon=True).start()
    for module in _WARM:
        import_module(module)
    # In this process, so that a signal reaches the app, and what is imported here need not be for the first reader.
    options = ["--server.port", str(port), "--server.address", address]
    if watch:
        options += ["--server.fileWatcherType", "auto", "--server.runOnSave", "true"]
    sys.argv = ["streamlit", "run", str(script), *options]
    run_module("streamlit", run_name="__main__")


def _bring_up_to_date(home: "Home") -> None:
    """Builds finops.duckdb anew where another version of the product made it, or a killed load left it behind the lake."""
    from finops_core.store.load import repair

    try:
        with home.writing(wait=0):
            repair(home)
    except HomeBusy:
        say("Another process is writing to the home: what it stores shows when it is done")


def _keep_warm(home: "Home") -> None:
    """Has each new version of the store looked at once, in a process of its own, before a reader asks."""
    from finops_core.analysis.incidents.apart import apart
    from finops_core.analysis.warming import warm

    seen: Path | None = None
    while True:
        try:
            version = home.current()
            if version != seen:
                seen = version
                apart(warm, home)
        except (FarthingError, OSError):
            pass  # nothing is loaded yet, or a page that asks will say what is wrong
        sleep(_LOOKS)


_LOOKS = 5.0
"""Seconds after which a new version of the store is seen."""
_WARM = ("pandas", "altair", "sqlalchemy", "finops_core.analysis.headline", "finops_core.store.uploads")
"""What every page needs and what takes long to import."""
