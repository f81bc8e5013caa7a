"""Whose the cost is: how much has an owner and by what, the flow to teams, showback, what nobody owns, and shared pools."""

from ui import allocation, bar, kit

page = kit.page(
    "Allocation",
    group="ProviderName",
    period="last-month",
    grain="day",
    parts=bar.Parts(group=False, display=False, shared=False),
)
shown = allocation.Allocation(page)
shown.answer()
shown.figures()
shown.choice()
shown.chart()
shown.table()
shown.unallocated()
shown.pools()
