"""What does a unit of business cost: its trend, what moved it, whose it is, what machine learning costs, and the files of units."""

from ui import unit_files, unit_margins, unit_models, units

page = units.begin("Unit cost")
page.bar()
page.figures()
page.charts()
page.table()
unit_margins.draw(page)
unit_models.draw(page)
unit_files.draw(page)
