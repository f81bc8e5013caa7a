"""Exchange rates that people typed or uploaded, dated, kept in state: nothing is fetched, and nothing is inverted."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from finops_core.errors import InputRefused, Place, UsageError
from finops_core.focus.currencies import currency
from finops_core.store.batches import plain
from finops_core.store.state import State

KIND = "rate"
COLUMNS = ("date", "from", "to", "rate")
"""The columns of a table of rates."""
_DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, order=True)
class Rate:
    """One unit of `currency` is `rate` units of `to`, from `day` on, until a newer rate."""

    day: date
    currency: str
    to: str
    rate: Decimal

    def __post_init__(self) -> None:
        currency(self.currency)
        currency(self.to)
        if self.currency == self.to:
            raise UsageError(f"{self.to} needs no rate to itself")
        if not self.rate.is_finite() or self.rate <= 0:
            raise UsageError(f"a rate is more than 0, not {self.rate}")

    @property
    def key(self) -> str:
        """What there is one rate of: its day and both currencies."""
        return f"{self.day} {self.currency} {self.to}"

    def in_words(self) -> str:
        """`1 USD = 0.92 EUR (2026-03-01)`."""
        return f"1 {self.currency} = {plain(self.rate)} {self.to} ({self.day})"


@dataclass(frozen=True)
class Entered:
    """How many rates were new, replaced an earlier one, or were kept already."""

    added: int
    replaced: int
    unchanged: int

    def in_words(self) -> str:
        return f"New rates: {self.added:,}; replaced: {self.replaced:,}; kept already: {self.unchanged:,}"


def rates(state: State) -> list[Rate]:
    """All rates in force, by day and currencies."""
    return [_rate(kept.record) for kept in state.kept(KIND).values()]


def enter(state: State, entered: Iterable[Rate], who: str) -> Entered:
    """Keeps rates, all or none; each replaces an earlier one of its day and currencies."""
    known = {rate.key: rate for rate in rates(state)}
    wanted = {rate.key: rate for rate in entered}
    changed = {key: rate for key, rate in wanted.items() if known.get(key) != rate}
    state.keep(KIND, {key: _record(rate) for key, rate in changed.items()}, who)
    replaced = len(changed.keys() & known.keys())
    return Entered(len(changed) - replaced, replaced, len(wanted) - len(changed))


def remove(state: State, day: date, currency: str, to: str, who: str) -> None:
    """Takes a rate back. Raises UsageError where there is none of that day and those currencies."""
    key = f"{day} {currency} {to}"
    if key not in state.kept(KIND):
        raise UsageError(f"there is no rate from {currency} to {to} dated {day}")
    state.keep(KIND, {key: None}, who)


def typed_rate(day: str, currency: str, to: str, rate: str) -> Rate:
    """A rate as a person writes it. Raises UsageError for what could be read in two ways."""
    return Rate(*(_READ[name](text) for name, text in zip(COLUMNS, (day, currency, to, rate), strict=True)))  # type: ignore[arg-type]


def from_csv(data: bytes, name: str = "rates.csv") -> list[Rate]:
    """The rates of a CSV with the columns date, from, to, rate, in any order, between commas or semicolons.

    Raises InputRefused naming row and column of the first thing that is wrong; then none counts.
    """
    rows = _rows(data, name)
    names = [text.strip().lower() for text in rows[0]] if rows else []
    if sorted(names) != sorted(COLUMNS):
        raise InputRefused(
            f"the header must be {','.join(COLUMNS)}", Place(name, 1), f"It is {','.join(names)!r}"
        )
    found: dict[str, int] = {}
    read: list[Rate] = []
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        rate = _read_row(dict(zip(names, row, strict=False)), len(row), Place(name, number))
        if rate.key in found:
            words = f"a second rate from {rate.currency} to {rate.to} dated {rate.day}; the first is in row {found[rate.key]:,}"
            raise InputRefused(words, Place(name, number))
        found[rate.key] = number
        read.append(rate)
    if not read:
        raise InputRefused("holds no rates", Place(name))
    return read


def to_csv(found: Iterable[Rate]) -> str:
    """The rates as CSV, which `from_csv` reads back."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((rate.day.isoformat(), rate.currency, rate.to, plain(rate.rate)) for rate in found)
    return text.getvalue()


def _rows(data: bytes, name: str) -> list[list[str]]:
    try:
        text = data.decode("utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = ";" if ";" in first and "," not in first else ","
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except UnicodeDecodeError as error:
        raise InputRefused("no text in UTF-8", Place(name), "Save it as CSV UTF-8") from error
    except csv.Error as error:
        raise InputRefused(f"no CSV: {error}", Place(name)) from error


def _read_row(cells: dict[str, str], width: int, place: Place) -> Rate:
    if width != len(COLUMNS):
        advice = "A rate has a decimal point and no comma" if width > len(COLUMNS) else ""
        raise InputRefused(f"has {width} cells and not {len(COLUMNS)}", place, advice)
    values = []
    for column in COLUMNS:
        try:
            values.append(_READ[column](cells[column].strip()))
        except UsageError as error:
            raise InputRefused(str(error), Place(place.file, place.row, column)) from error
    try:
        return Rate(*values)  # type: ignore[arg-type]
    except UsageError as error:
        raise InputRefused(str(error), Place(place.file, place.row)) from error


def read_day(text: str) -> date:
    """The day of an ISO date. Raises UsageError for anything else."""
    try:
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        raise UsageError(f"{text!r} is no date: write 2026-03-01") from None


def _positive(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise UsageError(
            f"{text!r} is no rate: write it with a decimal point and no thousands mark, such as 0.9234,"
            " with at most 18 digits on each side"
        )
    value = Decimal(text)
    if not value:
        raise UsageError("a rate is more than 0")
    return value


_READ = {"date": read_day, "from": currency, "to": currency, "rate": _positive}


def _record(rate: Rate) -> dict[str, str]:
    return dict(zip(COLUMNS, (rate.day.isoformat(), rate.currency, rate.to, plain(rate.rate)), strict=True))


def _rate(record: dict[str, str]) -> Rate:
    return Rate(date.fromisoformat(record["date"]), record["from"], record["to"], Decimal(record["rate"]))


def targets(found: Sequence[Rate]) -> list[str]:
    """The currencies that rates lead to: the one that most rates lead to first."""
    counts: dict[str, int] = {}
    for rate in found:
        counts[rate.to] = counts.get(rate.to, 0) + 1
    return sorted(counts, key=lambda code: (-counts[code], code))
