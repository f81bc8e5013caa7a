"""What stands beside the bills: budgets, deployments, business metrics, drivers of shared cost, rates of exchange."""

import csv
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import polars

from finops_core.demo.estate import teams
from finops_core.demo.incidents import INCIDENTS
from finops_core.demo.money import UNIT
from finops_core.demo.seasons import LAST_DAY, Floats, Month, factors
from finops_core.demo.usage import generator
from finops_core.demo.writing import write_csv
from finops_core.store.budgets import BudgetLine, of_member

SHARED = "(shared)"
"""Budgets of what belongs to no team: support, tax, idle commitments."""
_METRICS = (
    ("requests", "storefront", 64_000_000, "retail", "steady"),
    ("requests", "marketplace", 21_000_000, "retail", "steady"),
    ("requests", "fulfilment", 5_200_000, "workday", "steady"),
    ("requests", "assistant", 380_000, "retail", "ai"),
    ("orders", "storefront", 41_000, "retail", "steady"),
    ("orders", "marketplace", 17_500, "retail", "steady"),
    ("orders", "fulfilment", 57_000, "workday", "steady"),
    ("customers", "storefront", 612_000, "retail", "steady"),
    ("customers", "marketplace", 9_400, "workday", "steady"),
    ("tokens", "assistant", 74_000_000, "retail", "ai"),
)
_CUSTOMERS = (
    ("Alder Books", "enterprise", 92_000, 6.10),
    ("Birch & Sons", "enterprise", 71_000, 5.85),
    ("Cedar Outdoor", "business", 38_000, 7.40),
    ("Damson Foods", "business", 29_500, 7.20),
    ("Elm Interiors", "business", 24_000, 7.60),
    ("Foxglove Toys", "business", 17_000, 3.10),
    ("Gorse Garden", "starter", 9_400, 4.20),
    ("Hazel Pets", "starter", 6_800, 4.00),
    ("Iris Cosmetics", "starter", 5_100, 4.40),
    ("Trials", "free", 61_000, 0.0),
)
"""Customers of the assistant: their tier, calls a day, and what a thousand calls pay."""
_NAMESPACES = (
    ("storefront-web", "web", 0.20),
    ("search-api", "search", 0.13),
    ("checkout-api", "checkout", 0.11),
    ("seller-portal", "sellers", 0.09),
    ("catalog-api", "catalog", 0.12),
    ("payments-gateway", "payments", 0.06),
    ("orders-api", "orders", 0.10),
    ("warehouse-gateway", "warehouse", 0.05),
    ("assistant-api", "assistant", 0.07),
    ("kube-system", "platform", 0.07),
)
"""Namespaces of the shared cluster, and their share of what is requested."""
_SCANNED = (
    ("web", 3.4),
    ("search", 6.1),
    ("sellers", 2.2),
    ("catalog", 4.0),
    ("payments", 3.1),
    ("orders", 2.7),
    ("ml", 7.9),
    ("assistant", 1.6),
    ("data-platform", 4.4),
)
"""Terabytes a day that teams read from the data platform."""
_INGESTED = (
    ("web", 210.0),
    ("search", 160.0),
    ("catalog", 118.0),
    ("payments", 92.0),
    ("orders", 105.0),
    ("warehouse", 64.0),
    ("ml", 58.0),
    ("assistant", 77.0),
    ("platform", 96.0),
)
"""Gigabytes a day of logs and metrics that teams send to the observability service."""
_CHANGES = ("Fix", "Feature", "Dependency update", "Configuration", "Rollback")


def write_rates(folder: Path, months: Sequence[Month]) -> dict[str, float]:
    """EUR to USD by month. Returns the rates."""
    rates = {m.label: round(1.152 + 0.021 * ((m.number * 37) % 11 - 5) / 5, 4) for m in months}
    rows = [{"month": label, "from": "EUR", "to": "USD", "rate": f"{r:.4f}"} for label, r in rates.items()]
    write_csv(folder / "rates.csv", polars.DataFrame(rows))
    return rates


def write_budgets(folder: Path, months: Sequence[Month], first: dict[tuple[str, str], int]) -> None:
    """A sheet: a row a team and currency of its bills, a column a month to the end of the year. Planned on the usual cost of
    the first month."""
    labels = [m.label for m in months]
    labels += [f"{LAST_DAY.year}-{n:02d}" for n in range(LAST_DAY.month + 1, 13)]
    order = list(dict.fromkeys(team for team, _ in first))
    rows = []
    for (team, currency), usual in first.items():
        rise = 1.05 if team in ("assistant", "ml") else 1.02
        margin = 1.0 + 0.02 * (order.index(team) % 4)
        amounts = [round(usual / UNIT * margin * rise**n, -2) for n in range(len(labels))]
        rows.append(
            {"team": team, "currency": currency}
            | dict(zip(labels, (f"{a:.0f}" for a in amounts), strict=True))
        )
    write_csv(folder / "budgets.csv", polars.DataFrame(rows))


def budget_lines(file: Path) -> list[BudgetLine]:
    """The amounts of `write_budgets`."""
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    return [
        BudgetLine(
            row["team"],
            "" if row["team"] == SHARED else row["team"],
            "EffectiveCost",
            of_member("x_Team", None if row["team"] == SHARED else row["team"]),
            row["currency"],
            date.fromisoformat(f"{label}-01"),
            Decimal(amount),
            note=f"from {file.name}",
        )
        for row in rows
        for label, amount in list(row.items())[2:]
    ]


def write_deployments(folder: Path, months: Sequence[Month], seed: int) -> None:
    """Releases of the teams' applications; a few of them are the causes of incidents."""
    rows: list[dict[str, str]] = []
    for month in months:
        random = generator(seed, "deployments", month)
        for team in teams().values():
            for day in month.days:
                if day.weekday() > 4 or random.random() > 0.42:
                    continue
                hour, minute = int(random.integers(8, 18)), int(random.integers(0, 60))
                rows.append(
                    {
                        "deployed_at": f"{day}T{hour:02d}:{minute:02d}:00Z",
                        "team": team.name,
                        "application": team.application,
                        "environment": "prod" if random.random() < 0.6 else "staging",
                        "version": f"{day:%Y.%m.%d}-{int(random.integers(1, 90)):02d}",
                        "change": _CHANGES[int(random.integers(0, len(_CHANGES)))],
                    }
                )
    rows += [
        {
            "deployed_at": f"{i.start - timedelta(days=1)}T16:40:00Z",
            "team": i.team,
            "application": teams()[i.team].application,
            "environment": "prod",
            "version": f"{i.start:%Y.%m.%d}-01",
            "change": i.change,
        }
        for i in INCIDENTS
        if i.change and months[0].first <= i.start
    ]
    write_csv(folder / "deployments.csv", polars.DataFrame(sorted(rows, key=lambda r: list(r.values()))))


def write_metrics(folder: Path, months: Sequence[Month], scale: float, seed: int) -> None:
    """Units of business by day."""
    rows = []
    for month in months:
        random = generator(seed, "metrics", month)
        level = _noisy([(profile, growth) for *_, profile, growth in _METRICS], month.days, random)
        for (metric, product, base, _, _), values in zip(_METRICS, level, strict=True):
            for day, value in zip(month.days, values, strict=True):
                quantity = round(base * scale * float(value))
                rows.append({"date": str(day), "metric": metric, "product": product, "quantity": quantity})
    write_csv(folder / "metrics.csv", polars.DataFrame(rows))


def write_customers(folder: Path, months: Sequence[Month], scale: float, seed: int) -> None:
    """What business customers of the assistant asked for and paid, by month: who is worth what they cost."""
    rows = []
    for month in months:
        random = generator(seed, "customers", month)
        (level,) = _noisy([("retail", "ai")], month.days, random)
        grown = float(level.mean()) * len(month.days)
        for customer, tier, calls, price in _CUSTOMERS:
            asked = round(calls * scale * grown * (1 + 0.08 * float(random.standard_normal())))
            paid = round(asked * price / 1000, 2)
            base = {"month": month.label, "customer": customer, "tier": tier, "product": "assistant"}
            rows.append({**base, "assistant_calls": str(asked), "revenue": f"{paid:.2f}", "currency": "USD"})
    write_csv(folder / "customers.csv", polars.DataFrame(rows))


def write_drivers(folder: Path, months: Sequence[Month], scale: float, seed: int) -> None:
    """Who used the shared cluster, the data platform and observability: what their cost may be split by."""
    cluster: list[dict[str, Any]] = []
    scanned: list[dict[str, Any]] = []
    for month in months:
        random = generator(seed, "drivers", month)
        level = _noisy([("retail", "steady")] * len(_NAMESPACES), month.days, random)
        for (namespace, team, share), values in zip(_NAMESPACES, level, strict=True):
            for day, value in zip(month.days, values, strict=True):
                cores = 14_200 * share * scale * float(value)
                used = cores * (0.46 + 0.2 * float(random.random()))
                cluster.append(
                    {
                        "date": str(day),
                        "cluster": "finch-shared",
                        "namespace": namespace,
                        "team": team,
                        "cpu_core_hours_requested": round(cores, 2),
                        "cpu_core_hours_used": round(used, 2),
                        "memory_gib_hours_requested": round(cores * 3.6, 2),
                        "memory_gib_hours_used": round(used * 4.1, 2),
                    }
                )
        level = _noisy([("workday", "steady")] * len(_SCANNED), month.days, random)
        for (team, terabytes), values in zip(_SCANNED, level, strict=True):
            for day, value in zip(month.days, values, strict=True):
                scanned.append(
                    {"date": str(day), "team": team, "tb_scanned": round(terabytes * scale * float(value), 3)}
                )
    write_csv(folder / "kubernetes_usage.csv", polars.DataFrame(cluster))
    write_csv(folder / "data_platform_usage.csv", polars.DataFrame(scanned))
    write_csv(folder / "observability_usage.csv", polars.DataFrame(_ingested(months, scale, seed)))


def _ingested(months: Sequence[Month], scale: float, seed: int) -> list[dict[str, Any]]:
    rows = []
    for month in months:
        level = _noisy(
            [("retail", "steady")] * len(_INGESTED), month.days, generator(seed, "observability", month)
        )
        for (team, gigabytes), values in zip(_INGESTED, level, strict=True):
            for day, value in zip(month.days, values, strict=True):
                quantity = round(gigabytes * scale * float(value), 3)
                rows.append({"date": str(day), "team": team, "gb_ingested": quantity})
    return rows


def _noisy(profiles: list[tuple[str, str]], days: tuple[date, ...], random: numpy.random.Generator) -> Floats:
    level = factors(profiles, days)
    return level * (1 + 0.03 * random.standard_normal(level.shape).clip(-3, 3))
