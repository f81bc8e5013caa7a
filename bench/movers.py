"""What moved the cost between two months is told in less than 2 s on 20 million charges, whatever the grouping. Whole path:
Query → SQL → DuckDB → parts of every leaf → members."""

from _claims import Claims, arguments, farthing, seconds, workspace
from _exports import write_focus_parquet

from finops_core import Ledger, Query
from finops_core.analysis.movers import movers
from finops_core.model.periods import Period

JANUARY, FEBRUARY = Period.parse("2026-01-01..2026-02-01"), Period.parse("2026-02-01..2026-03-01")
GROUPINGS = {
    "in total": [],
    "by service": ["ServiceName"],
    "by team and account": ["x_Team", "SubAccountId"],
    "by SKU and region": ["SkuId", "RegionId"],
}
RESOURCES = {"by resource": ["ResourceId"]}
BOUND = 2.0

options = arguments(20_000_000)
claims = Claims()
with workspace(options.directory) as directory:
    home = directory / f"home-{options.rows}"
    if not (home / "finops.duckdb").exists():
        export = write_focus_parquet(directory / f"focus-{options.rows}.parquet", options.rows)
        farthing(home, "ingest", str(export), "--source", "bench")
        export.unlink()
    ledger = Ledger.open(home)
    print(f"{ledger.sql('SELECT count(*) FROM charges').item():,} charges")
    for name, by in (GROUPINGS | RESOURCES).items():
        query = Query("EffectiveCost", by=by, start=FEBRUARY.start, end=FEBRUARY.end)
        took = seconds(lambda query=query: movers(ledger, query, JANUARY))
        members = movers(ledger, query, JANUARY).table.height
        claims.at_most(f"movers {name} ({members:,} members)", took, BOUND, " s")
claims.finish()
