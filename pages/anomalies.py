"""Cost that is other than expected: what is open, since when, why, and what was done about it."""

from ui import announced, anomalies, anomaly_detail, anomaly_sensitivity

page = anomalies.begin("Anomalies")
page.figures()
page.bar()
page.strip()
page.table()
anomaly_detail.show(page)
anomaly_sensitivity.show(page)
announced.show()
