"""Twice the digits of DOUBLE: what comes out is the Decimal result, to the 12th digit and beyond."""

from decimal import Decimal

import polars
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from finops_core.analysis.precise import MONEY, Precise

BEYOND = Decimal("1e20") - 1
"""What DECIMAL(38,18) does not hold."""
HALF_A_UNIT = Decimal("0.5000001e-12")
money = st.decimals("-1e9", "1e9", places=18)
quantities = st.decimals("1e-6", "1e9", places=6).map(lambda value: round(float(value), 6))


def column(*values: Decimal) -> polars.Series:
    return polars.Series(values, dtype=MONEY)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(money, money, quantities, quantities), min_size=1, max_size=8))
@example([(Decimal(0), Decimal("999999999.989000100000090003"), 999999999.99872, 0.008719)])
def test_the_result_of_decimals(rows: list[tuple[Decimal, Decimal, float, float]]) -> None:
    a, b = (Precise.of_money(column(*(r[i] for r in rows))) for i in (0, 1))
    p, q = (Precise.of_quantity(polars.Series([r[i] for r in rows])) for i in (2, 3))
    for (x, y, m, n), found in zip(rows, ((a / p - b / q) * p).money(), strict=True):
        first, second = Decimal(repr(m)), Decimal(repr(n))
        exact = (x / first - y / second) * first
        if abs(exact) >= BEYOND:
            assert found is None
            continue
        # 31 digits: beyond the 12th after the point for every sum that a bill holds
        assert abs(found - exact) <= HALF_A_UNIT + abs(y / second * first) * Decimal("1e-27")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.decimals("-1e15", "1e15", places=12), min_size=1, max_size=8))
def test_money_of_twelve_digits_comes_back_as_it_was(values: list[Decimal]) -> None:
    assert list(Precise.of_money(column(*values)).money()) == values


@pytest.mark.parametrize(
    "quantity", [0.1, 999999999.999998, 1000.0, 1e-18, 123456789.012345, 3e21, -0.7, 720.0, 1 / 3]
)
def test_a_quantity_is_the_decimal_that_it_is_written_as(quantity: float) -> None:
    found = Precise.of_quantity(polars.Series([quantity]))
    exact = Decimal(f"{quantity:.15g}")
    assert abs((Decimal(found.high.item()) + Decimal(found.low.item())) / exact - 1) < Decimal("1e-30")


def test_ties_and_carries_are_rounded_as_whole_numbers() -> None:
    values = column(
        Decimal("0.0000000000015"), Decimal("9999999999999.9999999999996"), Decimal("-2.000000000000499")
    )
    assert list(Precise.of_money(values).money()) == [
        Decimal("0.000000000002"),
        Decimal("10000000000000"),
        Decimal("-2.000000000000"),
    ]
