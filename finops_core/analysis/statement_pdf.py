"""Showback statements as a document: a page for each team or cost centre, A4, to the cent, with the exact total beside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars
from fpdf.enums import Align

from finops_core.analysis.breakdown import MISSING
from finops_core.analysis.cents import cents, rounded
from finops_core.analysis.closing import Month
from finops_core.analysis.paper import LEFT, QUIET, WIDTH, Paper
from finops_core.analysis.statement import (
    ADJUSTMENT,
    DIRECT,
    KIND,
    LINE,
    POOL_COST,
    PREVIOUS,
    SHARED,
    UNSHARED,
    Statements,
)
from finops_core.model import words
from finops_core.store.batches import plain
from finops_core.vocabulary.dimensions import dimension

_AMOUNT = 27.0
"""Width of a column of amounts, in millimetres."""
_MOST = {DIRECT: 16, SHARED: 8, ADJUSTMENT: 4}
"""Lines of a kind that are listed by name on a page; the rest is one line, exact."""
_SECTIONS = {SHARED: "Shares of pools", ADJUSTMENT: "Adjustments to closed months"}


@dataclass(frozen=True)
class _Line:
    label: str
    note: str
    cost: Decimal
    previous: Decimal | None


def to_pdf(statements: Statements) -> bytes:
    """The statements as a PDF, the owners in order; the same bytes for the same figures."""
    month = statements.month
    document = Paper(
        f"Showback statements {month.period}", _provenance(month), month.through or date(1970, 1, 1)
    )
    for owner in statements.owners():
        document.add_page()
        _page(document, statements.of(owner), owner)
    if not statements.owners():
        document.add_page()
        document.put(f"There are no charges in {month.period}.", last=True)
    return bytes(document.output())


def _provenance(month: Month) -> str:
    rules = f"rules version {month.rules_version}" if month.rules_version is not None else "no applied rules"
    through = f"data through {words.day(month.through)}" if month.through else "no data"
    return f"Farthing · lake version {month.lake_version} · {rules} · {through}"


def _status(month: Month) -> str:
    if month.close is not None:
        return f"Closed on {words.day(date.fromisoformat(month.close.closed_at[:10]))} by {month.close.closed_by}"
    if month.through is None:
        return "Open, no charges yet"
    if not month.is_complete:
        return f"Open, month to date through {words.day(month.through)}"
    return "Open: figures may still change"


def _page(document: Paper, found: Statements, owner: str) -> None:
    month = found.month
    document.put("Showback statement", 9, QUIET, width=WIDTH / 2)
    document.put(_status(month), 9, QUIET, Align.R, WIDTH / 2, last=True)
    label = dimension(found.by).label
    document.put(
        f"Without {label.lower()}" if owner == MISSING else owner, 20, bold=True, height=11, last=True
    )
    document.put(f"{label} · {_name(month.period)} · effective cost", 10, QUIET, last=True)
    for currency in found.currencies():
        document.ln(5)
        _currency(document, found, currency)


def _name(period: str) -> str:
    return f"{date.fromisoformat(f'{period}-01'):%B %Y}"


def _currency(document: Paper, found: Statements, currency: str) -> None:
    sections = {kind: _shown(found, kind, currency) for kind in _MOST}
    lines = [line for section in sections.values() for line in section]
    before = found.before(currency)
    costs = iter(cents([line.cost for line in lines]))
    pasts = iter(cents([line.previous for line in lines if line.previous is not None]))
    booked = {
        kind: [(line, next(costs), next(pasts) if line.previous is not None else None) for line in section]
        for kind, section in sections.items()
    }
    sums = {kind: sum((cost for _, cost, _ in rows), Decimal("0.00")) for kind, rows in booked.items()}
    whole = sum(sums.values(), Decimal("0.00"))
    past = rounded(before) if before is not None else None
    _strip(document, found.month, currency, sums, whole, past)
    document.ln(4)
    _header(document, currency)
    for kind, rows in booked.items():
        if rows:
            title = _SECTIONS.get(kind) or f"Direct costs by {dimension(found.lines).label.lower()}"
            _section(document, title, rows, sums[kind])
    _rule(document, 0.4)
    _row(document, f"Total {_name(found.month.period)}", whole, past, bold=True)
    exact = found.amount("total", currency)
    billed = found.amount("total", currency, "BilledCost")
    said = f"Exact total {plain(exact)} {currency}. Billed for the same charges: {_amount(rounded(billed))}."
    document.put(said, 7.5, QUIET, height=4.2, last=True, whole=True)
    document.put(f"Budget: {_plan(found, currency)}.", 7.5, QUIET, height=4.2, last=True, whole=True)
    document.put("Lines are rounded so that they sum to the total.", 7.5, QUIET, height=4.2, last=True)


def _plan(found: Statements, currency: str) -> str:
    """How far the budgets are spent, and that they count otherwise than the total."""
    budget, spent = found.budget(currency), found.spent(currency)
    if budget is None or spent is None:
        return "none set"
    return f"{_amount(rounded(spent))} of {_amount(rounded(budget))} {currency} spent, {UNSHARED}"


def _shown(found: Statements, kind: str, currency: str) -> list[_Line]:
    """The lines of a kind, the largest by name and the rest as one."""
    rows = found.table.filter((polars.col(KIND) == kind) & (polars.col("BillingCurrency") == currency))
    lines = [
        _Line(row[LINE], _part(row), row["EffectiveCost"], row[PREVIOUS])
        for row in rows.iter_rows(named=True)
    ]
    most = _MOST[kind]
    if len(lines) <= most + 1:
        return lines
    rest = rows.slice(most)
    previous = rest[PREVIOUS].drop_nulls()
    other = _Line(
        f"{len(rest)} others",
        "",
        Decimal(rest["EffectiveCost"].sum()),
        Decimal(previous.sum()) if len(previous) else None,
    )
    return [*lines[:most], other]


def _part(row: dict[str, object]) -> str:
    """Which part of its pool a share is."""
    whole, cost = row[POOL_COST], row["EffectiveCost"]
    if row[KIND] != SHARED or not isinstance(whole, Decimal) or not isinstance(cost, Decimal) or not whole:
        return ""
    return f"{words.percent(cost / whole)} of {_amount(rounded(whole))}"


def _strip(
    document: Paper,
    month: Month,
    currency: str,
    sums: dict[str, Decimal],
    whole: Decimal,
    past: Decimal | None,
) -> None:
    """The figures of the month, side by side."""
    figures = [("Direct", sums[DIRECT]), ("Shared", sums[SHARED]), ("Adjustments", sums[ADJUSTMENT])]
    gap, top = 3.0, document.get_y()
    width = (WIDTH - 3 * gap) / 4
    for position, (label, value) in enumerate([*figures, (f"Total, {currency}", whole)]):
        left = LEFT + position * (width + gap)
        document.set_y(top)
        document.tint(width, 19, left)
        document.set_xy(left + 1, top + 1.5)
        document.put(label, 8, QUIET, width=width - 2)
        document.set_xy(left + 1, top + 6)
        document.put(_amount(value), 13, bold=True, width=width - 2, height=7, whole=True)
        if position == len(figures) and past is not None:
            document.set_xy(left + 1, top + 13)
            complete = month.is_complete
            said = f"{words.change(whole, past)} to last month" if complete else f"Last month {_amount(past)}"
            document.put(said, 7, QUIET, width=width - 2, height=4, whole=True)
    document.set_xy(LEFT, top + 19)


def _header(document: Paper, currency: str) -> None:
    document.put("Line", 7.5, QUIET, width=WIDTH - 3 * _AMOUNT)
    for label in ("Last month", "Change"):
        document.put(label, 7.5, QUIET, Align.R, _AMOUNT)
    document.put(f"Cost, {currency}", 7.5, QUIET, Align.R, _AMOUNT, last=True)
    _rule(document, 0.2)


def _section(
    document: Paper, title: str, rows: Sequence[tuple[_Line, Decimal, Decimal | None]], whole: Decimal
) -> None:
    pasts = [past for _, _, past in rows if past is not None]
    _row(document, title, whole, sum(pasts, Decimal("0.00")) if pasts else None, bold=True)
    for line, cost, past in rows:
        _row(document, f"   {line.label}", cost, past, line.note)
    _rule(document, 0.2)


def _row(
    document: Paper, label: str, cost: Decimal, past: Decimal | None, note: str = "", bold: bool = False
) -> None:
    room = WIDTH - 3 * _AMOUNT
    part = 32.0 if note else 0.0
    indent = 4.0 if label.startswith(" ") else 0.0
    document.set_x(LEFT + indent)
    document.put(label, 9, width=room - part - indent, bold=bold)
    if note:
        document.put(note, 7.5, QUIET, Align.R, part, whole=True)
    change = cost - past if past is not None else None
    for value, sign in ((past, False), (change, True)):
        document.put("" if value is None else _amount(value, sign), 9, QUIET, Align.R, _AMOUNT, whole=True)
    document.put(_amount(cost), 9, align=Align.R, width=_AMOUNT, bold=bold, last=True, whole=True)


def _rule(document: Paper, width: float) -> None:
    document.set_y(document.get_y() + 0.4)
    document.rule(width)
    document.set_y(document.get_y() + 0.6)


def _amount(value: Decimal, sign: bool = False) -> str:
    """To the cent, with marks between thousands."""
    text = f"{abs(value):,.2f}"
    if value < 0:
        return words.MINUS + text
    return f"+{text}" if sign and value > 0 else text
