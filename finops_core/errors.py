"""What can go wrong, each with the exit code that the command line gives it."""

import errno
from dataclasses import dataclass


class FarthingError(Exception):
    """An error with words for a person: what, where, and what to do."""

    exit_code = 1


class CheckFailed(FarthingError):
    """The check that was asked for does not hold."""

    exit_code = 1


class UsageError(FarthingError):
    """The question cannot be asked like this: an unknown name, a malformed date or condition."""

    exit_code = 2


class HomeBusy(FarthingError):
    """Another process is writing to the home."""

    exit_code = 4


class StoreDamaged(FarthingError):
    """A file of the home cannot be read as what it must be."""

    exit_code = 1


class NothingLoaded(UsageError):
    """The home holds no charges yet."""


@dataclass(frozen=True)
class Place:
    """Where in a file: its path, the row (as a spreadsheet counts, the header being row 1) and the column; or the line."""

    file: str
    row: int | None = None
    column: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        parts = [self.file]
        if self.line is not None:
            parts.append(f"line {self.line:,}")
        if self.row is not None:
            parts.append(f"row {self.row:,}")
        if self.column is not None:
            parts.append(f"column {self.column!r}")
        return ", ".join(parts)


class InputRefused(FarthingError):
    """An export cannot be taken as it is; nothing was stored."""

    exit_code = 3

    def __init__(self, what: str, place: Place | None = None, advice: str = "") -> None:
        self.what = what
        self.place = place
        self.advice = advice
        super().__init__(
            ": ".join(str(part) for part in (place, what) if part) + (f". {advice}" if advice else "")
        )


FULL_DISK_WORDS = (
    "No space left on device",
    "Read-only file system",
    "File too large",
    "Disk quota exceeded",
    "Could not write",
)


def disk_is_full(error: BaseException) -> bool:
    """Whether an error of Python, Arrow, DuckDB or delta-rs says that a disk is full or must not be written."""
    full = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
    words = (
        "No space left",
        "Could not write",
        "os error 28",
        "os error 27",
        "os error 30",
        "File too large",
    )
    return getattr(error, "errno", None) in full or any(w in str(error) for w in words)
