"""Reads the lake, finops.duckdb and its cube again, and holds them against what was recorded at load."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb

from finops_core.focus.charges import COSTS
from finops_core.store import warehouse
from finops_core.store.batches import Batch, plain
from finops_core.store.home import Home
from finops_core.store.lake import Lake, lake_relation

_PLACES = ("lake", "charges", "daily", "recorded")


@dataclass(frozen=True)
class Check:
    """One source, period and currency: rows and the four costs in every place, and whether they agree."""

    source: str
    billing_period: str
    currency: str
    figures: dict[str, dict[str, str]]
    """Place → name → plain decimal."""
    agrees: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "billing_period": self.billing_period,
            "currency": self.currency,
            **self.figures,
            "agrees": self.agrees,
        }


Figures = dict[tuple[str, str, str], dict[str, str]]


def verify(home: Home) -> list[Check]:
    """Every source, period and currency of the current warehouse. Raises NothingLoaded before the first load.

    The lake is read at the version that the warehouse was built from: a load killed between the two leaves the old
    figures in force, and they must agree too.
    """
    path = home.current()
    connection = warehouse.connect(path, read_only=True)
    try:
        version = warehouse.lake_version_of(path)
        found: dict[str, Figures] = {
            "lake": _sums(connection, lake_relation(Lake(home.lake).files(version)), "count(*)"),
            "charges": _sums(connection, "charges", "count(*)"),
            "daily": _sums(connection, "daily", "sum(x_Rows)"),
            "recorded": _recorded(
                [b for b in Lake(home.lake).batches() if version is None or b.lake_version <= version]
            ),
        }
    finally:
        connection.close()
    keys = sorted({key for figures in found.values() for key in figures})
    checks = []
    for key in keys:
        figures = {place: found[place].get(key, {}) for place in _PLACES}
        agrees = all(figures[place] == figures["lake"] for place in _PLACES)
        checks.append(Check(*key, figures, agrees))
    return checks


def _sums(connection: duckdb.DuckDBPyConnection, relation: str, rows: str) -> Figures:
    costs = ", ".join(f"sum({c})" for c in COSTS)
    answer = connection.execute(
        f"SELECT x_Source, BillingPeriod, BillingCurrency, {rows}, {costs} FROM {relation} GROUP BY ALL"
    ).fetchall()
    return {
        (source, period, currency): _figures(count, *amounts)
        for source, period, currency, count, *amounts in answer
    }


def _figures(rows: int, *costs: Decimal | None) -> dict[str, str]:
    return {"rows": str(int(rows)), **{name: plain(c or 0) for name, c in zip(COSTS, costs, strict=True)}}


def _recorded(batches: list[Batch]) -> Figures:
    current = {(b.source, b.billing_period): b for b in batches}
    return {
        (source, period, currency): {"rows": totals["rows"], **{c: totals[c] for c in COSTS}}
        for (source, period), batch in current.items()
        for currency, totals in batch.totals.items()
        if totals["rows"] != "0"
    }
