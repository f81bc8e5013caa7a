"""The waste in the demo company: what was planted to be found, and what else a bill of its kind shows."""

from typing import Any

from finops_core.demo.estate import shapes

PLANTED = {
    "web-idle-addresses": ("aws", "idle-addresses"),
    "web-lost-volumes": ("aws", "unattached-volumes"),
    "search-old-volumes": ("aws", "gp2-volumes"),
    "payments-old-balancers": ("aws", "idle-load-balancers"),
    "data-old-gateway": ("aws", "idle-gateways"),
    "payments-old-machines": ("aws", "old-generations"),
    "web-dev-machines": ("aws", "sleepless-machines"),
    "wms-old-vms": ("azure", "old-generations"),
    "wms-snapshots": ("azure", "growing-snapshots"),
    "catalog-idle-addresses": ("gcp", "idle-addresses"),
    "search-lab-vm": ("gcp", "old-generations"),
    "ml-gpu": ("gcp", "spot-candidates"),
}
"""Workload → provider, and the kind of waste that it is."""
EXPLAINED = {
    "log-ingest": "The company sends its logs to CloudWatch, Azure Monitor and Cloud Logging at full level, and checkout's ran away",
    "untiered-storage": "Images, uploads, data sets and the lake are in the standard tier alone",
    "unused-commitments": "The data team's plan idles at weekends; an Azure reservation and reserved instances are not used up",
    "zone-traffic": "The cluster and the data platform stand in several zones",
    "over-allocated-functions": "The checkout's functions run on x86",
}
"""Kinds of waste that nobody planted, and why they are there."""


def planted() -> list[dict[str, Any]]:
    """As truth.json has it: the workload, its team, provider and usage type, and the kind of waste."""
    found = []
    for key, (provider, kind) in PLANTED.items():
        shape = next(s for s in shapes(provider) if s.key == key)
        meter = {"aws": "usage_type", "azure": "meter", "gcp": "sku"}[provider]
        found.append(
            {
                "workload": key,
                "kind": kind,
                "provider": provider,
                "team": shape.team,
                "x_UsageType": shape[meter],
            }
        )
    return found
