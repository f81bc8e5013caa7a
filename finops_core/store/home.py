"""The home: one directory that holds everything, and the lock that lets one writer in."""

import errno
import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from finops_core.errors import (
    FULL_DISK_WORDS,
    FarthingError,
    HomeBusy,
    InputRefused,
    NothingLoaded,
    Place,
    UsageError,
    disk_is_full,
)

WAIT = 60.0
"""Seconds for which a writer waits for another before it gives up."""


def default_home() -> Path:
    """FARTHING_HOME, else data/ beside the code."""
    return Path(os.environ.get("FARTHING_HOME") or Path(__file__).parents[2] / "data")


@dataclass(frozen=True)
class Home:
    """Where things are. Creating a Home touches nothing."""

    path: Path

    @property
    def lake(self) -> Path:
        return self.path / "lake" / "charges"

    @property
    def link(self) -> Path:
        """finops.duckdb, a link to the current version of the warehouse."""
        return self.path / "finops.duckdb"

    @property
    def warehouse(self) -> Path:
        return self.path / "warehouse"

    @property
    def staging(self) -> Path:
        return self.path / "staging"

    @property
    def state(self) -> Path:
        return self.path / "state.sqlite"

    @property
    def rules(self) -> Path:
        return self.path / "rules"

    @property
    def mappings(self) -> Path:
        return self.path / "mappings"

    @property
    def metrics(self) -> Path:
        """Files of usage by day, by which pools of shared cost are split."""
        return self.path / "metrics"

    @property
    def cache(self) -> Path:
        return self.path / "cache"

    @property
    def analysis(self) -> Path:
        """Tables computed from the store and kept; they may be deleted."""
        return self.path / "analysis"

    @property
    def uploads(self) -> Path:
        return self.path / "uploads"

    def current(self) -> Path:
        """The current version of the warehouse. Raises NothingLoaded before the first load."""
        try:
            target = self.path / os.readlink(self.link)
        except FileNotFoundError:
            raise NothingLoaded(
                f"{self.path} holds no charges yet: ingest an export, or make the demo"
            ) from None
        except NotADirectoryError:
            raise UsageError(f"{self.path} is a file: --home names a directory") from None
        except OSError:
            target = self.link
        return target

    @contextmanager
    def writing(self, wait: float = WAIT) -> Iterator[None]:
        """Holds the home for writing. Raises HomeBusy after `wait` seconds; a dead process holds nothing."""
        with self._holding(
            ".lock", wait, f"another process is writing to {self.path}: try again when it is done"
        ):
            yield

    @contextmanager
    def checking(self, wait: float = WAIT) -> Iterator[None]:
        """Holds the right to tell people of this home, which loads do not need. Raises HomeBusy after `wait` seconds."""
        with self._holding(
            ".checking", wait, f"another check of {self.path} is running: try again when it is done"
        ):
            yield

    @contextmanager
    def _holding(self, name: str, wait: float, busy: str) -> Iterator[None]:
        make_directory(self.path)
        with _unwritable_in_words(self.path):
            handle = os.open(self.path / name, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            deadline = time.monotonic() + wait
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as error:
                    if error.errno not in (errno.EAGAIN, errno.EACCES):
                        raise
                    if time.monotonic() >= deadline:
                        raise HomeBusy(busy) from error
                    time.sleep(0.05)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def workspace(self, name: str) -> Iterator[Path]:
        """A directory for the files of one piece of work, gone afterwards."""
        directory = self.staging / f"{name}-{os.getpid()}-{time.monotonic_ns()}"
        make_directory(directory)
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def abandoned_workspaces(self) -> Iterator[Path]:
        """Workspaces whose process is gone, killed in the middle of its work."""
        for directory in self.staging.glob("*"):
            process = re.fullmatch(r".*-(\d+)-\d+", directory.name)
            if process is None or not Path("/proc", process.group(1)).exists():
                yield directory


def make_directory(directory: Path) -> None:
    """Makes a directory of the home. Raises UsageError where a file is in the way, InputRefused where none can be made."""
    with _unwritable_in_words(directory):
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise UsageError(f"{directory} cannot be made: a file is in its way") from error


@contextmanager
def _unwritable_in_words(where: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputRefused(
            f"cannot be written: {error.strerror}",
            Place(str(where)),
            "Nothing was changed: choose another --home",
        ) from error


@contextmanager
def full_disk_in_words(where: Path) -> Iterator[None]:
    """Turns the errors of a full or read-only disk into words; whatever was half written is not part of the store."""
    try:
        yield
    except FarthingError:
        raise
    except Exception as error:
        if not disk_is_full(error):
            raise
        reason = next((w for w in FULL_DISK_WORDS if w in str(error)), "it cannot be written")
        raise InputRefused(
            f"the disk of {where} is full or read-only: {reason}",
            None,
            "Nothing was changed: make room and load again",
        ) from error


def sync(path: Path) -> None:
    """Makes a file or directory durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
