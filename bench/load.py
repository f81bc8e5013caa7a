"""On harsh data: a load of FOCUS parquet takes at most ten times a bare DuckDB copy of the same file (parquet to zstd parquet), and less
than 4 GB. With --rows 20000000 the memory of a large load."""

import shutil

import duckdb
from _claims import Claims, arguments, farthing, seconds, workspace
from _exports import write_focus_parquet

options = arguments(3_000_000)
claims = Claims()
with workspace(options.directory) as directory:
    export = directory / f"focus-{options.rows}.parquet"
    if not export.exists():
        write_focus_parquet(export, options.rows)

    def copy() -> None:
        with duckdb.connect() as connection:
            connection.execute(
                f"COPY (SELECT * FROM read_parquet('{export}')) TO '{directory}/copy.parquet' (FORMAT parquet, COMPRESSION zstd)"
            )

    bare = seconds(copy, 2)
    home = directory / "home-load"
    shutil.rmtree(home, ignore_errors=True)
    taken, memory = farthing(home, "ingest", str(export), "--source", "bench")
    print(f"{options.rows:,} rows: bare copy {bare:.2f} s, load {taken:.2f} s")
    store = (home / "finops.duckdb").resolve().stat().st_size
    print(f"export {export.stat().st_size / 1e6:,.0f} MB, finops.duckdb {store / 1e6:,.0f} MB")
    claims.at_most("load ÷ bare copy", taken / bare, 10)
    claims.at_most("peak memory of the load", memory, 4, " GB")
    again, _ = farthing(home, "ingest", str(export), "--source", "bench")
    claims.at_most("loading the same file again ÷ load", again / taken, 0.5)
claims.finish()
