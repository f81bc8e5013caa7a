"""A leaf's change in parts: each part by its formula, and all of them the change exactly."""

from decimal import Decimal
from typing import Any

import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core.analysis.drivers import PARTS, PRICES, with_drivers
from finops_core.analysis.precise import MONEY

COSTS = ("cost", "idle", "loose", "list", "contracted")
COUNTS = ("rows", "charges", "unknown")
SIDES = ("before", "after")
UNIT = Decimal("1e-12")


def leaf(**given: Any) -> dict[str, Any]:
    """100 h at 0.10 in both periods, list 0.20, contracted 0.15; keyword arguments replace figures."""
    usual = {
        "cost": 10,
        "idle": 0,
        "loose": 0,
        "list": 20,
        "contracted": 15,
        "quantity": 100.0,
        "gross": 100.0,
    }
    counts = {"rows": 1, "charges": 1, "unknown": 0}
    found: dict[str, Any] = {"BillingCurrency": "USD", "usage": True}
    found |= {f"{name}_{side}": value for name, value in (usual | counts).items() for side in SIDES}
    return found | given


def frame(*leaves: dict[str, Any]) -> polars.DataFrame:
    costs = {f"{name}_{side}": MONEY for name in COSTS for side in SIDES}
    quantities = {f"{name}_{side}": polars.Float64 for name in ("quantity", "gross") for side in SIDES}
    rows = [{k: Decimal(v) if k in costs else v for k, v in row.items()} for row in leaves]
    return polars.DataFrame(rows, schema_overrides={**costs, **quantities})


def parts(metric: str = "EffectiveCost", **given: Any) -> dict[str, Decimal]:
    """The parts of a leaf that are not 0, after a look whether they make up the change."""
    (row,) = with_drivers(frame(leaf(**given)), metric).iter_rows(named=True)
    assert sum(row[part] for part in PARTS) == row["change"] == row["after"] - row["before"]
    return {part: row[part] for part in PARTS if row[part]}


def test_the_worked_example() -> None:
    """100 h at 0.10 → 150 h at 0.08: 4.5 by quantity, −2.5 by rate."""
    found = parts(cost_after="12", quantity_after=150.0, gross_after=150.0, unknown_after=1)
    assert found == {"quantity": Decimal("4.5"), "rate": Decimal("-2.5")}


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"cost_after": "15", "list_after": 30, "contracted_after": "22.5", "quantity_after": 150.0}, {"quantity": 5}),
        ({"list_after": 25, "contracted_after": 20, "cost_after": 15}, {"list_price": 5}),
        ({"contracted_after": 12, "cost_after": 7}, {"negotiated_discount": -3}),
        ({"cost_after": "4.5"}, {"commitment": "-5.5"}),
        ({"cost_after": 13, "unknown_before": 1}, {"rate": 3}),
        ({"cost_before": 0, "rows_before": 0}, {"new": 10}),
        ({"cost_after": 0, "rows_after": 0}, {"gone": -10}),
        ({"usage": False, "cost_after": 13}, {"other": 3}),
        ({"usage": False, "rows_before": 0, "cost_before": 0, "cost_after": -4}, {"new": -4}),
        ({"quantity_after": 0.0, "cost_after": 13}, {"other": 3}),
        ({"quantity_before": 0.0, "gross_before": 0.0, "cost_before": 2}, {"other": 8}),
        ({"quantity_after": float("nan"), "cost_after": 13}, {"other": 3}),
        # 3 − 2.9 − 0.1 is no quantity, however DOUBLE adds it up
        ({"quantity_after": 8.3e-17, "gross_after": 6.0, "cost_after": 13}, {"other": 3}),
        # a unit price beyond all money
        ({"quantity_after": 1e15, "quantity_before": 1e-17, "gross_before": 1e-17, "cost_after": 13}, {"other": 3}),
        # idle commitment is a saving lost, beside the usage that the leaf has, and alone
        ({"cost_after": 14, "idle_after": 4}, {"commitment": 4}),
        ({"cost_after": 14, "idle_after": 14, "rows_after": 0, "rows_before": 0, "idle_before": 10}, {"commitment": 4}),
        # a correction without quantity is other; what has one is told apart
        ({"cost_after": "10.5", "loose_after": "-4.5", "list_after": 25, "contracted_after": 20}, {"other": "-4.5", "list_price": 5}),
    ],
)  # fmt: skip
def test_each_part_alone(changed: dict[str, Any], found: dict[str, Any]) -> None:
    assert parts(**changed) == {part: Decimal(amount) for part, amount in found.items()}


def test_a_new_commitment_and_more_use_at_once() -> None:
    """100 → 200 h; list 0.20 → 0.22, contracted 0.15 → 0.165, half of the hours covered: effective 0.10 → 0.07."""
    found = parts(cost_after=14, list_after=44, contracted_after=33, quantity_after=200.0, gross_after=200.0)
    assert found == {
        "quantity": Decimal("8.5"),  # 100 × (0.10 + 0.07) / 2
        "list_price": Decimal(3),  # 0.02 × 150
        "negotiated_discount": Decimal("-0.75"),  # −(0.055 − 0.05) × 150
        "commitment": Decimal("-6.75"),  # −(0.095 − 0.05) × 150
    }


def test_a_cost_has_the_price_effects_that_are_in_it() -> None:
    changed = {"cost_after": 12, "list_after": 26, "contracted_after": 17}
    assert parts("BilledCost", **changed) == {"list_price": 6, "negotiated_discount": -4}
    assert parts("ContractedCost", **changed) == {"list_price": 6, "negotiated_discount": -4}
    assert parts("ListCost", **changed) == {"list_price": 2}
    assert parts("ListCost", cost_after=14, idle_after=4) == {"other": 4}


def test_refunds_are_negative_use() -> None:
    found = parts(cost_before=-1, quantity_before=-10.0, cost_after=-2, quantity_after=-20.0, unknown_after=1)
    assert found == {"quantity": -1}


def test_thirds_are_rounded_at_twelve_digits_and_the_last_part_takes_the_remainder() -> None:
    found = parts(cost_before=1, quantity_before=3.0, quantity_after=7.0, cost_after=3, unknown_after=1)
    assert found == {"quantity": Decimal("1.523809523810"), "rate": Decimal("0.476190476190")}


costs = st.one_of(st.decimals(-10000, 10000, places=12), st.just(Decimal(0)))
amounts = st.one_of(
    st.just(0.0), st.floats(-1e6, 1e6), st.floats(1e-20, 1e20), st.sampled_from([0.1, 1 / 3, 720.0])
)
leaves = st.lists(
    st.fixed_dictionaries(
        {
            "BillingCurrency": st.sampled_from(["USD", "EUR"]),
            "usage": st.booleans() | st.just(True),
            **{f"{name}_{side}": costs for name in COSTS for side in SIDES},
            **{f"quantity_{side}": amounts for side in SIDES},
            **{f"rows_{side}": st.sampled_from([0, 1, 2]) for side in SIDES},
            **{f"unknown_{side}": st.sampled_from([0, 0, 1]) for side in SIDES},
        }
    ).map(lambda given: leaf(**given, gross_before=given["quantity_before"], gross_after=given["quantity_after"])),
    min_size=1,
    max_size=6,
)  # fmt: skip
days = st.tuples(st.integers(1, 366), st.integers(1, 366))


@settings(max_examples=40, deadline=None)
@given(leaves, st.sampled_from(sorted(PRICES)), st.none() | days)
def test_parts_make_up_the_change(
    rows: list[dict[str, Any]], metric: str, length: tuple[int, int] | None
) -> None:
    found = with_drivers(frame(*rows), metric, length)
    assert len(found) == len(rows)
    for row in found.iter_rows(named=True):
        assert sum(row[part] for part in PARTS) == row["change"] == row["after"] - row["before"]
        assert not row["rate"] or not any(row[part] for part in ("list_price", "negotiated_discount"))
    for currency in ("USD", "EUR"):
        mine = found.filter(polars.col("BillingCurrency") == currency)
        for side, divisor in zip(SIDES, length or (1, 1), strict=True):
            total = sum((r[f"cost_{side}"] for r in rows if r["BillingCurrency"] == currency), Decimal(0))
            assert abs(Decimal(mine[side].sum()) - total / divisor) < Decimal("1e-18")


@settings(max_examples=40, deadline=None)
@given(
    *[st.decimals("0.01", 10000, places=10)] * 2,
    *[st.decimals("0.001", 100000, places=9)] * 2,
    days,
)
def test_the_formula(
    before: Decimal, after: Decimal, first: Decimal, second: Decimal, length: tuple[int, int]
) -> None:
    """Against Decimal with sixty digits, per day and over the whole period."""
    q0, q1 = (Decimal(repr(float(q))) for q in (first, second))
    given = {
        "cost_before": before,
        "cost_after": after,
        "quantity_before": float(q0),
        "quantity_after": float(q1),
    }
    for divisors in ((1, 1), length):
        (row,) = with_drivers(frame(leaf(**given, unknown_after=1)), "EffectiveCost", divisors).iter_rows(
            named=True
        )
        u0, u1 = (q / d for q, d in zip((q0, q1), divisors, strict=True))
        exact = (u1 - u0) * (before / q0 + after / q1) / 2
        # what a cost per day is rounded by, over its quantity, is all that a formula per day may be off
        slack = Decimal("1e-18") * (abs(u1 - u0) / min(u0, u1) + 1)
        assert abs(row["quantity"] - exact) <= UNIT * Decimal("0.500001") + slack
        assert row["rate"] == row["change"] - row["quantity"]


def test_per_day_closes_at_the_last_digit_and_leaves_nothing_where_nothing_was() -> None:
    rows = [leaf(cost_before=10, cost_after=0, idle_before=10, rows_before=0, rows_after=0) for _ in range(3)]
    found = with_drivers(frame(*rows, leaf(cost_before=0, cost_after=0)), "EffectiveCost", (31, 30))
    assert Decimal(found["before"].sum()) == Decimal("0.967741935483870968")
    assert found["after"].to_list() == [0, 0, 0, 0]
    assert [part for part in PARTS if any(found[part])] == ["commitment"]


def test_the_same_use_and_price_in_a_longer_month_is_no_change_per_day() -> None:
    given = {"cost_before": "62", "cost_after": "60", "quantity_before": 620.0, "quantity_after": 600.0}
    (row,) = with_drivers(frame(leaf(**given, unknown_after=1)), "EffectiveCost", (31, 30)).iter_rows(
        named=True
    )
    assert (row["before"], row["after"], row["change"]) == (2, 2, 0)
    assert [row[part] for part in PARTS] == [0] * len(PARTS)
