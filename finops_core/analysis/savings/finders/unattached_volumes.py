"""Disks where there is no machine that they could be attached to."""

import polars

from finops_core.analysis.savings.finders.finder import (
    CURRENCY,
    Finder,
    Situation,
    is_machine,
    service,
    usage,
)

_PLACE = [CURRENCY, "SubAccountId", "RegionId"]
_RUNS = (
    r"BoxUsage|SpotUsage|HostUsage|DedicatedUsage|Instance (Core|Ram|vCPU) running|GPU|Kubernetes|EKS|Fargate"
)


def _alone(situation: Situation, chosen: polars.DataFrame) -> polars.DataFrame:
    """Disks of an account and region that had no machine in all 30 days, of any price."""
    machines = situation.lines.filter(usage(_RUNS) | is_machine()).select(_PLACE).unique()
    return chosen.join(machines, on=_PLACE, how="anti", nulls_equal=True).with_columns(
        polars.lit(1.0).alias("share")
    )


FINDER = Finder(
    name="unattached-volumes",
    title="Disks without a machine",
    why="These disks are in an account and region where no machine ran for 30 days: keep a snapshot of what matters, and delete them.",
    lines=usage(r"EBS:VolumeUsage|EBS:VolumeP-IOPS|PD Capacity|Disks?$|Disk LRS|Disk ZRS")
    & ~service("RDS|Relational|Kubernetes"),
    share=_alone,
    effort="S",
    risk="medium",
    caveats=(
        "A bill does not say what a disk is attached to: only disks where nothing runs are told, there may be more",
        "Machines that are stopped for longer keep their disks on purpose",
    ),
    order=50,
    by_resource=True,
)
