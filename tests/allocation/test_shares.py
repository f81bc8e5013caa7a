"""Shares are exact: pools that feed each other are solved together, and the parts of any amount sum to it."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core.allocation.shares import WHOLE, Unsolvable, intervals, solved
from finops_core.allocation.splits import PART_MACROS, divided_sql, part_sql

F = Fraction
PART = f"SELECT {part_sql('x', '$2', '$3')} FROM (SELECT {divided_sql('x')} FROM (SELECT $1::DECIMAL(38,18) AS x))"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(PART_MACROS)
        yield opened


def test_two_pools_that_feed_each_other() -> None:
    # a = ½ x + ½ b, b = ¾ y + ¼ a: a gives x ½ ÷ (1 − ⅛) = 4⁄7.
    found = solved({"a": {"x": F(1, 2), "pool:b": F(1, 2)}, "b": {"y": F(3, 4), "pool:a": F(1, 4)}})
    assert found == {"a": {"x": F(4, 7), "y": F(3, 7)}, "b": {"y": F(6, 7), "x": F(1, 7)}}


def test_a_pool_that_feeds_itself_and_a_chain() -> None:
    chain = {
        "a": {"pool:a": F(1, 3), "pool:b": F(2, 3)},
        "b": {"pool:c": F(1)},
        "c": {"x": F(1, 4), None: F(3, 4)},
    }
    assert solved(chain) == {name: {"x": F(1, 4), None: F(3, 4)} for name in "abc"}


def test_pools_without_a_way_out_are_named() -> None:
    with pytest.raises(Unsolvable) as refused:
        solved({"a": {"pool:b": F(1)}, "b": {"pool:a": F(1)}, "c": {"x": F(1)}})
    assert refused.value.names == ("a", "b")


weights = st.dictionaries(
    st.sampled_from(["x", "y", None, "pool:0", "pool:1", "pool:2"]), st.integers(0, 9), min_size=1
)


@given(st.lists(weights, min_size=3, max_size=3))
def test_solutions_fulfil_their_equations(drawn: list[dict[str | None, int]]) -> None:
    pools = {
        str(n): {c: F(w, sum(ws.values())) for c, w in ws.items()}
        for n, ws in enumerate(drawn)
        if sum(ws.values())
    }
    try:
        found = solved(pools)
    except Unsolvable as error:
        # None of them gives anything to anybody else.
        assert all(
            c is not None and c.removeprefix("pool:") in error.names
            for n in error.names
            for c, s in pools[n].items()
            if s
        )
        return
    for name, shares in pools.items():
        assert sum(found[name].values()) == 1
        wanted: dict[str | None, Fraction] = {}
        for consumer, share in shares.items():
            fed = consumer.removeprefix("pool:") if consumer else None
            for end, part in (found[fed] if fed in pools and fed != consumer else {consumer: F(1)}).items():
                wanted[end] = wanted.get(end, F(0)) + share * part
        assert {c: s for c, s in wanted.items() if s} == {c: s for c, s in found[name].items() if s}


amounts = st.decimals(Decimal("-9e18"), Decimal("9e18"), places=18) | st.sampled_from(
    [Decimal("1e-18"), Decimal("-1e-18"), Decimal(0)]
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(amounts, st.dictionaries(st.sampled_from(["a", "b", "c", None]), st.integers(0, 10**20), min_size=1))
def test_parts_sum_to_the_amount_each_within_a_unit(amount: Decimal, ws: dict[str | None, int]) -> None:
    total = sum(ws.values())
    if not total:
        return
    shares = {consumer: F(w, total) for consumer, w in ws.items()}
    parts = intervals(shares)
    assert (parts[0][1], parts[-1][2]) == (0, WHOLE)
    with duckdb.connect() as opened:
        opened.execute(PART_MACROS)
        found = {
            consumer: opened.execute(PART, [amount, low, high]).fetchall()[0][0]
            for consumer, low, high in parts
        }
    assert sum(found.values()) == amount
    for consumer, part in found.items():
        # One unit for the two cuts of the part, and what a share that is cut at the 18th digit is off.
        assert abs(F(part) - F(amount) * shares[consumer]) <= F(2, WHOLE) + abs(F(amount)) * F(2, WHOLE)


def test_an_unknown_cost_stays_unknown(connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.execute(PART, [None, 0, WHOLE]).fetchall() == [(None,)]
