"""A Kubernetes cluster: what its namespaces, workloads or labels were given, from OpenCost, Kubecost or a table of hours.

A workload weighs max(requested, used) of CPU and of memory, both in GiB hours of memory: a core hour is worth
`cpu_to_memory` of them. Where the export states core hours and byte hours, they are the exporter's own max(requested,
used), container by container, and are larger than that of aggregated averages; the largest of all counts.

The prices that the ratios stand for are OpenCost's defaults (configs/default.json: 0.031611 a core hour, 0.004237 a GiB
hour, 0.95 a GPU hour, 0.00005479452 a GiB hour of storage, 0.01 a GiB between zones): 1 core hour = 7.46 GiB hours.
With `cpu_to_memory: export` the ratio is that of the day's own costs: Σ cpuCost / Σ core hours : Σ ramCost / Σ GiB hours.

A row that spans several days counts on each by the time it has there, in UTC.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import polars
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from finops_core.allocation.drivers.allocations import EXACT, Allocation, allocations, total
from finops_core.allocation.drivers.driver import IDLE, WEIGHT, DriverSpec, Measured, Text
from finops_core.allocation.drivers.fields import MEASURES
from finops_core.allocation.drivers.reading import PLACES, ROUNDING
from finops_core.errors import InputRefused, Place

CPU_TO_MEMORY = Decimal("7.46")
GPU_TO_MEMORY = Decimal("224.2")
STORAGE_TO_MEMORY = Decimal("0.012932")
NETWORK_TO_MEMORY = Decimal("2.36")
_HOURS = ("cpu_core_hours", "memory_gib_hours", "gpu_hours")
_COSTS = {"cpu_core_hours": "cpu_cost", "memory_gib_hours": "memory_cost", "gpu_hours": "gpu_cost"}
_NONE = Decimal(0)
_ADVICE = "Export one cluster, or aggregate by cluster too (aggregate=cluster,namespace)"

Amounts = dict[str, Decimal]
"""Measure → amount, of one name on one day."""
Ratio = Annotated[Decimal, Field(gt=0, max_digits=18)]


def _grouping(text: str) -> str:
    if text not in ("namespace", "workload") and not (text.startswith("label:") and text[6:].strip()):
        raise ValueError(f"{text!r} is none of namespace, workload and label:KEY")
    return text


class Capacity(BaseModel):
    """What the nodes of the cluster have on a day, for exports without rows of idle capacity."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cpu_core_hours: Annotated[Decimal, Field(ge=0)]
    memory_gib_hours: Annotated[Decimal, Field(ge=0)]


class KubernetesDriver(DriverSpec):
    """An allocation export of a cluster; which fields there are says `allocations`."""

    kind: Literal["kubernetes"] = "kubernetes"
    cluster: Text | None = None
    """Only rows of this cluster count; without it all do."""
    by: Annotated[Text, AfterValidator(_grouping)] = "namespace"
    """What stands for a consumer: namespace, workload (controller), or label:KEY."""
    weight: Literal["hours", "cost"] | None = None
    """Hours, or the exporter's own costs; by default hours where every workload states them (OpenCost's CSV does not)."""
    cpu_to_memory: Ratio | Literal["export"] = CPU_TO_MEMORY
    """GiB hours of memory that cost as much as a core hour."""
    gpu_to_memory: Ratio = GPU_TO_MEMORY
    network: bool = False
    """Whether traffic weighs too: the bytes sent and received, or its costs with those of load balancers."""
    network_to_memory: Ratio = NETWORK_TO_MEMORY
    storage: bool = False
    """Whether persistent volumes weigh too: the byte hours of claims, or their costs."""
    storage_to_memory: Ratio = STORAGE_TO_MEMORY
    capacity: Capacity | None = None
    """Idle is this less what was given, on days for which the export has no rows of idle capacity."""

    def measured(self, directory: Path, teams: Collection[str] | None = None) -> Measured:
        return Measured.of(self.usage(directory).weights, self.consumers, teams)

    def usage(self, directory: Path) -> "Usage":
        """What the files say by day and name, before names stand for consumers. Raises InputRefused."""
        counted = list(self._counted(directory))
        by_cost = self._by_cost(counted)
        amounts = _by_day(counted, self.by)
        rows: list[tuple[date, str, Decimal]] = []
        for day, names in sorted(amounts.items()):
            found = self._weights_of_day(day, names, by_cost)
            rows += [(day, name, ROUNDING.quantize(found[name], PLACES)) for name in sorted(found)]
        schema = {"day": polars.Date(), "name": polars.String(), "weight": WEIGHT}
        totals = any("total_cost" in row.measures for row in counted)
        return Usage(polars.DataFrame(rows, schema, orient="row"), amounts, totals)

    def _counted(self, directory: Path) -> Iterator[Allocation]:
        """The allocations that count, each window once."""
        windows: dict[str, dict[tuple[datetime, datetime], Allocation]] = {}
        clusters: dict[str, Allocation] = {}
        count = 0
        for row in (row for file in self.files(directory) for row in allocations(file)):
            clusters.setdefault(row.cluster, row)
            if self.cluster in (None, row.cluster) or not row.cluster:
                count += 1
                _refuse_twice(row, windows.setdefault(row.cluster, {}))
                yield row
        named = sorted(clusters.keys() - {""})
        if self.cluster is not None and "" in clusters and named:
            raise InputRefused("names no cluster, where others do", clusters[""].place, _ADVICE)
        if not count:
            what = f"has no row of the cluster {self.cluster!r}" if named else "holds no row"
            raise InputRefused(what, Place(self.file), f"It has {', '.join(named)}" if named else "")
        for found in windows.values():
            _refuse_overlap(found)

    def _by_cost(self, counted: list[Allocation]) -> bool:
        """Whether costs weigh. Raises InputRefused where a workload does not state what is to weigh."""
        workloads = [row for row in counted if row.special != IDLE]
        no_hours = next((r for r in workloads if not r.measures.keys() >= set(_HOURS[:2])), None)
        no_costs = next((r for r in workloads if not r.measures.keys() >= {"cpu_cost", "memory_cost"}), None)
        if self.weight != "cost" and no_hours is None:
            return False
        if self.weight != "hours" and no_costs is None:
            if self.capacity is not None:
                what = "costs weigh, and `capacity` is in hours"
                raise InputRefused(what, Place(self.file), "Leave `capacity` out, or export hours")
            return True
        lacking = (no_costs if self.weight == "cost" else no_hours) or workloads[0]
        what = "CPU and memory costs" if self.weight == "cost" else "core hours and GiB hours"
        advice = (
            "Averages of requests and usage are not enough: how long it ran counts. Export start and end too"
        )
        raise InputRefused(f"states no {what}", lacking.place, advice if self.weight != "cost" else "")

    def _weights_of_day(self, day: date, names: Mapping[str, Amounts], by_cost: bool) -> dict[str, Decimal]:
        if by_cost:
            found = {name: self._cost(day, name, amounts) for name, amounts in names.items()}
        else:
            prices = _prices(names)
            ratio = self._ratio(day, prices)
            found = {
                name: self._gib_hours(
                    _with_idle_hours(day, amounts, prices) if name == IDLE else amounts, ratio
                )
                for name, amounts in names.items()
            }
            if self.capacity is not None and IDLE not in names:
                whole = EXACT.fma(self.capacity.cpu_core_hours, ratio, self.capacity.memory_gib_hours)
                given = total(self._compute(amounts, ratio) for amounts in names.values())
                found[IDLE] = max(EXACT.subtract(whole, given), _NONE)
        return found

    def _ratio(self, day: date, prices: Mapping[str, Decimal]) -> Decimal:
        if self.cpu_to_memory != "export":
            return self.cpu_to_memory
        if not (prices.get("cpu_core_hours") and prices.get("memory_gib_hours")):
            what = f"has no costs of CPU and memory on {day} that a ratio could be derived from"
            raise InputRefused(what, Place(self.file), "Give `cpu_to_memory` as a number")
        return EXACT.divide(prices["cpu_core_hours"], prices["memory_gib_hours"])

    def _compute(self, amounts: Amounts, ratio: Decimal) -> Decimal:
        return EXACT.fma(amounts.get("cpu_core_hours", _NONE), ratio, amounts.get("memory_gib_hours", _NONE))

    def _gib_hours(self, amounts: Amounts, ratio: Decimal) -> Decimal:
        found = EXACT.fma(amounts.get("gpu_hours", _NONE), self.gpu_to_memory, self._compute(amounts, ratio))
        if self.network:
            found = EXACT.fma(amounts.get("network_gib", _NONE), self.network_to_memory, found)
        if self.storage:
            found = EXACT.fma(amounts.get("storage_gib_hours", _NONE), self.storage_to_memory, found)
        return found

    def _cost(self, day: date, name: str, amounts: Amounts) -> Decimal:
        counted = ["cpu_cost", "memory_cost", "gpu_cost"]
        counted += ["network_cost"] if self.network else []
        counted += ["storage_cost"] if self.storage else []
        found = total(amounts.get(measure, _NONE) for measure in counted)
        if found < 0:
            raise InputRefused(
                f"the costs of {name!r} on {day} are negative: {found:f}",
                Place(self.file),
                "Weigh by hours, or ask the exporter without adjustments",
            )
        return found


@dataclass(frozen=True)
class Usage:
    """What an export says. `weights`: day, name, weight, one row a day and name, sorted; `__idle__` is idle capacity."""

    weights: polars.DataFrame
    amounts: Mapping[date, Mapping[str, Amounts]]
    states_totals: bool
    """Whether it says what everything cost, of which there may be more than compute, network and storage."""

    def costs(self) -> polars.DataFrame:
        """The exporter's own costs: day, compute, network, storage, other, total (Decimal, its currency), by day."""
        rows = []
        for day, names in sorted(self.amounts.items()):
            sums = {m: total(a.get(m, _NONE) for a in names.values()) for m in MEASURES}
            compute = total(sums[measure] for measure in _COSTS.values())
            parts = (compute, sums["network_cost"], sums["storage_cost"])
            whole = sums["total_cost"] if self.states_totals else total(parts)
            amounts = (*parts, EXACT.subtract(whole, total(parts)), whole)
            rows.append((day, *(ROUNDING.quantize(amount, PLACES) for amount in amounts)))
        names_of = ("compute", "network", "storage", "other", "total")
        return polars.DataFrame(rows, {"day": polars.Date(), **dict.fromkeys(names_of, WEIGHT)}, orient="row")


def _by_day(counted: Iterable[Allocation], by: str) -> dict[date, dict[str, Amounts]]:
    found: dict[date, dict[str, Amounts]] = {}
    for row in counted:
        name = _name(row, by)
        for day, share in _days(row.start, row.end):
            amounts = found.setdefault(day, {}).setdefault(name, {})
            for measure, amount in row.measures.items():
                amounts[measure] = EXACT.fma(amount, share, amounts.get(measure, _NONE))
    return found


def _name(row: Allocation, by: str) -> str:
    """What a row belongs to; `__idle__` and its like where it says nothing of that."""
    if row.special == IDLE:
        return IDLE
    if by == "namespace":
        found = row.namespace
    elif by == "workload":
        found = "/".join(part for part in (row.namespace, row.workload) if part)
    else:
        found = _label(row, by.removeprefix("label:").strip())
    return row.special if not found or found.startswith("__") else found


def _label(row: Allocation, key: str) -> str:
    """A label's value, also where the exporter or a column writes its key in letters, digits and underscores only."""
    spellings = (
        key,
        "".join(c if c.isalnum() else "_" for c in key),
        "".join(filter(str.isalnum, key)).lower(),
    )
    return next((row.labels[s] for s in spellings if s in row.labels), "")


def _days(start: datetime, end: datetime) -> Iterator[tuple[date, Decimal]]:
    """The UTC days between two moments, and the share of the time that falls on each; the shares sum to 1."""
    if start.date() == end.date() or end == start.replace(
        hour=0, minute=0, second=0, microsecond=0
    ) + timedelta(days=1):
        yield start.date(), Decimal(1)
        return
    whole = Decimal((end - start) // timedelta(microseconds=1))
    left, at = Decimal(1), start
    while at < end:
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        until = min(midnight, end)
        share = EXACT.divide(Decimal((until - at) // timedelta(microseconds=1)), whole)
        share = left if until == end else share
        yield at.date(), share
        left, at = EXACT.subtract(left, share), until


def _prices(names: Mapping[str, Amounts]) -> dict[str, Decimal]:
    """What an hour cost on a day, by the exporter: of what it states both hours and costs of, idle left out."""
    found = {}
    for hours, cost in _COSTS.items():
        stated = [a for name, a in names.items() if name != IDLE and {hours, cost} <= a.keys()]
        amount = total(a[hours] for a in stated)
        if amount > 0:
            found[hours] = EXACT.divide(total(a[cost] for a in stated), amount)
    return found


def _with_idle_hours(day: date, idle: Amounts, prices: Mapping[str, Decimal]) -> Amounts:
    """Idle capacity in hours. OpenCost states only its costs: they are made hours at the day's prices."""
    found = dict(idle)
    for hours, cost in _COSTS.items():
        if found.get(hours) or not found.get(cost):
            continue
        if found[cost] < 0 or prices.get(hours, _NONE) <= 0:
            what = f"on {day} {IDLE} has costs of {cost.removesuffix('_cost')}, but no hours, and no price to make them of"
            raise InputRefused(what, None, "Set `weight: cost` in the driver")
        found[hours] = EXACT.divide(found[cost], prices[hours])
    return found


def _refuse_twice(row: Allocation, windows: dict[tuple[datetime, datetime], Allocation]) -> None:
    if row.window is not None:
        first = windows.setdefault(row.window, row)
        if first.source != row.source:
            what = f"the window from {row.window[0]:%Y-%m-%dT%H:%MZ} is also in {first.source}"
            raise InputRefused(what, row.place, "Leave one of the two out: it would count twice")


def _refuse_overlap(windows: Mapping[tuple[datetime, datetime], Allocation]) -> None:
    ordered = sorted(windows)
    for (_, end), (start, after) in pairwise(ordered):
        if start < end:
            other = next(window for window in ordered if window[1] == end)
            what = f"the window from {start:%Y-%m-%dT%H:%MZ} to {after:%Y-%m-%dT%H:%MZ} overlaps with that in {windows[other].source}"
            raise InputRefused(what, windows[start, after].place, "Leave one of the two out")


KIND = KubernetesDriver
