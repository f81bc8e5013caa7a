"""A rule set: allocation.yaml and the directory files that it names, checked as a whole. Text in, typed data out."""

import csv
import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from importlib import resources
from typing import Any

import polars

from finops_core.allocation import written
from finops_core.allocation.kinds import APPLIED
from finops_core.allocation.methods import POOL
from finops_core.allocation.rules import Directory, Pool, Rule, Rules, in_order, twice
from finops_core.allocation.written import Written
from finops_core.errors import InputRefused, Place
from finops_core.focus.charges import OWNER_COLUMNS
from finops_core.vocabulary.listing import listed

FILE = "allocation.yaml"
KEY, SINCE, UNTIL = "__key", "__from", "__to"
"""Columns of a directory: the key, and the days [from, to) of the row."""
_DATED = ("from", "to")
"""The columns of a file that say so."""
_LONGEST = 500_000
"""Characters that an allocation.yaml may have: more take longer to read than anybody waits."""
_MOST_NAMES = 10
"""How many of the names of a cycle are told."""
FIRST_DAY, LAST_DAY = date(1, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True)
class RuleSet:
    """Rules that hold together. `directories`: name → KEY, SINCE, UNTIL (dates, excluded) and the fields, all text."""

    files: Mapping[str, str]
    rules: tuple[Rule, ...]
    """Revisions with their days in force, in the order in which they are asked."""
    pools: tuple[Pool, ...]
    owner: str
    consumers: Mapping[str, tuple[str, str]]
    """Owner column → directory and field that has it by the consumer's name."""
    directories: Mapping[str, polars.DataFrame]
    order: tuple[str, ...]
    """The owner columns in an order in which each is found after those that its rules ask for."""

    @cached_property
    def owners_digest(self) -> str:
        """Changes whenever a charge may get another owner: comments and the splits of pools do not count."""
        pools = [(pool.name, pool.since, pool.until, pool.when) for pool in self.pools]
        return _digest(self.owner, self.rules, pools, *self._directories())

    @cached_property
    def splits_digest(self) -> str:
        """Changes whenever a pool may be split otherwise while all owners stay; what drivers measure is not in it."""
        return _digest(self.pools, self.consumers, *self._directories())

    def _directories(self) -> list[tuple[str, list[tuple[object, ...]]]]:
        return [(name, table.rows()) for name, table in self.directories.items()]


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


@cache
def shipped() -> str:
    """The allocation.yaml that is in force where nobody has written one."""
    return resources.files("finops_core.allocation").joinpath(FILE).read_text("utf-8")


@cache
def default() -> RuleSet:
    """The shipped rules."""
    return parse({FILE: shipped()})


def parse(files: Mapping[str, str], applied: bool = False) -> RuleSet:
    """Checks a rule set. Raises InputRefused with file, line and field for the first thing that is wrong.

    What was `applied` before means what it meant then, so that it stays in force: no rules where the file is empty, a consumer
    once whom a list names twice, shares with exponents, fees of any number of digits, days with a time or as seconds since 1970.
    """
    text = files.get(FILE)
    if text is None:
        raise InputRefused("is missing: rules are written in it", Place(FILE))
    if len(text) > _LONGEST and not applied:
        raise InputRefused(
            f"has {len(text):,} characters, more than {_LONGEST:,}",
            Place(FILE, line=text.count("\n", 0, _LONGEST) + 1),
            "Long maps belong into a directory, a file of its own",
        )
    found = written.read(text, FILE, applied)
    if found.data in (None, ""):
        if not applied:
            raise InputRefused(
                "is empty", Place(FILE, line=1), "Write `rules: []` where there are to be none"
            )
        found = Written(FILE, {}, found.lines)
    rules = found.validated(Rules, APPLIED if applied else None)
    for name, entries in (("rules", rules.rules), ("pools", rules.pools)):
        if (doubled := twice(entries)) is not None:
            raise InputRefused(doubled[1], found.place((name, doubled[0])))
    used = {d.file for d in rules.directories.values()}
    directories = {
        name: _directory(directory, files, found.place(("directories", name)), applied)
        for name, directory in rules.directories.items()
    }
    _check_lookups(rules, directories, found)
    order = _order(rules, found)
    _check_pools(rules.pools, found)
    return RuleSet(
        {name: text for name, text in files.items() if name == FILE or name in used},
        tuple(in_order(rules.rules)),
        tuple(in_order(rules.pools)),
        rules.owner,
        {column: (lookup.directory, lookup.field) for column, lookup in rules.consumers.items()},
        directories,
        order,
    )


def place_of(files: Mapping[str, str], pool: Pool) -> Place:
    """Where a pool of a rule set stands."""
    found = written.read(files[FILE], FILE, applied=True)
    since = pool.since.isoformat() if pool.since else None
    for number, entry in enumerate(found.data.get("pools") or []):
        if entry.get("name") == pool.name and str(entry.get("from") or None)[:10] == str(since):
            return found.place(("pools", number))
    return Place(FILE)


def named_files(text: str) -> list[str]:
    """The directory files that an allocation.yaml names; none where it is malformed, which `parse` says."""
    if len(text) > _LONGEST:
        return []
    try:
        data = written.read(text, FILE).data
        return [d["file"] for d in data.get("directories", {}).values()]
    except (InputRefused, AttributeError, TypeError, KeyError):
        return []


def _check_lookups(rules: Rules, directories: Mapping[str, polars.DataFrame], found: Written) -> None:
    asked: list[tuple[tuple[str | int, ...], str, str | None]] = [
        (("rules", place, "set", column), name, field)
        for place, rule in enumerate(rules.rules)
        for column, value in rule.set.items()
        for name, field in value.directories()
    ]
    asked += [(("consumers", c), lookup.directory, lookup.field) for c, lookup in rules.consumers.items()]
    for path, name, field in asked:
        if name not in directories:
            known = ", ".join(directories) or "none"
            raise InputRefused(f"there is no directory {name!r}; known are {known}", found.place(path))
        if field is not None and field not in directories[name].columns[3:]:
            known = ", ".join(directories[name].columns[3:])
            raise InputRefused(
                f"the directory {name!r} has no field {field!r}; it has {known}", found.place(path)
            )


def _order(rules: Rules, found: Written) -> tuple[str, ...]:
    """The owner columns, each after those that its rules ask for. Raises InputRefused for a cycle, with its names."""
    needs: dict[str, dict[str, tuple[Any, ...]]] = {column: {} for column in OWNER_COLUMNS}
    for place, rule in enumerate(rules.rules):
        asked = {name for node in rule.when for name in node.dimensions}
        for column, value in rule.set.items():
            for name in (asked | set(value.reads())) & set(OWNER_COLUMNS):
                needs[column].setdefault(name, ("rules", place, "set", column))
    ordered: list[str] = []

    def visit(column: str, way: tuple[str, ...]) -> None:
        if column in way:
            cycle = [*way[way.index(column) :], column]
            path = needs[cycle[0]][cycle[1]]
            raise InputRefused(
                f"a cycle: {' needs '.join(cycle)}", found.place(path), "Ask for one of them only"
            )
        if column not in ordered:
            for name in needs[column]:
                visit(name, (*way, column))
            ordered.append(column)

    for column in OWNER_COLUMNS:
        visit(column, ())
    return tuple(ordered)


def _check_pools(pools: list[Pool], found: Written) -> None:
    known = {pool.name: pool for pool in pools}
    for place, pool in enumerate(pools):
        for name in pool.feeds():
            if name not in known:
                raise InputRefused(
                    f"{POOL}{name}: there is no pool of that name", found.place(("pools", place))
                )
            if known[name].over != pool.over:
                raise InputRefused(
                    f"is split over {pool.over} and feeds {POOL}{name}, which is split over {known[name].over}",
                    found.place(("pools", place)),
                )
    # A pool has a way out if a consumer may get some of it, or a pool that has a way out.
    open_pools: set[str] = set()
    while True:
        more = {
            pool.name
            for pool in pools
            if not pool.split.leaves_no_way_out() or any(name in open_pools for name in pool.feeds())
        }
        if more <= open_pools:
            break
        open_pools |= more
    for place, pool in enumerate(pools):
        if pool.name not in open_pools:
            names = listed(sorted(known.keys() - open_pools), _MOST_NAMES)
            raise InputRefused(
                f"a cycle: the pools {names} only feed each other",
                found.place(("pools", place)),
                "Give one a consumer",
            )


def _directory(
    directory: Directory, files: Mapping[str, str], place: Place, applied: bool
) -> polars.DataFrame:
    text = files.get(directory.file)
    if text is None:
        raise InputRefused(f"the file {directory.file} is missing beside {FILE}", place)
    if not applied and "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputRefused("holds a character that is none (NUL)", Place(directory.file, line=line))
    is_csv = directory.file.endswith(".csv")
    rows, at = _csv_rows(text, directory.file) if is_csv else _yaml_rows(text, directory.file, applied)
    fields = list(dict.fromkeys(name for row in rows for name in row if name not in _DATED))
    same = next((f for f in fields if [g.lower() for g in fields].count(f.lower()) > 1), None)
    if same is not None:
        raise InputRefused(
            f"two columns are called {same!r}, but for upper and lower case", Place(directory.file, line=1)
        )
    if rows and directory.key not in fields:
        raise InputRefused(
            f"has no column {directory.key!r}; it has {', '.join(fields)}", Place(directory.file, line=1)
        )
    table: list[dict[str, Any]] = []
    spans: dict[str, list[tuple[date, date]]] = {}
    for number, row in enumerate(rows):
        since, until = (_day(row.get(name), at(number, name), name) for name in _DATED)
        span = (since or FIRST_DAY, until or LAST_DAY)
        if span[0] >= span[1]:
            raise InputRefused(
                f"from {since} to {until} holds no day (the end is excluded)", at(number, _DATED[0])
            )
        keys = row.get(directory.key) or ""
        for key in keys if isinstance(keys, list) else [keys]:
            if not key:
                raise InputRefused(f"{directory.key} is empty", at(number, directory.key))
            if any(span[0] < end and start < span[1] for start, end in spans.get(key, [])):
                raise InputRefused(f"{key!r} is named twice for the same days", at(number, directory.key))
            spans.setdefault(key, []).append(span)
            others = {n: v for n, v in row.items() if isinstance(v, str)}
            table.append(
                {KEY: key, SINCE: span[0], UNTIL: span[1], **{f: others.get(f) or None for f in fields}}
            )
    schema = {
        KEY: polars.String,
        SINCE: polars.Date,
        UNTIL: polars.Date,
        **dict.fromkeys(fields, polars.String),
    }
    return polars.DataFrame(table, schema=schema)


At = Callable[[int, str], Place]


def _csv_rows(text: str, name: str) -> tuple[list[dict[str, Any]], At]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        lines = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputRefused(f"cannot be read as CSV: {error}", Place(name, line=reader.line_num)) from error
    if not lines:
        raise InputRefused("is empty", Place(name, line=1))
    header = [cell.strip() for cell in lines[0][1]]
    for column in header:
        if header.count(column) > 1 or not column:
            raise InputRefused(
                f"the column {column!r} is named twice" if column else "a column has no name",
                Place(name, line=1),
            )
    rows = []
    for line, cells in lines[1:]:
        if len(cells) != len(header):
            raise InputRefused(
                f"has {len(cells)} cells where the header has {len(header)}", Place(name, line=line)
            )
        rows.append({c: cell.strip() for c, cell in zip(header, cells, strict=True)})
    return rows, lambda number, column: Place(name, line=lines[number + 1][0], column=column)


def _yaml_rows(text: str, name: str, applied: bool) -> tuple[list[dict[str, Any]], At]:
    """A list of mappings, or the one list in a mapping; a list as a value of the key stands for several keys."""
    found = written.read(text, name, applied)
    data = found.data
    path: tuple[str, ...] = ()
    if isinstance(data, dict) and len(data) == 1:
        first, data = next(iter(data.items()))
        path = (first,)
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise InputRefused("must be a list of entries", Place(name, line=1))
    rows = [
        {str(n): [str(i) for i in v] if isinstance(v, list) else str(v).strip() for n, v in row.items()}
        for row in data
    ]
    return rows, lambda number, column: found.place((*path, number, column))


def _day(written: Any, place: Place, name: str) -> date | None:
    if not written:
        return None
    try:
        return date.fromisoformat(str(written))
    except ValueError:
        raise InputRefused(f"{name}: {written!r} is no date: write 2026-09-01", place) from None
