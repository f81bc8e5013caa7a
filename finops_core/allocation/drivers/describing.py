"""What a file of usage holds, found without being told: its days, names and quantities."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars

from finops_core.allocation.drivers.allocations import allocations, is_export, total
from finops_core.allocation.drivers.kubernetes import KubernetesDriver
from finops_core.allocation.drivers.reading import PLACES, ROUNDING, Rows, days, quantities, tables
from finops_core.errors import InputRefused, Place
from finops_core.vocabulary.listing import listed

_SHOWN = 8


@dataclass(frozen=True)
class Description:
    """One file. `names`: column (or namespace) → its values; `totals`: column → what it sums to."""

    kind: str
    first: date
    last: date
    days: int
    names: dict[str, tuple[str, ...]]
    totals: dict[str, Decimal]
    clusters: tuple[str, ...] = ()

    def in_words(self) -> str:
        """In a line: the kind, the days, whose usage, how much."""
        days = "1 day" if self.days == 1 else f"{self.days:,} days"
        parts = [f"{self.kind}, {days} from {self.first} to {self.last}"]
        if self.clusters:
            parts.append(f"clusters: {listed(self.clusters, _SHOWN)}")
        parts += [f"{name}: {listed(values, _SHOWN)}" for name, values in self.names.items()]
        parts += [f"{name}: {_plain(amount)} in all" for name, amount in self.totals.items()]
        return "; ".join(parts)

    def facts(self) -> dict[str, str]:
        """The same as a table: what is said, and what it is."""
        return {
            "Kind": self.kind,
            "Days": f"{self.days:,} from {self.first} to {self.last}",
            **({"Clusters": _counted(self.clusters)} if self.clusters else {}),
            **{f"Values of {name}": _counted(values) for name, values in self.names.items()},
            **{f"{name} in all": _plain(amount) for name, amount in self.totals.items()},
        }


def describe(file: Path) -> Description:
    """What a file holds. Raises InputRefused where no kind of driver could read it."""
    if not file.is_file():
        raise InputRefused("there is no such file", Place(file.name))
    return _kubernetes(file) if is_export(file) else _table(file)


def _kubernetes(file: Path) -> Description:
    usage = KubernetesDriver(file=file.name).usage(file.parent)
    found = usage.weights["day"].unique().sort()
    costs = usage.costs()["total"].sum()
    amounts = [amounts for names in usage.amounts.values() for amounts in names.values()]
    totals = {
        name: ROUNDING.quantize(total(a[name] for a in amounts if name in a), PLACES)
        for name in ("cpu_core_hours", "memory_gib_hours")
        if any(name in a for a in amounts)
    }
    if costs:
        totals["cost by the exporter"] = Decimal(costs)
    clusters = sorted({row.cluster for row in allocations(file)} - {""})
    names = tuple(usage.weights["name"].unique().sort())
    return Description(
        "kubernetes", found[0], found[-1], len(found), {"namespace": names}, totals, tuple(clusters)
    )


def _table(file: Path) -> Description:
    (rows, *others) = tables(file, lambda table: {n: n for n in table.header.names if n.strip()})
    if others:
        raise InputRefused("the archive holds several tables", Place(file.name), "Add them one by one")
    if rows.frame.is_empty():
        raise InputRefused("holds no row", Place(file.name))
    day = next((name for name in rows.columns if _reads(rows, name, "day")), None)
    months = day is None and next((name for name in rows.columns if _reads(rows, name, "month")), None)
    if not (day or months):
        likely = [n for n in rows.columns if any(w in n.lower() for w in ("date", "day", "month"))]
        days(rows, (likely or list(rows.columns))[0])  # raises, with the first cell that is no day
    found = days(rows, str(day or months), bool(months)).unique().sort()
    others_of = [name for name in rows.columns if name != (day or months)]
    totals = {n: Decimal(quantities(rows, n).sum()) for n in others_of if _reads(rows, n, "quantity")}
    if not totals:
        likely = [n for n in others_of if "team" not in n.lower()] or [*rows.columns]
        quantities(rows, max(likely, key=lambda n: _numbers(rows, n)))
    names = {n: _values(rows, n) for n in others_of if n not in totals}
    return Description(
        "table by month" if months else "table", found[0], found[-1], len(found), names, totals
    )


def _reads(rows: Rows, name: str, kind: str) -> bool:
    try:
        _ = quantities(rows, name) if kind == "quantity" else days(rows, name, kind == "month")
    except InputRefused:
        return False
    return True


def _numbers(rows: Rows, name: str) -> int:
    return int(rows.frame[name].cast(polars.String).str.contains(r"^[0-9.]+$").fill_null(False).sum())


def _values(rows: Rows, name: str) -> tuple[str, ...]:
    return tuple(rows.frame[name].cast(polars.String).fill_null("(none)").unique().sort())


def _counted(values: tuple[str, ...]) -> str:
    return f"{len(values):,}: {listed(values, _SHOWN)}"


def _plain(amount: Decimal) -> str:
    text = f"{amount:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
