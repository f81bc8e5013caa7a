"""What may it cost: budgets against what came and what will, why they differ, and the sheets they come from."""

from ui import budget_sheets, budgets

page = budgets.begin("Budgets")
page.bar()
page.figures()
page.charts()
page.table()
page.variance()
budget_sheets.draw()
