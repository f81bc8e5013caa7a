"""The morning page: what this month costs so far, how that changed and why, and whether the figures are right."""

from ui import currencies, kit, outlook, saved

page = kit.page("Overview", group="ServiceName", period="this-month", grain="day")
page.answer()
page.figures(page.billed(), page.last_month(), *currencies.total(page))
ahead = outlook.place()
page.chart()
page.changes()
saved.pinned(page)
page.table_choice()
page.table()
outlook.fill(page, ahead)
