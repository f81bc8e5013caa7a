"""Who used a Kubernetes cluster: what the cloud bills for its nodes, by namespace or workload, and what was idle."""

from ui import clusters

page = clusters.begin("Kubernetes")
page.bar()
page.figures()
page.chart()
page.table()
page.usage()
