"""A ledger that is written down by hand, for statements and closes with shared pools."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from unittest.mock import patch

import polars
from hypothesis import strategies as st

from finops_core import Query
from finops_core.analysis import closing
from finops_core.analysis.closing import COSTS
from finops_core.store.batches import Batch

KEY = st.tuples(
    st.sampled_from(["EUR", "USD"]),
    st.sampled_from(["search", "shop", None]),
    st.sampled_from(["CC-1", None]),
    st.sampled_from(["direct", "shared", "unallocated"]),
    st.sampled_from(["cluster", "support"]),
    st.sampled_from(["EC2", "S3"]),
)
COST = st.decimals("-1000", "1000", places=18)
CHARGES = st.dictionaries(KEY, st.tuples(COST, COST), max_size=4)


@dataclass
class Books:
    """A stand-in for the ledger: what each month comes to today, by key."""

    charges: dict[str, dict[tuple[str | None, ...], tuple[Decimal, Decimal]]] = field(default_factory=dict)
    home: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(writing=nullcontext))

    def batches(self) -> list[Batch]:
        return []

    def shared_out(self, ledger: object, query: Query, by: object) -> polars.DataFrame:
        wanted = query.where[0].values  # type: ignore[union-attr, index]
        rows = [
            (p, *(k or None for k in key), None, *costs)
            for p in wanted
            for key, costs in self.charges.get(p, {}).items()
        ]
        names = ["BillingPeriod", "BillingCurrency", "x_Team", "x_CostCenter", "x_AllocationKind"]
        names += ["x_AllocationRule", "ServiceName", "x_Product"]
        schema = {**dict.fromkeys(names, polars.String), **dict.fromkeys(COSTS, closing.MONEY)}
        return polars.DataFrame(rows, schema=schema, orient="row")

    @contextmanager
    def in_place(self) -> Iterator[None]:
        with (
            patch.object(closing, "shared_out", self.shared_out),
            patch.object(closing, "repair", lambda home: None),
            patch.object(closing, "lake_version", lambda ledger: 1),
            patch.object(closing, "last_day", lambda ledger, period: date(2026, 1, 1)),
        ):
            yield
