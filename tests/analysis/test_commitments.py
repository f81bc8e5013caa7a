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
from finops_core.analysis.commitments import (
    USUAL,
    benefit,
    by_day,
    by_member,
    commitments,
    cut,
    leftovers,
    terms,
)
from finops_core.analysis.commitments.families import family
from finops_core.analysis.commitments.figures import expiring
from finops_core.errors import InputRefused
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from tests.exports import FOCUS_HEADER, focus_row, write_focus
from tests.exports_azure import RESERVATION, azure_row, write_azure
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
    kind = {"CommitmentDiscountType": "Savings Plan", "CommitmentDiscountCategory": "Spend", **more}
    return charge(
        day,
        effective,
        contracted,
        PricingCategory="Committed",
        CommitmentDiscountId=of,
        CommitmentDiscountStatus=status,
        **kind,
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
        "fees": "0",
        "utilisation": "0.904761904761904762",
        "covered": "159",
        "eligible": "300",
        "coverage": "0.53",
        "savings": "54.999999999999999999",
        "effective_savings_rate": "0.183333333333333333",
        "priced_share": "1",
    }
    assert {c["CommitmentDiscountId"] for c in told["commitments"]} == {"plan", "other"}


def test_a_fee_that_no_use_carries_is_no_saving(tmp_path: Path) -> None:
    """Google's resource-based commitments: covered use is credited whole, and the fee keeps its cost."""
    kind = {"CommitmentDiscountType": "Resource-based committed use discount"}
    rows = [
        committed(1, "Used", "0", "100", of="Committed Usage Discount: CPU", **kind),
        charge(1, "72", "72", ChargeCategory="Purchase", CommitmentDiscountId="c-7", **kind),
        charge(1, "100", "100"),
    ]
    load(Home(tmp_path / "home"), [write_focus(tmp_path / "focus.csv", rows, HEADER)])
    ledger = Ledger(Home(tmp_path / "home"))
    (told,) = commitments(ledger).totals.to_dicts()
    assert (told["fees"], told["savings"], told["effective_savings_rate"]) == (72, 28, Decimal("0.14"))
    assert told["utilisation"] is None and told["coverage"] == Decimal("0.5")
    items = {r["CommitmentDiscountId"]: r["savings"] for r in commitments(ledger).items.to_dicts()}
    assert items == {"c-7": -72, "Committed Usage Discount: CPU": 100}
    assert _shown(ledger, "CommitmentDiscountType", "savings")[kind["CommitmentDiscountType"]] == (28,)


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


def test_a_commitment_ends_when_its_own_source_goes_on_without_it(tmp_path: Path) -> None:
    """Another cloud's bill that begins earlier and goes on for longer says nothing of it; idle money of a month stands on its first."""
    march = {"BillingPeriodStart": "2026-10-01T00:00:00Z", "BillingPeriodEnd": "2026-11-01T00:00:00Z"}
    late = {**march, "ChargePeriodStart": "2026-10-09T00:00:00Z", "ChargePeriodEnd": "2026-10-10T00:00:00Z"}
    aws = [
        committed(5, "Used", "60", "100", of="there from the start"),
        committed(6, "Used", "60", "100", of="bought later"),
        committed(6, "Used", "1", "2", of="gone"),
        committed(8, "Used", "1", "2", of="bought later"),
        charge(8, "1", "1"),
    ]
    idle = {**march, "ChargePeriodStart": "2026-10-01T00:00:00Z", "ChargePeriodEnd": "2026-11-01T00:00:00Z"}
    other = [
        charge(1, "1", "1"),
        committed(2, "Used", "3", "4", of="ended"),
        committed(2, "Unused", "3", "0", of="idle", **idle),
        charge(9, "4", "4", **late),
        charge(9, "4", "4", ChargeCategory="Purchase", CommitmentDiscountId="fee", **late),
    ]
    other = [{**row, "ProviderName": "Other"} for row in other]
    for name, rows in (("aws", aws), ("other", other)):
        load(
            Home(tmp_path / "home"),
            [write_focus(tmp_path / f"{name}.csv", rows, HEADER)],
            LoadOptions(source=name),
        )
    items = {
        r["CommitmentDiscountId"]: r for r in commitments(Ledger(Home(tmp_path / "home"))).items.to_dicts()
    }
    known = {name: (r["expires"], r["expiry"], r["ended"]) for name, r in items.items()}
    assert known == {
        "there from the start": (None, "unknown", False),
        "bought later": (date(2027, 9, 6), "estimated", False),
        "gone": (date(2027, 9, 6), "estimated", False),
        "ended": (date(2026, 9, 3), "ended", True),
        "idle": (date(2027, 10, 1), "estimated", False),
        "fee": (date(2027, 10, 9), "estimated", False),
    }
    assert (items["fee"]["first"], items["fee"]["last"]) == (date(2026, 10, 9), date(2026, 10, 9))


def test_a_commitment_is_one_though_only_some_charges_name_its_type(tmp_path: Path) -> None:
    rows = [
        committed(1, "Used", "60", "100"),
        committed(1, "Unused", "40", "0", CommitmentDiscountType=""),
        committed(2, "Used", "7", "9", CommitmentDiscountType=""),
    ]
    load(Home(tmp_path / "home"), [write_focus(tmp_path / "focus.csv", rows, HEADER)])
    (told,) = commitments(Ledger(Home(tmp_path / "home"))).items.to_dicts()
    assert (told["type"], told["used"], told["unused"], told["savings"]) == ("Savings Plan", 67, 40, 2)


def test_exports_without_the_columns_that_tell(tmp_path: Path) -> None:
    """Without status, consumption tells what was used; without pricing category, use that nothing covers is eligible."""
    whole = [
        committed(1, "Used", "60", "100", ConsumedQuantity="3"),
        committed(1, "Unused", "40", "0"),
        committed(2, "Used", "-6", "-10", ConsumedQuantity="-1", ChargeClass="Correction"),
        committed(2, "Used", "-3", "-5", ChargeClass="Correction"),
        committed(2, "Unused", "-4", "0", ChargeClass="Correction"),
        charge(2, "0", "0", ChargeCategory="Purchase", CommitmentDiscountId="plan"),
        charge(2, "100", "110", ConsumedQuantity="5"),
    ]
    few = [h for h in HEADER if h not in ("CommitmentDiscountStatus", "PricingCategory")]
    for name, header in (("whole", HEADER), ("few", few)):
        rows = [{h: row[h] for h in header} for row in whole]
        loaded = load(Home(tmp_path / name), [write_focus(tmp_path / f"{name}.csv", rows, header)])
        (told,) = commitments(Ledger(Home(tmp_path / name))).totals.to_dicts()
        assert (told["used"], told["unused"]) == (51, 36), name
        assert (told["covered"], told["eligible"], told["savings"]) == (85, 195, 195 - 51 - 36 - 100), name
    assert loaded[0].warnings[0].startswith("5 rows of commitments without a CommitmentDiscountStatus")


def test_what_is_not_paid_on_the_bill_is_no_saving(tmp_path: Path) -> None:
    """Azure's actual export alone: covered use costs 0 there, because what it costs stands in the amortised one."""
    rows = [
        azure_row(
            cost="0", PricingModel="Reservation", ReservationId=RESERVATION, UnitPrice="2", Quantity="3"
        ),
        azure_row(cost="4", UnitPrice="2", Quantity="2"),
        azure_row("Purchase", "50", PricingModel="Reservation", ReservationId=RESERVATION),
    ]
    load(Home(tmp_path / "home"), [write_azure(tmp_path / "actual.csv", rows)])
    ledger = Ledger(Home(tmp_path / "home"))
    (told,) = commitments(ledger).totals.to_dicts()
    assert (told["covered"], told["eligible"], told["coverage"]) == (6, 10, Decimal("0.6"))
    assert told["utilisation"] is None and told["savings"] is None and told["effective_savings_rate"] is None
    assert benefit(ledger, ["x_Team"], None, None)["savings"].to_list() == [None]


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


OWNER, SHOP, LAB = "000000000001", "000000000002", "000000000003"
PARTED = [
    # A plan of the owner's account, used by two others; idle money is the owner's.
    charge(1, "0", "0", ChargeCategory="Purchase", CommitmentDiscountId="plan", SubAccountId=OWNER),
    committed(1, "Used", "60", "100", SubAccountId=SHOP, x_UsageType="EU-BoxUsage:m6i.large"),
    committed(1, "Used", "30", "45", SubAccountId=LAB, x_UsageType="EU-BoxUsage:c6i.xlarge"),
    committed(1, "Unused", "10", "0", SubAccountId=OWNER, x_UsageType="ComputeSP:1yrNoUpfront"),
    # A reservation whose own charges name no account: it belongs to the one that uses it.
    committed(2, "Used", "8", "20", of="ri", SubAccountId=LAB, CommitmentDiscountType="Reserved Instance", x_UsageType="Standard_D4s_v5"),
    charge(2, "40", "41", SubAccountId=SHOP, x_UsageType="EU-BoxUsage:m6i.4xlarge"),
    charge(2, "14", "14", SubAccountId=OWNER, x_UsageType="EU-EBS:VolumeUsage.gp3"),
]  # fmt: skip


@pytest.fixture(scope="module")
def parted(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    folder = tmp_path_factory.mktemp("parted")
    rows = [{"x_UsageType": "", **row} for row in PARTED]
    load(Home(folder / "home"), [write_focus(folder / "focus.csv", rows, [*HEADER, "x_UsageType"])])
    return Ledger(Home(folder / "home"))


def _shown(ledger: Ledger, by: str, *figures: str) -> dict[str | None, tuple[Decimal | None, ...]]:
    return {r["member"]: tuple(r[f] for f in figures) for r in by_member(ledger, cut(by)).to_dicts()}


def test_idle_money_is_where_a_commitment_belongs_and_coverage_where_the_use_is(parted: Ledger) -> None:
    whole = Decimal
    assert _shown(parted, "SubAccountId", "used", "unused", "utilisation", "covered", "eligible", "savings") == {
        OWNER: (whole(90), whole(10), whole("0.9"), whole(0), whole(14), whole(-10)),
        SHOP: (whole(0), whole(0), None, whole(100), whole(141), whole(41)),
        LAB: (whole(8), whole(0), whole(1), whole(65), whole(65), whole(27)),
    }  # fmt: skip
    assert _shown(parted, "CommitmentDiscountType", "used", "coverage", "savings") == {
        "Savings Plan": (whole(90), round(whole(145) / 220, 18), whole(45)),
        "Reserved Instance": (whole(8), round(whole(20) / 220, 18), whole(12)),
        None: (whole(0), None, whole(1)),
    }
    assert _shown(parted, "family", "used", "unused", "covered", "eligible") == {
        None: (whole(90), whole(10), whole(0), whole(14)),
        "m6i": (whole(0), whole(0), whole(100), whole(141)),
        "c6i": (whole(0), whole(0), whole(45), whole(45)),
        "Dsv5": (whole(8), whole(0), whole(20), whole(20)),
    }


@pytest.mark.parametrize("by", [*USUAL, "x_Team", "Month", "tag:team"])
def test_members_make_up_the_totals(ledger: Ledger, parted: Ledger, by: str) -> None:
    for one in (ledger, parted):
        found = by_member(one, cut(by))
        for told in commitments(one).totals.to_dicts():
            own = found.filter(polars.col("BillingCurrency") == told["BillingCurrency"])
            for figure in ("used", "unused", "fees", "covered", "eligible", "savings"):
                assert sum(own[figure].to_list(), Decimal(0)) == told[figure], figure


def test_the_command_line_parts_them_too(parted: Ledger) -> None:
    told = json.loads(farthing(parted.home, "commitments", "--by", "family", "--json").stdout)
    assert {m["member"]: m["covered"] for m in told["members"]} == {
        None: "0",
        "m6i": "100",
        "c6i": "45",
        "Dsv5": "20",
    }
    refused = farthing(parted.home, "commitments", "--by", "BillingCurrency")
    assert refused.returncode == 2 and "each currency has its own rows" in refused.stderr


@pytest.mark.parametrize(
    ("machine", "usage", "told"),
    [
        ("db.m6g.4xl", None, "db.m6g"),
        (None, "USE1-HeavyUsage:t3.micro", "t3"),
        (None, "NodeUsage:cache.r6g.large", "cache.r6g"),
        (None, "BoxUsage:u-6tb1.metal", "u-6tb1"),
        ("n2-standard-16", "N2 Instance Core running in Belgium", "n2"),
        (None, "N2D AMD Instance Ram running in Belgium", "n2d"),
        ("Standard_E16-4ds_v5", None, "Edsv5"),
        (None, "D2 v3/D2s v3", "Dv3"),
        (None, "P10 LRS Disk", None),
        (None, "EU-EBS:VolumeUsage.gp3", None),
        (None, "Commitment - dollar based v2: Compute Flexible CUDs - 1 Year", None),
    ],
)
def test_families_of_machines(machine: str | None, usage: str | None, told: str | None) -> None:
    assert family(machine, usage) == told
