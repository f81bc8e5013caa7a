"""The command that starts the app."""

import os
import sys
from pathlib import Path

from finops_core.cli.session import app, say, the_home
from finops_core.errors import UsageError


@app.command()
def serve(port: int = 8501, address: str = "localhost") -> None:
    """Start the app."""
    script = Path(__file__).parents[2] / "app.py"
    if not script.exists():
        raise UsageError(f"the app is not beside the package ({script}): serve from a checkout")
    environment = {**os.environ, "FARTHING_HOME": str(the_home().path)}
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        "--server.port",
        str(port),
        "--server.address",
        address,
    ]
    say(f"Farthing runs at http://{address}:{port}")
    sys.stderr.flush()
    os.execve(sys.executable, command, environment)  # the app takes this process over: a signal reaches it
