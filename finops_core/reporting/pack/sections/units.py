"""What a unit of business cost."""

from finops_core.analysis.units.lines import price, relative_change
from finops_core.reporting.pack.content import CHANGE, MONEY, SHARE, Column, Part, Section, Table
from finops_core.reporting.situation import Situation

_MOST = 14


def _make(found: Situation) -> Part | None:
    if not found.units:
        return None
    rows = [
        [f"{u.per:,} {u.unit}s" if u.per > 1 else f"one {u.unit}", u.member, u.currency, price(u.per_unit, u.per) if u.per_unit is not None else "no units",
         relative_change(u.per_unit, u.before), u.cost, u.volume, u.efficiency]
        for u in sorted(found.units, key=lambda u: (u.currency, u.metric, -u.cost))[:_MOST]
    ]  # fmt: skip
    columns = [
        Column("Unit", weight=1.6), Column("Of", weight=1.2), Column("", weight=0.55), Column("Cost of it", weight=0.9), Column("Change", SHARE, 0.8),
        Column("Cost", MONEY, 1.2), Column("By volume", CHANGE, 1.1), Column("By efficiency", CHANGE, 1.1),
    ]  # fmt: skip
    best = [u.sentence for u in found.units_together if u.per_unit is not None][:3]
    return Part(best, [Table("", columns, rows)])


SECTION = Section("units", "Unit cost", 70, _make)
