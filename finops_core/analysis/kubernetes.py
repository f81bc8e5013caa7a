"""A Kubernetes cluster's cost in the cloud, told again by namespace, workload or label; every split exact.

Nothing is added to the cloud's charges: the parts of a cluster on a day sum to what its nodes cost on that day, in each
currency and cost column, to the last digit.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars

from finops_core.allocation.drivers.driver import IDLE, consumer
from finops_core.allocation.drivers.kubernetes import KubernetesDriver
from finops_core.allocation.drivers.spread import spread
from finops_core.analysis.breakdown import MISSING, other_label
from finops_core.errors import InputRefused, Place, UsageError
from finops_core.model.engine import PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.query import AnyOf, Condition, Node, Query, Where

CURRENCY = "BillingCurrency"
NAME = "Name"
CONSUMER = "Consumer"
KIND = "Kind"
WEIGHT = "Weight"
METRICS = ("BilledCost", "EffectiveCost")
KINDS = ("used", "idle", "unallocated", "unmeasured")
"""What a part is: given to a name; paid for and unused; used by nothing that has a name; of a day without usage data."""
CLUSTER_TAGS = (
    "aws:eks:cluster-name",
    "eks:cluster-name",
    "alpha.eksctl.io/cluster-name",
    "goog-k8s-cluster-name",
    "aks-managed-cluster-name",
)
"""Tags by which Amazon EKS, Google Kubernetes Engine and Azure Kubernetes Service mark what belongs to a cluster.
AWS's CUR 2.0 writes an underscore for whatever is no letter or digit."""
_MONEY = polars.Decimal(38, 18)


@dataclass(frozen=True)
class ClusterCost:
    """A cluster's cost in parts. `table`: ChargePeriod (a day), BillingCurrency, Name (null where Kind is unmeasured),
    Consumer, Kind (KINDS), Weight, and the cost columns, Decimal(38,18)."""

    table: polars.DataFrame
    metrics: tuple[str, ...]
    notes: tuple[str, ...]
    """What the figures do not tell: days without usage, capacity that is not known."""

    def total(self) -> polars.DataFrame:
        """The parts over all days: BillingCurrency, Name, Consumer, Kind, the costs; the costliest first."""
        keys = [CURRENCY, NAME, CONSUMER, KIND]
        return (
            self.table.group_by(keys)
            .agg(_sum(metric) for metric in self.metrics)
            .sort([CURRENCY, self.metrics[-1], NAME], descending=[False, True, False], nulls_last=True)
        )

    def amount(self, currency: str, metric: str, *kinds: str) -> Decimal:
        """What the parts of some kinds cost; of all without any."""
        found = self.table.filter(polars.col(CURRENCY) == currency, polars.col(KIND).is_in(kinds or KINDS))
        return Decimal(found[metric].sum() or 0)

    def series(self, currency: str, metric: str, top: int) -> polars.DataFrame:
        """The parts by day: ChargePeriod, Member, Kind (member | other), cost. The costliest names are members, as are
        idle and unmeasured cost; the other names are one, whose cost is the rest."""
        found = self.table.filter(polars.col(CURRENCY) == currency).select(
            PERIOD, member().alias("Member"), polars.col(metric).fill_null(Decimal(0)).alias("cost"), KIND
        )
        named = found.filter(polars.col(KIND).is_in(["used", "unallocated"]))
        ranked = (
            named.group_by("Member")
            .agg(polars.col("cost").sum())
            .sort("cost", "Member", descending=[True, False])
        )
        rest = ranked["Member"][top:].to_list()
        is_rest = polars.col("Member").is_in(rest)
        return (
            found.with_columns(
                polars.when(is_rest)
                .then(polars.lit(other_label(len(rest))))
                .otherwise("Member")
                .alias("Member"),
                polars.when(is_rest).then(polars.lit("other")).otherwise(polars.lit("member")).alias(KIND),
            )
            .group_by(PERIOD, "Member", KIND)
            .agg(polars.col("cost").sum())
            .sort(PERIOD, KIND, "Member")
        )


def member() -> polars.Expr:
    """What a part is called: its name, or what its kind is in words."""
    words = {"idle": "Idle", "unmeasured": "No usage known"}
    name = polars.when(polars.col(NAME) == "").then(polars.lit(MISSING)).otherwise(NAME)
    return polars.col(KIND).replace_strict(words, default=name)


def nodes_of(cluster: str) -> Node:
    """The charges that the clouds' own tags say belong to a cluster."""
    keys = dict.fromkeys((*CLUSTER_TAGS, *(re.sub("[^A-Za-z0-9]", "_", tag) for tag in CLUSTER_TAGS)))
    return AnyOf(tuple(Condition(f"tag:{key}", "=", (cluster,)) for key in keys))


def cluster_cost(
    ledger: Ledger,
    spec: KubernetesDriver,
    directory: Path,
    nodes: Where,
    start: date | str | None = None,
    end: date | str | None = None,
    metrics: Sequence[str] = METRICS,
) -> ClusterCost:
    """Splits what `nodes` (a condition) selects over the names of an export, day by day, as they weigh there.

    A day without usage stays whole, with the kind `unmeasured`. Raises InputRefused for what the export lacks,
    UsageError where no charge meets the condition.
    """
    metrics = tuple(metrics)
    cost = _cost(ledger, nodes, start, end, metrics)
    usage = spec.usage(directory).weights
    by_day = {
        day: (list(of_day["name"]), list(of_day["weight"]))
        for (day,), of_day in usage.filter(polars.col("weight") > 0).group_by("day", maintain_order=True)
    }
    consumers = {name: consumer(name, spec.consumers, None) for name in usage["name"].unique()}
    rows = [
        (day, currency, name, consumers.get(name), _kind(name), weight, *parts)
        for day, currency, *amounts in cost.iter_rows()
        for name, weight, *parts in _parts(amounts, *by_day.get(day, ([], [])))
    ]
    schema = {
        PERIOD: polars.Date(),
        CURRENCY: polars.String(),
        NAME: polars.String(),
        CONSUMER: polars.String(),
        KIND: polars.String(),
        WEIGHT: _MONEY,
        **dict.fromkeys(metrics, _MONEY),
    }
    table = polars.DataFrame(rows, schema, orient="row").sort(PERIOD, CURRENCY, NAME, nulls_last=True)
    return ClusterCost(table, metrics, tuple(_notes(table, spec)))


def reconciled(
    ledger: Ledger,
    spec: KubernetesDriver,
    directory: Path,
    nodes: Where,
    start: date | str | None = None,
    end: date | str | None = None,
    metric: str = "EffectiveCost",
) -> polars.DataFrame:
    """The exporter's own costs beside the cloud's, by day: where they differ, list prices stand against the bill.

    Columns: ChargePeriod, BillingCurrency, cloud (the metric of `nodes`), compute, network, storage, other and total of
    the exporter, difference (total − cloud); null where one of the two has no such day. The exporter's currency is taken
    for the cloud's. Raises InputRefused where the export states no costs, UsageError for several currencies.
    """
    cost = _cost(ledger, nodes, start, end, (metric,))
    currencies = cost[CURRENCY].unique().sort().to_list()
    if len(currencies) > 1:
        raise UsageError(f"the nodes cost in {' and '.join(currencies)}: choose one of them in the condition")
    exported = spec.usage(directory).costs().rename({"day": PERIOD})
    if not (exported["total"] != 0).any():
        raise InputRefused("states no costs that could be compared", Place(spec.file), "Export totalCost too")
    asked = Query(metric, start=start, end=end)  # type: ignore[arg-type]
    exported = exported.filter(
        polars.lit(True) if asked.start is None else polars.col(PERIOD) >= asked.start,
        polars.lit(True) if asked.end is None else polars.col(PERIOD) < asked.end,
    )
    return (
        cost.rename({metric: "cloud"})
        .join(exported, on=PERIOD, how="full", coalesce=True)
        .with_columns(
            polars.col(CURRENCY).fill_null(currencies[0]),
            (polars.col("total") - polars.col("cloud")).alias("difference"),
        )
        .sort(PERIOD)
    )


def _cost(
    ledger: Ledger, nodes: Where, start: date | str | None, end: date | str | None, metrics: tuple[str, ...]
) -> polars.DataFrame:
    """ChargePeriod, BillingCurrency and the costs of the nodes, by day."""
    query = Query(metrics, grain="day", where=nodes, start=start, end=end)  # type: ignore[arg-type]
    found = ledger.query(query)
    if found.is_empty():
        raise UsageError("no charge meets the condition for the cluster's nodes in these days")
    return found.select(
        polars.col(PERIOD).cast(polars.Date), CURRENCY, *(polars.col(m).cast(_MONEY) for m in metrics)
    )


def _parts(
    amounts: Sequence[Decimal | None], names: list[str], weights: list[Decimal]
) -> Iterator[tuple[str | None, Decimal | None, *tuple[Decimal | None, ...]]]:
    """Name, weight and part of each amount; the whole of a day on which nothing weighs."""
    if not names:
        yield (None, None, *amounts)
        return
    split = [spread(a, weights) if a is not None else [None] * len(names) for a in amounts]
    yield from zip(names, weights, *split, strict=True)


def _kind(name: str | None) -> str:
    if name is None:
        return "unmeasured"
    if name == IDLE:
        return "idle"
    return "unallocated" if not name or name.startswith("__") else "used"


def _sum(metric: str) -> polars.Expr:
    """The sum of what is known; null where nothing is."""
    known = polars.col(metric).drop_nulls()
    return polars.when(known.len() > 0).then(known.sum()).alias(metric)


def _notes(table: polars.DataFrame, spec: KubernetesDriver) -> Iterator[str]:
    days = table.filter(polars.col(KIND) == "unmeasured")[PERIOD].unique().sort()
    if len(days):
        yield (
            f"{spec.file} has no usage on {len(days):,} of {table[PERIOD].n_unique():,} days"
            f" ({days[0]} to {days[-1]}): their cost stays whole, as unmeasured"
        )
    if not (table[KIND] == "idle").any():
        yield (
            "idle capacity is not known, and is borne by what was used: export it, or say what the nodes have"
        )
