"""Totals that a sheet states beside its lines: each must be the sum of some lines that it can be meant for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from finops_core.analysis.cents import less, total
from finops_core.errors import InputRefused, Place
from finops_core.store.batches import plain
from finops_core.store.budgets import BudgetLine


@dataclass(frozen=True)
class Part:
    """An amount of a row, and what the row says of itself."""

    row: int
    column: int
    line: BudgetLine
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Stated:
    """A total in a cell: of the lines of a month (None: of all months), or, in a total column, of the months of its row."""

    row: int
    label: str
    currency: str
    """"" where the row names none."""
    month: date | None
    value: Decimal
    column: int
    own: tuple[tuple[int, date, Decimal], ...] = ()
    """Of a total column: column, month and amount of its row."""
    others: tuple[int, ...] = ()
    """Of a total column: the places of all of them."""


def checked(file: str, parts: Sequence[Part], stated: Sequence[Stated]) -> tuple[str, ...]:
    """What each stated total is the sum of, in words, a row or column once. Raises InputRefused for one that is of nothing."""
    told: dict[str, None] = {}
    rows = sorted({found.row for found in stated if not found.others})
    for found in stated:
        candidates = _of_column(found) if found.others else _of_row(found, parts, rows)
        meant = next((what for what, some in candidates if some and total(some) == found.value), None)
        if meant is None and found.value == 0 and not any(some for _, some in candidates):
            meant = "no lines"
        if meant is None:
            what, some = candidates[0] if candidates else ("its lines", [])
            raise InputRefused(
                f"{found.label!r} states {plain(found.value)}; {what} sum to {plain(total(some))}"
                f" (a difference of {plain(less(found.value, total(some)))})",
                Place(file, found.row, found.label if found.others else _month(found)),
                "Correct the file, or leave its totals out with --no-totals",
            )
        where = f"column {found.label!r}" if found.others else f"row {found.row} {found.label!r}"
        told[f"{where}: the sum of {meant}"] = None
    return tuple(told)


def _month(found: Stated) -> str | None:
    return None if found.month is None else f"{found.month:%B %Y}"


def _of_row(found: Stated, parts: Sequence[Part], rows: Sequence[int]) -> list[tuple[str, list[Decimal]]]:
    own = [p for p in parts if found.month is None or p.line.month == found.month]
    currencies = {p.line.currency for p in own}
    if found.currency:
        own = [p for p in own if p.line.currency == found.currency]
    elif len(currencies) > 1:
        return [("lines of several currencies, which have no sum,", [])]
    last = max((row for row in rows if row < found.row), default=0)
    next_ = min((row for row in rows if row > found.row), default=10**9)
    group = _group(found.label)
    meant = [
        ("all lines above", [p for p in own if p.row < found.row]),
        ("the lines since the last total", [p for p in own if last < p.row < found.row]),
        ("the lines down to the next total", [p for p in own if found.row < p.row < next_]),
        ("all lines", own),
        (f"the lines of {group}", [p for p in own if group and group in {t.casefold() for t in p.texts}]),
    ]
    return [(what, [p.line.amount for p in some]) for what, some in meant]


def _group(label: str) -> str:
    """What a label is the total of: `Total Engineering`, `Engineering total`."""
    words = [
        word
        for word in label.casefold().replace(":", " ").split()
        if word not in ("total", "totals", "of", "for")
    ]
    return " ".join(words)


def _of_column(found: Stated) -> list[tuple[str, list[Decimal]]]:
    last = max((at for at in found.others if at < found.column), default=-1)
    years = sorted({month.year for _, month, _ in found.own})
    return [
        ("all its months", [value for _, _, value in found.own]),
        ("the months since the last such column", [v for at, _, v in found.own if last < at < found.column]),
        ("the months before it", [v for at, _, v in found.own if at < found.column]),
        *((f"its months of {year}", [v for _, m, v in found.own if m.year == year]) for year in years),
    ]
