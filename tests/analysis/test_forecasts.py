"""Forecasts of a store: members sum to their parents whatever is asked, fees follow their rules, scenarios change what they say."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars
import pytest

from finops_core import Ledger, Query
from finops_core.analysis.forecasts import accuracy, book_of, forecast_of, month_forecast
from finops_core.analysis.forecasts.book import still_due
from finops_core.analysis.forecasts.rules import Item, Usage, expected
from finops_core.analysis.forecasts.supposing import supposed, with_scenario
from finops_core.errors import InputRefused, UsageError
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.scenarios import Scenario, adjustment, from_yaml, save, scenarios, to_yaml
from finops_core.store.state import State
from tests.exports import focus_row, write_focus

FIRST, LAST = date(2026, 6, 1), date(2026, 9, 20)
TOTAL = ["ChargePeriod", "BillingCurrency"]


def charge(day: date, cost: Decimal | str, **more: str) -> dict[str, str]:
    following = (day.replace(day=28) + timedelta(4)).replace(day=1)
    return focus_row(
        BilledCost=str(cost),
        EffectiveCost=str(cost),
        ChargePeriodStart=f"{day}T00:00:00Z",
        ChargePeriodEnd=f"{day + timedelta(1)}T00:00:00Z",
        BillingPeriodStart=f"{day.replace(day=1)}T00:00:00Z",
        BillingPeriodEnd=f"{following}T00:00:00Z",
        **more,
    )


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """Sixteen weeks of two teams and services, one of them in two accounts; a fee and a tax each month; and one in EUR."""
    folder = tmp_path_factory.mktemp("forecasts")
    rows, day = [], FIRST
    while day <= LAST:
        usual = Decimal(100 if day.weekday() < 5 else 40)
        rows += [
            charge(day, usual, Tags='{"team": "search"}', ServiceName="Compute", SubAccountId="1"),
            charge(day, usual / 3, Tags='{"team": "search"}', ServiceName="Compute", SubAccountId="2"),
            charge(day, Decimal("7.000000000000000001"), Tags='{"team": "web"}', ServiceName="Storage"),
            charge(day, "11", Tags="", ServiceName="Storage", BillingCurrency="EUR"),
        ]
        if day.day == 1:
            rows += [
                charge(day, "60", ChargeCategory="Purchase", ServiceName="Support desk", Tags=""),
                charge(
                    day,
                    "500" if day.month == 7 else "0.01",
                    ChargeCategory="Purchase",
                    ServiceName="Setup",
                    Tags="",
                ),
            ]
        day += timedelta(1)
    home = Home(folder / "home")
    load(home, [write_focus(folder / "focus.csv", rows)])
    return Ledger(home)


@pytest.mark.parametrize(
    "by", [["x_Team"], ["ServiceName"], ["SubAccountId"], ["ChargeCategory"], ["tag:team", "RegionId"], []]
)
def test_members_sum_to_their_total_and_actual_is_what_the_query_says(ledger: Ledger, by: list[str]) -> None:
    query = Query("EffectiveCost", by=by)
    members = forecast_of(ledger, query, 4).table
    whole = forecast_of(ledger, query.but(by=()), 4).table
    summed = members.group_by(TOTAL).agg(polars.col("mean", "actual", "rest").sum()).sort(TOTAL)
    assert summed.equals(whole.select(*TOTAL, "mean", "actual", "rest").sort(TOTAL))
    assert (members["mean"] == members["actual"] + members["rest"]).all()
    assert (members["p10"] <= members["mean"]).all() and (members["mean"] <= members["p90"]).all()
    until = book_of(ledger, "EffectiveCost").start
    said = ledger.query(query.but(start=date(2026, 9, 1), end=until))
    now = members.filter(polars.col("ChargePeriod") == date(2026, 9, 1))
    keys = ["BillingCurrency", *query.by]
    both = said.join(now, on=keys, how="left", nulls_equal=True)
    assert (both["EffectiveCost"] == both["actual"]).all()


def test_the_band_of_a_currency_is_the_same_with_and_without_the_others(tmp_path: Path) -> None:
    days = [LAST - timedelta(n) for n in range(300)]
    rows = [charge(day, str(100 + n % 3)) for n, day in enumerate(days)]
    rows += [charge(day, str(50 + n * n % 37), BillingCurrency="EUR") for n, day in enumerate(days)]
    home = Home(tmp_path / "home")
    load(home, [write_focus(tmp_path / "focus.csv", rows)])
    query, ledger = Query("EffectiveCost"), Ledger(home)
    both = forecast_of(ledger, query, 4).table
    for currency in ("USD", "EUR"):
        alone = forecast_of(ledger, query.but(where=(f"BillingCurrency={currency}",)), 4).table
        assert alone.equals(both.filter(polars.col("BillingCurrency") == currency))


def test_a_filter_is_a_part_and_a_steady_series_goes_on(ledger: Ledger) -> None:
    query = Query("EffectiveCost", where=["SubAccountId=2", "ServiceName=Compute"])
    october = forecast_of(ledger, query, 2).table.filter(polars.col("ChargePeriod") == date(2026, 10, 1))
    workdays = 22
    assert float(october["mean"].sum()) == pytest.approx((workdays * 100 + 9 * 40) / 3, rel=0.02)
    month = month_forecast(ledger, query, date(2026, 10, 15))
    assert month["forecast"].to_list() == october["mean"].to_list()
    assert month_forecast(ledger, query, date(2026, 8, 1)).is_empty()


def test_fees_follow_their_rules(ledger: Ledger) -> None:
    october = forecast_of(
        ledger, Query("BilledCost", by=["ServiceName"], where=["ChargeCategory=Purchase"]), 2
    ).table
    fees = {(m.month, s): v for m, s, v in october.select("ChargePeriod", "ServiceName", "mean").iter_rows()}
    # The desk is paid as in the months before; the set-up was not, so what is booked for September stays all of it.
    assert fees[10, "Support desk"] == pytest.approx(Decimal(60), rel=Decimal("0.4"))
    assert (fees[9, "Setup"], fees[10, "Setup"]) == (Decimal("0.01"), Decimal(0))


def test_the_first_rule_that_fits_is_followed() -> None:
    september = date(2026, 9, 1)
    months = [date(2026, n, 1) for n in (6, 7, 8)]
    usage = Usage(
        dict.fromkeys(months, Decimal(1000)), {september: Decimal(1200), date(2026, 10, 1): Decimal(900)}
    )

    def told(category: str, service: str, *amounts: str) -> tuple[str, list[Decimal]]:
        item = Item(category, service, dict(zip(months, map(Decimal, amounts), strict=True)), september)
        name, found = expected(item, usage)
        return name, list(found.amounts)

    assert told("Tax", "Invoice", "100", "110", "90") == ("share of usage", [Decimal(120), Decimal(90)])
    assert told("Purchase", "AWS Support", "30", "30", "30") == ("share of usage", [Decimal(36), Decimal(27)])
    assert told("Credit", "Compute", "0", "-50", "-50") == ("recurring", [Decimal(-50), Decimal(-50)])
    assert told("Purchase", "Plan", "0", "310", "310") == ("recurring", [Decimal(310), Decimal(310)])
    assert told("Purchase", "Upfront", "0", "0", "310") == ("one-time", [Decimal(0), Decimal(0)])


@pytest.mark.parametrize(
    ("expected", "so_far", "due"),
    [
        (0, -240, 0),  # a credit that nobody expected is not taken back
        (0, 310, 0),
        (100, 30, 70),
        (100, 130, 0),
        (100, -20, 100),  # a refund does not make the fee larger
        (-50, -20, -30),
        (-50, -80, 0),
        (-50, 10, -50),
    ],
)
def test_what_is_still_due_of_a_month(expected: int, so_far: int, due: int) -> None:
    assert still_due(Decimal(expected), Decimal(so_far)) == due


def test_scenarios_change_what_they_say(ledger: Ledger) -> None:
    book, query = (
        book_of(ledger, "EffectiveCost"),
        Query("EffectiveCost", by=["x_Team"], where=["BillingCurrency=USD"]),
    )
    base = {
        (m.month, t): r
        for m, t, r in forecast_of(ledger, query, 3)
        .table.select("ChargePeriod", "x_Team", "rest")
        .iter_rows()
    }

    def change(**told: object) -> dict[tuple[int, str | None], Decimal]:
        found = supposed(ledger, book, query, 3, Scenario("s", (adjustment(told),)))
        return {(m.month, t): c for m, t, c in found.select("ChargePeriod", "x_Team", "change").iter_rows()}

    cheaper = change(kind="price", start="2026-10-17", percent=-10, where=("x_Team=search",))
    assert cheaper[10, "search"] == round(base[10, "search"] * Decimal("-0.1") * 15 / 31, 6)
    assert cheaper[11, "search"] == round(base[11, "search"] * Decimal("-0.1"), 6)
    launch = change(kind="launch", start="2026-10-01", amount="310", currency="USD", to={"x_Team": "new"})
    assert launch == {(9, "new"): Decimal(0), (10, "new"): Decimal(310), (11, "new"): Decimal(310)}
    grown = change(kind="growth", start="2026-10-01", percent=20, where=("x_Team=web",))
    assert grown[11, "web"] == round(base[11, "web"] * (Decimal("1.2") * Decimal("1.1") - 1), 6)
    moved = change(
        kind="migration",
        start="2026-10-01",
        end="2026-10-31",
        percent=50,
        where=("x_Team=search",),
        to={"x_Team": "web"},
    )
    assert moved[11, "search"] == -moved[11, "web"] == -round(base[11, "search"] / 2, 6)
    told = with_scenario(
        ledger,
        book,
        query,
        3,
        Scenario("s", (adjustment({"kind": "price", "start": "2026-10-01", "percent": 5}),)),
    )
    assert (told["mean"] == told["actual"] + told["rest"]).all()


def test_scenarios_are_kept_and_handed_on(home: Home) -> None:
    text = (
        "name: Launch\nadjustments:\n- {kind: launch, start: 2026-10-01, amount: '310.50', currency: USD}\n"
    )
    found = from_yaml(text)
    save(State(home), found, "me")
    assert scenarios(State(home)) == [found] and from_yaml(to_yaml(found)) == found
    for wrong, words in (
        ("{kind: launch, start: 2026-10-01}", "adjustment 1: a launch needs an amount"),
        ("{kind: price, start: 2026-13-01, percent: 1}", "adjustment 1, start"),
        ("{kind: price, start: 2026-10-01, percent: 1, colour: red}", "adjustment 1, colour"),
        ("{kind: magic, start: 2026-10-01}", "there is no kind 'magic'"),
    ):
        with pytest.raises(InputRefused, match=words):
            from_yaml(f"name: x\nadjustments:\n- {wrong}\n")


def test_forecasts_are_kept_once_and_held_against_what_came(ledger: Ledger, home: Home) -> None:
    state, made = State(home), book_of(ledger, "EffectiveCost", date(2026, 7, 20))
    assert made.start == date(2026, 7, 20)
    assert accuracy.remember(ledger, state, made, "me") and not accuracy.remember(ledger, state, made, "me")
    judged = accuracy.told(ledger, state, "EffectiveCost", date(2026, 9, 20))
    assert judged.select("BillingCurrency", "ahead", "months").rows() == [("EUR", 1, 1), ("USD", 1, 3)]
    assert judged.filter(polars.col("BillingCurrency") == "EUR")["WAPE"].item() < 0.01
    tested = polars.DataFrame(
        {"BillingCurrency": ["USD"] * 2, "ahead": [1, 1], "said": [110.0, 80.0], "came": [100.0, 100.0]}
    )
    assert accuracy.rates(tested).rows() == [
        ("USD", 1, 2, pytest.approx(0.15), pytest.approx(0.15), pytest.approx(-0.05))
    ]


def test_what_is_not_forecast_is_said(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="ListCost is not forecast"):
        forecast_of(ledger, Query("ListCost"))
    with pytest.raises(UsageError, match="1 to 13 months"):
        forecast_of(ledger, Query("EffectiveCost"), 14)


def test_usage_that_is_booked_on_few_days_is_expected_by_rule(tmp_path: Path) -> None:
    """A support plan on the 28th; a scanner on the 3rd and the 25th, which in EUR is booked ahead of its day."""
    rows = []
    for number in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(number)
        rows.append(charge(day, "100", ServiceName="Compute", Tags='{"team": "search"}'))
        rows.append(charge(day, "10", ServiceName="Compute", BillingCurrency="EUR", Tags=""))
        scanned = {3: "40", 25: "70" if day.month == 7 else "50"}.get(day.day)
        if scanned:
            rows.append(charge(day, scanned, ServiceName="Scanner", Tags='{"team": "web"}', SubAccountId="2"))
            rows.append(charge(day, scanned, ServiceName="Scanner", BillingCurrency="EUR", Tags=""))
        if day.day == 28:
            plan = {6: "300", 7: "310", 8: "310"}[day.month]
            rows.append(charge(day, plan, ServiceName="Support plan", Tags='{"team": "search"}'))
    rows.append(charge(date(2026, 9, 25), "65", ServiceName="Scanner", BillingCurrency="EUR", Tags=""))
    load(Home(tmp_path), [write_focus(tmp_path / "focus.csv", rows)])
    ledger, as_of = Ledger(Home(tmp_path)), LAST + timedelta(1)

    def september(by: list[str], *where: str) -> dict[tuple[object, ...], tuple[Decimal, Decimal, Decimal]]:
        table = forecast_of(ledger, Query("EffectiveCost", by=by, where=list(where)), 2, as_of).table
        now = table.filter(polars.col("ChargePeriod") == date(2026, 9, 1))
        keys = ["BillingCurrency", *by]
        return {row[:-3]: row[-3:] for row in now.select(*keys, "actual", "rest", "mean").iter_rows()}

    service = september(["ServiceName"])
    assert service["USD", "Scanner"] == (40, 50, 90)
    assert service["EUR", "Scanner"] == (105, 0, 105)  # more than the usual 90, and none of it to come
    used = service["USD", "Compute"][2]
    assert used == pytest.approx(Decimal(3000), rel=Decimal("0.01"))
    assert service["USD", "Support plan"] == (0, *[round(used / 10, 6)] * 2)
    whole = september([])
    for by in (["ServiceName"], ["x_Team"], ["SubAccountId"], ["ChargeCategory", "RegionId"]):
        parts = september(by)
        for code in ("USD", "EUR"):
            own = [figures for key, figures in parts.items() if key[0] == code]
            assert tuple(map(sum, zip(*own, strict=True))) == whole[code,]
    assert september([], "ServiceName=Scanner")["USD",] == (40, 50, 90)
    rules = book_of(ledger, "EffectiveCost", as_of).items.filter(polars.col("month") == date(2026, 10, 1))
    told = {
        (c, s): (m, r)
        for c, s, m, r in rules.select("BillingCurrency", "ServiceName", "mean", "rule").iter_rows()
    }
    assert told["USD", "Scanner"] == (90, "few days") and told["USD", "Support plan"][1] == "share of usage"
