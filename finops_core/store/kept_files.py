"""Directories of a home with files that people add: each copied in whole or not at all, in place of an earlier one of its name."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from finops_core.errors import InputRefused, Place, UsageError
from finops_core.store.home import Home, full_disk_in_words, make_directory, sync

Told = TypeVar("Told")


@dataclass(frozen=True)
class KeptFiles:
    """One such directory, below the home."""

    name: str
    what: str
    """What its files are of, in words: `drivers`."""
    example: str
    """A name that a file may have."""

    def directory(self, home: Home) -> Path:
        return home.path / self.name

    def files(self, home: Home) -> Iterator[Path]:
        """The files, by name."""
        for file in sorted(self.directory(home).glob("*")):
            if file.is_file() and not file.name.startswith("."):
                yield file

    def add(
        self,
        home: Home,
        file: Path,
        name: str | None,
        look: Callable[[Path], Told],
        then: Callable[[], None] = lambda: None,
    ) -> tuple[str, Told, bool]:
        """Copies a file in, once `look` has taken it. Returns its name there, what `look` told, and whether it replaced another.

        `then` is called when it is there, under the lock: what that raises leaves the directory as it was. Raises InputRefused for
        what cannot be read, and what `look` raises; UsageError for a name that is none; HomeBusy.
        """
        name = self._checked(name or file.name)
        if not file.is_file():
            raise InputRefused("there is no such file", Place(str(file)))
        kept = self.directory(home)
        with home.writing(), full_disk_in_words(home.path), home.workspace(self.name) as workspace:
            copy = workspace / name
            try:
                shutil.copyfile(file, copy)
            except PermissionError as error:
                raise InputRefused(f"cannot be read: {error.strerror}", Place(str(file))) from error
            found = look(copy)  # of the copy: what is kept is what was read
            sync(copy)
            make_directory(kept)
            replaced = (kept / name).exists()
            with self._or_as_it_was(kept / name, workspace):
                os.replace(copy, kept / name)
                sync(kept)
                then()
        return name, found, replaced

    def listed(self, home: Home, look: Callable[[Path], Told]) -> dict[str, Told | InputRefused]:
        """File name → what it tells, or why it cannot be read."""
        found: dict[str, Told | InputRefused] = {}
        for file in self.files(home):
            try:
                found[file.name] = look(file)
            except InputRefused as error:
                found[file.name] = error
        return found

    def stamps(self, home: Home) -> tuple[tuple[str, int, int], ...]:
        """Name, time of change and size of each file: changes whenever what the files say may change."""
        found = [(file.name, file.stat()) for file in self.files(home)]
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)

    def remove(self, home: Home, name: str, then: Callable[[], None] = lambda: None) -> None:
        """Removes a file. `then` is called when it is gone, under the lock: what that raises puts the file back.

        Raises UsageError where there is none of this name.
        """
        name = self._checked(name)
        kept = self.directory(home)
        with home.writing(), full_disk_in_words(home.path), home.workspace(self.name) as workspace:
            if not (kept / name).is_file():
                known = ", ".join(file.name for file in self.files(home)) or "none"
                raise UsageError(f"there is no file {name!r} of {self.what}; known are {known}")
            with self._or_as_it_was(kept / name, workspace):
                (kept / name).unlink()
                sync(kept)
                then()

    @contextmanager
    def _or_as_it_was(self, file: Path, workspace: Path) -> Iterator[None]:
        """Puts the file back, or takes it away again, where the block raises."""
        before = workspace / f"{file.name}.before"
        if file.exists():
            shutil.copy2(file, before)
        try:
            yield
        except BaseException:
            if before.exists():
                os.replace(before, file)
            else:
                file.unlink(missing_ok=True)
            sync(file.parent)
            raise

    def _checked(self, name: str) -> str:
        if not name.strip() or "/" in name or "\\" in name or "*" in name or name.startswith("."):
            raise UsageError(
                f"{name!r} is no name for a file of {self.what}: write one such as {self.example}"
            )
        return name
