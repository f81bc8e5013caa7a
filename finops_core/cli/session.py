"""What every command shares: the options before it, its ways out, and its exit codes."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from finops_core.errors import FarthingError, UsageError

if TYPE_CHECKING:
    from datetime import date

    from polars import DataFrame

    from finops_core.model.ledger import Ledger
    from finops_core.store.home import Home

app = typer.Typer(
    name="farthing",
    help="FinOps analytics that accounts for cloud spend to the last farthing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
BUG = 70
"""Exit code of an unexpected exception (EX_SOFTWARE of sysexits.h)."""
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


class _Session:
    """What the options before the command say."""

    home: Path | None = None
    debug: bool = False


@app.callback()
def options(
    home: Annotated[
        Path | None, typer.Option(envvar="FARTHING_HOME", help="The directory that holds everything.")
    ] = None,
    debug: Annotated[bool, typer.Option(help="Show tracebacks.")] = False,
) -> None:
    """Options that every command takes."""
    _Session.home, _Session.debug = home, debug


def main() -> None:
    """The command line of a shell: runs what it says and ends the process."""
    _leave(run())


def run(words: Sequence[str] | None = None) -> int:
    """Runs a command line, by default the process's own; errors become words. Returns the exit code."""
    try:
        found = app(args=words, standalone_mode=False)
        return found if isinstance(found, int) else 0
    except FarthingError as error:
        say(f"farthing: {error}")
        if _Session.debug:
            raise
        return error.exit_code
    except typer.Exit as error:
        return error.exit_code
    except typer.Abort:
        return 130
    except Exception as error:
        if _Session.debug:
            raise
        show = getattr(error, "show", None)
        if show is not None:
            show()
            return 2
        # Not refused input, and not the user's doing: a bug. What was stored before still stands.
        say(
            f"farthing: unexpected {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''} (--debug shows more; please report it)"
        )
        return BUG


def _leave(code: int) -> None:
    """Ends the process at once: native threads of the storage libraries may not be waited for."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = code or 0
    os._exit(code)


def say(words: str) -> None:
    """Progress, warnings and errors: to standard error."""
    print(words, file=sys.stderr, flush=True)


def put(text: str) -> None:
    """Data: to standard output, and nothing else goes there."""
    sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")


def the_home() -> "Home":
    """The home of --home, FARTHING_HOME, or data/ in the repository."""
    from finops_core.store.home import Home, default_home

    return Home(_Session.home if _Session.home is not None else default_home())


def the_ledger() -> "Ledger":
    """The home's store, open for reading."""
    from finops_core.model.ledger import Ledger

    return Ledger(the_home())


def the_month(told: str | None, ledger: "Ledger") -> "date":
    """The first day of the month that is asked for, such as 2026-10 or a day of it; by default of the last whole one. Raises UsageError."""
    from finops_core.model.span import span

    return span(ledger).usual_month if told is None else month_of(told[:7])


def month_of(text: str) -> "date":
    """The first day of a month such as 2026-10. Raises UsageError."""
    from datetime import date

    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise UsageError(f"{text!r} is no month: write 2026-10") from None


def the_user() -> str:
    """Who entered it: the user of the shell."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command line"


def put_json(value: Any) -> None:
    """A value as JSON to standard output."""
    put(json.dumps(value, indent=2, ensure_ascii=False))


def write_file(path: Path, data: bytes | str, parents: bool = False) -> None:
    """A file that a command was asked for; `parents` makes its directory where it is missing. Raises UsageError where it cannot be written."""
    try:
        if parents:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def put_table(frame: "DataFrame", format: str, out: Path | None, to_edit: bool = False) -> None:
    """A table in one of the output formats, to a file or to standard output; `to_edit` where it is read back."""
    from finops_core.model.export import FOR_EDITING, FORMATS

    forms = FOR_EDITING if to_edit else FORMATS
    if format not in forms:
        raise UsageError(f"there is no output format {format!r}; known are {', '.join(forms)}")
    data: bytes = forms[format](frame)
    if out is not None:
        write_file(out, data)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
