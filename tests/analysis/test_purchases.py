"""Purchases: the level that is right for certain use, the risk that is borne, futures that read nothing but the past."""

import json
from datetime import date, timedelta
from pathlib import Path

import numpy
import pytest

from finops_core.analysis.purchases import choose, curve, futures, plans, tranches, trend
from finops_core.errors import InputRefused
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import FOCUS_HEADER, focus_row, write_focus
from tests.shell import farthing


def test_certain_use_is_covered_whole_and_what_comes_seldom_is_not() -> None:
    steady = numpy.full((50, 364), 100.0)
    found = choose(curve(steady, 0.3), 0.3, 0.1)
    assert (found.level, found.commitment, found.savings) == pytest.approx((100.0, 70.0, 30.0))
    assert (found.utilisation, found.coverage, found.risk) == (1.0, 1.0, 0.0)
    # On two of five days there is use of 100, else of 40. At a discount of 30 % a level is worth it where use exceeds it on 70 % of days.
    two = numpy.tile(numpy.array([100.0, 100.0, 40.0, 40.0, 40.0]), (50, 73))
    found = choose(curve(two, 0.3), 0.3, 1.0)
    assert found.level == pytest.approx(40.0) and found.savings == pytest.approx(40 * 0.3)
    assert choose(curve(two, 0.7), 0.7, 1.0).level == pytest.approx(
        100.0
    )  # exceeded on 40 % of days, more than 1 − 0.7
    assert (
        choose(curve(two, 0.7), 0.7, 0.1).utilisation >= 0.9
    )  # the risk of low use is borne no further than said


def test_what_is_gone_is_not_bought_for() -> None:
    falling = 100 * numpy.exp(-0.9 * numpy.arange(364) / 365)
    assert trend(falling) == pytest.approx(-0.9, abs=0.05)
    assert trend(1 / falling) == pytest.approx(0.45, abs=0.05)  # of a rise half is believed
    chosen = choose(curve(futures(falling, 364), 0.28), 0.28, 0.1)
    assert chosen.level < float(falling[-28:].mean())
    nothing = numpy.zeros(364)
    assert choose(curve(futures(nothing, 364), 0.28), 0.28, 0.1).level == 0.0


def test_futures_are_the_same_again_and_have_the_shape_of_the_past() -> None:
    random = numpy.random.default_rng(3)
    past = numpy.where(numpy.arange(364) % 7 < 5, 100.0, 40.0) * random.normal(1, 0.02, 364)
    found = futures(past, 364)
    assert (found == futures(past, 364)).all() and found.shape == (400, 364) and (found >= 0).all()
    week = found[:, :7].mean(0)
    assert sorted(numpy.round(week / week.max(), 1)) == [0.4, 0.4, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert found[:, -7:].std() > found[:, :7].std()  # the further, the less is known


def test_a_purchase_is_recommended_for_steady_use_alone(tmp_path: Path) -> None:
    header = [*FOCUS_HEADER, "PricingCategory", "x_UsageType"]
    rows = []
    for n in range(84):
        day = date(2026, 7, 1) + timedelta(n)
        following = (day.replace(day=28) + timedelta(4)).replace(day=1)
        dates = {
            "ChargePeriodStart": f"{day}T00:00:00Z",
            "ChargePeriodEnd": f"{day + timedelta(1)}T00:00:00Z",
            "BillingPeriodStart": f"{day.replace(day=1)}T00:00:00Z",
            "BillingPeriodEnd": f"{following}T00:00:00Z",
            "RegionId": "eu-west-1",
        }
        for usage, cost in (("BoxUsage:m6i.large", "240"), ("EBS:VolumeUsage", "90")):
            money = {"EffectiveCost": cost, "ContractedCost": cost, "BilledCost": cost}
            rows.append({**focus_row(**dates, **money), "PricingCategory": "Standard", "x_UsageType": usage})
    home = Home(tmp_path / "home")
    load(home, [write_focus(tmp_path / "focus.csv", rows, header)])
    (told,) = json.loads(farthing(home, "recommend", "--json").stdout)["recommendations"]
    assert (told["ServiceName"], told["RegionId"], told["plan"]) == (
        "Amazon Elastic Compute Cloud",
        "eu-west-1",
        "Compute Savings Plan",
    )
    assert float(told["hourly_commitment"]) <= 10 * (1 - told["discount"]) * 1.3  # of machines, not of disks
    assert (
        float(told["savings_p10"]) <= float(told["expected_savings_per_month"]) <= float(told["savings_p90"])
    )
    assert told["risk"] <= 0.1
    home.rules.mkdir(exist_ok=True)
    (home.rules / "plans.yaml").write_text(
        "plans:\n  - {name: a, services: [x], term_months: 12, payment: no, discount: 2}\n"
    )
    with pytest.raises(InputRefused, match=r"plans.yaml, line 2"):
        plans(home)


def test_parts_make_up_the_purchase(tmp_path: Path) -> None:
    class One:
        choice = choose(curve(numpy.full((5, 30), 100.0), 0.3), 0.3, 0.1)

    found = tranches(One(), date(2026, 11, 30))  # type: ignore[arg-type]
    assert sum(amount for _, amount in found) == pytest.approx(70.0)
    assert [day for day, _ in found] == [
        date(2026, 11, 30),
        date(2027, 2, 28),
        date(2027, 5, 30),
        date(2027, 8, 30),
    ]
