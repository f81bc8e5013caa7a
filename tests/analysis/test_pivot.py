"""Members by period: rows, columns and both edges add up to what the store says, exactly."""

from decimal import Decimal
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.analysis.pivot import TOTAL, pivot
from finops_core.analysis.weekdays import weekdays
from tests.analysis.test_breakdown import CHARGES, loaded


def total(ledger: Ledger, query: Query) -> Decimal:
    return Decimal(ledger.query(query.but(by=(), grain="none"))["EffectiveCost"].sum())


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(CHARGES, st.integers(1, 5), st.sampled_from(["day", "month", "quarter"]))
def test_both_edges_add_up(charges: list[tuple[str, Decimal, bool, int]], rows: int, grain: str) -> None:
    with TemporaryDirectory() as directory:
        ledger = loaded(directory, charges)
        query = Query("EffectiveCost", by=["RegionId"], grain=grain)
        found = pivot(ledger, query, rows)
        whole = total(ledger, query)
        ledger.close()
    assert sum(found.totals.values()) == whole == Decimal(found.table[TOTAL].sum())
    for period in found.periods:
        assert Decimal(found.table[period].sum() or 0) == found.totals[period]
    for row in found.table.iter_rows(named=True):
        assert sum(row[p] or Decimal(0) for p in found.periods) == row[TOTAL]
    members = len({region for region, *_ in charges})
    assert len(found.table) == min(members, rows) + (members > rows)


def test_rows_and_columns_of_a_small_estate() -> None:
    charges = [
        ("a", Decimal("1.5"), False, 3),
        ("a", Decimal(2), True, 3),
        ("b", Decimal("-7"), False, 4),
        ("", Decimal(1), False, 5),
    ]
    with TemporaryDirectory() as directory:
        ledger = loaded(directory, charges)
        found = pivot(ledger, Query("EffectiveCost", by=["RegionId"], grain="month"), rows=2)
        days = weekdays(ledger, Query("EffectiveCost", by=["RegionId"]))
        ledger.close()
    assert found.table.select("Member", "2026-08-01", "2026-09-01", TOTAL).rows() == [
        ("b", None, Decimal(-7), Decimal(-7)),
        ("a", Decimal(2), Decimal("1.5"), Decimal("3.5")),
        ("Other (1)", Decimal(0), Decimal(1), Decimal(1)),
    ]
    assert [(str(d), str(w), n, c) for d, w, n, c in days.sort("Day").iter_rows()] == [
        ("2026-08-03", "2026-08-03", 1, Decimal(2)),
        ("2026-09-03", "2026-08-31", 4, Decimal("1.5")),
        ("2026-09-04", "2026-08-31", 5, Decimal(-7)),
        ("2026-09-05", "2026-08-31", 6, Decimal(1)),
    ]
