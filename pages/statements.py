"""What each team or cost centre pays for a month: direct costs, shares of pools, adjustments; and closing the month."""

from ui import statements

page = statements.begin("Showback statements")
page.bar()
page.status()
page.figures()
page.lines()
page.pools()
page.downloads()
page.closing()
