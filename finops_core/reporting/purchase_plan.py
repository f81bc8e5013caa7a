"""A plan of purchases as a document: what to buy, in which parts, why, what could go wrong, when to stop, and who signs."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from finops_core.analysis.purchases import Recommendation, tranches
from finops_core.model import words
from finops_core.reporting.pack.content import DAY, MONEY, SHARE, Column, Document, Part, Table, Value
from finops_core.store.purchase_plans import PlannedPurchase, PurchasePlan

_MONTH = 365 / 12
_CENT = Decimal("0.01")


def lines(found: Sequence[Recommendation]) -> list[PlannedPurchase]:
    """Recommendations as lines of a plan."""
    return [
        PlannedPurchase(
            r.what, r.plan.in_words(), r.currency, f"{r.choice.commitment / 24:.4f}",
            f"{r.total:.2f}", f"{r.monthly_savings:.2f}", r.approver, r.people,
        )
        for r in found
    ]  # fmt: skip


def assumptions(found: Sequence[Recommendation], scenario: str, risk: float) -> list[str]:
    """What the plan rests on."""
    days = [r.days for r in found]
    grains = sorted({r.grain for r in found})
    return [
        f"Use on demand of {min(days)} to {max(days)} days of the past, known by the {' and the '.join(grains)}, over simulated futures ({scenario}).",
        f"Of a commitment, less than nine tenths are used in at most {words.percent(Decimal(str(risk)))} of futures.",
        "Commitments in force are renewed when they end; discounts are those of rules/plans.yaml, or the typical ones shipped.",
        "Amounts are estimates; use itself is exact.",
    ]


def document(
    found: Sequence[Recommendation], scenario: str, risk: float, start: date, kept: PurchasePlan | None = None
) -> Document:
    """The plan as it is proposed on a day, with its signatures where it is kept."""
    parts: list[tuple[str, Part]] = [("What to buy", _what(found))]
    parts.append(("In parts", _parts(found, start)))
    parts.append(("Why, and how sure", _why(found)))
    parts.append(("What it rests on", Part(assumptions(found, scenario, risk) if found else ())))
    parts.append(("When to stop", Part(_stops(found))))
    parts.append(("Who signs", _signed(found, kept)))
    key = f" {kept.key}" if kept is not None else ""
    return Document(
        f"Purchase plan{key}", f"Scenario {scenario}; use known before {words.day(start)}", start, parts
    )


def _what(found: Sequence[Recommendation]) -> Part:
    rows: list[list[Value]] = [
        [r.what, r.plan.in_words(), r.currency, f"{r.choice.commitment / 24:,.4f}",
         _money(r.monthly_savings), _money(r.total)]
        for r in found
    ]  # fmt: skip
    columns = [
        Column("Of", weight=2.0), Column("Plan", weight=2.2), Column("", weight=0.5), Column("An hour", weight=0.9), Column("Saves a month", MONEY, 1.1),
        Column("Committed in all", MONEY, 1.3),
    ]  # fmt: skip
    said = []
    for code in dict.fromkeys(r.currency for r in found):
        own = [r for r in found if r.currency == code]
        said.append(
            f"{len(own)} purchases are expected to save {words.money(_money(sum(r.monthly_savings for r in own)), code)} a month"
            f" and commit {words.money(_money(sum(r.total for r in own)), code)} over their terms."
        )
    return Part(
        said or ["Nothing: no use on demand is steady enough under the plans on offer."],
        [Table("", columns, rows)] if rows else (),
    )


def _parts(found: Sequence[Recommendation], start: date) -> Part:
    rows: list[list[Value]] = [
        [r.what, day, r.currency, f"{amount / 24:,.4f}"] for r in found for day, amount in tranches(r, start)
    ]
    columns = [Column("Of", weight=2.4), Column("Buy on", DAY), Column("", weight=0.5), Column("An hour")]
    return Part(
        ["A quarter apart, so that not all of it ends on one day, and each part can still be left out."],
        [Table("", columns, rows)] if rows else (),
    )


def _why(found: Sequence[Recommendation]) -> Part:
    rows: list[list[Value]] = [
        [r.what, r.currency, _money(r.choice.savings_low * _MONTH), _money(r.choice.savings_high * _MONTH), _share(r.choice.utilisation), _share(r.choice.coverage),
         _share(r.choice.risk), f"{r.break_even_months:.1f} months" if r.break_even_months else "at once"]
        for r in found
    ]  # fmt: skip
    columns = [
        Column("Of", weight=1.8), Column("", weight=0.5), Column("Saves, low", MONEY), Column("Saves, high", MONEY), Column("Used", SHARE, 0.7), Column("Covered", SHARE, 0.8),
        Column("Risk", SHARE, 0.7), Column("Break-even", weight=1.0),
    ]  # fmt: skip
    others = [
        f"{r.what}: under other futures it saves a month {', '.join(f'{name} {value:,.0f}' for name, value in r.scenarios.items())} {r.currency}."
        for r in found
    ]
    return Part(others, [Table("", columns, rows)] if rows else ())


def _stops(found: Sequence[Recommendation]) -> list[str]:
    return [f"{r.what}: leave out what is not bought yet if {r.wrong_if}." for r in found] + [
        "Leave out the next part if less than nine tenths of what is committed were used in the last 30 days (farthing commitments)."
    ]


def _signed(found: Sequence[Recommendation], kept: PurchasePlan | None) -> Part:
    asked = kept.asked if kept is not None else _asked(found)
    rows: list[list[Value]] = []
    for role, count in asked.items():
        own = [s for s in kept.signatures if s.role == role] if kept is not None else []
        rows += [[role, s.who, s.at[:10], s.note] for s in own]
        rows += [[role, "", "", ""] for _ in range(count - len(own))]
    proposed = (
        [f"Proposed by {kept.proposer} on {kept.at[:10]}. Who proposed it does not sign it."]
        if kept is not None
        else []
    )
    columns = [Column("Role"), Column("Name", weight=1.4), Column("On"), Column("Note", weight=1.6)]
    return Part(proposed, [Table("", columns, rows)] if rows else ())


def _asked(found: Sequence[Recommendation]) -> dict[str, int]:
    told: dict[str, int] = {}
    for r in found:
        told[r.approver] = max(told.get(r.approver, 0), r.people)
    return told


def _money(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(_CENT)


def _share(value: float) -> Decimal:
    return Decimal(repr(round(float(value), 4)))
