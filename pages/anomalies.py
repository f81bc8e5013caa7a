"""Cost that is other than expected: what is open, since when, why, and what was done about it."""

from ui import anomalies

page = anomalies.begin("Anomalies")
page.figures()
page.bar()
page.strip()
page.table()
page.detail()
page.sensitivity()
page.known()
