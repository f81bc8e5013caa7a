"""The same Queries through DuckDB and, over Ibis, through polars: equal answers."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.errors import UsageError
from finops_core.model.engines import engine_names, open_engine
from finops_core.model.metrics import METRICS
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import FOCUS_HEADER, csv_text, focus_row

METRIC_NAMES = [name for name, m in METRICS.items() if m.kind != "comparison"]
COMPARED = [name for name, m in METRICS.items() if m.kind == "comparison"]
OF_SUMS = {"ShareOfTotal", "RunningTotal"}
OVER_PERIODS = {"RunningTotal", "Change", "ChangeRate"}
DIMENSIONS = ("ServiceName", "RegionId", "ChargeCategory", "BillingPeriod", "x_Team", "CommitmentDiscountStatus", "PricingUnit", "Sku", "tag:team", 'tag:"k=v"', "tag:say \"hi\"", "Day", "Week", "Month", "Quarter", "Year", "Weekday", "DayOfMonth", "ConsumedQuantity")  # fmt: skip
CONDITIONS = ("ServiceName=Compute", "ServiceName!=Compute", "ServiceName in Compute,a or b", "ServiceName not in Compute", "ServiceName~O", "ServiceName!~o", "ServiceName^=c", "ServiceName!^=c", "ServiceName matches ^[A-S].*e$", "ServiceName not matches e", "RegionId is null", "RegionId is not null", "BilledCost>0", "BilledCost between -1 and 2.5", "ListCost<=20", "not ListCost>20", "ConsumedQuantity>=3", "ChargePeriodStart<=2026-08-20", "Day>2026-09-01", "Weekday in Monday,Sunday", "DayOfMonth<10", "BillingPeriod>=2026-09", "tag:team=a", "tag:team is null", 'tag:"k=v"!=7', "(RegionId=eu or x_Team is null) and not ChargeCategory=Tax", "not (ServiceName=Compute and RegionId=eu)")  # fmt: skip


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Costs to the 18th digit, missing values in every column asked, tags with odd keys and values."""
    folder = tmp_path_factory.mktemp("engines")
    tags = (
        {"team": "a"},
        {"k=v": 7},
        {'say "hi"': "yes"},
        {"user:team": "b"},
        {"team": None},
        {"team": {"x": [1]}},
        {},
    )
    rows = []
    for number in range(150):
        moment = datetime(2026, 7, 28) + timedelta(days=number % 80, hours=number % 24)
        first = moment.replace(day=1, hour=0)
        rows.append(
            focus_row(
                BilledCost=Decimal(number * 7919 % 1009 - 300) / Decimal(10) ** (number % 19),
                EffectiveCost=Decimal(number * 31 % 97) / 8,
                ListCost="" if number % 5 == 0 else number,
                ContractedCost="" if number % 7 == 0 else Decimal(number) / 2,
                ServiceName=("Compute", "Storage", "a or b")[number % 3],
                RegionId=("eu", "us", "")[number % 3 - 1],
                ChargeCategory=("Usage", "Usage", "Tax", "Credit")[number % 4],
                CommitmentDiscountId="c" if number % 6 < 2 else "",
                CommitmentDiscountStatus=("Used", "Unused", "", "", "", "")[number % 6],
                ConsumedQuantity="" if number % 4 == 0 else number % 9 / 2,
                PricingQuantity="" if number % 4 == 0 else number % 9 / 4,
                PricingUnit=("Hours", "GB", "")[number % 3],
                ResourceId="" if number % 10 == 0 else f"r{number % 12}",
                BillingCurrency=("USD", "EUR")[number % 8 == 0],
                BillingPeriodStart=f"{first:%Y-%m-%dT%H:%M:%SZ}",
                BillingPeriodEnd=f"{(first + timedelta(32)).replace(day=1):%Y-%m-%dT%H:%M:%SZ}",
                ChargePeriodStart=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
                ChargePeriodEnd=f"{moment + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
                Tags=json.dumps(tags[number % len(tags)]) if number % 9 else "",
            )
        )
    path = folder / "focus.csv"
    path.write_text(csv_text(rows, [*FOCUS_HEADER, "PricingQuantity", "PricingUnit"]), "utf-8")
    home = Home(folder / "home")
    load(home, [path])
    opened = Ledger(home)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def second(ledger: Ledger) -> Iterator[Ledger]:
    opened = Ledger(ledger.home, "polars")
    yield opened
    opened.close()


days = st.dates(date(2026, 7, 20), date(2026, 10, 20))


@st.composite
def queries(draw: st.DrawFn) -> Query:
    start, length = draw(days), draw(st.integers(1, 60))
    bounded = draw(st.booleans())
    grain = draw(st.sampled_from(["none", "day", "week", "month", "quarter", "year"]))
    metrics = draw(st.lists(st.sampled_from(METRIC_NAMES), min_size=1, max_size=3, unique=True))
    metrics += [
        name for name in draw(st.lists(st.sampled_from(COMPARED), max_size=3, unique=True))
        if (name not in OVER_PERIODS or grain != "none") and (name not in OF_SUMS or METRICS[metrics[0]].additive)
    ]  # fmt: skip
    by = draw(
        st.lists(st.sampled_from(DIMENSIONS).filter(lambda d: d not in metrics), max_size=3, unique=True)
    )
    return Query(
        metrics,
        by=by,
        grain=grain,
        where=draw(st.lists(st.sampled_from(CONDITIONS), max_size=2, unique=True)),
        start=start if bounded else None,
        end=start + timedelta(length) if bounded else None,
    )


@settings(max_examples=30, deadline=None)
@given(queries())
def test_both_engines_give_one_answer(ledger: Ledger, second: Ledger, query: Query) -> None:
    answers = [found.query(query) for found in (ledger, second)]
    assert answers[0].schema == answers[1].schema
    keys = [name for name in answers[0].columns if name not in query.metrics]
    first, other = (answer.sort(keys, nulls_last=True) for answer in answers)
    for name in first.columns:
        one, two = first[name], other[name]
        asked = METRICS.get(name) if name in query.metrics else None
        if asked is not None and (one.dtype == polars.Float64 or asked.group == "Unit cost"):
            # A division, or a sum of DOUBLE, may differ in its last digits; sums of money may not differ at all.
            assert one.is_null().equals(two.is_null()), name
            known = [column.drop_nulls().cast(polars.Float64).to_list() for column in (one, two)]
            assert known[0] == pytest.approx(known[1], rel=1e-14, abs=1e-17), name
        else:
            assert one.equals(two), name


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["EffectiveCost", "-EffectiveCost", "RegionId"]), st.integers(0, 12))
def test_both_engines_order_and_limit_alike(ledger: Ledger, second: Ledger, order: str, limit: int) -> None:
    query = Query(
        "EffectiveCost",
        by=["RegionId", "ChargeCategory"],
        where=["RegionId is not null"],
        order=order,
        limit=limit,
    )
    assert ledger.query(query).equals(second.query(query))


def test_engines_are_found_by_name(ledger: Ledger, second: Ledger) -> None:
    assert engine_names() == ["duckdb", "polars"]
    with pytest.raises(UsageError, match="duckdb, polars"):
        open_engine("abacus", ledger)
