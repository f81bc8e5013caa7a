"""Budgets out of a sheet: all lines or none, what was understood before anything is stored, totals held against their lines."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import polars

from finops_core.analysis.budgets.cells import POINT, Amount, Forms, amount, month
from finops_core.analysis.budgets.columns import LABEL, ColumnRead, member_of, read_columns, stray_month
from finops_core.analysis.budgets.sheets import (
    AMOUNT,
    PERIOD,
    ROLES,
    Layout,
    Sheet,
    is_total,
    layout,
    letter,
    sheet,
    words,
)
from finops_core.analysis.budgets.totals import Part, Stated, checked
from finops_core.analysis.cents import total
from finops_core.errors import InputRefused, Place, UsageError
from finops_core.focus.currencies import CURRENCIES
from finops_core.store.budgets import BUDGET, METRICS, BudgetLine, condition_text, of_member
from finops_core.store.state import State

_LONGEST = 120


@dataclass(frozen=True)
class Options:
    """What a reader states of a file; what is left out is found, or refused where it is not clear."""

    forms: Forms = field(default_factory=Forms)
    currency: str | None = None
    version: str | None = None
    metric: str = METRICS[0]
    columns: Mapping[str, str] = field(default_factory=dict)
    """Title of a column → a dimension, one of ROLES, or `label`."""
    where: str = ""
    """Conditions that every line has beside its own."""
    totals: bool = True
    """Whether total rows and columns are held against their lines; else they are left out."""
    multiple: int | None = None
    """What amounts are multiplied by: 1000 for a sheet in thousands."""


@dataclass(frozen=True)
class Understood:
    """What a file says. `lines` are what would be stored; their sum is the sum of the file's amounts, exactly."""

    file: str
    shape: str
    """`months in columns` or `months in rows`."""
    header: int
    """The number of its row."""
    columns: tuple[ColumnRead, ...]
    lines: tuple[BudgetLine, ...]
    totals: dict[tuple[str, str], Decimal]
    """(version, currency) → the sum of its amounts."""
    stated: tuple[str, ...]
    """The totals that the file states, in words, each with what it was found to be the sum of."""
    notes: tuple[str, ...]
    """What was left out, added up or assumed."""

    @property
    def months(self) -> list[date]:
        return sorted({line.month for line in self.lines})

    def months_of(self, version: str, currency: str) -> list[date]:
        """The months that one version has amounts of a currency for."""
        return sorted({x.month for x in self.lines if (x.version, x.currency) == (version, currency)})

    def table(self) -> polars.DataFrame:
        """name, owner, counts (the condition in words), metric, version, BillingCurrency, months, total: a row a budget."""
        found: dict[tuple[str, ...], list[BudgetLine]] = defaultdict(list)
        for line in self.lines:
            where = " and ".join(node.in_words() for node in line.nodes) or "all charges"
            found[line.name, line.owner, where, line.metric, line.version, line.currency].append(line)
        rows = [(*key, len(some), total([line.amount for line in some])) for key, some in found.items()]
        names = ("name", "owner", "counts", "metric", "version", "BillingCurrency")
        schema: dict[str, Any] = {
            **dict.fromkeys(names, polars.String),
            "months": polars.Int64,
            "total": polars.Decimal(38, 18),
        }
        return polars.DataFrame(rows, schema=schema, orient="row")


def understand(
    data: bytes,
    name: str,
    members: Mapping[str, Collection[str]],
    options: Options | None = None,
    currencies: Sequence[str] = (),
) -> Understood:
    """Reads a CSV or workbook; stores nothing. `members` as `known_members`, `currencies` those of the charges.

    Raises InputRefused naming file, row and column of the first thing that is wrong or can be read in two ways, and
    UsageError for options that cannot be.
    """
    return _Reader(sheet(data, name), members, options or Options(), currencies).read()


def enter(state: State, found: Understood, who: str) -> str:
    """Stores what was understood, all or none; says what was new."""
    from finops_core.store import budgets as store

    noted = [replace(line, note=line.note or f"from {found.file}"[:200]) for line in found.lines]
    return store.enter(state, noted, who).in_words()


class _Reader:
    """One reading of one sheet. A table of Farthing's own, with all of its columns, has decimal points and no totals."""

    def __init__(
        self,
        found: Sheet,
        members: Mapping[str, Collection[str]],
        options: Options,
        currencies: Sequence[str],
    ) -> None:
        self.sheet, self.members, self.options, self.currencies = found, members, options, currencies
        roles = {title: meaning for title, meaning in options.columns.items() if meaning in ROLES}
        self.layout: Layout = layout(found, options.forms, roles)
        self.is_own = set(ROLES) <= set(self.layout.roles)
        self.forms = (
            replace(options.forms, decimal=options.forms.decimal or POINT) if self.is_own else options.forms
        )
        self.rows = found.rows[self.layout.header + 1 :]
        self.columns = read_columns(self.layout, self.rows, members, options.columns)
        meanings = {c.title: c.meaning for c in self.columns}
        self.dimensions = {at: meanings[title] for at, title in self.layout.keys.items() if meanings[title] != LABEL}  # fmt: skip
        self.labels = [at for at, title in self.layout.keys.items() if meanings[title] == LABEL]
        self.notes: list[str] = []
        stray = stray_month(self.layout, self.columns, self.rows, self.forms)
        if stray is not None:
            raise InputRefused(
                f"has amounts, and its title {self.layout.titles[stray]!r} is no month",
                Place(found.name, self.layout.row, letter(stray)),
                f"Write 2026-01 or Jan 26, or state --column '{self.layout.titles[stray]}=label'",
            )
        if self.layout.about.get("multiple") and options.multiple is None:
            raise InputRefused(
                f"may be in thousands or millions ({self.layout.about['multiple']})",
                Place(found.name),
                "State it with --multiple 1000, or --multiple 1 for amounts as they stand",
            )

    def read(self) -> Understood:
        parts: list[Part] = []
        stated: list[Stated] = []
        left_out: list[str] = []
        for number, cells in self.rows:
            if [words(c) for c in cells] == [words(c) for c in self.sheet.rows[self.layout.header][1]]:
                left_out.append(f"row {number} (the header again)")
                continue
            amounts = list(self._amounts(number, cells))
            texts = self._texts(cells)
            if not amounts and not any(at < len(cells) and words(cells[at]) for at in self.layout.totals):
                left_out.append(f"row {number} ({' · '.join(texts) or 'no words'})"[:80])
                continue
            label = next((text for text in texts if is_total(text) and not self._is_member(text)), None)
            label = None if self.is_own else label
            currency = self._currency(number, cells, [found for _, found, _ in amounts], label is not None)
            if label is None:
                parts += self._parts(number, cells, amounts, currency, texts)
            else:
                stated += [Stated(number, label, currency, of, found.value, at) for of, found, at in amounts]
            stated += self._row_totals(number, cells, amounts, currency)
        if not parts:
            raise InputRefused("has no amounts under its titles", Place(self.sheet.name, self.layout.row))
        told = checked(self.sheet.name, parts, stated) if self.options.totals else ()
        if stated and not self.options.totals:
            self.notes.append(f"{len(stated)} stated totals were left out and not checked")
        if left_out:
            some = ", ".join(left_out[:5]) + (f" and {len(left_out) - 5} more" if len(left_out) > 5 else "")
            self.notes.append(f"Rows without amounts, left out: {some}")
        lines = self._lines(parts)
        sums: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
        for part in parts:
            sums[part.line.version, part.line.currency].append(part.line.amount)
        return Understood(
            self.sheet.name,
            "months in columns" if self.layout.months else "months in rows",
            self.layout.row,
            self.columns,
            lines,
            {key: total(found) for key, found in sums.items()},
            told,
            tuple(self.notes),
        )

    def _place(self, number: int, at: int) -> Place:
        return Place(self.sheet.name, number, self.layout.titles.get(at, letter(at)))

    def _cell(self, cells: Sequence[Any], role: str) -> str:
        at = self.layout.roles.get(role)
        return words(cells[at]) if at is not None and at < len(cells) else ""

    def _texts(self, cells: Sequence[Any]) -> list[str]:
        """What a row says of itself, from the left."""
        own = [*self.layout.keys, *(at for role, at in self.layout.roles.items() if role == "name")]
        return [words(cells[at]) for at in sorted(own) if at < len(cells) and words(cells[at])]

    def _is_member(self, text: str) -> bool:
        return any(text in self.members.get(name, ()) for name in self.dimensions.values())

    def _amounts(self, number: int, cells: Sequence[Any]) -> Iterable[tuple[Any, Amount, int]]:
        """Month (None: the row's has none), amount and column of each amount of a row."""
        if self.layout.months:
            for at, of in self.layout.months.items():
                found = self._amount(number, cells, at)
                if found is not None:
                    yield of, found, at
            return
        at = self.layout.roles[AMOUNT]
        found = self._amount(number, cells, at)
        if found is not None:
            yield self._month(number, cells), found, at

    def _amount(self, number: int, cells: Sequence[Any], at: int) -> Amount | None:
        if at >= len(cells):
            return None
        try:
            found = amount(cells[at], self.forms, self.sheet.semicolons)
        except UsageError as error:
            raise InputRefused(str(error), self._place(number, at)) from error
        if found is None or self.options.multiple in (None, 1):
            return found
        return replace(found, value=found.value * self.options.multiple)

    def _month(self, number: int, cells: Sequence[Any]) -> date | None:
        at = self.layout.roles[PERIOD]
        cell = cells[at] if at < len(cells) else None
        try:
            found = month(cell, self.forms)
        except UsageError as error:
            raise InputRefused(str(error), self._place(number, at)) from error
        if found is None and not any(is_total(text) for text in (words(cell), *self._texts(cells))):
            raise InputRefused(
                f"{words(cell)!r} is no month", self._place(number, at), "Write 2026-01 or Jan 26"
            )
        return found

    def _currency(self, number: int, cells: Sequence[Any], found: Sequence[Amount], is_sum: bool) -> str:
        """The currency of a row: its own column's, else that of its cells, of the lines above the table, or as stated."""
        own = self._cell(cells, "currency")
        beside = {value.currency for value in found if value.currency}
        if own and own not in CURRENCIES:
            raise InputRefused(
                f"{own!r} is no currency (ISO 4217)", self._place(number, self.layout.roles["currency"])
            )
        named = {code for code in (own, *beside) if code}
        if len(named) > 1:
            raise InputRefused(
                f"names several currencies: {', '.join(sorted(named))}", Place(self.sheet.name, number)
            )
        if named:
            code = named.pop()
            if self.options.currency not in (None, code):
                words_ = f"is in {code}, and {self.options.currency} was stated"
                raise InputRefused(words_, Place(self.sheet.name, number))
            return code
        about = self.layout.about.get("currency", "").upper()
        if self.options.currency or about in CURRENCIES:
            return self.options.currency or about
        if is_sum:
            return ""
        if len(self.currencies) == 1:
            self._note_once(
                f"The file names no currency: it is read as {self.currencies[0]}, that of all charges"
            )
            return self.currencies[0]
        raise InputRefused(
            "names no currency", Place(self.sheet.name, number), "State it with --currency USD"
        )

    def _note_once(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _parts(
        self,
        number: int,
        cells: Sequence[Any],
        amounts: Sequence[tuple[Any, Amount, int]],
        currency: str,
        texts: Sequence[str],
    ) -> list[Part]:
        where, name, owner = self._subject(number, cells, texts)
        version = (self.options.version or self._cell(cells, "version") or self.layout.about.get("version", "") or BUDGET).lower()  # fmt: skip
        metric = self._cell(cells, "metric") or self.options.metric
        found = []
        for of, value, at in amounts:
            if of is None:
                raise InputRefused("has an amount and no month", self._place(number, at))
            try:
                note = self._cell(cells, "note")
                line = BudgetLine(name, owner, metric, where, currency, of, value.value, version, note)
            except UsageError as error:
                raise InputRefused(str(error), self._place(number, at)) from error
            found.append(Part(number, at, line, tuple(texts)))
        return found

    def _subject(self, number: int, cells: Sequence[Any], texts: Sequence[str]) -> tuple[str, str, str]:
        """The condition, name and owner of a row."""
        nodes, named, owner = [], [], self._cell(cells, "owner")
        for at, name in self.dimensions.items():
            text = words(cells[at]) if at < len(cells) else ""
            if not text:
                advice = "Name a member, or write (none) for the charges without one"
                raise InputRefused("is empty, so it is not clear which cost the line counts", self._place(number, at), advice)  # fmt: skip
            member = member_of(text, self.members.get(name, ()))
            nodes.append(of_member(name, member))
            named.append(text)
            if not owner and name in ("x_Team", "x_CostCenter", "x_Owner") and member is not None:
                owner = member
        own = self._cell(cells, "where")
        place = self._place(number, self.layout.roles.get("where", 0))
        every = [
            f"({text})" if " or " in text else text for text in (own, *nodes, self.options.where) if text
        ]
        try:
            where = condition_text(" and ".join(every))
        except UsageError as error:
            raise InputRefused(str(error), place) from error
        if not every and "where" not in self.layout.roles:
            titles = ", ".join(self.layout.keys.values()) or "none"
            raise InputRefused(
                f"the line {' · '.join(texts)!r} does not say which cost it counts",
                Place(self.sheet.name, number),
                f"State what a column means, such as --column 'Level=x_CostCenter' (columns: {titles})",
            )
        name = self._cell(cells, "name") or " · ".join(named or texts) or where
        return where, name[:_LONGEST].strip(), owner

    def _row_totals(
        self, number: int, cells: Sequence[Any], amounts: Sequence[tuple[Any, Amount, int]], currency: str
    ) -> list[Stated]:
        """What the total columns of a row state of its months."""
        own = tuple((at, of, found.value) for of, found, at in amounts)
        places = tuple(self.layout.totals)
        values = ((at, title, self._amount(number, cells, at)) for at, title in self.layout.totals.items())
        return [
            Stated(number, title, currency, None, value.value, at, own, places)
            for at, title, value in values
            if value is not None
        ]

    def _lines(self, parts: Sequence[Part]) -> tuple[BudgetLine, ...]:
        """One line a name and month; of several rows for the same cost, their sum."""
        grouped: dict[str, list[Part]] = defaultdict(list)
        for part in parts:
            grouped[part.line.key].append(part)
        lines = []
        for some in grouped.values():
            first = some[0].line
            other = next(
                (p for p in some if (p.line.where, p.line.owner) != (first.where, first.owner)), None
            )
            if other is not None:
                words_ = f"has the name of row {some[0].row}, {first.name!r}, and counts another cost or has another owner"
                raise InputRefused(words_, self._place(other.row, other.column))
            if len(some) > 1:
                rows = ", ".join(str(part.row) for part in some[:4])
                self._note_once(f"Rows for the same cost are added up: {first.name} (rows {rows})")
            lines.append(replace(first, amount=total([part.line.amount for part in some])))
        return tuple(lines)
