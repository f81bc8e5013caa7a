"""Metrics: savings of known rows only, ratios of sums, and comparisons over the answer; to the last digit."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.errors import UsageError
from finops_core.model import engine
from finops_core.model.metrics import METRICS
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import FOCUS_HEADER, csv_text, focus_row

HEADER = [*FOCUS_HEADER, "PricingQuantity", "PricingUnit"]
DIGIT = Decimal("1e-18")


def row(**changes: object) -> dict[str, str]:
    return focus_row(**({"PricingQuantity": "", "PricingUnit": ""} | changes))


def opened(folder: Any, rows: list[dict[str, str]]) -> Ledger:
    path = folder / "focus.csv"
    path.write_text(csv_text(rows, HEADER), "utf-8")
    home = Home(folder / "home")
    load(home, [path])
    return Ledger(home)


def asked(ledger: Ledger, metrics: list[str], **query: Any) -> dict[str, Any]:
    return ledger.query(Query(metrics, **query)).row(0, named=True)


@pytest.fixture(scope="module")
def savings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """By service: all known; a missing list price; idle commitment; a purchase; nothing known."""
    used = {"CommitmentDiscountId": "c", "CommitmentDiscountStatus": "Used"}
    idle = {"CommitmentDiscountId": "c", "CommitmentDiscountStatus": "Unused"}
    found = opened(
        tmp_path_factory.mktemp("savings"),
        [
            row(ServiceName="Known", ListCost="10", ContractedCost="8", EffectiveCost="5", **used),
            row(ServiceName="Known", ListCost="1.1", ContractedCost="1", EffectiveCost="1"),
            row(ServiceName="Half", ListCost="", ContractedCost="8", EffectiveCost="4"),
            row(ServiceName="Half", ListCost="20", ContractedCost="", EffectiveCost="2"),
            row(ServiceName="Half", ListCost="3", ContractedCost="3", EffectiveCost="2"),
            row(ServiceName="Idle", ListCost="7", ContractedCost="6", EffectiveCost="2.5", **idle),
            row(ServiceName="Idle", ListCost="", ContractedCost="", EffectiveCost="0.5", **idle),
            row(
                ServiceName="Fee",
                ChargeCategory="Purchase",
                ListCost="9",
                ContractedCost="4",
                EffectiveCost="0",
            ),
            row(ServiceName="Nothing", ListCost="", ContractedCost="", EffectiveCost="6"),
        ],
    )
    yield found
    found.close()


@pytest.mark.parametrize(
    ("service", "negotiated", "commitment", "coverage"),
    [
        ("Known", "2.1", "3", 1.0),
        ("Half", "0", "1", 2 / 8),
        ("Idle", "0", "-3", 1.0),
        ("Fee", None, None, None),
        ("Nothing", None, None, 0.0),
    ],
)
def test_savings_are_of_known_usage(
    savings: Ledger, service: str, negotiated: str | None, commitment: str | None, coverage: float | None
) -> None:
    names = ["NegotiatedSavings", "CommitmentSavings", "TotalSavings", "SavingsCoverage", "SavingsRate"]
    found = asked(savings, names, where={"ServiceName": service})
    expected = [Decimal(v) if v is not None else None for v in (negotiated, commitment)]
    assert [found[n] for n in names[:2]] == expected
    if None in expected:
        assert found["TotalSavings"] is None and found["SavingsRate"] is None
    else:
        assert found["TotalSavings"] == sum(v for v in expected if v is not None)
    assert found["SavingsCoverage"] == coverage


def test_savings_of_all(savings: Ledger) -> None:
    found = asked(
        savings, ["TotalSavings", "NegotiatedSavings", "CommitmentSavings", "SavingsRate", "SavingsCoverage"]
    )
    assert found["NegotiatedSavings"] == Decimal("2.1")
    assert found["CommitmentSavings"] == Decimal("1")
    assert found["TotalSavings"] == Decimal("3.1")
    assert found["SavingsRate"] == pytest.approx(3.1 / 14.1)
    assert found["SavingsCoverage"] == pytest.approx(11 / 23)


money = st.none() | st.decimals("-99", "99", places=6)
charge = st.tuples(money, money, st.decimals("-99", "99", places=18), st.sampled_from(["", "Used", "Unused"]), st.sampled_from(["Usage", "Tax"]))  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(charge, min_size=1, max_size=8))
def test_savings_add_up(savings: Ledger, charges: list[Any]) -> None:
    """Over rows in place of the table: the parts sum to the whole, and each is what Python makes of the same rows."""
    values = ", ".join(
        f"({'NULL' if listed is None else listed}::DECIMAL(38,18), {'NULL' if contracted is None else contracted}::DECIMAL(38,18),"
        f" {effective:f}::DECIMAL(38,18), {repr(status) if status else 'NULL'}, '{category}')"
        for listed, contracted, effective, status, category in charges
    )
    rows = f"""WITH charges AS (SELECT 'USD' AS BillingCurrency, TIMESTAMP '2026-09-05' AS ChargePeriodStart, * FROM (VALUES {values})
        t(ListCost, ContractedCost, EffectiveCost, CommitmentDiscountStatus, ChargeCategory))"""
    names = ["NegotiatedSavings", "CommitmentSavings", "TotalSavings"]
    found = savings.frame(f"{rows} {engine.sql(Query(names))}").row(0, named=True)
    negotiated, commitment, known = Decimal(0), Decimal(0), False
    for listed, contracted, effective, status, category in charges:
        if category != "Usage" or (status != "Unused" and None in (listed, contracted)):
            continue
        known = True
        if status == "Unused":
            listed = contracted = Decimal(0)
        negotiated += listed - contracted
        commitment += contracted - effective
    assert [found[n] for n in names] == (
        [negotiated, commitment, negotiated + commitment] if known else [None] * 3
    )


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Two services over three months with a gap, units, resources, two currencies."""
    rows = []
    for service, day, cost, quantity, unit, resource, currency in (
        ("Compute", "2026-07-30", "10", "3", "Hours", "a", "USD"),
        ("Compute", "2026-08-02", "1", "7", "Hours", "b", "USD"),
        ("Compute", "2026-10-31", "0.000000000000000001", "1", "Hours", "b", "USD"),
        ("Storage", "2026-08-02", "4", "2", "GB", "", "USD"),
        ("Storage", "2026-09-02", "6", "", "GB", "c", "USD"),
        ("Storage", "2026-10-02", "3", "1", "GB", "c", "USD"),
        ("Compute", "2026-08-10", "100", "5", "Hours", "d", "EUR"),
    ):
        start = date.fromisoformat(day)
        rows.append(
            row(
                ServiceName=service,
                EffectiveCost=cost,
                ListCost="" if resource == "b" else cost,
                PricingQuantity=quantity,
                PricingUnit=unit,
                ResourceId=resource,
                BillingCurrency=currency,
                ChargePeriodStart=f"{start}T05:00:00Z",
                ChargePeriodEnd=f"{start}T06:00:00Z",
                BillingPeriodStart=f"{start:%Y-%m}-01T00:00:00Z",
                BillingPeriodEnd=f"{start.replace(day=1) + timedelta(32):%Y-%m}-01T00:00:00Z",
            )
        )
    found = opened(tmp_path_factory.mktemp("estate"), rows)
    yield found
    found.close()


USD = ("BillingCurrency=USD",)


def test_costs_per_unit_are_ratios_of_sums(estate: Ledger) -> None:
    found = asked(
        estate,
        ["EffectiveUnitCost", "ListUnitCost", "CostPerResource"],
        where=[*USD, "ServiceName=Compute"],
    )
    assert found["EffectiveUnitCost"] == pytest.approx(Decimal("1.0"), abs=Decimal("1e-15"))
    assert found["ListUnitCost"] == pytest.approx(Decimal(10) / 3, abs=Decimal("1e-14"))
    assert isinstance(found["EffectiveUnitCost"], Decimal)
    assert found["CostPerResource"] == Decimal("5.5").quantize(DIGIT) + DIGIT
    storage = asked(estate, ["EffectiveUnitCost", "CostPerResource"], where=[*USD, "ServiceName=Storage"])
    assert (
        str(storage["EffectiveUnitCost"]) == "2.333333333333333500"
    )  # the shortest text of the DOUBLE 7 ÷ 3
    assert storage["EffectiveUnitCost"] == pytest.approx(Decimal(7) / 3, abs=Decimal("1e-14"))
    assert storage["CostPerResource"] == 9
    mixed = asked(estate, ["EffectiveUnitCost", "EffectiveCost"], where=USD)
    assert mixed["EffectiveUnitCost"] is None and mixed["EffectiveCost"] == 24 + DIGIT


def test_cost_per_day_counts_the_days_asked_for(estate: Ledger) -> None:
    def per_day(**query: Any) -> list[Any]:
        return estate.query(Query("CostPerDay", where=USD, **query))["CostPerDay"].to_list()

    assert per_day(start="2026-08-01", end="2026-08-31") == [Decimal(5) / 30 // DIGIT * DIGIT + DIGIT]
    assert per_day(start="2026-08-01", end="2026-09-01", grain="month") == [(Decimal(5) / 31).quantize(DIGIT)]
    assert per_day(start="2026-08-02", end="2026-09-11", grain="month") == [
        (Decimal(5) / 30).quantize(DIGIT),
        (Decimal(6) / 10).quantize(DIGIT),
    ]
    # From the first to the last day with charges, in all rows: 30 July to 31 October are 94 days.
    assert per_day() == [((24 + DIGIT) / 94).quantize(DIGIT)]
    assert per_day(by=["ServiceName"]) == [
        (Decimal(13) / 94).quantize(DIGIT),
        ((11 + DIGIT) / 94).quantize(DIGIT),
    ]
    assert per_day(grain="month") == [
        Decimal(5),
        (Decimal(5) / 31).quantize(DIGIT),
        (Decimal(6) / 30).quantize(DIGIT),
        ((3 + DIGIT) / 31).quantize(DIGIT),
    ]


@settings(max_examples=40, deadline=None)
@given(st.decimals("-999999999999", "999999999999", places=12), st.integers(1, 4000))
def test_money_per_day_is_right_to_the_last_digit(savings: Ledger, cost: Decimal, days: int) -> None:
    start = date(2020, 1, 1)
    query = Query("CostPerDay", start=start, end=start + timedelta(days))
    cube = engine.cubes_of(query)[0].name
    rows = f"WITH {cube} AS (SELECT 'USD' AS BillingCurrency, DATE '2020-01-01' AS ChargeDay, {cost:f}::DECIMAL(38,18) AS EffectiveCost)"
    found = savings.frame(f"{rows} {engine.sql(query)}")["CostPerDay"][0]
    assert abs(Decimal(found) * days - cost) <= DIGIT * days
    if (cost * 10**12) % days == 0:
        assert found == cost / days


def test_shares_are_of_the_currency_and_the_period(estate: Ledger) -> None:
    table = estate.query(Query(["EffectiveCost", "ShareOfTotal"], by=["ServiceName"], grain="month", limit=3))
    assert table.columns == [
        "ChargePeriod",
        "BillingCurrency",
        "ServiceName",
        "EffectiveCost",
        "ShareOfTotal",
    ]
    assert table.rows()[1:] == [
        (date(2026, 8, 1), "EUR", "Compute", 100, 1.0),
        (date(2026, 8, 1), "USD", "Storage", 4, 0.8),
    ]
    alone = estate.query(Query("ShareOfTotal", by=["ServiceName"], where=USD))
    assert alone.columns == ["BillingCurrency", "ServiceName", "ShareOfTotal"]
    assert sum(alone["ShareOfTotal"]) == pytest.approx(1)


def test_running_totals_and_changes_follow_the_member(estate: Ledger) -> None:
    table = estate.query(
        Query(
            ["EffectiveCost", "RunningTotal", "Change", "ChangeRate"],
            by=["ServiceName"],
            grain="month",
            where=USD,
        )
    )
    found = {(r["ChargePeriod"].month, r["ServiceName"]): r for r in table.iter_rows(named=True)}
    assert {k: r["RunningTotal"] for k, r in found.items()} == {
        (7, "Compute"): 10,
        (8, "Compute"): 11,
        (10, "Compute"): 11 + DIGIT,
        (8, "Storage"): 4,
        (9, "Storage"): 10,
        (10, "Storage"): 13,
    }
    assert {k: r["Change"] for k, r in found.items()} == {
        (7, "Compute"): None,
        (8, "Compute"): -9,
        (10, "Compute"): DIGIT,
        (8, "Storage"): 4,
        (9, "Storage"): 2,
        (10, "Storage"): -3,
    }
    assert {k: r["ChangeRate"] for k, r in found.items() if r["ChangeRate"] is not None} == {
        (8, "Compute"): -0.9,
        (9, "Storage"): 0.5,
        (10, "Storage"): -0.5,
    }
    later = estate.query(Query(["EffectiveCost", "Change"], grain="quarter", where=USD, start="2026-08-15"))
    assert later["Change"].to_list() == [None, -3 + DIGIT]
    earlier = estate.query(Query(["EffectiveCost", "Change"], grain="month", where=USD, start="2026-06-15"))
    assert earlier["Change"].to_list() == [10, -5, 1, -3 + DIGIT]


def test_a_change_of_what_cannot_be_added_is_unknown_after_a_gap(estate: Ledger) -> None:
    table = estate.query(
        Query(["ResourceCount", "Change"], grain="month", where=[*USD, "ServiceName=Compute"])
    )
    assert table.select("ResourceCount", "Change").rows() == [(1, None), (1, 0), (1, None)]


@pytest.mark.parametrize(
    "query",
    [
        Query("RunningTotal"),
        Query(["EffectiveCost", "Change"]),
        Query(["ResourceCount", "ShareOfTotal"]),
        Query(["SavingsRate", "RunningTotal"], grain="month"),
    ],
)
def test_what_cannot_be_compared_is_said_in_words(query: Query) -> None:
    with pytest.raises(UsageError):
        engine.sql(query)


def test_every_metric_answers_over_cube_and_charges(estate: Ledger) -> None:
    for name, metric in METRICS.items():
        query = Query([name], by=["ServiceName", "Quarter"], grain="month")
        table = estate.query(query)
        assert len(table) == 7 and table.columns[-1] == name
        kind = table.schema[name]
        if metric.unit == "currency":
            assert kind == polars.Decimal(38, 18), name
        elif metric.unit == "count":
            assert kind == polars.Int64, name
        elif metric.unit in ("ratio", "quantity"):
            assert kind == polars.Float64, name
        if engine.uses_cube(query):
            assert estate.frame(engine.sql_over(query, None)).equals(table), name
    assert [
        m.kind for m in (METRICS[n] for n in ("EffectiveCost", "ResourceCount", "SavingsRate", "Change"))
    ] == [
        "additive",
        "distinct",
        "ratio",
        "comparison",
    ]


def test_ratios_order_and_limit_the_answer(estate: Ledger) -> None:
    query = Query(
        ["EffectiveCost", "CostPerResource"], by=["ServiceName"], where=USD, order="-CostPerResource", limit=1
    )
    assert estate.query(query).select("ServiceName", "CostPerResource").rows() == [("Storage", 9)]
