"""Allocation exports of OpenCost and Kubecost, as JSON of their API or as CSV: a record for each row, hours exact.

The API answers {"code": 200, "data": [set, …]}, where a set is the allocations of one window by name: `/allocation` and
`/allocation/compute` of OpenCost, `/model/allocation` of Kubecost; of `/summary` it answers {"data": {"sets": [{"allocations", "window"}]}},
whose rows have a name and no properties. A CSV has the same fields under the same names, however
they are spelled (OpenCost's CSV export; `properties.namespace`, `cpuCoreHours`), or hours that were requested and used
(`cpu_core_hours_requested`). Averages count for the hours between start and end.
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import reduce
from pathlib import Path
from typing import Any

from finops_core.allocation.drivers.fields import (
    AVERAGES,
    BYTE_AVERAGES,
    BYTE_HOURS,
    BYTES,
    COSTS,
    DATES,
    HOURS,
    KNOWN,
    KNOWN_MEASURES,
    SPELLINGS,
    TOTAL,
    label,
    spell,
)
from finops_core.allocation.drivers.reading import ROW, moment, number, tables
from finops_core.errors import InputRefused, Place
from finops_core.ingest.files import CHUNK, Examined, ExportFile, examine, refuse

EXACT = Context(prec=80)
GIB = Decimal(1 << 30)
SPECIAL = ("__idle__", "__unmounted__", "__unallocated__", "__shared__", "__external__", "__filtered__")
"""Names that both exporters give to what belongs to no workload."""
_DAY = timedelta(days=1)
_LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class Allocation:
    """One row of an export: what a workload was given from `start` to `end`. Measures that it does not state lack."""

    place: Place
    start: datetime
    end: datetime
    name: str
    cluster: str
    namespace: str
    workload: str
    labels: Mapping[str, str]
    measures: Mapping[str, Decimal]
    """Core hours, GiB hours, GPU hours, GiB of traffic, costs in the exporter's currency: MEASURES."""
    source: str
    """The file, and the answer in it, that the row stands in."""
    window: tuple[datetime, datetime] | None
    """The window that was asked for, where the row states it."""

    @property
    def special(self) -> str:
        """`__idle__` and its like, where a part of its name says so; empty for what belongs to a workload."""
        parts = {*self.name.split("/"), self.namespace}
        return next((special for special in SPECIAL if special in parts), "")


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, with all digits: `sum` keeps 28."""
    return reduce(EXACT.add, amounts, Decimal(0))


def allocations(file: Path) -> Iterator[Allocation]:
    """All rows of a file. Raises InputRefused with row or name, and field."""
    text = _json_text(file)
    return _of_json(file, text) if text is not None else _of_table(file)


def is_export(file: Path) -> bool:
    """Whether a file looks like an allocation export: JSON, or a table with columns of CPU. Raises InputRefused."""
    if _json_text(file) is not None:
        return True
    cpu = {"cpucost", *HOURS["cpu_core_hours"], *AVERAGES["cpu_core_hours"]}
    headers = (table.header for table in examine(ExportFile(file, file.name)))
    return any(cpu & {spell(name) for name in header.names} for header in headers)


def _of_table(file: Path) -> Iterator[Allocation]:
    for rows in tables(file, _choose):
        for row in rows.frame.iter_rows(named=True):
            place = Place(rows.table.name, row.pop(ROW))
            cells = {key: value for key, value in row.items() if value is not None}
            yield _Reader(place, cells, rows.columns).allocation(rows.table.name)


def _choose(table: Examined) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in table.header.names:
        ours = name if label(name) else spell(name)
        if ours in found and ours in KNOWN:
            raise refuse(table, f"{found[ours]!r} and {name!r} are one field", "Export it again", row=1)
        if ours in KNOWN or label(name) or ours not in found:
            found[ours] = name
    if not found.keys() & DATES:
        advice = "It has none of Date, start and window.start"
        if {"efficiency", "total"} <= found.keys():
            advice = (
                "Kubecost's download states no days: ask /model/allocation without format=csv, with step=1d"
            )
        raise refuse(table, "no export of OpenCost or Kubecost: it names no day", advice, row=1)
    if not found.keys() & KNOWN_MEASURES:
        raise refuse(table, "no export of OpenCost or Kubecost: it has no hours and no costs", row=1)
    return found


def _json_text(file: Path) -> str | None:
    """The text of a file of JSON, perhaps gzipped; None where it is something else."""
    place = Place(file.name)
    try:
        with file.open("rb") as stream:
            head = stream.read(2)
        packed = head == b"\x1f\x8b"
        with gzip.open(file) if packed else file.open("rb") as stream:
            if not stream.read(CHUNK).removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
                return None
            stream.seek(0)
            return stream.read().decode("utf-8-sig")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputRefused(f"the archive is cut off or damaged ({error})", place) from error
    except OSError as error:
        raise InputRefused(f"cannot be read: {error.strerror}", place) from error
    except UnicodeDecodeError as error:
        raise InputRefused("not UTF-8 text", place, "Save it as UTF-8") from error


def _of_json(file: Path, text: str) -> Iterator[Allocation]:
    """The allocations of one or several answers of the API, each a window after the other."""
    number = 0
    for answer in _answers(file, text):
        for found in _sets(file, answer):
            number += 1
            for name, record in found.items():
                if not isinstance(record, dict):
                    raise InputRefused(f"the allocation {name!r} is no object", Place(file.name))
                place = Place(f"{file.name}, window {number}, {name!r}")
                yield _Reader(place, _fields(name, record), {}).allocation(f"{file.name}, window {number}")


def _answers(file: Path, text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder(
        parse_float=Decimal, parse_int=Decimal, parse_constant=str, object_pairs_hook=_once
    )
    at = 0
    try:
        while at < len(text):
            if text[at].isspace():
                at += 1
                continue
            answer, at = decoder.raw_decode(text, at)
            yield answer
    except (ValueError, RecursionError) as error:
        row = text.count("\n", 0, getattr(error, "pos", at)) + 1
        raise InputRefused(
            f"no JSON: {error}", Place(file.name, row), "Is it cut off? Export it again"
        ) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} stands twice in one object")
    return found


def _sets(file: Path, answer: Any) -> Iterator[dict[str, Any]]:
    """The windows of an answer: a list, or one alone; empty ones are null."""
    place = Place(file.name)
    failed = isinstance(answer, dict) and str(answer.get("code", 200)) != "200"
    if failed:
        what = f"the exporter answered with an error: {answer.get('message', answer['code'])}"
        raise InputRefused(what, place)
    if not isinstance(answer, dict) or "data" not in answer:
        advice = 'Save the answer as it comes: {"code":200,"data":[…]}'
        raise InputRefused("no answer of an allocation API", place, advice)
    data = answer["data"]
    if isinstance(data, dict) and isinstance(data.get("sets"), list):
        data = [_summarised(found, place) for found in data["sets"]]
    for found in data if isinstance(data, list) else [data]:
        if found is None:
            continue
        if not isinstance(found, dict) or not found.keys().isdisjoint({"sets", "combined", "allocations"}):
            advice = "Ask /allocation/compute, /model/allocation or its /summary"
            raise InputRefused("a window that is no set of allocations", place, advice)
        yield found


def _summarised(found: Any, place: Place) -> dict[str, Any] | None:
    """A window of `/summary` as one of the full answer: what its names say are the properties, and the window is told by each row."""
    if found is None or (isinstance(found, dict) and found.get("allocations", found) is None):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("allocations"), dict):
        raise InputRefused("a window of the summary without its allocations", place, "Export it again")
    told = {"window": found.get("window")}
    return {
        name: record | told | {"properties": _named(name)} if isinstance(record, dict) else record
        for name, record in found["allocations"].items()
    }


def _named(name: str) -> dict[str, str]:
    """cluster/node/namespace/pod/container; of what is aggregated by cluster and namespace, or by namespace alone, these."""
    parts = name.split("/")
    if len(parts) == 5:
        return {"cluster": parts[0], "namespace": parts[2]}
    return {"cluster": parts[0], "namespace": parts[-1]} if len(parts) > 1 else {"namespace": name}


def _fields(name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a JSON record under the spellings of a CSV's columns."""
    window = record.get("window") or {}
    found: dict[str, Any] = {"name": name}
    found |= {f"window{key}": value for key, value in window.items()} if isinstance(window, dict) else {}
    found |= {spell(key): value for key, value in (record.get("properties") or {}).items()}
    found |= {spell(key): value for key, value in record.items() if key not in ("properties", "window")}
    return {key: value for key, value in found.items() if value is not None and value != ""}


@dataclass(frozen=True)
class _Reader:
    """The cells of one row by the spelling of their field, and how the file itself writes these."""

    place: Place
    cells: Mapping[str, Any]
    names: Mapping[str, str]

    def allocation(self, file: str) -> Allocation:
        start, end, known = self._times()
        return Allocation(
            self.place,
            start,
            end,
            self._text("name"),
            self._text("cluster"),
            self._text("namespace"),
            self._text("workload"),
            self._labels(),
            self._measures(self._hours(start, end) if known else None),
            file,
            self._window() if known else (start, end),
        )

    def _text(self, name: str) -> str:
        for spelling in SPELLINGS.get(name, (name,)):
            if spelling in self.cells:
                return str(self.cells[spelling]).strip()
        return ""

    def _window(self) -> tuple[datetime, datetime] | None:
        if not ("windowstart" in self.cells and "windowend" in self.cells):
            return None
        start, end = (self._moment(name, self._text(name)) for name in ("windowstart", "windowend"))
        return start, end

    def _times(self) -> tuple[datetime, datetime, bool]:
        """Start, end, and whether the row itself states them: a day alone does not say how long a workload ran."""
        day = self._text("day")
        if day and not self._text("start"):
            start = self._moment("day", day).replace(hour=0, minute=0, second=0, microsecond=0)
            return start, start + _DAY, False
        start, end = (self._moment(name, self._text(name)) for name in ("start", "end"))
        if end < start:
            raise self._refused(f"it ends at {end:%Y-%m-%dT%H:%M:%SZ}, before it starts", "end")
        if end - start > _LONGEST:
            raise self._refused(f"it spans {(end - start).days:,} days", "end")
        return start, end, True

    def _moment(self, name: str, text: str) -> datetime:
        try:
            return moment(text).astimezone(UTC)
        except ValueError as error:
            raise self._refused(str(error), name) from None

    def _hours(self, start: datetime, end: datetime) -> tuple[Decimal, bool]:
        """How long it ran, and whether the row says so: a window alone is as long as that or longer."""
        ran = any(spelling in self.cells for spelling in SPELLINGS["start"][:-1])
        minutes = [] if ran else self._numbers(SPELLINGS["minutes"])
        whole = EXACT.divide(Decimal((end - start) // timedelta(microseconds=1)), Decimal(3_600_000_000))
        return (EXACT.divide(minutes[0], Decimal(60)), True) if minutes else (whole, ran)

    def _labels(self) -> dict[str, str]:
        """Labels of the pod, and under them those of its namespace."""
        found: dict[str, str] = {}
        for name in ("namespace_labels", "labels"):
            cell = self.cells.get(SPELLINGS[name][0])
            if isinstance(cell, str):
                try:
                    cell = json.loads(cell)
                except ValueError as error:
                    raise self._refused(f"no JSON: {error}", "labels") from None
            if isinstance(cell, dict):
                found |= {str(key): str(value) for key, value in cell.items()}
        if not self.names:
            return found
        own = {key: str(value) for key, value in self.cells.items()}
        columns = sorted((held[1], held[0], value) for key, value in own.items() if (held := label(key)))
        return own | {key: value for _, key, value in reversed(columns)} | found

    def _measures(self, ran: tuple[Decimal, bool] | None) -> dict[str, Decimal]:
        """Averages are over the time that it ran: where only the window is known, they count if no hours are stated."""
        found: dict[str, Decimal] = {}
        for measure in HOURS:
            stated = [*self._numbers(HOURS[measure]), *self._gib(BYTE_HOURS.get(measure, ()))]
            if ran is not None and (ran[1] or not stated):
                averages = [
                    *self._numbers(AVERAGES.get(measure, ())),
                    *self._gib(BYTE_AVERAGES.get(measure, ())),
                ]
                stated += [EXACT.multiply(average, ran[0]) for average in averages]
            if stated:
                found[measure] = max(stated)
        if traffic := self._gib(BYTES):
            found["network_gib"] = total(traffic)
        for measure, fields in COSTS.items():
            if costs := self._numbers(fields, negative=True):
                found[measure] = total(costs)
        costs = self._numbers(("totalcost",) if "totalcost" in self.cells else TOTAL, negative=True)
        return found | ({"total_cost": total(costs)} if costs else {})

    def _gib(self, fields: Iterable[str]) -> list[Decimal]:
        return [EXACT.divide(value, GIB) for value in self._numbers(fields)]

    def _numbers(self, fields: Iterable[str], negative: bool = False) -> list[Decimal]:
        return [self._number(name, negative) for name in fields if name in self.cells]

    def _number(self, name: str, negative: bool) -> Decimal:
        try:
            value = number(self.cells[name])
        except ValueError as error:
            raise self._refused(str(error), name) from None
        if value < 0 and not negative:
            raise self._refused(f"{self.cells[name]} is negative, and usage never is", name)
        return value

    def _refused(self, what: str, field: str) -> InputRefused:
        spelling = next((s for s in SPELLINGS.get(field, (field,)) if s in self.cells), field)
        return InputRefused(what, Place(self.place.file, self.place.row, self.names.get(spelling, spelling)))
