"""Who is told of what: the rules and what they find, what was sent and what failed, the channels, and new rules."""

from ui import alerts

page = alerts.begin("Alerts")
page.figures()
page.standing()
page.rules_table()
page.deliveries()
page.channels()
page.upload()
