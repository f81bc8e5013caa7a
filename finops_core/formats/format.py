"""What a format is: how to recognise a file, and a table of FOCUS column = expression.

Expressions are DuckDB SQL in which ``[name]`` is a column of the source file, found whatever its spelling
(``lineItem/UnblendedCost`` and ``line_item_unblended_cost`` are one column), NULL where the file lacks it.
Around a source column stand a few readers, each of which stops the load with file, row and column when the text is
not what it must be (`finops_core.formats.expressions`):

    money([x])     exact DECIMAL(38,18); a word, NaN or a number beyond the type is refused
    price([x])     the same for optional prices: what is no number is unknown (NULL), not an error
    quantity([x])  DOUBLE
    instant([x])   ISO 8601 to a UTC timestamp
    us_date([x])   M/D/YYYY or ISO 8601 to a timestamp at midnight
    month([x])     YYYYMM to a timestamp at the first of the month
    json([x])      nested value as JSON text
    tags([x])      tags as one JSON object, however the export writes them (object, map, list of key and value)
    object([p*])   all columns whose name starts with p, as one JSON object, keys as written
    records([x], a, money:b)   a list of records as a list of structs of these fields: texts, and exact money
    lookup(table, key, column)   a fact of formats/mappings/table.csv

``$name`` is a definition of the format (`Format.definitions`) or ``$role``, the part that a file plays in its set.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SourceColumn:
    """One column of a raw file: its name as written, its DuckDB type, and the SQL that reads it.

    `exact` is the SQL of a number's exact value where `sql` may lose digits (JSON numbers), in the same nesting.
    """

    name: str
    type: str
    sql: str
    exact: str = ""


@dataclass(frozen=True)
class Header:
    """What can be known of a file without reading its rows."""

    kind: str  # csv | parquet | json
    columns: tuple[SourceColumn, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class Drop:
    """Rows that are not charges of their own; counted and summed under `reason`, never silent."""

    reason: str
    when: str


@dataclass(frozen=True)
class Derive:
    """One further charge made from a source row where `when` holds; `columns` override the format's own."""

    reason: str
    when: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Conflict:
    """What cannot be true of a set: SQL over its settled rows (relation name) whose answers (x_File, words) refuse it."""

    find: Callable[[str], str]
    advice: str


@dataclass(frozen=True)
class SourceTotal:
    """Which raw columns the independent total is summed from, before any mapping.

    `cost` feeds BilledCost unless `metric` says EffectiveCost; `effective` is a second column summed at the same time;
    `credits` is a column of arrays whose `amount`s are added. `period_of` turns the raw text of `period` into YYYY-MM.
    In `cost` and `period`, `a|b` takes the column b where a is empty.
    """

    cost: str
    period: str
    currency: str
    period_of: Callable[[str], str]
    metric: str = "BilledCost"
    effective: str | None = None
    credits: str | None = None
    currency_of: Callable[[str], str] = str.strip
    """Turns the raw text of `currency` (empty where the file has no such column) into BillingCurrency."""
    amount_of: Callable[[str], str] | None = None
    """Turns the raw text of an amount into a number with a decimal point, where it has none."""


@dataclass(frozen=True)
class Format:
    """An export format. See the module's text for the language of the expressions."""

    name: str
    title: str
    provider: str
    description: str
    recognise: Callable[[Header], str | None]
    """The version of the format that the header is of, or None."""
    spell: Callable[[str], str]
    """The canonical spelling of a source column's name; `[name]` is compared in this spelling."""
    columns: Mapping[str, str]
    total: Callable[[Header, str], SourceTotal]
    """(header, role) → what to sum."""
    required: tuple[str, ...] = ()
    """Source columns without which nothing can be said; `a|b` where either will do."""
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    definitions: Callable[[Header], Mapping[str, str]] = lambda header: {}
    once: tuple[str, ...] = ()
    """Definitions that are worked out once a row, in this order, because many expressions use them."""
    drop: tuple[Drop, ...] = ()
    derive: tuple[Derive, ...] = ()
    nulls: tuple[str, ...] = ()
    """Spellings of null beside the empty cell, upper case."""
    keep: tuple[str, ...] = ()
    """Source columns that stay in x_Extra although they are read: not all that they hold has a place of its own."""
    roles: tuple[str, ...] = ("",)
    role: Callable[[Header, str, Callable[[str], int]], str] = lambda header, hint, count: ""
    """(header, what a manifest or file name says, count of rows where an expression holds) → the file's role."""
    settle: Callable[[Mapping[str, str], Callable[[str], Set[str]]], Mapping[str, str]] = (
        lambda roles, months: roles
    )
    """(path → role of all files of a set, path → the billing periods that a file holds) → the roles, once each file knows
    of the others."""
    irreplaceable: tuple[str, ...] = ()
    """Roles that a month keeps: a load without them would silently lose what an earlier one brought, and is refused."""
    complete: Callable[[str], str] = lambda staged: f"SELECT * FROM {staged}"
    """SQL over all staged rows of a set (relation name) that settles what needs the whole set: same columns."""
    conflicts: tuple[Conflict, ...] = ()
    unequal: str = ""
    """What to think of, where the stored total is not the source's own."""
    twice: Callable[[str], str] | None = None
    """SQL over all staged rows (relation name) of the files, as x_File, whose spend other files of the set hold as well."""
    warn: tuple[tuple[str, str], ...] = ()
    """(words, condition over staged rows): how many stored rows it holds for is said as a warning."""
    days_before: int = 31
    days_after: int = 1
    """How far a Usage charge may start before its billing period, and after its end."""
