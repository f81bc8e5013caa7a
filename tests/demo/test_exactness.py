"""What splits and writes the demo's money: nothing is lost, nothing is invented."""

from decimal import Decimal

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_core.demo.aws_commitments import PLANS, RESERVATIONS, fill, part
from finops_core.demo.money import UNIT, decimals, doubles, text

_AMOUNTS = st.lists(st.integers(0, 10**14), min_size=1, max_size=8)


@given(_AMOUNTS, st.integers(0, 10**15))
def test_a_commitment_covers_what_it_can_in_order(wanted: list[int], capacity: int) -> None:
    column = numpy.array(wanted)[:, None]
    covered = fill(numpy.array([capacity]), column)[:, 0].tolist()
    assert sum(covered) == min(capacity, sum(wanted))
    assert all(0 <= c <= w for c, w in zip(covered, wanted, strict=True))
    partly = [n for n, (c, w) in enumerate(zip(covered, wanted, strict=True)) if c < w]
    assert all(covered[n] == 0 for n in partly[1:])


@given(st.integers(0, 10**14), st.integers(0, 10**14), st.integers(0, 10**14))
def test_a_part_and_its_rest_are_the_whole(amount: int, covered: int, whole: int) -> None:
    covered = min(covered, whole)
    own = int(part(numpy.array([amount]), numpy.array([covered]), numpy.array([whole]))[0])
    assert 0 <= own <= amount
    if covered == whole:
        assert own == amount


@given(st.lists(st.integers(-(10**15) + 1, 10**15 - 1), min_size=1, max_size=20))
def test_amounts_are_written_to_the_last_digit(amounts: list[int]) -> None:
    whole = numpy.array(amounts, dtype=numpy.int64)
    exact = [Decimal(a) / UNIT for a in amounts]
    assert decimals(whole).to_pylist() == exact
    assert [Decimal(repr(v)) for v in doubles(whole).to_pylist()] == exact
    assert [Decimal(text(a)) for a in amounts] == exact


def test_nulls_stand_where_nothing_is_stated() -> None:
    where = numpy.array([True, False])
    assert decimals(numpy.array([1, 2]), where=where).to_pylist() == [Decimal("1E-10"), None]
    assert doubles(numpy.array([10**10, 2]), where=where).to_pylist() == [1.0, None]


@pytest.mark.parametrize("scale", [0.003, 0.03, 1.0, 7.7])
def test_commitments_are_whole_units(scale: float) -> None:
    assert all(p.daily(scale) % 24 == 0 and p.daily(scale) > 0 for p in PLANS)
    for r in RESERVATIONS:
        hours = r.daily_hours(scale)
        assert Decimal(r.worth(hours)) / UNIT == Decimal(str(r.hourly)) * hours / 10**6
