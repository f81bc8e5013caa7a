"""Purchases: the level that is right for certain use, the risk that is borne, futures that read nothing but the past."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy
import polars
import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from finops_core import Ledger
from finops_core.analysis.commitments import by_hour
from finops_core.analysis.purchases import choose, curve, futures, plans, recommend, tranches, trend
from finops_core.analysis.purchases.plans import Plan
from finops_core.analysis.purchases.use import Claim, Parcels, Uncovered
from finops_core.errors import InputRefused, UsageError
from finops_core.store import audit
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.purchase_plans import PlannedPurchase, close, propose, purchase_plans, sign
from finops_core.store.state import State
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


@pytest.fixture(scope="module")
def hourly_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Nine weeks by the hour: 30 an hour from 8 to 20 on demand, 10 at night; a plan of 8 an hour, which is used up by day and half at night."""
    header = [*FOCUS_HEADER, "PricingCategory", "x_UsageType", "CommitmentDiscountType"]
    tmp_path = tmp_path_factory.mktemp("hours")
    home = Home(tmp_path / "home")
    days = [date(2026, 7, 1) + timedelta(n) for n in range(62)]
    for month in sorted({day.month for day in days}):
        rows = []
        for day in (d for d in days if d.month == month):
            for hour in range(24):
                busy = 8 <= hour < 20
                common = {
                    "ServiceName": "Amazon Elastic Compute Cloud", "RegionId": "here", "BillingPeriodStart": f"2026-{month:02}-01T00:00:00Z",
                    "BillingPeriodEnd": f"2026-{month + 1:02}-01T00:00:00Z", "ChargePeriodStart": f"{day}T{hour:02}:00:00Z",
                    "ChargePeriodEnd": f"{day}T{hour:02}:59:59Z",
                }  # fmt: skip
                use = "30" if busy else "10"
                rows.append({"x_UsageType": "BoxUsage:m6i.large", "PricingCategory": "Standard", "CommitmentDiscountType": "",
                             **focus_row(EffectiveCost=use, BilledCost=use, ContractedCost=use, ListCost=use, **common)})  # fmt: skip
                for status, cost in (("Used", "8" if busy else "4"), ("Unused", "0" if busy else "4")):
                    worth = "10" if status == "Used" and busy else "5" if status == "Used" else "0"
                    rows.append({"x_UsageType": "BoxUsage:m6i.large", "PricingCategory": "Committed", "CommitmentDiscountType": "Savings Plan",
                                 **focus_row(EffectiveCost=cost, BilledCost="0", ContractedCost=worth, ListCost=worth, CommitmentDiscountId="sp",
                                             CommitmentDiscountStatus=status, **common)})  # fmt: skip
        load(home, [write_focus(tmp_path / f"{month}.csv", rows, header=header)])
    return home


def test_use_by_the_hour_is_read_by_the_hour(hourly_home: Home) -> None:
    home = hourly_home
    ledger = Ledger(home)
    rates = by_hour(ledger, date(2026, 7, 6), date(2026, 8, 3))
    told = {(r["weekday"], r["hour"]): (r["utilisation"], r["coverage"]) for r in rates.iter_rows(named=True)}
    assert len(told) == 7 * 24
    assert told[1, 8] == (1, Decimal("0.25")) and told[7, 3][0] == Decimal("0.5")
    found = recommend(ledger)[0]
    assert found.grain == "hour"
    # By the day, use would look like a steady 20 an hour; by the hour, more than 10 is used half of the time, too little at 27 % off.
    assert found.choice.level / 24 == pytest.approx(10, rel=0.15)
    assert [
        one["grain"] for one in json.loads(farthing(home, "recommend", "--json").stdout)["recommendations"]
    ] == ["hour"]


def test_a_scenario_file_is_held_against_the_forecast(hourly_home: Home, tmp_path: Path) -> None:
    home = hourly_home
    file = tmp_path / "scenario.yaml"
    file.write_text(
        "name: buy\nmonths: 3\npurchases:\n  - {plan: Own, discount: 0.5, term_months: 1, services: [Amazon Elastic Compute Cloud], hourly: 3, start: 2026-10-01}\n"
        "adjustments:\n  - {kind: launch, start: 2026-11-01, amount: 100, currency: USD}\n"
    )
    told = json.loads(farthing(home, "scenario", str(file), "--json").stdout)
    months = {row["month"]: row for row in told["months"]}
    # 10 an hour on demand at night, 30 by day; 3 an hour at half price covers 6 of it: 72 saved on each of October's 31 days, the whole term.
    assert Decimal(months["2026-10"]["savings"]) == Decimal(72 * 31)
    assert Decimal(months["2026-11"]["savings"]) == -100
    for row in told["months"]:
        assert Decimal(row["before"]) - Decimal(row["after"]) == Decimal(row["savings"])
    (bought,) = told["purchases"]
    assert (bought["utilisation"], bought["savings_p10"]) == (1.0, "2232.00")
    assert bought["coverage"] == pytest.approx(0.3, abs=0.01)  # of a level that futures let stray
    # 20 an hour is more than the night's 10, of which the other one, that saves more, covers 6 already: 4 + 20 of 40 are used.
    own = "term_months: 1, services: [Amazon Elastic Compute Cloud], start: 2026-10-01"
    file.write_text(
        f"months: 3\npurchases:\n  - {{plan: Second, discount: 0.25, hourly: 15, {own}}}\n  - {{plan: First, discount: 0.5, hourly: 3, {own}}}\n"
    )
    second, first = json.loads(farthing(home, "scenario", str(file), "--json").stdout)["purchases"]
    assert first["utilisation"] == 1.0 and second["utilisation"] == pytest.approx(24 / 40, abs=0.02)
    for text, where in (
        ("purchases: [{plan: Nope, hourly: 5, start: 2026-10-01}]", "there is no plan 'Nope'"),
        ("name: x\npurchases:\n  - plan: Own\n    hourly: -1\n    start: 2026-10-01", "line 4"),
        ("name: x\nadjustments:\n  - kind: growth\n    start: 2026-10-01", "needs a percent"),
        ("name: x", "has purchases or adjustments"),
        ("name: x\nsuppose: boom\npurchases: [{plan: Compute Savings Plan, hourly: 5, start: 2026-10-01}]", "no scenario 'boom'"),
    ):  # fmt: skip
        file.write_text(text)
        ran = farthing(home, "scenario", str(file))
        assert ran.returncode in (2, 3) and where in ran.stderr, ran.stderr


@with_settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 500)), min_size=1, max_size=6))
def test_no_use_is_covered_twice(purchases: list[tuple[str, float]]) -> None:
    days = [date(2026, 6, 1) + timedelta(n) for n in range(70)]
    places = [("EC2", "here", 100), ("EC2", "there", 50), ("Fargate", "here", 30), ("S3", "here", 999)]
    rows = [(day, "USD", s, r, "Hours", Decimal(c)) for day in days for s, r, c in places]
    columns = ["ChargePeriod", "BillingCurrency", "ServiceName", "RegionId", "x_UsageType", "on_demand"]
    by_day = polars.DataFrame(rows, columns, orient="row")
    plan = {"term_months": 12, "payment": "no upfront", "discount": 0.3}
    claims = {
        "a": Claim("USD", Plan(name="a", services=("EC2",), **plan)),
        "b": Claim("USD", Plan(name="b", services=("EC2", "Fargate"), **plan)),
        "c": Claim("USD", Plan(name="c", services=("EC2",), **plan), ("there",)),
    }
    parcels = Parcels(
        Uncovered(by_day, by_day.clear(), days[-1] + timedelta(1)), list(claims.values()), 30, 0.0
    )
    whole, inside = parcels.left(claims["b"]), numpy.arange(30) >= 10
    covered = [parcels.take(claims[name], level, inside) for name, level in purchases]
    assert all((c >= 0).all() and (c[:, :10] == 0).all() for c in covered)
    assert numpy.allclose(sum(covered) + parcels.left(claims["b"]), whole)
    for (_, level), c in zip(purchases, covered, strict=True):
        assert (c <= level).all()
    assert (parcels.left(claims["c"]) >= -1e-9).all()


def test_what_is_bound_to_a_family_is_bought_family_by_family(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.rules.mkdir(parents=True)
    plan = "usage: [InstanceUsage], services: [RDS], term_months: 12, payment: no upfront, discount: 0.3"
    (home.rules / "plans.yaml").write_text(
        f"risk: 0.1\nplans:\n  - {{name: Bound, by_family: true, {plan}}}\n", "utf-8"
    )
    days = [date(2026, 7, 1) + timedelta(n) for n in range(70)]
    for month in (7, 8, 9):
        rows = [
            {"x_UsageType": f"EU-InstanceUsage:{kind}", "PricingCategory": "Standard", **focus_row(
                EffectiveCost=cost, BilledCost=cost, ContractedCost=cost, ListCost=cost, ServiceName="RDS", RegionId="eu",
                BillingPeriodStart=f"2026-{month:02}-01T00:00:00Z", BillingPeriodEnd=f"2026-{month + 1:02}-01T00:00:00Z",
                ChargePeriodStart=f"{day}T00:00:00Z", ChargePeriodEnd=f"{day + timedelta(1)}T00:00:00Z")}
            for day in days
            if day.month == month
            for kind, cost in (("db.r6g.large", "100"), ("db.r6g.xlarge", "50"), ("db.m6g.large", "30"))
        ]  # fmt: skip
        header = [*FOCUS_HEADER, "PricingCategory", "x_UsageType"]
        load(home, [write_focus(tmp_path / f"{month}.csv", rows, header=header)])
    found = recommend(Ledger(home))
    assert [(one.what, round(one.on_demand)) for one in found] == [
        ("RDS, eu, db.r6g", 150),
        ("RDS, eu, db.m6g", 30),
    ]
    assert found[0].choice.level == pytest.approx(150, rel=0.15)
    assert found[0].plan.in_words() == "Bound for db.r6g, 12 months, no upfront"


def test_a_plan_is_signed_by_those_who_must(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    state = State(home)
    line = PlannedPurchase("EC2", "Compute Savings Plan", "USD", "4.0000", "35040.00", "900.00", "CFO", 2)
    plan = propose(state, [line, replace(line, role="team lead", people=1)], ["use by day"], "Petra")
    assert (plan.key, plan.state, plan.missing) == ("P-001", "proposed", {"CFO": 2, "team lead": 1})
    with pytest.raises(UsageError, match="somebody else must"):
        sign(state, plan.key, "CFO", "petra")
    sign(state, plan.key, "CFO", "ines")
    with pytest.raises(UsageError, match="has signed it"):
        sign(state, plan.key, "CFO", "Ines")
    with pytest.raises(UsageError, match="still wants signatures: CFO, team lead"):
        close(state, plan.key, "bought", "petra")
    sign(state, plan.key, "team lead", "tom")
    assert sign(state, plan.key, "CFO", "carl").state == "signed"
    assert close(state, plan.key, "bought", "petra").state == purchase_plans(state)[0].state == "bought"
    assert len(audit.entries(state)) == 5 and audit.verify(state) == []


def test_approvals_and_futures_are_the_readers_own(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.rules.mkdir(parents=True)
    file = home.rules / "plans.yaml"
    file.write_text(
        "scenarios: {baseline: 0, merger: 0.6}\napprovals:\n  - {role: lead, up_to: 500}\n  - {role: board, people: 3}\n"
    )
    found = plans(home)
    assert found.scenarios == {"baseline": 0.0, "merger": 0.6}
    assert (found.approval(499).role, found.approval(500).role, found.approval(500).people) == (
        "lead",
        "board",
        3,
    )
    for text, words in (
        ("scenarios: {boom: 1}", "called baseline"),
        ("approvals: [{role: lead, up_to: 500}]", "without up_to"),
        ("approvals: [{role: a, up_to: 500}, {role: b, up_to: 5}, {role: c}]", "smallest amount"),
    ):
        file.write_text(text)
        with pytest.raises(InputRefused, match=words):
            plans(home)
