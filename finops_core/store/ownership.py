"""The allocation rules of a home that are in force, and what says whether a warehouse was made by them."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

import polars

from finops_core.allocation import ruleset
from finops_core.allocation.drivers import (
    SCHEMA,
    DriverSpec,
    FileOfUsageMissing,
    fingerprint,
    weights,
)
from finops_core.allocation.rules import Pool
from finops_core.allocation.ruleset import FILE, RuleSet
from finops_core.errors import InputRefused, Place
from finops_core.store import rulesets
from finops_core.store.fingerprint import ALLOCATING, rules_digest
from finops_core.store.home import Home
from finops_core.store.state import State

Read = TypeVar("Read")


@dataclass(frozen=True)
class Ownership:
    """A rule set, the number of its version (0 for what nobody applied), and where its drivers are measured.

    Where it is `in_force`, a file of usage that is gone does not keep bills from being loaded: its pool is split as on days of which
    a file says nothing, and `gaps` tells it. Rules that are to be applied are refused instead.
    """

    rules: RuleSet
    number: int
    metrics: Path
    in_force: bool = False

    @cached_property
    def owners(self) -> str:
        """Changes whenever charges may get other owners."""
        return f"{self.rules.owners_digest} {rules_digest(ALLOCATING).hex()[:16]}"

    @cached_property
    def splits(self) -> str:
        """Changes whenever pools may be split otherwise, the owners being the same. Raises InputRefused for a driver
        whose file is gone, unless the rules are in force."""
        drivers = {repr(spec): spec for pool in self.rules.pools for spec in pool.drivers()}
        measured = {
            name: self._or_gone(partial(fingerprint, spec, self.metrics), "gone")
            for name, spec in sorted(drivers.items())
        }
        return json.dumps([self.rules.splits_digest, measured])

    def weights(self) -> Callable[[DriverSpec], polars.DataFrame]:
        """What reads a driver of this home."""
        nothing = polars.DataFrame(schema=SCHEMA)
        return lambda spec: self._or_gone(partial(weights, spec, self.metrics), nothing)

    def gaps(self, name: str | None = None) -> list[str]:
        """For each pool whose file of usage is gone: what it is split by instead, and what to do.

        With a name, only the gaps that a file of it would close.
        """
        found = (
            f"the pool {pool.name} is split by its fallback, since {error}"
            for pool, spec, error in self._missing()
            if name is None or spec.reads(name)
        )
        return list(dict.fromkeys(found))

    def refuse_gaps(self) -> None:
        """Raises InputRefused for the first pool whose file of usage is missing, with the line of the pool."""
        for pool, spec, error in self._missing():
            said = f"the pool {pool.name} is split by {spec.file!r}: {error.what}"
            raise InputRefused(said, ruleset.place_of(self.rules.files, pool), error.advice) from error

    def _missing(self) -> Iterator[tuple[Pool, DriverSpec, FileOfUsageMissing]]:
        """Each driver of a pool whose file of usage is missing."""
        for pool in self.rules.pools:
            for spec in pool.drivers():
                try:
                    spec.files(self.metrics)
                except FileOfUsageMissing as error:
                    yield pool, spec, error

    def _or_gone(self, read: Callable[[], Read], gone: Read) -> Read:
        try:
            return read()
        except FileOfUsageMissing:
            if not self.in_force:
                raise
            return gone


def in_force(home: Home) -> Ownership:
    """The rules in force: the version that was applied last, else those of HOME/rules, else the shipped ones.

    Raises InputRefused, with file and line, where rules that were never applied are malformed.
    """
    if home.state.exists() or os.environ.get("FARTHING_STATE"):
        version = rulesets.in_force(State(home))
        if version is not None:
            rules = ruleset.parse(version.files, applied=True)
            return Ownership(rules, version.number, home.metrics, in_force=True)
    own = (home.rules / FILE).exists()
    rules = ruleset.parse(written(home.rules)) if own else ruleset.default()
    return Ownership(rules, 0, home.metrics, in_force=True)


def written(rules: Path) -> dict[str, str]:
    """The texts of a directory of rules, by default HOME/rules, or of a file there: allocation.yaml and the directory files that
    it names; the shipped rules where the directory has none.

    Raises InputRefused for a file that is no UTF-8 text or cannot be read; a file that is missing is `parse`'s to say.
    """
    directory = rules if rules.is_dir() else rules.parent
    file = directory / FILE if rules.is_dir() else rules
    main = _text(file) if file.exists() else ruleset.shipped()
    files = {FILE: main}
    for name in ruleset.named_files(main):
        path = directory / name
        if path.is_file() and path.resolve().is_relative_to(directory.resolve()):
            files[name] = _text(path)
    return files


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        place = Place(str(path), line=line)
        raise InputRefused(f"is no UTF-8 text: byte {error.start:,} is none", place) from error
    except OSError as error:
        raise InputRefused(f"cannot be read: {error.strerror}", Place(str(path))) from error
