"""Six incidents of known size: what happened, when, and what it cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy

from finops_core.demo.estate import Shape
from finops_core.demo.seasons import LAST_DAY, Floats, Month


@dataclass(frozen=True)
class Incident:
    """Something that went wrong on one workload. `daily` is the extra money of the n-th day at scale 1, in its currency."""

    key: str
    kind: str
    provider: str
    workload: str
    start: date
    end: date
    """The last day, included."""
    daily: Callable[[int, date], float]
    team: str
    cause: str
    change: str = ""
    """What the deployment that brought it says; empty where there was none."""
    fixed: bool = True
    relative: bool = False
    """`daily` is then a share of the usual cost."""


INCIDENTS = (
    Incident(
        "cdn-bypass",
        "spike",
        "aws",
        "web-nat",
        date(2026, 1, 27),
        date(2026, 1, 28),
        lambda n, day: (2900.0, 2100.0)[n],
        "web",
        "A release of the shop fetched product images through the NAT gateways instead of the CDN",
        change="Feature: new image component",
    ),
    Incident(
        "partition-filter",
        "level shift",
        "gcp",
        "bq-analysis",
        date(2026, 3, 9),
        date(2026, 4, 3),
        lambda n, day: 460.0,
        "data-platform",
        "A dashboard lost its partition filter and scanned the whole table every hour",
        change="Feature: sales dashboard, version 2",
    ),
    Incident(
        "training-left-on",
        "weekend leak",
        "aws",
        "ml-training",
        date(2026, 5, 23),
        date(2026, 6, 7),
        lambda n, day: 720.0 if day.weekday() > 4 else 0.0,
        "ml",
        "The schedule that stops training machines on Friday evening was deleted with an old stack",
        change="Clean-up: remove unused stacks",
    ),
    Incident(
        "snapshots-kept",
        "slow leak",
        "aws",
        "catalog-snapshots",
        date(2026, 7, 6),
        date(2026, 9, 13),
        lambda n, day: 6.0 * (n + 1),
        "catalog",
        "A backup policy without expiry took snapshots of the catalogue's volumes every day",
        change="Configuration: backup policy for volumes",
    ),
    Incident(
        "batch-stopped",
        "drop",
        "azure",
        "wms-batch",
        date(2026, 9, 22),
        date(2026, 9, 25),
        lambda n, day: -0.75,
        "warehouse",
        "The warehouse's batch machines could not start: an expired certificate",
        relative=True,
    ),
    Incident(
        "debug-logging",
        "runaway",
        "aws",
        "checkout-logs",
        date(2026, 11, 14),
        LAST_DAY,
        lambda n, day: 70.0 * 1.42**n,
        "checkout",
        "Debug logging was left on in checkout, and a retry loop writes ever more of it",
        change="Configuration: log level for an investigation",
        fixed=False,
    ),
)


def during(incident: Incident, month: Month) -> bool:
    return incident.start < month.following and incident.end >= month.first


def extra_level(
    shapes: Sequence[Shape], month: Month, level: Floats, scale: float, incidents: Sequence[Incident]
) -> Floats:
    """What incidents add to the level (average resources in use) of workloads by day."""
    extra = numpy.zeros_like(level)
    keys = [s.key for s in shapes]
    for incident in incidents:
        if incident.workload not in keys or not during(incident, month):
            continue
        at = keys.index(incident.workload)
        shape = shapes[at]
        price = shape.rate * shape.quantity / float(shape.more.get("block") or 1)
        for column, day in enumerate(month.days):
            if incident.start <= day <= incident.end:
                amount = incident.daily((day - incident.start).days, day)
                extra[at, column] += (
                    amount * level[at, column] if incident.relative else amount * scale / price
                )
    return extra
