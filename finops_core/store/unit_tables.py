"""Tables of business units, read as they come: a row a day and metric, a column a metric, JSON of an interface, Prometheus.

A table is a day (or a month) and quantities; every other column says whose they are: a product, a team, a customer.
"""

import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import polars

from finops_core.allocation.drivers.driver import WEIGHT
from finops_core.allocation.drivers.reading import ROW, Rows, days, number, tables
from finops_core.errors import InputRefused, Place
from finops_core.formats.format import Header
from finops_core.ingest.files import Examined, ExportFile

DAY, METRIC, SCOPE, QUANTITY, MONTHLY = "date", "metric", "scope", "quantity", "monthly"
SCHEMA: dict[str, Any] = {
    DAY: polars.Date,
    MONTHLY: polars.Boolean,
    METRIC: polars.String,
    SCOPE: polars.String,
    QUANTITY: WEIGHT,
}
"""Columns of observations. `scope` is a JSON object of the other columns of the row, sorted, those without a value left out."""
_DAYS = ("date", "day", "usage_date", "timestamp", "time", "ds", "period", "month", "chargeperiodstart")
_METRICS = ("metric", "metric_name", "kpi", "measure", "unit", "name")
_QUANTITIES = ("quantity", "value", "count", "amount", "total", "units")
_NAMES_NUMBERS = re.compile(r"(^|[_\s])(id|ids|account|number|no|code|zip|year)$|[a-z]Id$", re.IGNORECASE)
"""Columns of digits that name something: no quantities."""
_A_DAY = 86_400
_PLAIN = r"^-?[0-9]{1,19}(\.[0-9]{1,18})?$"
_LARGEST_SUM = 9e19
_ADVICE = "A table has a date, a metric and a quantity; or a date and a column for each metric"


@dataclass(frozen=True)
class Observed:
    """What a file says: SCHEMA, one row a day, metric and scope; and what of it a reader should know, in words."""

    frame: polars.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple(self.frame[METRIC].unique().sort())

    def in_words(self) -> str:
        """`orders, requests: 420 days from 2025-09-01 to 2026-10-25`."""
        days = self.frame[DAY].unique().sort().cast(polars.String)
        many = len(days)
        unit = "months" if self.frame[MONTHLY].any() else "days"
        told = f"{', '.join(self.metrics)}: {many:,} {unit} from {days[0]} to {days[-1]}"
        return "; ".join((told, *self.notes))


def read(file: Path) -> Observed:
    """The observations of a CSV, Parquet or JSON file. Raises InputRefused with file, row and column, then nothing counts."""
    if not file.is_file():
        raise InputRefused("there is no such file", Place(file.name))
    notes: list[str] = []
    parts = []
    for rows in _tables(file, notes):
        if rows.frame.is_empty():
            raise rows.refuse("holds no row", None, None, _ADVICE)
        parts.append(_observed(rows, notes))
    frame = polars.concat(parts)
    negative = frame.filter(polars.col(QUANTITY) < 0)
    if len(negative):
        notes.append(
            f"{len(negative):,} quantities are negative ({sum(negative[QUANTITY], Decimal()).normalize():f} in all) and counted as corrections"
        )
    return Observed(frame.sort(DAY, METRIC, SCOPE), tuple(notes))


def _tables(file: Path, notes: list[str]) -> Iterator[Rows]:
    with file.open("rb") as raw:
        head = raw.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1] in (b"[", b"{"):
        yield _json(file, notes)
    else:
        yield from tables(file, lambda table: {n: n for n in table.header.names if n.strip()})


def _json(file: Path, notes: list[str]) -> Rows:
    """A list of records, one below `data` (or results, items, records, rows), JSON lines, or Prometheus's range."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
        told = _parsed(text)
    except (ValueError, RecursionError) as error:
        raise InputRefused(f"no JSON: {error}", Place(file.name)) from error
    if isinstance(told, dict):
        inner = told.get("data", told)
        if isinstance(inner, dict) and inner.get("resultType") in ("matrix", "vector"):
            told = _prometheus(inner, file.name)
            notes.append("a sample counts on the day that it ends: midnight is the end of the day before")
        else:
            lists = ("data", "results", "items", "records", "rows")
            told = next((told[key] for key in lists if isinstance(told.get(key), list)), None)
    if not isinstance(told, list) or not all(isinstance(record, dict) for record in told):
        raise InputRefused("is no list of records", Place(file.name), _ADVICE)
    for place, record in enumerate(told, 1):
        odd = next((name for name, value in record.items() if isinstance(value, dict | list)), None)
        if odd is not None:
            raise InputRefused("holds more than one value", Place(file.name, place, odd), "Write it flat")
    names = list(dict.fromkeys(name for record in told for name in record))
    cells = {name: [_text(record.get(name)) for record in told] for name in names}
    frame = polars.DataFrame(
        {ROW: range(1, len(told) + 1), **cells}, {ROW: polars.Int64, **dict.fromkeys(names, polars.String)}
    )
    table = Examined(ExportFile(file, file.name), Header("json", ()))
    return Rows(table, {name: name for name in names}, frame)


def _parsed(text: str) -> Any:
    """JSON, or JSON lines; numbers as they are written, for what a float rounds away is lost."""
    try:
        return json.loads(text, parse_float=str, parse_int=str)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2 or not lines[0].strip().endswith("}"):
            raise
        return [json.loads(line, parse_float=str, parse_int=str) for line in lines]


def _text(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value).strip() or None


def _prometheus(data: Mapping[str, Any], name: str) -> list[dict[str, object]]:
    """Records of samples a day or more apart, of what grew in a day: `increase(orders_total[1d])` with a step of one day."""
    found: list[dict[str, object]] = []
    for series, told in enumerate(data.get("result") or [], 1):
        labels = {str(k): v for k, v in (told.get("metric") or {}).items() if k != "__name__"}
        metric = (told.get("metric") or {}).get("__name__") or Path(name).stem
        samples = told.get("values") or [told["value"]]
        times = [float(at) for at, _ in samples]
        if any(later - earlier < _A_DAY * 0.95 for earlier, later in itertools.pairwise(times)):
            raise InputRefused(
                "has samples less than a day apart, which cannot be told from a gauge",
                Place(name, series),
                "Ask for increase(…[1d]) with step=1d",
            )
        for at, value in samples:
            if not math.isfinite(float(value)):
                continue  # Prometheus writes NaN where there was nothing to divide by: a day without units
            day = datetime.fromtimestamp(float(at) - 1, UTC).date()
            found.append({DAY: str(day), METRIC: metric, **labels, QUANTITY: value})
    return found


def _observed(rows: Rows, notes: list[str]) -> polars.DataFrame:
    names = {name.strip().lower(): name for name in rows.columns}
    day = _day_column(rows, names)
    quantity = next((names[n] for n in _QUANTITIES if n in names and names[n] != day), None)
    metric = next((names[n] for n in _METRICS if n in names and names[n] not in (day, quantity)), None)
    if quantity is not None and (metric is not None or not _measures(rows, day, quantity)):
        values = {metric or "": quantity}
    else:
        values = {name: name for name in _measures(rows, day, None)}
        metric = None
    if not values:
        raise rows.refuse("has no column of quantities", None, None, _ADVICE)
    return _long(rows, day, metric, values, notes)


def _day_column(rows: Rows, names: Mapping[str, str]) -> str:
    named = [names[name] for name in _DAYS if name in names]
    if named:
        return named[0]
    found = next((name for name in rows.columns if _reads_as_days(rows, name)), None)
    if found is None:
        raise rows.refuse(
            "has no column of days", None, None, "Name it date, with days such as 2026-03-01, or months"
        )
    return found


def _reads_as_days(rows: Rows, name: str) -> bool:
    cells = rows.frame[name].cast(polars.String)
    return bool(cells.str.contains(r"^[0-9]{4}-[0-9]{2}(-[0-9]{2}.*)?$").fill_null(False).all())


def _measures(rows: Rows, day: str, but: str | None) -> list[str]:
    """The columns of numbers that name nothing. Raises InputRefused for a column of numbers with words among them."""
    found = []
    for name in rows.columns:
        if name in (day, but) or _NAMES_NUMBERS.search(name.strip()):
            continue
        cells = rows.frame[name].cast(polars.String).drop_nulls()
        told = cells.str.contains(r"^[+-]?[0-9.,]+([eE][+-]?[0-9]+)?$")
        if len(cells) and told.all():
            found.append(name)
        elif len(cells) and told.mean() is not None and float(cast(float, told.mean())) > 0.5:
            odd = rows.frame.filter(
                rows.frame[name].is_not_null() & ~rows.frame[name].cast(polars.String).str.contains(r"[0-9]")
            )
            if len(odd):
                raise rows.refuse(
                    f"{odd[name][0]!r} is no number, as the others of its column are", odd[ROW][0], name
                )
    return found


def _long(
    rows: Rows, day: str, metric: str | None, values: Mapping[str, str], notes: list[str]
) -> polars.DataFrame:
    cells = rows.frame[day].cast(polars.String)
    months = bool(cells.str.contains(r"^[0-9]{4}-[0-9]{2}$").fill_null(False).all())
    read_days = days(rows, day, months)
    firsts = bool((read_days.dt.day() == 1).all()) and read_days.n_unique() > 1
    others = [name for name in rows.columns if name not in (day, metric, *values.values())]
    base = rows.frame.select(
        polars.col(ROW),
        read_days.alias(DAY),
        cells.alias("written"),
        polars.lit(months or firsts).alias(MONTHLY),
        _scope(rows.frame, others).alias(SCOPE),
    )
    stem = Path(rows.table.file.name).stem
    parts = []
    blanks = 0
    for told, column in values.items():
        named = (
            rows.frame[metric] if metric else polars.Series([told or stem] * len(base), dtype=polars.String)
        )
        part = base.with_columns(named.alias(METRIC), rows.frame[column].cast(polars.String).alias("cell"))
        empty = part["cell"].is_null()
        blanks += int(empty.sum())
        part = part.filter(~empty)
        if part[METRIC].null_count():
            raise rows.refuse("names no metric", part.filter(polars.col(METRIC).is_null())[ROW][0], metric)
        parts.append(part.with_columns(_signed(rows, part, column).alias(QUANTITY)).drop("cell"))
    found = polars.concat(parts)
    if found.is_empty():
        raise rows.refuse("holds no quantity", None, None, _ADVICE)
    if blanks:
        notes.append(f"{blanks:,} cells hold no quantity: days without units, not days with none")
    _refuse_twice(rows, found, day)
    return (
        found.group_by(DAY, MONTHLY, METRIC, SCOPE)
        .agg(polars.col(QUANTITY).sum().cast(WEIGHT))
        .select(list(SCHEMA))
    )


def _scope(frame: polars.DataFrame, names: list[str]) -> polars.Series:
    if not names:
        return polars.Series(["{}"] * len(frame), dtype=polars.String)
    keys = frame.select(names).with_row_index("at")
    distinct = keys.unique(names, maintain_order=True)
    texts = [
        json.dumps({n: r[n] for n in sorted(names) if r[n] is not None}, ensure_ascii=False)
        for r in distinct.iter_rows(named=True)
    ]
    told = distinct.drop("at").with_columns(polars.Series(SCOPE, texts, polars.String))
    return keys.join(told, on=names, how="left", nulls_equal=True, maintain_order="left")[SCOPE]


def _signed(rows: Rows, part: polars.DataFrame, column: str) -> polars.Series:
    """Quantities of either sign, exact. Raises InputRefused for words and for what is too large to add up."""
    cells = part["cell"]
    plain = cells.str.contains(_PLAIN)
    found = cells.set(~plain, None).cast(WEIGHT)
    if not plain.all():
        rest = []
        for row, text in part.filter(~plain).select(ROW, "cell").iter_rows():
            try:
                rest.append(number(text))
            except ValueError as error:
                raise rows.refuse(str(error), row, column) from None
        found = found.scatter(plain.not_().arg_true(), polars.Series(rest, dtype=WEIGHT))
    if float(found.cast(polars.Float64).abs().sum() or 0) > _LARGEST_SUM:
        raise rows.refuse("the quantities are too large to add up", None, column, "Choose a larger unit")
    return found


def _refuse_twice(rows: Rows, found: polars.DataFrame, day: str) -> None:
    keys = ["written", METRIC, SCOPE]
    twice = found.filter(polars.struct(keys).is_duplicated()).sort(*keys, ROW)
    if len(twice):
        first, second = twice.row(0, named=True), twice.row(1, named=True)
        raise rows.refuse(
            f"{first[METRIC]} of {first['written']} stands here and in row {first[ROW]}: it would count twice",
            second[ROW],
            day,
            "Leave one of the two out, or add a column that tells them apart",
        )
