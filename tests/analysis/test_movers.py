"""Movers of a store: what changed, by any grouping, to the last digit of what the Ledger answers for the two periods."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.analysis.drivers import PARTS
from finops_core.analysis.mover_words import sentence
from finops_core.analysis.movers import Movers, movers, shown
from finops_core.errors import UsageError
from finops_core.model.periods import Period
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import csv_text, focus_row

AUGUST = Period.parse("2026-08-01..2026-09-01")
SEPTEMBER = Period.parse("2026-09-01..2026-10-01")
SERVICES = ("Compute", "Storage", "Model", "Legacy", "Support", "Plans", "Messages")


def charge(month: int, service: str, cost: str, quantity: str = "", **changes: object) -> dict[str, str]:
    """A charge on the 5th of a month, without list and contracted prices."""
    priced = {
        "PricingQuantity": quantity,
        "PricingUnit": "Hours" if quantity else "",
        "SkuPriceId": "",
        "SkuId": "",
    }
    usual: dict[str, object] = {
        "ServiceName": service,
        "EffectiveCost": cost,
        "BilledCost": cost,
        "ListCost": "",
        "ContractedCost": "",
        "ChargeDescription": f"use of {service}",
        "BillingPeriodStart": f"2026-{month:02}-01T00:00:00Z",
        "BillingPeriodEnd": f"2026-{month + 1:02}-01T00:00:00Z",
        "ChargePeriodStart": f"2026-{month:02}-05T00:00:00Z",
        "ChargePeriodEnd": f"2026-{month:02}-06T00:00:00Z",
    }
    return focus_row(**{**usual, **priced, **changes})


def loaded(folder: Path, rows: list[dict[str, str]]) -> Ledger:
    export = folder / "focus.csv"
    export.write_text(csv_text(rows), "utf-8")
    home = Home(folder / "home")
    load(home, [export])
    return Ledger(home)


NO_TAG: dict[str, object] = {"Tags": ""}
PLAN: dict[str, object] = {"CommitmentDiscountId": "plan", "BilledCost": 0}
UNUSED: dict[str, object] = {**PLAN, "CommitmentDiscountStatus": "Unused", "ListCost": 0, "ContractedCost": 0}
EUR: dict[str, object] = {"BillingCurrency": "EUR"}
ROWS = [
    # the worked example, in dollars and, with other figures, in euros
    charge(8, "Compute", "10", "100"),
    charge(9, "Compute", "12", "150"),
    charge(8, "Compute", "6", "3", **EUR),
    charge(9, "Compute", "4", "2", **EUR),
    # prices known; then half of the use is covered by a commitment, and a correction has no quantity
    charge(8, "Storage", "15", "100", ListCost=20, ContractedCost=15, SkuId="gp3"),
    charge(9, "Storage", "7.5", "50", ListCost=10, ContractedCost="7.5", SkuId="gp3", **NO_TAG),
    charge(9, "Storage", "5", "50", ListCost=10, ContractedCost="7.5", SkuId="gp3", **PLAN, CommitmentDiscountStatus="Used"),
    charge(9, "Storage", "-0.25", SkuId="gp3", PricingUnit="Hours", ChargeClass="Correction"),
    charge(9, "Model", "4800", "2"),
    charge(8, "Legacy", "300", "2"),
    charge(8, "Support", "7", ChargeCategory="Tax", **NO_TAG),
    charge(9, "Support", "9", ChargeCategory="Tax", **NO_TAG),
    charge(8, "Plans", "1", **UNUSED),
    charge(9, "Plans", "3.000000000000000001", **UNUSED),
    charge(8, "Messages", "2", "1000000", RegionId="eu"),
    charge(9, "Messages", "3", "0", RegionId="eu"),
    # the day after the last is excluded
    charge(10, "Compute", "1000", "7", ChargePeriodStart="2026-10-01T00:00:00Z"),
]  # fmt: skip


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = loaded(tmp_path_factory.mktemp("movers"), ROWS)
    yield opened
    opened.close()


def september(metric: str, *by: str, **where: str) -> Query:
    return Query(metric, by, where=where, start=SEPTEMBER.start, end=SEPTEMBER.end)


def figures(found: Movers, currency: str = "USD") -> dict[Any, tuple[str, dict[str, Decimal]]]:
    """Member → Kind, and change and parts that are not 0."""
    mine = found.table.filter(polars.col("BillingCurrency") == currency)
    return {
        tuple(row[d] for d in found.by): (row["Kind"], {p: row[p] for p in ("change", *PARTS) if row[p]})
        for row in mine.iter_rows(named=True)
    }


def test_every_part(ledger: Ledger) -> None:
    found = movers(ledger, september("EffectiveCost", "ServiceName"), AUGUST)
    assert found.table.columns == [
        *("BillingCurrency", "ServiceName", "before", "after", "change", "quantity", "list_price"),
        *("negotiated_discount", "commitment", "rate", "new", "gone", "other", "Kind"),
    ]
    assert {type(v) for name in ("before", *PARTS) for v in found.table[name]} == {Decimal}
    expected = {
        ("Compute",): ("changed", {"change": "2", "quantity": "4.5", "rate": "-2.5"}),
        ("Storage",): ("changed", {"change": "-2.75", "commitment": "-2.5", "other": "-0.25"}),
        ("Model",): ("new", {"change": "4800", "new": "4800"}),
        ("Legacy",): ("gone", {"change": "-300", "gone": "-300"}),
        ("Support",): ("changed", {"change": "2", "other": "2"}),
        ("Plans",): ("changed", {"change": "2.000000000000000001", "commitment": "2.000000000000000001"}),
        ("Messages",): ("changed", {"change": "1", "other": "1"}),
    }
    decimals = {
        member: (kind, {p: Decimal(v) for p, v in parts.items()})
        for member, (kind, parts) in expected.items()
    }
    assert figures(found) == decimals
    assert figures(found, "EUR") == {("Compute",): ("changed", {"change": -2, "quantity": -2})}


def test_ranked_by_the_size_of_the_change(ledger: Ledger) -> None:
    found = movers(ledger, september("EffectiveCost", "ServiceName"), AUGUST).table
    ranked = ["Model", "Legacy", "Storage", "Plans", "Compute", "Compute", "Support", "Messages"]
    assert found["ServiceName"].to_list() == ranked
    assert found["BillingCurrency"].to_list()[4:6] == ["EUR", "USD"]


def test_what_is_covered_is_billed_at_nothing(ledger: Ledger) -> None:
    found = figures(movers(ledger, september("BilledCost", "ServiceName"), AUGUST))
    assert found[("Storage",)][1] == {
        "change": Decimal("-7.75"),
        "commitment": Decimal("-7.5"),
        "other": Decimal("-0.25"),
    }
    assert found[("Plans",)] == ("changed", {})


def test_a_list_cost_is_moved_by_list_prices_and_is_known_or_not(ledger: Ledger) -> None:
    found = movers(ledger, september("ListCost", "ServiceName"), AUGUST)
    assert {member for member, (_, parts) in figures(found).items() if parts} == set()
    storage = found.table.filter(polars.col("ServiceName") == "Storage")
    assert storage.select("before", "after").row(0) == (20, 20)


def test_a_member_without_a_value_is_a_member(ledger: Ledger) -> None:
    """What lost its tag is new without one; of what kept it, half as much is left: 100 → 50 h, 0.15 → 0.10."""
    found = figures(movers(ledger, september("EffectiveCost", "x_Team", ServiceName="Storage"), AUGUST))
    assert found == {
        (None,): ("new", {"change": Decimal("7.5"), "new": Decimal("7.5")}),
        ("search",): ("changed", {"change": Decimal("-10.25"), "quantity": Decimal("-6.25"), "commitment": Decimal("-3.75"), "other": Decimal("-0.25")}),
    }  # fmt: skip


def pair(name: str, first: dict[str, object], second: dict[str, object]) -> list[dict[str, str]]:
    """At 1 an hour 100 → 50 hours, at 3 an hour 100 → 150: as two leaves more use of 100, as one leaf a higher rate."""
    tags = {"Tags": f'{{"pair":"{name}"}}'}
    return [
        charge(month, **{"service": "Compute", "cost": cost, "quantity": quantity, **tags, **changes})  # type: ignore[arg-type]
        for month, cost, quantity, changes in (
            (8, "100", "100", first),
            (9, "50", "50", first),
            (8, "300", "100", second),
            (9, "450", "150", second),
        )
    ]


MORE: dict[str, object] = {"quantity": 100}
HIGHER: dict[str, object] = {"rate": 100}
PAIRS: dict[str, tuple[dict[str, object], dict[str, object], dict[str, object]]] = {
    "account": ({"SubAccountId": "1"}, {"SubAccountId": "2"}, MORE),
    "service": ({"service": "Compute"}, {"service": "Storage"}, MORE),
    "region": ({"RegionId": "eu"}, {"RegionId": ""}, MORE),
    "unit": ({"PricingUnit": "Hours"}, {"PricingUnit": "GB"}, MORE),
    "price": ({"SkuId": "one", "SkuPriceId": "1"}, {"SkuId": "one", "SkuPriceId": "2"}, MORE),
    "same price": ({"SkuId": "one", "SkuPriceId": "1"}, {"SkuId": "two", "SkuPriceId": "1"}, HIGHER),
    "sku": ({"SkuId": "one"}, {"SkuId": "two"}, MORE),
    "same sku": ({"SkuId": "one"}, {"SkuId": "one", "ChargeDescription": "another"}, HIGHER),
    "description": ({}, {"ChargeDescription": "another"}, MORE),
    "category": ({}, {"ChargeCategory": "Purchase"}, {"quantity": -50, "other": 150}),
    "covered": ({}, {**PLAN, "CommitmentDiscountStatus": "Used"}, HIGHER),
    "resource": ({"ResourceId": "i-1"}, {"ResourceId": "i-2"}, HIGHER),
}
"""What two rows differ in, and what their change is then made of."""


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    rows = [row for name, (first, second, _) in PAIRS.items() for row in pair(name, first, second)]
    half, idle = {"Tags": '{"pair":"half known"}'}, {"Tags": '{"pair":"idle, then used"}'}
    rows += [
        charge(8, "Compute", "10", "100", **half, ListCost=20, ContractedCost=12),
        charge(9, "Compute", "13", "100", **half, ListCost=30),
        charge(8, "Compute", "4", PricingUnit="Hours", **{**UNUSED, **idle}),
        charge(9, "Compute", "6", "3", **idle),
    ]
    opened = loaded(tmp_path_factory.mktemp("pairs"), rows)
    yield opened
    opened.close()


def test_what_makes_a_leaf(pairs: Ledger) -> None:
    found = figures(movers(pairs, september("EffectiveCost", "tag:pair"), AUGUST))
    assert {name: {p: v for p, v in found[(name,)][1].items() if p != "change"} for name in PAIRS} == {
        name: parts for name, (_, _, parts) in PAIRS.items()
    }


def test_a_price_that_is_known_in_one_period_only(pairs: Ledger) -> None:
    effective, listed, contracted = (
        figures(movers(pairs, september(metric, "tag:pair"), AUGUST))[("half known",)][1]
        for metric in ("EffectiveCost", "ListCost", "ContractedCost")
    )
    assert effective == {"change": 3, "rate": 3}
    assert listed == {"change": 10, "list_price": 10}
    assert contracted == {"change": -12, "other": -12}


def test_idle_commitment_is_no_use(pairs: Ledger) -> None:
    found = figures(movers(pairs, september("EffectiveCost", "tag:pair"), AUGUST))[("idle, then used",)]
    assert found == ("changed", {"change": 2, "commitment": -4, "new": 6})


def test_groupings_with_the_same_leaves_agree(ledger: Ledger) -> None:
    total = movers(ledger, september("EffectiveCost"), AUGUST).table.sort("BillingCurrency")
    for by in (
        ["ServiceName"],
        ["SubAccountId", "RegionId"],
        ["ChargeCategory", "ServiceName", "BillingCurrency"],
    ):
        members = movers(ledger, september("EffectiveCost", *by), AUGUST).table
        sums = members.group_by("BillingCurrency").agg(polars.col("before", "after", "change", *PARTS).sum())
        assert sums.sort("BillingCurrency").equals(total.drop("Kind"))


def test_per_day(ledger: Ledger) -> None:
    query = september("EffectiveCost", "ServiceName", BillingCurrency="EUR")
    (row,) = movers(ledger, query, AUGUST, per_day=True).table.iter_rows(named=True)
    assert row["before"] == Decimal("0.193548387096774194")  # 6 / 31
    assert row["after"] == Decimal("0.133333333333333333")  # 4 / 30
    assert row["change"] == row["quantity"] + row["rate"]
    assert row["quantity"] == Decimal("-0.060215053763")  # (2/30 − 3/31) × 2
    assert abs(row["rate"]) < Decimal("1e-12")


def test_periods_may_overlap(ledger: Ledger) -> None:
    both = Period(AUGUST.start, SEPTEMBER.end)
    found = figures(movers(ledger, september("EffectiveCost", "ServiceName"), both))
    assert found[("Compute",)][1] == {"change": -10, "quantity": Decimal("-8.4"), "rate": Decimal("-1.6")}
    assert found[("Model",)] == ("changed", {})


def test_what_is_shown_and_what_is_other(ledger: Ledger) -> None:
    found = movers(ledger, september("EffectiveCost", "ServiceName"), AUGUST)
    few = shown(found, limit=3, floor=Decimal("2.5"))
    assert [(r["Member"], r["change"], r["Kind"]) for r in few.table.iter_rows(named=True)] == [
        ("Model", 4800, "new"),
        ("Legacy", -300, "gone"),
        ("Storage", Decimal("-2.75"), "changed"),
        ("Other (1)", -2, "other"),
        ("Other (4)", Decimal("7.000000000000000001"), "other"),
    ]
    part = Decimal("5102.75")
    assert few.explained == {"EUR": 0, "USD": part / (part + Decimal("7.000000000000000001"))}
    everything = shown(found)
    assert everything.explained == {"EUR": 1, "USD": 1}
    assert everything.table.drop("Member").equals(found.table)
    none = shown(found, limit=0).table
    assert none["after"].sum() == found.table["after"].sum() and none["Kind"].unique().to_list() == ["other"]


def test_nothing_in_either_period(ledger: Ledger) -> None:
    query = Query("EffectiveCost", ["x_Team"], start=date(2020, 2, 1), end=date(2020, 3, 1))
    found = movers(ledger, query, Period.parse("2020-01-01..2020-02-01"), per_day=True)
    assert found.table.is_empty() and shown(found, 5).table.is_empty() and shown(found).explained == {}


@pytest.mark.parametrize(
    "wrong",
    [
        Query("PricingQuantity", start=SEPTEMBER.start, end=SEPTEMBER.end),
        Query(["EffectiveCost", "BilledCost"], start=SEPTEMBER.start, end=SEPTEMBER.end),
        Query("EffectiveCost", start=SEPTEMBER.start),
        Query("EffectiveCost", ["Servicename"], start=SEPTEMBER.start, end=SEPTEMBER.end),
    ],
)
def test_what_cannot_be_asked_is_said_in_words(ledger: Ledger, wrong: Query) -> None:
    with pytest.raises(UsageError):
        movers(ledger, wrong, AUGUST)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"new": "4800"}, "EC2: +4,800 USD, all of it new"),
        ({"gone": "-300"}, "EC2: −300.00 USD, all of it gone"),
        ({"new": "-300"}, "EC2: −300.00 USD, all of it new credits"),
        ({"quantity": "11200", "commitment": "-2100"}, "EC2: +9,100 USD: +11,200 more use (quantity), −2,100 lower rate (commitment)"),
        ({"quantity": "100", "rate": "-100"}, "EC2: no change: +100.00 more use (quantity), −100.00 lower rate"),
        ({"quantity": "100", "rate": "-4", "other": "1.5"}, "EC2: +97.50 USD: +100.00 more use (quantity), −2.50 the rest"),
        ({"list_price": "100", "rate": "0.004"}, "EC2: +100.00 USD, all of it higher rate (list price)"),
        ({}, "EC2: no change"),
    ],
)  # fmt: skip
def test_a_mover_in_a_sentence(parts: dict[str, str], words: str) -> None:
    given = {part: Decimal(parts.get(part, 0)) for part in PARTS}
    row = {"BillingCurrency": "USD", "Member": "EC2", "change": sum(given.values()), **given}
    assert sentence(row) == words
    assert sentence(row, per_day=True) == words.replace("USD", "USD a day")


@pytest.fixture(scope="module")
def random_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Three months of charges with anything missing, drawn once."""
    draw = Random(5)

    def cost() -> str:
        return str(
            Decimal(draw.randint(-(10**20), 10**21))
            .scaleb(-draw.choice([2, 9, 18]))
            .quantize(Decimal("1e-18"))
            % 1000
        )

    rows = []
    for _ in range(600):
        usage = draw.random() < 0.8
        rows.append(
            charge(
                draw.choice([8, 9, 10]),
                draw.choice(SERVICES),
                cost(),
                draw.choice(["", "0", "1", "-3", "0.1", "1e-9", "333.333333", "7200000"]) if usage else "",
                BilledCost=cost(),
                ListCost=draw.choice(["", cost()]),
                ContractedCost=draw.choice(["", cost()]),
                SkuId=draw.choice(["", "one"]),
                SkuPriceId=draw.choice(["", "", "price"]),
                RegionId=draw.choice(["eu", ""]),
                BillingCurrency=draw.choice(["USD", "USD", "EUR"]),
                ChargeCategory="Usage" if usage else draw.choice(["Tax", "Credit", "Purchase", "Adjustment"]),
                Tags=draw.choice(["", '{"team":"a"}', '{"Team":"b"}', '{"user:team":"a","size":"1"}']),
                CommitmentDiscountStatus=(status := draw.choice(["", "", "Used", "Unused"]) if usage else ""),
                CommitmentDiscountId="plan" if status else "",
            )
        )  # fmt: skip
    opened = loaded(tmp_path_factory.mktemp("random"), rows)
    yield opened
    opened.close()


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["EffectiveCost", "BilledCost", "ListCost", "ContractedCost"]),
    st.lists(
        st.sampled_from(["ServiceName", "x_Team", "tag:size", "RegionId", "SkuId", "ChargeCategory", "PricingQuantity"]),
        max_size=3,
        unique=True,
    ),
    st.sampled_from([{}, {"x_Team": "a"}, {"ServiceName": ["Compute", "Model"]}, {"RegionId": None}]),
    st.permutations([8, 9, 10]),
    st.booleans(),
)  # fmt: skip
def test_movers_sum_to_what_the_ledger_says(
    random_ledger: Ledger, metric: str, by: list[str], where: dict[str, Any], months: list[int], per_day: bool
) -> None:
    before, after = (Period(date(2026, m, 1), date(2026, m + 1, 1)) for m in months[:2])
    query = Query(metric, by, where=where, start=after.start, end=after.end)
    found = movers(random_ledger, query, before, per_day)
    for row in found.table.iter_rows(named=True):
        assert sum(row[part] for part in PARTS) == row["change"] == row["after"] - row["before"]
    for side, period in (("before", before), ("after", after)):
        asked = query.but(start=period.start, end=period.end)
        told = {key: cost or Decimal(0) for key, cost in _rows(random_ledger.query(asked))}
        mine = dict(_rows(found.table.select("BillingCurrency", *by, side)))
        if per_day:
            assert all(abs(mine[key] - cost / period.days) < Decimal("2e-18") for key, cost in told.items())
        else:
            assert {key: cost for key, cost in mine.items() if cost} == {k: c for k, c in told.items() if c}
        totals = found.table.group_by("BillingCurrency").agg(polars.col(side).sum())
        for currency, cost in _pairs(random_ledger.query(asked.but(by=()))):
            divided = (cost or Decimal(0)) / (period.days if per_day else 1)
            assert abs(dict(_pairs(totals))[currency] - divided) < Decimal("1e-18") * per_day + Decimal(
                "1e-60"
            )
    few = shown(found, 2, Decimal(1))
    for name in ("before", "after", "change", *PARTS):
        assert few.table[name].sum() == found.table[name].sum()


def _rows(frame: polars.DataFrame) -> list[tuple[Any, ...]]:
    return [(tuple(row[:-1]), row[-1]) for row in frame.iter_rows()]


def _pairs(frame: polars.DataFrame) -> list[tuple[str, Decimal]]:
    return [(row[0], row[1]) for row in frame.iter_rows()]
