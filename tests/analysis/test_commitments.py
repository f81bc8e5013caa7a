"""Commitments, against figures worked out by hand; and parts that make up the whole."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars
import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from finops_core import Ledger
from finops_core.analysis.commitments import benefit, by_day, commitments, leftovers, terms
from finops_core.analysis.commitments.figures import expiring
from finops_core.errors import InputRefused
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import FOCUS_HEADER, focus_row, write_focus
from tests.shell import farthing

HEADER = [*FOCUS_HEADER, "PricingCategory", "CommitmentDiscountType", "CommitmentDiscountCategory"]
EC2, S3, RDS = (
    "Amazon Elastic Compute Cloud",
    "Amazon Simple Storage Service",
    "Amazon Relational Database Service",
)


def charge(day: int, effective: str, contracted: str, **more: str) -> dict[str, str]:
    row = focus_row(
        EffectiveCost=effective,
        ContractedCost=contracted,
        ListCost=more.pop("ListCost", contracted),
        BilledCost="0",
        ChargePeriodStart=f"2026-09-{day:02}T00:00:00Z",
        ChargePeriodEnd=f"2026-09-{day + 1:02}T00:00:00Z",
    )
    return {
        "PricingCategory": "Standard",
        "CommitmentDiscountType": "",
        "CommitmentDiscountCategory": "",
        **row,
        **more,
    }


def committed(
    day: int, status: str, effective: str, contracted: str, of: str = "plan", **more: str
) -> dict[str, str]:
    return charge(
        day,
        effective,
        contracted,
        PricingCategory="Committed",
        CommitmentDiscountId=of,
        CommitmentDiscountStatus=status,
        CommitmentDiscountType="Savings Plan",
        CommitmentDiscountCategory="Spend",
        **more,
    )


ROWS = [
    committed(1, "Used", "60", "100"),
    committed(2, "Used", "30", "50", Tags='{"team": "web"}'),
    committed(2, "Unused", "10.000000000000000001", "0", Tags=""),
    committed(3, "Used", "5", "", of="other", ListCost="9"),  # no contracted price: the list price counts
    charge(1, "100", "100"),  # on demand, of a service with commitments
    charge(2, "40", "41"),
    charge(2, "70", "90", PricingCategory="Dynamic"),  # spot: not eligible
    charge(2, "500", "500", ServiceName=S3),  # a service without commitments
    committed(1, "Used", "7", "10", BillingCurrency="EUR", of="plan"),
]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    folder = tmp_path_factory.mktemp("commitments")
    load(Home(folder / "home"), [write_focus(folder / "focus.csv", ROWS, HEADER)])
    return Ledger(Home(folder / "home"))


def test_figures_are_those_worked_out_by_hand(ledger: Ledger) -> None:
    found = commitments(ledger, date(2026, 9, 1), date(2026, 10, 1))
    eur, usd = found.totals.to_dicts()
    idle = Decimal("10.000000000000000001")
    assert (usd["used"], usd["unused"]) == (Decimal(95), idle)
    assert usd["utilisation"] == round(Decimal(95) / (95 + idle), 18)
    assert (usd["covered"], usd["eligible"]) == (Decimal(159), Decimal(300))
    assert usd["coverage"] == Decimal("0.53")
    assert usd["savings"] == 300 - 95 - idle - 140
    assert usd["effective_savings_rate"] == round(usd["savings"] / 300, 18)
    assert (eur["used"], eur["coverage"], eur["savings"]) == (Decimal(7), Decimal(1), Decimal(3))
    items = {(r["CommitmentDiscountId"], r["BillingCurrency"]): r for r in found.items.to_dicts()}
    plan = items["plan", "USD"]
    assert (plan["used"], plan["unused"], plan["on_demand"], plan["savings"]) == (90, idle, 150, 60 - idle)
    assert items["other", "USD"]["on_demand"] == Decimal(9)


def test_parts_make_up_the_whole(ledger: Ledger) -> None:
    days = (date(2026, 9, 1), date(2026, 10, 1))
    found = commitments(ledger, *days)
    for code, used, unused in found.totals.select("BillingCurrency", "used", "unused").iter_rows():
        own = found.items.filter(polars.col("BillingCurrency") == code)
        assert (own["used"].sum(), own["unused"].sum()) == (used, unused)
    daily = by_day(ledger, *days).filter(polars.col("BillingCurrency") == "USD")
    assert daily["used"].sum() == Decimal(95) and daily["ChargePeriod"].len() == 3
    teams = {
        r["x_Team"]: r["savings"]
        for r in benefit(ledger, ["x_Team"], *days, "BillingCurrency=USD").to_dicts()
    }
    assert teams == {"search": Decimal(44), "web": Decimal(20)}
    left = leftovers(ledger, ["ServiceName"], *days, "BillingCurrency=USD")
    assert left.select("ServiceName", "on_demand").rows() == [(EC2, Decimal(141))]


def test_the_command_line_says_the_same(ledger: Ledger) -> None:
    ran = farthing(
        ledger.home,
        "commitments",
        "--from",
        "2026-09-01",
        "--to",
        "2026-10-01",
        "--where",
        "BillingCurrency=USD",
        "--json",
    )
    told = json.loads(ran.stdout)
    assert told["totals"][0] | {} == {
        "BillingCurrency": "USD",
        "used": "95",
        "unused": "10.000000000000000001",
        "utilisation": "0.904761904761904762",
        "covered": "159",
        "eligible": "300",
        "coverage": "0.53",
        "savings": "54.999999999999999999",
        "effective_savings_rate": "0.183333333333333333",
        "priced_share": "1",
    }
    assert {c["CommitmentDiscountId"] for c in told["commitments"]} == {"plan", "other"}


def test_without_a_price_nothing_is_said_of_savings(tmp_path: Path) -> None:
    rows = [
        committed(1, "Used", "60", "", ListCost=""),
        committed(1, "Unused", "40", "0"),
        charge(1, "100", "100"),
    ]
    load(Home(tmp_path / "home"), [write_focus(tmp_path / "focus.csv", rows, HEADER)])
    (told,) = commitments(Ledger(Home(tmp_path / "home"))).totals.to_dicts()
    assert (told["utilisation"], told["priced_share"]) == (Decimal("0.6"), Decimal(0))
    assert told["coverage"] is None and told["savings"] is None and told["effective_savings_rate"] is None


def test_when_they_end(ledger: Ledger) -> None:
    items = commitments(ledger).items
    known = {
        (r["CommitmentDiscountId"], r["BillingCurrency"]): (r["expires"], r["expiry"])
        for r in items.to_dicts()
    }
    assert known["plan", "USD"] == (None, "unknown")  # it was there on the first day: nobody knows since when
    assert known["other", "USD"] == (date(2027, 9, 3), "estimated")
    rules = ledger.home.rules / "commitments.yaml"
    rules.parent.mkdir(exist_ok=True)
    rules.write_text("commitments:\n  plan: {expires: 2027-01-31}\n", "utf-8")
    found = expiring(commitments(ledger).items.filter(polars.col("BillingCurrency") == "USD"), 30)
    assert found.row(0)[:5] == ("plan", "USD", "Savings Plan", date(2027, 1, 31), "stated")
    assert found["daily"][0] == round((60 - Decimal("10.000000000000000001")) / 30, 18)
    rules.write_text("commitments:\n  plan: {expires: soon}\n", "utf-8")
    with pytest.raises(InputRefused, match=r"commitments.yaml, line 2"):
        terms(ledger.home)
    rules.unlink()


@with_settings(max_examples=6)
@given(st.lists(st.tuples(st.sampled_from(["Used", "Unused", ""]), st.integers(1, 3), st.decimals(-5, 999, places=12, allow_nan=False)), min_size=1, max_size=8))  # fmt: skip
def test_any_charges_add_up(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, int, Decimal]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    rows = [
        committed(day, status, format(cost, "f"), "0" if status == "Unused" else "1000", of=f"c{day}")
        if status
        else charge(day, format(cost, "f"), "1000")
        for status, day, cost in told
    ]
    load(Home(folder / "home"), [write_focus(folder / "focus.csv", rows, HEADER)])
    found = commitments(Ledger(Home(folder / "home")))
    for status, name in (("Used", "used"), ("Unused", "unused")):
        own = sum((cost for s, _, cost in told if s == status), Decimal(0))
        assert (
            sum(found.items[name].to_list(), Decimal(0))
            == sum(found.totals[name].to_list(), Decimal(0))
            == own
        )
