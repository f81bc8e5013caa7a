"""Ask anything: any dimensions, filters, grain and cost; chart, table and download of the same answer."""

from ui import currencies, kit

page = kit.page("Explorer", group="ServiceName", period="6-months", grain="month")
page.answer()
page.figures(*currencies.total(page))
page.chart_choice()
page.chart()
page.table_choice()
page.table()
page.as_code()
