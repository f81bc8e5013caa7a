"""What was saved, and what could be."""

from decimal import Decimal

from finops_core.analysis.savings import planned
from finops_core.model import words
from finops_core.reporting.pack.content import CHANGE, MONEY, Column, Part, Section, Table
from finops_core.reporting.situation import Situation
from finops_core.store.savings import DONE, REJECTED, VERIFIED

_TOP = 10


def _make(found: Situation) -> Part | None:
    if not found.known.items:
        return None
    said, tables = [], []
    now = [r for r in found.known.realised if r.month == found.month]
    plans = planned(found.known.items, found.month)
    for code in found.span.currencies:
        own = [r for r in now if r.currency == code]
        if own:
            rows = [
                [r.title, r.kind, "signed" if r.verified else "not signed", r.gross, r.cost, r.net]
                for r in own
            ]
            sums = [sum((getattr(r, name) for r in own), Decimal(0)) for name in ("gross", "cost", "net")]
            columns = [
                Column("Item", weight=2.4),
                Column("Kind", weight=0.9),
                Column("Finance", weight=0.9),
                Column(f"Gross, {code}", CHANGE),
                Column("Cost of it", MONEY),
                Column("Net", CHANGE),
            ]
            tables.append(Table(f"Realised, {code}", columns, rows, ["Total", None, None, *sums]))
            if plans.get(code):
                said.append(
                    f"{words.percent(sums[2] / plans[code])} of the {words.money(plans[code], code)} that were planned for the month was realised, net."
                )
        open_items = [
            i for i in found.known.items if i.currency == code and i.state not in (DONE, VERIFIED, REJECTED)
        ]
        ranked = sorted(open_items, key=lambda i: i.worth, reverse=True)[:_TOP]
        if ranked:
            columns = [
                Column("Item", weight=2.8),
                Column("Owner", weight=1.1),
                Column("State", weight=0.8),
                Column("Effort", weight=0.6),
                Column(f"Expected a month, {code}", MONEY, 1.3),
            ]
            tables.append(
                Table(
                    f"Worth most for its effort, {code}",
                    columns,
                    [[i.title, i.owner, i.state, i.effort, i.expected_monthly] for i in ranked],
                )
            )
    return Part(said, tables) if tables else None


SECTION = Section("savings", "Savings", 80, _make)
