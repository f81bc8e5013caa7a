"""Is this number right, and is it fresh: reconciliation, verification, freshness, history of a month."""
