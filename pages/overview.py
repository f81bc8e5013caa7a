"""The morning page: what this month costs so far, how that changed, and whether the figures are right."""

from ui import currencies, kit

page = kit.page("Overview", group="ServiceName", period="this-month", grain="day")
page.answer()
page.figures(page.billed(), page.last_month(), *currencies.total(page))
page.chart()
page.changes()
page.table()
