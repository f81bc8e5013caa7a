"""Whatever is loaded in whatever order: each month holds its last version, every row is accounted for, the cube agrees."""

import tempfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import polars
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.model import engine
from finops_core.model.metrics import METRICS
from finops_core.model.query import Condition
from finops_core.quality.history import compare, versions
from finops_core.quality.verify import verify
from finops_core.store.cubes import CUBES, DAY, Cube
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from tests.exports import PLAN, cur_row, focus_row, write_cur, write_focus

MONTHS = ("2026-07", "2026-08", "2026-09")
NEXT = {"2026-07": "2026-08", "2026-08": "2026-09", "2026-09": "2026-10"}
SERVICES = ("Compute", "Storage", None)
Charges = list[tuple[Decimal, str | None]]
"""(BilledCost = EffectiveCost, ServiceName)"""

costs = st.decimals(-10, 10, places=18) | st.sampled_from([Decimal("1e-18"), Decimal("9.984E-7"), Decimal(0)])
charges = st.lists(st.tuples(costs, st.sampled_from(SERVICES)), max_size=3)
exports = st.dictionaries(st.sampled_from(MONTHS), charges, max_size=3)
loads = st.tuples(st.sampled_from(["one", "two"]), exports | st.just("the same again"))


def focus_export(path: Path, source: str, months: dict[str, Charges]) -> Path:
    return write_focus(path, [
        focus_row(
            BilledCost=cost, EffectiveCost=cost, ServiceName=service or "", SubAccountId=source,
            BillingPeriodStart=f"{month}-01", BillingPeriodEnd=f"{NEXT[month]}-01",
            ChargePeriodStart=f"{month}-05T00:00:00Z", ChargePeriodEnd=f"{month}-06T00:00:00Z",
        )
        for month, rows in months.items() for cost, service in rows
    ])  # fmt: skip


def stored(home: Home) -> dict[tuple[str, str], list[Decimal]]:
    """(source, month) → the sorted costs of its charges."""
    ledger = Ledger(home)
    found: dict[tuple[str, str], list[Decimal]] = {}
    for source, month, cost in ledger.sql(
        "SELECT x_Source, BillingPeriod, BilledCost FROM charges"
    ).iter_rows():
        found.setdefault((source, month), []).append(cost)
    ledger.close()
    return {key: sorted(found[key]) for key in found}


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(loads, min_size=2, max_size=5))
def test_each_month_holds_its_last_version(steps: list[tuple[str, dict[str, Charges] | str]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        home = Home(Path(directory))
        last: dict[str, Path] = {}
        expected: dict[tuple[str, str], list[Decimal]] = {}
        history: dict[tuple[str, str], list[Decimal]] = {}
        for number, (source, months) in enumerate(steps):
            again = not isinstance(months, dict)
            if again and source not in last:
                continue
            file = last[source] if again else focus_export(Path(directory) / f"{number}.csv", source, months)
            batches = load(home, [file], LoadOptions(source=source))
            for batch in batches:
                assert batch.reconciled and batch.rows_in == batch.rows_stored
                assert Decimal(batch.total("BilledCost") or 0) == Decimal(batch.total("source_total") or 0)
            if again:
                assert {b.action for b in batches} <= {"unchanged"} or len(batches) == 0
                continue
            filled = {month: sorted(cost for cost, _ in rows) for month, rows in months.items() if rows}
            if filled:
                last[source] = file
            for month, amounts in filled.items():
                expected[source, month] = amounts
                if "unchanged" not in {b.action for b in batches}:
                    history.setdefault((source, month), []).append(sum(amounts, Decimal(0)))
        assert stored(home) == expected if expected else Ledger(home).is_empty()
        checks = verify(home)
        assert all(c.agrees for c in checks)
        assert {(c.source, c.billing_period) for c in checks} == set(expected)
        for (source, month), totals in history.items():
            known = versions(home, source, month)
            assert [Decimal(b.total("BilledCost") or 0) for b in known] == totals
            for (one, other), (a, b) in zip(pairwise(known), pairwise(totals), strict=True):
                changes = compare(home, source, month, one.lake_version, other.lake_version)
                assert sum((c.billed[1] - c.billed[0] for c in changes), Decimal(0)) == b - a


amounts = st.decimals(0, 5, places=10)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(amounts, amounts, amounts, st.booleans()), min_size=1, max_size=5))
def test_rows_in_are_stored_plus_dropped_minus_derived(
    commitments: list[tuple[Decimal, Decimal, Decimal, bool]],
) -> None:
    """A commitment: its fee, its use, what covered usage would have cost, and whether a negation takes that back."""
    rows, billed, effective, derived, residue = [], Decimal(0), Decimal(0), 0, Decimal(0)
    for fee, used, on_demand, negated in commitments:
        used = min(fee, used)
        plan = {"SavingsPlanARN": PLAN}
        rows.append(
            cur_row("SavingsPlanRecurringFee", fee, TotalCommitmentToDate=fee, UsedCommitment=used, **plan)
        )
        rows.append(cur_row("SavingsPlanCoveredUsage", on_demand, SavingsPlanEffectiveCost=used, **plan))
        if negated:
            rows.append(cur_row("SavingsPlanNegation", -on_demand, **plan))
        else:
            residue += on_demand
        billed += fee
        effective += used + (fee - used)
        derived += fee > used
    with tempfile.TemporaryDirectory() as directory:
        home = Home(Path(directory) / "home")
        (batch,) = load(home, [write_cur(Path(directory) / "cur.csv", rows)])
        assert batch.rows_in == len(rows)
        assert batch.rows_in == batch.rows_stored + sum(batch.dropped.values()) - sum(batch.derived.values())
        assert sum(batch.dropped.values()) == sum(negated for *_, negated in commitments)
        assert sum(batch.derived.values()) == derived + (residue != 0)
        assert Decimal(batch.total("BilledCost") or 0) == billed + residue
        assert Decimal(batch.total("EffectiveCost") or 0) == effective + residue
        assert batch.reconciled and all(c.agrees for c in verify(home))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Two sources, two currencies, three months, missing values, amounts of every size and sign."""
    root = tmp_path_factory.mktemp("cube")
    home = Home(root / "home")
    rows = [
        focus_row(
            BilledCost=Decimal(number * (-1) ** number) / 7, EffectiveCost=f"{number}e-{number % 19}",
            ListCost="" if number % 5 == 0 else number, ContractedCost=number / 4,
            ServiceName=("Compute", "Storage", "")[number % 3], RegionId=("eu-west-1", "")[number % 2],
            BillingCurrency=("USD", "EUR")[number % 4 == 1], SubAccountId=f"account {number % 3}",
            ChargeCategory=("Usage", "Tax", "Credit", "Purchase")[number % 4], ConsumedQuantity=number,
            BillingPeriodStart=f"{MONTHS[number % 3]}-01", BillingPeriodEnd=f"{NEXT[MONTHS[number % 3]]}-01",
            ChargePeriodStart=f"{MONTHS[number % 3]}-{1 + number % 28:02d}T{number % 24:02d}:00:00Z",
            ChargePeriodEnd=f"{MONTHS[number % 3]}-{1 + number % 28:02d}T{number % 24:02d}:59:59Z",
            ResourceId=f"resource {number % 6}", Tags=('{"team": "a"}', '{"team": "b", "env": "prod"}', "")[number % 3],
        )
        for number in range(120)
    ]  # fmt: skip
    load(home, [write_focus(root / "focus.csv", [r | {"BilledCost": r["BilledCost"][:20]} for r in rows])])
    load(home, [write_cur(root / "cur.csv", [cur_row(cost="0.1", day=day) for day in range(1, 20)])])
    found = Ledger(home)
    yield found
    found.close()


in_cube = [n for n, m in METRICS.items() if m.over is None and engine.uses_cube(Query(n))]
days = st.dates(date(2026, 6, 25), date(2026, 10, 5))
conditions = [Condition.parse(text) for text in (
    "ServiceName=Compute", "ServiceName!=Compute", "ServiceName is null", "RegionId is not null", "RegionId in eu-west-1,x",
    "SubAccountId not in account 1", "ServiceName~o", "ServiceName!~o", "x_Team=a", "x_Team is null", "BillingCurrency=EUR",
    "ChargeCategory in Usage,Tax", "BillingPeriod=2026-08", "x_Source~focus", "RegionName is null", "x_Environment!=prod", "x_CostCenter is null",
    "CommitmentDiscountId is null", "x_Application is null", "x_Product is null", "PricingCategory is null",
)]  # fmt: skip


@st.composite
def queries(draw: st.DrawFn, cube: Cube) -> Query:
    """Whatever the cube can be asked; a cube of months for whole months, of course."""
    of_days = cube.time == DAY
    start, end = sorted(draw(st.tuples(days, days)))
    if not of_days:
        start, end = start.replace(day=1), end.replace(day=1)
    bounded = start < end and draw(st.booleans())
    fitting = [condition for condition in conditions if condition.dimension in cube.dimensions]
    return Query(
        metrics=tuple(draw(st.lists(st.sampled_from(in_cube), min_size=1, max_size=3, unique=True))),
        by=tuple(draw(st.lists(st.sampled_from(cube.dimensions), max_size=3, unique=True))),
        grain=draw(st.sampled_from(["none", "month", "quarter", "year"] + ["day", "week"] * of_days)),
        where=tuple(draw(st.lists(st.sampled_from(fitting), max_size=2, unique=True))),
        start=start if bounded else None,
        end=end if bounded else None,
    )


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize("cube", CUBES, ids=lambda cube: cube.name)
def test_every_cube_answers_like_the_charges(ledger: Ledger, cube: Cube, data: st.DataObject) -> None:
    query = data.draw(queries(cube))
    able = engine.cubes_of(query)
    assert cube in able and engine.sql(query) == engine.sql_over(query, able[0])
    plain, answer = (ledger.frame(engine.sql_over(query, table)) for table in (None, cube))
    assert answer.schema == plain.schema
    keys = [name for name in plain.columns if name not in query.metrics]
    assert answer.sort(keys, nulls_last=True).equals(plain.sort(keys, nulls_last=True))
    if "BilledCost" in query.metrics and not query.where and query.start is None:
        totals = plain.group_by("BillingCurrency").agg(polars.col("BilledCost").sum()).sort("BillingCurrency")
        asked = ledger.sql("SELECT BillingCurrency, sum(BilledCost) FROM charges GROUP BY ALL ORDER BY ALL")
        assert totals.rows() == asked.rows()
