"""Unit costs, against figures worked out by hand; parts that sum to the change; days without units, with none, and below."""

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
from finops_core.analysis.units import (
    accelerators,
    effects,
    idle_share,
    is_used_hours,
    known_metrics,
    margins,
    tokens,
    unit_costs,
    unit_lines,
    volume,
)
from finops_core.analysis.units.measured import UnitCosts
from finops_core.errors import InputRefused, UsageError
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.state import State
from finops_core.store.unit_metrics import add
from finops_core.store.unit_targets import UnitTarget, keep
from tests.exports import FOCUS_HEADER, focus_row, write_focus
from tests.shell import farthing

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
HEADER = [*FOCUS_HEADER, "PricingUnit", "ConsumedUnit", "x_UsageType"]


def charge(month: int, day: int, cost: str, product: str, **more: str) -> dict[str, str]:
    start, end = f"2026-{month:02}-{day:02}", f"2026-{month:02}-{day + 1:02}"
    return focus_row(
        EffectiveCost=cost,
        BilledCost=cost,
        BillingPeriodStart=f"2026-{month:02}-01T00:00:00Z",
        BillingPeriodEnd=f"2026-{month + 1:02}-01T00:00:00Z",
        ChargePeriodStart=f"{start}T00:00:00Z",
        ChargePeriodEnd=f"{end}T00:00:00Z",
        Tags=json.dumps({"product": product}),
        **more,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two products in two months. The shop: 100 for 1,000 orders, then 108 for 1,200; and 9 on a day without units."""
    folder = tmp_path_factory.mktemp("units")
    found = Home(folder / "home")
    september = [charge(9, 1, "60", "shop"), charge(9, 2, "40", "shop"), charge(9, 1, "5", "blog")]
    october = [
        charge(10, 1, "58", "shop"),
        charge(10, 2, "50", "shop"),
        charge(10, 3, "9", "shop"),
        charge(10, 1, "7", "blog"),
        charge(10, 1, "11", "other"),
        charge(10, 1, "3", "blog", BillingCurrency="EUR"),
        charge(
            10, 2, "12", "ai", x_UsageType="USE1-Claude-Sonnet-input-tokens", ConsumedQuantity="4000", ConsumedUnit="1K tokens",
        ),
        charge(10, 2, "48.5", "ai", x_UsageType="EUW1-BoxUsage:p5.48xlarge", ConsumedQuantity="0.5", ConsumedUnit="Hrs"),
    ]  # fmt: skip
    for month, rows in (("09", september), ("10", october)):
        load(found, [write_focus(folder / f"focus-{month}.csv", rows, header=HEADER)])
    units = folder / "units.csv"
    units.write_text(
        "date,metric,product,quantity\n"
        "2026-09-01,orders,shop,700\n2026-09-02,orders,shop,300\n2026-10-01,orders,shop,900\n2026-10-02,orders,shop,300\n"
        "2026-09-01,posts,blog,5\n2026-10-01,posts,blog,0\n"
    )
    add(found, units)
    paying = folder / "customers.csv"
    paying.write_text(
        "date,customer,product,calls,revenue,currency\n2026-10-01,acme,shop,1,50,usd\n2026-10-01,free,shop,2,,usd\n"
        "2026-10-02,acme,shop,5,30.25,usd\n"
    )
    add(found, paying)
    return found


def test_a_unit_costs_what_its_members_cost_on_days_with_units(home: Home) -> None:
    (shop,) = unit_lines(Ledger(home), OCTOBER, "orders")
    assert (shop.member, shop.currency, shop.cost, shop.unmeasured, shop.units) == (
        "shop",
        "USD",
        117,
        9,
        1200,
    )
    assert (shop.per_unit, shop.before) == (Decimal("0.09"), Decimal("0.1"))
    # finops.md section 3: (1,200 − 1,000)(0.1 + 0.09)/2 = 19; (0.09 − 0.1)(1,000 + 1,200)/2 = −11
    assert (shop.change, shop.volume, shop.efficiency, shop.other) == (17, 19, -11, 9)
    assert (
        "One order of shop cost 0.0900 USD in October 2026, 10 % less than the month before" in shop.sentence
    )


def test_zero_units_have_a_cost_and_no_unit_cost(home: Home) -> None:
    euro, dollar = unit_lines(Ledger(home), OCTOBER, "posts")
    assert (euro.currency, euro.cost, euro.per_unit) == ("EUR", 3, None)
    assert (dollar.cost, dollar.units, dollar.per_unit, dollar.before) == (7, 0, None, 1)
    assert dollar.change == dollar.volume + dollar.efficiency + dollar.other == 2
    assert "so it has no unit cost" in dollar.sentence


def test_days_without_units_are_missing_and_said(home: Home) -> None:
    ledger = Ledger(home)
    metric = known_metrics(ledger)["orders"]
    daily = unit_costs(ledger, metric, "product", grain="day")
    by_day = {row["ChargePeriod"]: row for row in daily.table.iter_rows(named=True)}
    assert by_day[date(2026, 10, 3)]["cost_per_unit"] is None and by_day[date(2026, 10, 3)]["units"] is None
    assert by_day[date(2026, 10, 1)]["cost_per_unit"] == Decimal(58) / 900 // Decimal("1e-18") * Decimal(
        "1e-18"
    )
    assert "1 days of members have charges and no units: 9.00 USD is left out of unit costs" in daily.notes
    assert daily.table["cost"].sum() == 217


def test_cost_is_shared_over_customers_to_the_last_digit(home: Home) -> None:
    ledger = Ledger(home)
    known = known_metrics(ledger)
    found = unit_costs(ledger, known["calls"], "customer", OCTOBER, date(2026, 11, 1), "none").table
    third = Decimal("19.333333333333333333")
    costs = {row["member"]: row["cost"] for row in found.iter_rows(named=True)}
    assert costs == {"acme": third + 50, "free": 58 - third, None: Decimal(9)}
    margin = margins(ledger, known["calls"], known["revenue"], "customer", OCTOBER, date(2026, 11, 1))
    told = {row["member"]: (row["revenue"], row["margin"]) for row in margin.iter_rows(named=True)}
    assert told["acme"] == (Decimal("80.25"), Decimal("80.25") - 50 - third)
    assert told["free"] == (0, third - 58)
    assert margin["margin"].sum() == Decimal("80.25") - 117


def test_tokens_and_accelerators_are_told_from_the_bill(home: Home) -> None:
    ledger = Ledger(home)
    (token,) = tokens(ledger, OCTOBER, None).iter_rows(named=True)
    assert (token["model"], token["kind"], token["tokens"], token["cost_per_million"]) == (
        "Claude Sonnet", "input", 4_000_000, 3,
    )  # fmt: skip
    (card,) = accelerators(ledger, OCTOBER, None).iter_rows(named=True)
    assert (card["gpus"], card["hours"], card["cost_per_hour"]) == (8, Decimal("0.5"), 97)
    cards = accelerators(ledger, OCTOBER, None)
    assert (idle_share(cards, Decimal(3)), idle_share(cards, Decimal(5))) == (Decimal("0.25"), None)
    assert is_used_hours("gpu_hours_used") and not is_used_hours("orders")


def test_targets_meanings_and_the_command_line(home: Home, tmp_path: Path) -> None:
    keep(State(home), [UnitTarget("orders", "product", "shop", "USD", Decimal("0.08"))], "tester")
    told = json.loads(farthing(home, "units", "--json", "--month", "2026-10").stdout)
    (shop,) = [u for u in told["units"] if u["metric"] == "orders"]
    assert Decimal(shop["target"]) == Decimal("0.08") and Decimal(shop["cost_per_unit"]) == Decimal("0.09")
    assert Decimal(shop["volume"]) + Decimal(shop["efficiency"]) + Decimal(shop["other"]) == Decimal(
        shop["change"]
    )
    assert any("9.00 USD is left out" in note for note in told["notes"])
    home.rules.mkdir(exist_ok=True)
    rules = home.rules / "units.yaml"
    rules.write_text("metrics:\n  - metric: orders\n    label: basket\n    level: true\n")
    (line,) = unit_lines(Ledger(home), OCTOBER, "orders")
    assert (line.unit, line.units, line.per_unit) == ("basket", 600, Decimal("0.18"))
    rules.write_text("metrics:\n  - metric: orders\n    where: ['nonsense']\n")
    with pytest.raises(InputRefused, match=r"units\.yaml, line 3"):
        unit_lines(Ledger(home), OCTOBER)
    rules.unlink()
    with pytest.raises(UsageError, match="orders is not measured by 'team'; its columns are product"):
        unit_lines(Ledger(home), OCTOBER, "orders", "team")


MONEY = st.decimals("-1e9", "1e9", places=6)
UNITS = st.one_of(st.none(), st.decimals("-10", "1e9", places=3))


@with_settings(max_examples=60)
@given(MONEY, UNITS, MONEY, UNITS, MONEY)
def test_parts_sum_to_the_change_exactly(
    c0: Decimal, q0: Decimal | None, c1: Decimal, q1: Decimal | None, other: Decimal
) -> None:
    assert sum(effects((c0, q0), (c1, q1), other).values()) == c1 - c0 + other


def test_a_fixed_part_is_shown_where_units_explain_the_cost(home: Home) -> None:
    metric = known_metrics(Ledger(home))["orders"]

    def costs(fixed: int, slope: int, days: int) -> UnitCosts:
        units = [100 + 10 * (day * 7 % 13) for day in range(days)]
        # One day in ten costs ten times as much: medians do not hear it.
        spent = [Decimal((fixed + slope * u) * (10 if day % 10 == 5 else 1)) for day, u in enumerate(units)]
        table = polars.DataFrame(
            {"BillingCurrency": "USD", "member": None, "cost": spent, "unmeasured": Decimal(0), "units": [Decimal(u) for u in units]},
            {"BillingCurrency": polars.String, "member": polars.String, **dict.fromkeys(("cost", "unmeasured", "units"), polars.Decimal(38, 18))},
        )  # fmt: skip
        return UnitCosts(metric, None, table, ())

    found = volume(costs(50, 2, 60), "USD")
    assert found is not None
    assert (round(found.fixed, 6), round(found.variable, 6)) == (50, 2)
    assert round(found.fixed_share(25), 6) == 0.5
    assert volume(costs(50, 2, 20), "USD") is None
    assert volume(costs(50, 0, 60), "USD") is None
