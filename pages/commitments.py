"""What commitments do: used, idle, covered, saved; when they end, who has the benefit, and what could still be covered."""

from ui import bar, commitments, kit, purchases

page = kit.page(
    "Commitments",
    group="x_Team",
    period="3-months",
    parts=bar.Parts(grain=False, display=False, shared=False),
)
shown = commitments.Shown(page)
shown.answer()
shown.figures()
shown.charts()
shown.table()
shown.parted()
shown.expiries()
shown.benefit()
shown.leftovers()
purchases.section(page)
