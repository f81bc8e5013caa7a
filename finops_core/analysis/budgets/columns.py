"""What the columns of a budget sheet say of a line: a dimension of the charges, found by title or by their values, or only a label."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finops_core.analysis.budgets.cells import Forms, amount
from finops_core.analysis.budgets.sheets import ROLES, Layout, is_total, words
from finops_core.errors import UsageError
from finops_core.model.ledger import Ledger
from finops_core.model.query import Query
from finops_core.vocabulary.dimensions import DIMENSIONS, TAG, dimension
from finops_core.vocabulary.listing import listed

LABEL = "label"
"""What only tells lines apart."""
STATED = "as stated"
_NAMED = 5
"""How many values without charges are named."""
_YEAR = re.compile(r"(?<!\d)(20)?\d\d(?!\d)")
_DIGITS = re.compile(r"[\d.,' ]+")
"""What could be an amount in two forms."""
MEMBERS_OF = (
    "x_Team", "x_CostCenter", "x_Product", "x_Application", "x_Environment",
    "SubAccountName", "SubAccountId", "ServiceName", "ProviderName",
)  # fmt: skip
"""The dimensions whose members the values of a column are compared with."""
_TITLES = {
    "x_Team": ("team", "teams", "squad"),
    "x_CostCenter": ("cost center", "cost centre", "costcenter", "costcentre", "level", "department", "cc"),
    "x_Product": ("product", "products"),
    "x_Application": ("application", "app"),
    "x_Environment": ("environment", "env"),
    "ServiceName": ("service", "services", "cloud service"),
    "SubAccountId": ("account id", "subscription id", "project id"),
    "SubAccountName": ("cloud account", "subscription", "project"),
    "ProviderName": ("provider", "cloud"),
}
_SURE = (
    "x_Team",
    "x_CostCenter",
    "x_Product",
    "x_Application",
    "x_Environment",
    "ServiceName",
    "SubAccountId",
)
"""Titles of these are believed although no charge has such a member yet."""
_UNSURE_TITLES = ("level", "department", "cc", "app")
NOBODY = ("(none)", "none", "(shared)", "shared", "unallocated", "(unallocated)", "n/a", "not allocated")
"""What stands for charges without a value."""


@dataclass(frozen=True)
class ColumnRead:
    """A column, what it says of a line (a role, a dimension, or LABEL), and why that was thought."""

    title: str
    meaning: str
    why: str


def known_members(ledger: Ledger) -> dict[str, list[str]]:
    """The members of MEMBERS_OF, by dimension; none of an empty store."""
    if ledger.is_empty():
        return {}
    return {
        name: [str(value) for value in ledger.query(Query("EffectiveCost", by=(name,)))[name].drop_nulls()]
        for name in MEMBERS_OF
    }


def read_columns(
    found: Layout,
    rows: Sequence[tuple[int, list[Any]]],
    members: Mapping[str, Collection[str]],
    asked: Mapping[str, str],
) -> tuple[ColumnRead, ...]:
    """What each column that is no month means. `asked` (title → role, dimension or `label`) goes before what is thought.

    Raises UsageError for a title that is not there, or a meaning that does not exist.
    """
    wanted = {title.casefold(): meaning for title, meaning in asked.items()}
    titles = {title.casefold() for title in found.titles.values()}
    for title, meaning in asked.items():
        if title.casefold() not in titles:
            raise UsageError(f"there is no column {title!r}; there are {', '.join(found.titles.values())}")
        if meaning not in (*ROLES, LABEL):
            dimension(meaning)
    read = [ColumnRead(found.titles[place], role, "by its title") for role, place in found.roles.items()]
    for place, title in found.keys.items():
        if title.casefold() in wanted:
            read.append(ColumnRead(title, wanted[title.casefold()], STATED))
        else:
            values = {words(row[place]) for _, row in rows if place < len(row) and words(row[place])}
            read.append(_thought(title, {v for v in values if not is_total(v)}, members))
    return tuple(read)


def _thought(title: str, values: Collection[str], members: Mapping[str, Collection[str]]) -> ColumnRead:
    if title in DIMENSIONS or title.startswith(TAG):
        return ColumnRead(title, title, "by its title")
    plain = title.casefold().replace("_", " ").strip()
    hinted = next((name for name, titles in _TITLES.items() if plain in titles), None)
    named = {v.casefold() for v in values if v.casefold() not in NOBODY}
    fitting = {name: len(named & {member.casefold() for member in some}) for name, some in members.items()}
    order = sorted(fitting, key=lambda name: (-fitting[name], name != hinted))
    best = order[0] if order else None
    if hinted is not None and fitting.get(hinted, 0) * 2 >= len(named) > 0:
        best = hinted
    if best is not None and named and fitting[best] * 2 >= len(named):
        of = f"{fitting[best]} of {len(named)} values have charges"
        known = {member.casefold() for member in members[best]}
        without = sorted(v for v in values if v.casefold() in named - known)
        return ColumnRead(title, best, f"by its values: {of}{_but_not(without)}")
    if hinted in _SURE and plain not in _UNSURE_TITLES:
        return ColumnRead(title, str(hinted), "by its title; no charges of most of its values yet")
    return ColumnRead(
        title, LABEL, "its values are no team, cost centre, account or service that has charges"
    )


def _but_not(without: Sequence[str]) -> str:
    """`, but not serch, x and 3 more`: perhaps misspelt."""
    if not without:
        return ""
    return f", but not {listed(without, _NAMED)}"


def stray_month(
    found: Layout, columns: Sequence[ColumnRead], rows: Sequence[tuple[int, list[Any]]], forms: Forms
) -> int | None:
    """The column that has amounts under a title that is no month and seems to be meant as one: it has a year, or stands among months.

    It would be read as a label, and its amounts would be left out. None where there is none, or somebody has stated what it is.
    """
    if not found.months:
        return None
    labels = {c.title for c in columns if c.meaning == LABEL and c.why != STATED}
    for place, title in found.keys.items():
        among = min(found.months) < place < max(found.months)
        if title in labels and (among or _YEAR.search(title)):
            cells = [row[place] for _, row in rows if place < len(row) and words(row[place])]
            if cells and all(_is_amount(cell, forms) for cell in cells):
                return place
    return None


def _is_amount(cell: Any, forms: Forms) -> bool:
    try:
        return amount(cell, forms) is not None
    except UsageError:
        return isinstance(cell, str) and _DIGITS.fullmatch(cell) is not None


def member_of(text: str, members: Collection[str]) -> str | None:
    """The member that a value names, in the spelling of the charges; None are the charges without one."""
    if text.casefold() in NOBODY and text not in members:
        return None
    if text in members:
        return text
    near = [member for member in members if member.casefold() == text.casefold()]
    return near[0] if len(near) == 1 else text
