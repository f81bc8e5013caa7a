"""Questions that the cube answers take at most half as long as plain SQL on charges; those at resource level at most 1.5
times as long. Whole path: Query → SQL → DuckDB → polars, against SQL by hand → polars."""

import polars
from _claims import Claims, arguments, farthing, seconds, workspace
from _exports import write_focus_parquet

from finops_core import Ledger, Query

CUBE = {
    "month × service": (
        Query("EffectiveCost", by=["ServiceName"], grain="month"),
        "SELECT date_trunc('month', ChargePeriodStart), BillingCurrency, ServiceName, sum(EffectiveCost) FROM charges GROUP BY ALL",
    ),
    "day × account": (
        Query("EffectiveCost", by=["SubAccountId"], grain="day"),
        "SELECT CAST(ChargePeriodStart AS DATE), BillingCurrency, SubAccountId, sum(EffectiveCost) FROM charges GROUP BY ALL",
    ),
    "month × team, one environment": (
        Query("BilledCost", by=["x_Team"], grain="month", where={"x_Environment": "prod"}),
        "SELECT date_trunc('month', ChargePeriodStart), BillingCurrency, x_Team, sum(BilledCost) FROM charges"
        " WHERE x_Environment = 'prod' GROUP BY ALL",
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
            where={"SubAccountId": "acc7"},
            start="2026-02-01",
            end="2026-03-01",
        ),
        "SELECT CAST(ChargePeriodStart AS DATE), BillingCurrency, ResourceId, sum(EffectiveCost) FROM charges WHERE SubAccountId = 'acc7'"
        " AND ChargePeriodStart >= '2026-02-01' AND ChargePeriodStart < '2026-03-01' GROUP BY ALL",
    ),
}


def by_hand(ledger: Ledger, statement: str) -> polars.DataFrame:
    return ledger.frame(statement)


options = arguments(3_000_000)
claims = Claims()
with workspace(options.directory) as directory:
    home = directory / f"home-{options.rows}"
    if not (home / "finops.duckdb").exists():
        export = write_focus_parquet(directory / f"focus-{options.rows}.parquet", options.rows)
        farthing(home, "ingest", str(export), "--source", "bench")
    ledger = Ledger.open(home)
    rows = ledger.sql("SELECT (SELECT count(*) FROM charges), (SELECT count(*) FROM daily)").row(0)
    print(f"{rows[0]:,} charges, {rows[1]:,} rows of the cube")
    for bound, questions in ((0.5, CUBE), (1.5, CHARGES)):
        for name, (query, statement) in questions.items():
            ours = seconds(lambda query=query: ledger.query(query))
            plain = seconds(lambda statement=statement: by_hand(ledger, statement))
            print(f"{name}: {ours * 1000:.0f} ms, plain SQL on charges {plain * 1000:.0f} ms")
            claims.at_most(f"{name} ÷ plain SQL", ours / plain, bound)
claims.finish()
