"""The savings backlog and what was realised, against figures worked out by hand; nobody signs their own savings."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.analysis.savings import planned, realised, sums
from finops_core.errors import UsageError
from finops_core.store import audit
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.savings import SavingsItem, add, change, item, items, move
from finops_core.store.state import State
from tests.exports import FOCUS_HEADER, focus_row, write_focus
from tests.shell import farthing

HEADER = [*FOCUS_HEADER, "PricingQuantity", "PricingUnit"]


def charge(day: date, cost: str, service: str, quantity: str = "1") -> dict[str, str]:
    month = f"{day:%Y-%m}"
    after = date.fromordinal(day.toordinal() + 1)
    return focus_row(
        EffectiveCost=cost, BilledCost=cost, ServiceName=service, PricingQuantity=quantity, PricingUnit="Hours",
        BillingPeriodStart=f"{month}-01T00:00:00Z", BillingPeriodEnd="2026-10-01T00:00:00Z" if day.month == 9 else "2026-11-01T00:00:00Z",
        ChargePeriodStart=f"{day}T00:00:00Z", ChargePeriodEnd=f"{after}T00:00:00Z",
    )  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """September: disks 10 a day, machines 20 a day for 4 hours. October, 6 days: disks 4, machines 30 for 10 hours."""
    found = Home(tmp_path / "home")
    for month, days, disks, machines, hours in ((9, 30, "10", "20", "4"), (10, 6, "4", "30", "10")):
        rows = [
            row
            for n in range(1, days + 1)
            for row in (
                charge(date(2026, month, n), disks, "Disks"),
                charge(date(2026, month, n), machines, "Machines", hours),
            )
        ]
        load(found, [write_focus(tmp_path / f"{month}.csv", rows, header=HEADER)])
    return found


BASE = {
    "currency": "USD",
    "expected_monthly": "150",
    "baseline_start": "2026-09-01",
    "baseline_end": "2026-10-01",
}


def done(home: Home, title: str, where: str, **more: str) -> SavingsItem:
    state = State(home)
    (found,) = add(state, [{**BASE, "title": title, "where": where, "owner": "olga", **more}], "petra")
    return move(state, found.key, "done", "dora", done_on=date(2026, 10, 1))


def test_a_reduction_is_the_baseline_less_what_it_costs_now(home: Home) -> None:
    found = done(home, "Smaller disks", "ServiceName=Disks", cost_once="7.5", cost_monthly="31")
    (month,) = realised(Ledger(home), [found])
    days = month.days
    assert (month.month, month.baseline, month.actual) == (date(2026, 10, 1), 10 * days, 4 * days)
    assert (month.gross, month.cost, month.net) == (
        6 * days,
        Decimal("7.5") + days,
        5 * days - Decimal("7.5"),
    )
    assert sums([month])["USD", "reduction"]["net"] == month.net
    assert planned([found], date(2026, 10, 1)) == {"USD": 150}
    assert planned([found], date(2026, 9, 1)) == {}


def test_a_saving_on_price_is_adjusted_by_volume(home: Home) -> None:
    found = done(home, "Cheaper hours", "ServiceName=Machines", volume="usage")
    (month,) = realised(Ledger(home), [found])
    # 5 an hour became 3: ten hours a day would have cost 50.
    assert (month.volume_factor, month.baseline, month.gross) == (
        Decimal("2.5"),
        50 * month.days,
        20 * month.days,
    )
    plain = done(home, "The same, by cost alone", "ServiceName=Machines")
    (cost_only,) = realised(Ledger(home), [plain])
    assert cost_only.gross == -10 * cost_only.days


def test_what_an_earlier_item_measures_is_not_counted_again(home: Home) -> None:
    first = done(home, "Smaller disks", "ServiceName=Disks")
    second = done(home, "All of it", "ServiceName in Disks,Machines")
    found = {one.key: one for one in realised(Ledger(home), [first, second])}
    assert found[first.key].gross == 6 * found[first.key].days
    assert found[second.key].gross == -10 * found[second.key].days
    assert found[second.key].note == f"without charges that {first.key} counts"
    everything = Ledger(home).query(Query("EffectiveCost", start=date(2026, 10, 1), end=date(2026, 10, 7)))
    days = found[first.key].days
    assert sum(one.actual for one in found.values()) * 6 == everything["EffectiveCost"][0] * days


def test_nobody_signs_their_own_savings_and_each_step_is_in_the_audit_log(home: Home) -> None:
    state = State(home)
    found = done(home, "Smaller disks", "ServiceName=Disks")
    for who in ("olga", "Petra", "dora"):
        with pytest.raises(UsageError, match="somebody else must verify it"):
            move(state, found.key, "verified", who, amount=Decimal(1))
    ran = farthing(home, "savings", "move", found.key, "verified", "--who", "fin")
    assert ran.returncode == 0 and " USD net" in ran.stderr
    assert item(state, found.key).steps[-1].amount
    with pytest.raises(UsageError, match="take it back to done before it is changed"):
        change(state, found.key, {"owner": "x"}, "petra")
    assert [e.action for e in audit.entries(state) if e.subject == f"saving {found.key}"][-3:] in (
        ["saving proposed", "saving done", "saving verified"],
        ["saving verified", "saving done", "saving proposed"],
    )
    assert audit.verify(state) == []


@pytest.mark.parametrize(
    ("change_of", "words"),
    [
        ({"expected_monthly": "1,234"}, "no thousands mark"),
        ({"where": ""}, "needs its evidence"),
        ({"where": "NoSuch=1"}, "NoSuch"),
        ({"baseline_start": "2026-11-01"}, "holds no day"),
        ({"baseline_start": ""}, "a first day and the day after its last"),
        ({"effort": "XL"}, "effort is one of S, M, L"),
        ({"volume": "orders"}, "units:METRIC"),
        ({"confidence": "2"}, "a share of 0 to 1"),
        ({"title": ""}, "needs a title"),
    ],
)
def test_an_item_that_makes_no_sense_is_refused_and_none_is_kept(
    home: Home, change_of: dict[str, str], words: str
) -> None:
    good = {**BASE, "title": "Disks", "where": "ServiceName=Disks"}
    with pytest.raises(UsageError, match=words):
        add(State(home), [good, {**good, **change_of}], "petra")
    assert items(State(home)) == []


def test_items_go_out_as_csv_and_come_back(home: Home, tmp_path: Path) -> None:
    found = done(home, "Smaller disks; and snapshots", "ServiceName=Disks; Tags is not null", cost_once="7.5")
    out = tmp_path / "backlog.csv"
    farthing(home, "savings", "list", "--format", "csv", "--out", str(out))
    other = Home(tmp_path / "other")
    assert farthing(other, "savings", "import", str(out)).returncode == 0
    (back,) = items(State(other))
    assert (back.title, back.where, back.cost_once, back.state) == (
        found.title,
        found.where,
        found.cost_once,
        "idea",
    )
    told = json.loads(farthing(home, "savings", "realised", "--json").stdout)
    assert Decimal(told["totals"][0]["net"]) == sum(Decimal(r["net"]) for r in told["realised"])


def test_an_opportunity_is_in_the_backlog_once(home: Home) -> None:
    record = {**BASE, "title": "Disks", "where": "ServiceName=Disks", "opportunity": "abc"}
    assert len(add(State(home), [record, record], "petra")) == 1
    assert add(State(home), [record], "petra") == []


@with_settings(max_examples=30)
@given(st.decimals("0", "1e7", places=2), st.dates(date(2025, 1, 1), date(2026, 12, 31)), st.booleans())
def test_what_is_planned_of_a_year_is_what_is_expected_of_its_months(
    expected: Decimal, day: date, once: bool
) -> None:
    found = SavingsItem(
        "S-1", "x", "USD", expected, ("ServiceName=x",), done_on=day, state="done", recurrence="one-time" if once else "recurring"
    )  # fmt: skip
    months = [date(y, m, 1) for y in (2025, 2026, 2027) for m in range(1, 13)]
    total = sum(planned([found], month).get("USD", Decimal(0)) for month in months)
    if once:
        assert total == expected
    else:
        first = date(day.year, day.month, 1)
        later = sum(month > first for month in months)
        assert expected * later <= total <= expected * (later + 1)
