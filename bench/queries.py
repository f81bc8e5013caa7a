"""On harsh data: questions of cubes take at most half as long as plain SQL on charges, those at resource level at most 1.5
times as long; 95 % of fifty typical questions take less than 1 s, and those that a cube answers less than 150 ms. Whole
path: Query → SQL → DuckDB → polars, against SQL by hand → polars. With --rows 20000000 on a large estate."""

import math
from collections.abc import Iterable

from _claims import Claims, arguments, farthing, seconds, workspace
from _exports import write_focus_parquet
from _questions import QUESTIONS

from finops_core import Ledger, Query
from finops_core.model.engine import cubes_of
from finops_core.store.cubes import CUBES

_MONTH = "date_trunc('month', ChargePeriodStart)"
_DAY = "CAST(ChargePeriodStart AS DATE)"
CUBE = {
    "month × service": (
        Query("EffectiveCost", by=["ServiceName"], grain="month"),
        f"SELECT {_MONTH}, BillingCurrency, ServiceName, sum(EffectiveCost) FROM charges GROUP BY ALL",
    ),
    "day × account": (
        Query("EffectiveCost", by=["SubAccountId"], grain="day"),
        f"SELECT {_DAY}, BillingCurrency, SubAccountId, sum(EffectiveCost) FROM charges GROUP BY ALL",
    ),
    "month × team": (
        Query("EffectiveCost", by=["x_Team"], grain="month"),
        f"SELECT {_MONTH}, BillingCurrency, x_Team, sum(EffectiveCost) FROM charges GROUP BY ALL",
    ),
    "month × team, one environment": (
        Query("BilledCost", by=["x_Team"], grain="month", where={"x_Environment": "prod"}),
        f"SELECT {_MONTH}, BillingCurrency, x_Team, sum(BilledCost) FROM charges WHERE x_Environment = 'prod' GROUP BY ALL",
    ),
    "account × service without taxes and credits": (
        Query(
            "EffectiveCost", by=["SubAccountId", "ServiceName"], where=["ChargeCategory not in Tax,Credit"]
        ),
        "SELECT BillingCurrency, SubAccountId, ServiceName, sum(EffectiveCost) FROM charges"
        " WHERE ChargeCategory NOT IN ('Tax', 'Credit') GROUP BY ALL",
    ),
    "day × account of one service": (
        Query("EffectiveCost", by=["SubAccountId"], grain="day", where={"ServiceName": "Service 1"}),
        f"SELECT {_DAY}, BillingCurrency, SubAccountId, sum(EffectiveCost) FROM charges"
        " WHERE ServiceName = 'Service 1' GROUP BY ALL",
    ),
}
CHARGES = {
    "cost by resource": (
        Query("EffectiveCost", by=["ResourceId"], order="-EffectiveCost", limit=100),
        "SELECT BillingCurrency, ResourceId, sum(EffectiveCost) c FROM charges GROUP BY ALL ORDER BY c DESC LIMIT 100",
    ),
    "month × SKU of one service": (
        Query("EffectiveCost", by=["SkuId"], grain="month", where={"ServiceName": "Service 3"}),
        "SELECT date_trunc('month', ChargePeriodStart), BillingCurrency, SkuId, sum(EffectiveCost) FROM charges"
        " WHERE ServiceName = 'Service 3' GROUP BY ALL",
    ),
    "resources of one account and month by day": (
        Query(
            "EffectiveCost",
            by=["ResourceId"],
            grain="day",
            where={"SubAccountId": "account-7"},
            start="2026-02-01",
            end="2026-03-01",
        ),
        "SELECT CAST(ChargePeriodStart AS DATE), BillingCurrency, ResourceId, sum(EffectiveCost) FROM charges WHERE SubAccountId = 'account-7'"
        " AND ChargePeriodStart >= '2026-02-01' AND ChargePeriodStart < '2026-03-01' GROUP BY ALL",
    ),
}


def time_by_hand(claims: Claims, ledger: Ledger) -> None:
    for bound, questions in ((0.5, CUBE), (1.5, CHARGES)):
        for name, (query, statement) in questions.items():
            ours = seconds(lambda query=query: ledger.query(query))
            plain = seconds(lambda statement=statement: ledger.frame(statement))
            print(f"{name}: {ours * 1000:.0f} ms, plain SQL on charges {plain * 1000:.0f} ms")
            claims.at_most(f"{name} ÷ plain SQL", ours / plain, bound)


def time_typical(claims: Claims, ledger: Ledger) -> None:
    """Each question once before it is timed: what Ibis takes to write its SQL is kept by the Ledger."""
    taken = {query: seconds(lambda query=query: ledger.query(query), 4) for query in QUESTIONS}
    of_cubes = {query: time for query, time in taken.items() if cubes_of(query)}
    for query, time in sorted(taken.items(), key=lambda item: -item[1])[:12]:
        table = next((cube.name for cube in cubes_of(query)), "charges")
        words = [*query.by, query.grain, *(str(condition) for condition in query.where)]
        print(f"{time * 1000:6.0f} ms  {table}: {', '.join(words)}")
    claims.at_most(f"95 % of {len(taken)} typical questions", _quantile(taken.values(), 0.95), 1, " s")
    claims.at_most("median of the typical questions", _quantile(taken.values(), 0.5), 0.15, " s")
    claims.at_most(f"slowest of the {len(of_cubes)} that a cube answers", max(of_cubes.values()), 0.15, " s")


def _quantile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * share) - 1]


def main() -> None:
    options = arguments(3_000_000)
    claims = Claims()
    with workspace(options.directory) as directory:
        home = directory / f"home-{options.rows}"
        if not (home / "finops.duckdb").exists():
            export = write_focus_parquet(directory / f"focus-{options.rows}.parquet", options.rows)
            farthing(home, "ingest", str(export), "--source", "bench")
        ledger = Ledger.open(home)
        for table in ("charges", *(cube.name for cube in CUBES)):
            print(f"{ledger.sql(f'SELECT count(*) FROM {table}').item():>12,} rows of {table}")
        time_by_hand(claims, ledger)
        time_typical(claims, ledger)
    claims.finish()


if __name__ == "__main__":
    main()
