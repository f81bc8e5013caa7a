"""The fields of allocation exports: how exporters spell them, and which of them a measure is made of.

A field of the API is a column of a table under the same name, with or without the group that it stands in:
`properties.namespace` and `Namespace` are one field. Labels may be columns each: `Label_team` (OpenCost's CSV), `label.team`
(its parquet exporter), `properties.labels.team` (Kubecost's exports to AWS and Azure).
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

SPELLINGS = {
    "day": ("date", "day"),
    "start": ("start", "runningstarttime", "windowstart"),
    "end": ("end", "runningendtime", "windowend"),
    "minutes": ("minutes", "runningminutes"),
    "name": ("name",),
    "cluster": ("cluster", "clusterid", "clustername"),
    "namespace": ("namespace",),
    "workload": ("controller", "controllername", "workload"),
    "labels": ("labels",),
    "namespace_labels": ("namespacelabels",),
}
HOURS = {
    "cpu_core_hours": ("cpucorehours", "cpucorehoursrequested", "cpucorehoursused"),
    "memory_gib_hours": ("memorygibhours", "memorygibhoursrequested", "memorygibhoursused"),
    "gpu_hours": ("gpuhours",),
    "network_gib": (),
    "storage_gib_hours": (),
}
"""Measure → the fields that state it; the largest counts, which for requested and used is max(requested, used)."""
BYTE_HOURS = {"memory_gib_hours": ("rambytehours",), "storage_gib_hours": ("pvbytehours",)}
AVERAGES = {
    "cpu_core_hours": ("cpucorerequestaverage", "cpucoreusageaverage"),
    "gpu_hours": ("gpucount", "gpus", "gpurequestaverage", "gpuusageaverage"),
}
BYTE_AVERAGES = {
    "memory_gib_hours": (
        "rambyterequestaverage",
        "rambyteusageaverage",
        "rambytesrequestaverage",
        "rambytesusageaverage",
    ),
    "storage_gib_hours": ("pvbytes",),
}
COSTS = {
    "cpu_cost": ("cpucost", "cpucostadjustment"),
    "memory_cost": ("ramcost", "ramcostadjustment"),
    "gpu_cost": ("gpucost", "gpucostadjustment"),
    "network_cost": (
        "networkcost",
        "networkcostadjustment",
        "loadbalancercost",
        "loadbalancercostadjustment",
    ),
    "storage_cost": ("pvcost", "pvcostadjustment"),
}
"""Measure → the fields whose sum it is."""
TOTAL = (*(name for fields in COSTS.values() for name in fields), "sharedcost", "externalcost")
"""The fields whose sum is a row's total where it states none, as in a summary."""
BYTES = ("networktransferbytes", "networkreceivebytes")
MEASURES = (*HOURS, *COSTS, "total_cost")


_LABEL = re.compile(r"(?:properties[._])?(namespace)?labels?[._](.+)", re.IGNORECASE)


@lru_cache(4096)
def label(name: str) -> tuple[str, bool] | None:
    """The key of the label that a column holds, and whether it is the namespace's; None for what is no label."""
    found = _LABEL.fullmatch(name)
    return (found[2], found[1] is not None) if found else None


@lru_cache(4096)
def spell(name: str) -> str:
    """Names of fields, as they are compared: without the group they stand in, in small letters and digits."""
    return re.sub("[^a-z0-9]", "", re.sub("^properties[._]", "", name.lower()))


def _known(groups: Iterable[Mapping[str, tuple[str, ...]]]) -> set[str]:
    return {spelling for group in groups for spellings in group.values() for spelling in spellings}


KNOWN_MEASURES = _known((HOURS, BYTE_HOURS, AVERAGES, BYTE_AVERAGES, COSTS)) | {*BYTES, "totalcost"}
KNOWN = KNOWN_MEASURES | _known((SPELLINGS,)) | {*TOTAL}
DATES = {*SPELLINGS["day"], *SPELLINGS["start"]}
"""The fields that say when a row is of."""
