"""A warehouse that another version of the product built: it is said, and made anew by the next write."""

from pathlib import Path

import duckdb
import pytest

from finops_core import Ledger, Query
from finops_core.errors import UsageError
from finops_core.quality.verify import verify
from finops_core.store.home import Home
from finops_core.store.load import load, rebuild
from tests.store.surviving import NEW, OLD, exports, holds, is_tidy, loaded, old

__all__ = ["exports", "loaded", "old"]


@pytest.fixture
def other(old: Home) -> Home:
    """A home whose warehouse has `charges` and one cube, as it was before there were several."""
    with duckdb.connect(str(old.current())) as connection:
        connection.execute("DROP TABLE services; DROP TABLE monthly")
        connection.execute("UPDATE meta SET value = '[[], []]' WHERE key = 'schema'")
    return old


def test_a_reader_is_told_to_rebuild(other: Home) -> None:
    ledger = Ledger(other)
    for ask in (
        lambda: ledger.query(Query("BilledCost", by=["ServiceName"])),
        lambda: ledger.sql("SELECT count(*) FROM charges"),
        ledger.is_empty,
        lambda: verify(other),
    ):
        with pytest.raises(UsageError, match="another version of Farthing: `farthing rebuild`"):
            ask()
    rebuild(other)
    assert ledger.query(Query("BilledCost"))["BilledCost"].to_list() == [OLD]
    ledger.close()
    holds(other, OLD)
    is_tidy(other)


@pytest.mark.parametrize(("export", "expected"), [("old", OLD), ("new", NEW)])
def test_the_next_load_makes_it_anew_even_if_it_brings_nothing_new(
    other: Home, exports: dict[str, Path], export: str, expected: object
) -> None:
    batches = load(other, [exports[export]])
    assert {b.action for b in batches} == {"unchanged" if export == "old" else "replaced"}
    holds(other, expected)  # type: ignore[arg-type]
    is_tidy(other)
