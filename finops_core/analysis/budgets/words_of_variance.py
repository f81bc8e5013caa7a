"""A variance in a paragraph that an accountant accepts: the amounts that it names add up to the variance."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import polars

from finops_core.analysis.breakdown import MISSING
from finops_core.analysis.cents import less, total
from finops_core.analysis.drivers import PARTS as DRIVERS
from finops_core.model import words

_NAMED = 4
_WORTH_NAMING, _WORTH_SAYING = Decimal("0.1"), Decimal("0.01")
"""A driver is named for this share of the largest driver, and this share of the variance."""
_MORE = {
    "quantity": ("more {} (quantity)", "less {} (quantity)"),
    "list_price": ("{} at higher list prices", "{} at lower list prices"),
    "negotiated_discount": ("{} at a smaller negotiated discount", "{} at a larger negotiated discount"),
    "commitment": ("{} less covered by commitments", "{} saved by commitments"),
    "rate": ("{} at a higher rate", "{} at a lower rate"),
    "new": ("new {}", "new credits of {}"),
    "gone": ("credits of {} gone", "{} gone"),
    "other": ("other charges of {}", "other charges of {}"),
}
"""Driver → what it is where it adds to the cost, and where it takes from it."""


def beside(by: str) -> str:
    """The dimension whose members the text of another names."""
    return "x_Team" if by == "ServiceName" else "ServiceName"


def paragraph(
    currency: str,
    by: str,
    figures: Mapping[str, Decimal],
    moved: polars.DataFrame,
    against: str,
    has_past: bool,
    on_before: bool,
) -> str:
    """`+12,400 USD: +9,100 more Amazon EC2 (quantity), +4,800 new Bedrock, −1,500 …`. What is not named is `other movements`.

    `figures` are a row of the table of `finops_core.analysis.budgets.variance`, `moved` the movers of the member by the
    other dimension; `on_before`: the row is held against the month before.
    """
    whole = figures["variance"]
    named = _worth_naming(_drivers(moved, beside(by)), whole)
    named += [part for part in _planned(figures, against, has_past) if abs(part[0]) >= words.DUST]
    rest = less(whole, total([value for value, _ in named]))
    if abs(rest) >= words.DUST:
        named.append((rest, "other movements"))
    told = f"{words.signed(whole)} {currency}" if abs(whole) >= words.DUST else f"No difference, {currency}"
    told += " on the month before" if on_before else ""
    if not named:
        return f"{told}."
    return f"{told}: {', '.join(f'{words.signed(value)} {text}' for value, text in named)}."


def _worth_naming(drivers: Sequence[tuple[Decimal, str]], whole: Decimal) -> list[tuple[Decimal, str]]:
    """The largest drivers: those of some size beside the largest of them, and beside the whole variance."""
    if not drivers:
        return []
    least = max(abs(drivers[0][0]) * _WORTH_NAMING, abs(whole) * _WORTH_SAYING, words.DUST)
    return [part for part in drivers if abs(part[0]) >= least][:_NAMED]


def _drivers(moved: polars.DataFrame, other: str) -> list[tuple[Decimal, str]]:
    """Amount and words of every driver of every member beside, largest first."""
    found = []
    for row in moved.iter_rows(named=True):
        name = MISSING if row[other] is None else str(row[other])
        name = f"use by {name}" if other == "x_Team" else name
        for part in DRIVERS:
            if row[part]:
                more, less_ = _MORE[part]
                found.append((row[part], (more if row[part] > 0 else less_).format(name)))
    return sorted(found, key=lambda part: (-abs(part[0]), part[1]))


def _planned(figures: Mapping[str, Decimal], against: str, has_past: bool) -> list[tuple[Decimal, str]]:
    carried, planned, rest = (figures[name] for name in ("carried_over", "planned_change", "rest_of_month"))
    found = []
    if carried:
        found.append(
            (carried, f"{'above' if carried > 0 else 'below'} the {against} already the month before")
        )
    if planned and has_past:
        found.append((planned, "planned decrease" if planned > 0 else "planned increase"))
    elif planned and not figures["budget"]:
        found.append((planned, "cost of the month before, for which there is no budget"))
    elif planned:
        found.append(
            (planned, f"{against} set {'below' if planned > 0 else 'above'} the cost of the month before")
        )
    if rest:
        found.append(
            (
                rest,
                f"days to come, of which the {against} is not spent"
                if rest < 0
                else "charges of days to come",
            )
        )
    return found
