"""What is kept: the home, the lake (the record), finops.duckdb (derived), and what people typed."""
