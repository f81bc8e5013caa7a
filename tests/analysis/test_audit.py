"""The sample that accuracy is told from, and the interval around it."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.analysis.audit import COLUMNS, Accuracy, accuracy_of, record, recorded, sample, sizes, wilson
from finops_core.errors import InputRefused, UsageError
from finops_core.model.export import to_csv, to_xlsx
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.state import State
from tests.exports import focus_row, write_focus


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    tmp_path = tmp_path_factory.mktemp("audit")
    home = Home(tmp_path / "home")
    rows = [focus_row(EffectiveCost=f"{n}.5", ResourceId=f"r{n}") for n in range(60)]
    rows += [focus_row(EffectiveCost="-100000", ResourceId="refund")]
    rows += [focus_row(EffectiveCost="3", BillingCurrency="EUR", ResourceId=f"e{n}") for n in range(20)]
    rows += [focus_row(EffectiveCost="9000000", Tags="", ResourceId="nobody's")]
    rows += [focus_row(EffectiveCost="0", ResourceId="free")]
    load(home, [write_focus(tmp_path / "focus.csv", rows)])
    return Ledger(home)


EVERYTHING = Query("EffectiveCost")


def test_a_sample_is_the_same_for_a_seed_and_holds_no_charge_twice(ledger: Ledger) -> None:
    found = sample(ledger, EVERYTHING, 20, 7)
    assert found.columns == list(COLUMNS)
    assert len(found) == len(set(found["x_Row"])) == 20
    assert found.equals(sample(ledger, EVERYTHING, 20, 7))
    assert not found.equals(sample(ledger, EVERYTHING, 20, 8))
    assert dict(found["BillingCurrency"].value_counts().rows()) == {"EUR": 5, "USD": 15}


def test_cost_weighs_whatever_its_sign_and_what_nobody_owns_is_not_drawn(ledger: Ledger) -> None:
    drawn = [set(sample(ledger, EVERYTHING, 10, seed)["ResourceId"]) for seed in range(8)]
    assert all("refund" in resources for resources in drawn)
    assert not any(resources & {"nobody's", "free"} for resources in drawn)
    dollars = EVERYTHING.but(where="BillingCurrency=USD and EffectiveCost>0")
    means = [sample(ledger, dollars, 12, seed)["EffectiveCost"].mean() for seed in range(8)]
    # The mean of all is 30; drawn by cost it is 40 at first, less as the costly ones are taken.
    assert 35 < sum(map(float, means)) / 8 < 42  # type: ignore[arg-type]


def test_a_sample_larger_than_the_ledger_is_all_of_it(ledger: Ledger) -> None:
    found = sample(ledger, EVERYTHING, 1000, 1)
    assert len(found) == 81
    assert found["EffectiveCost"].sum() == Decimal(1800 - 100000 + 60)
    assert sample(ledger, EVERYTHING.but(where="ServiceName=None"), 5, 1).is_empty()


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 1000), max_size=6), st.integers(1, 500))
def test_currencies_share_the_size(charges: dict[str, int], size: int) -> None:
    found = sizes(charges, size)
    asked = sorted(charges, key=lambda name: (-charges[name], name))[:size]
    assert sum(found.values()) == min(size, sum(charges[name] for name in asked))
    assert all(1 <= number <= charges[name] for name, number in found.items())


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_the_interval_lies_around_the_accuracy(correct: int, wrong: int) -> None:
    low, high = wilson(correct, correct + wrong)
    assert 0 <= low <= high <= 1
    if correct + wrong:
        assert low <= correct / (correct + wrong) <= high
        assert high - low < 1
        # Its ends are the proportions that 1.96 of their own deviations lead to.
        for end in (low, high):
            distance = (correct / (correct + wrong) - end) ** 2
            assert end in (0, 1) or distance == pytest.approx(
                1.959963984540054**2 * end * (1 - end) / (correct + wrong), abs=1e-9
            )


def test_known_intervals() -> None:
    assert wilson(98, 100) == pytest.approx((0.929988, 0.994498), abs=1e-6)
    assert wilson(0, 10) == pytest.approx((0, 0.277533), abs=1e-6)
    assert wilson(0, 0) == (0, 1)


@pytest.mark.parametrize("write", [to_csv, to_xlsx])
def test_a_confirmed_sample_tells_the_accuracy(ledger: Ledger, tmp_path: Path, write: object) -> None:
    drawn = sample(ledger, EVERYTHING, 10, 1)
    answers = ["yes"] * 6 + [" No ", "YES", None, ""]
    file = tmp_path / "sample"
    file.write_bytes(write(drawn.with_columns(polars.Series("correct", answers))))  # type: ignore[operator]
    found = accuracy_of(file)
    assert found == Accuracy(confirmed=8, correct=7, unanswered=2)
    assert found.accuracy == Fraction(7, 8) and not found.meets_target
    assert found.as_json()["accuracy"] == "0.875000"
    assert "7 of 8 right: 87.5 %" in found.as_text() and "2 not answered" in found.as_text()


def test_98_percent_do_not_exceed_the_target() -> None:
    assert not Accuracy(100, 98, 0).meets_target
    assert Accuracy(100, 99, 0).meets_target


def test_other_answers_are_refused_with_row_and_column(tmp_path: Path) -> None:
    file = tmp_path / "sample.csv"
    file.write_text("x_Row;correct\n1;yes\n\n2;maybe\n", "utf-8")
    with pytest.raises(InputRefused, match=r"row 4, column 'correct': 'maybe' is neither yes nor no"):
        accuracy_of(file)
    file.write_text("x_Row\n1\n", "utf-8")
    with pytest.raises(InputRefused, match="no column 'correct'"):
        accuracy_of(file)


def test_an_accuracy_is_recorded_with_who_told_it(home: Home) -> None:
    state = State(home)
    record(state, Accuracy(100, 99, 3), "ana", "sample.csv")
    (entry,) = recorded(state)
    assert (entry.who, entry.details["correct"], entry.details["accuracy"]) == ("ana", 99, "0.990000")
    with pytest.raises(UsageError, match="No charge is confirmed"):
        record(state, Accuracy(0, 0, 5), "ana")
