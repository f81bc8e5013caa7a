"""A Query is the same in a URL, on the command line and in Python; cube and charges give one answer."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.errors import UsageError
from finops_core.model.engine import cubes_of, sql, sql_over
from finops_core.model.query import Condition
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus

SERVICES = ("Storage, cold", "Compute", "", "NULL", "Ünïcode = 'odd'")
DIMENSIONS = (
    "ServiceName",
    "SubAccountId",
    "ChargeCategory",
    "x_Team",
    "x_Environment",
    "BillingPeriod",
    "RegionId",
)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Three months, two currencies, odd names, null dimensions."""
    folder = tmp_path_factory.mktemp("query")
    rows = []
    for number in range(240):
        day = date(2026, 8, 1) + timedelta(days=number % 90)
        first = day.replace(day=1)
        following = (first + timedelta(days=32)).replace(day=1)
        rows.append(
            focus_row(
                BilledCost=Decimal(number * 7919 % 1009) / Decimal(10) ** (number % 12),
                EffectiveCost=Decimal(number % 17) / 7 if number % 9 == 99 else Decimal(number % 17),
                BillingCurrency="EUR" if number % 5 == 0 else "USD",
                BillingPeriodStart=f"{first}T00:00:00Z",
                BillingPeriodEnd=f"{following}T00:00:00Z",
                ChargePeriodStart=f"{day}T{number % 24:02d}:00:00Z",
                ChargePeriodEnd=f"{day + timedelta(days=1)}T00:00:00Z",
                ServiceName=SERVICES[number % len(SERVICES)],
                ChargeCategory=("Usage", "Tax", "Credit")[number % 3],
                SubAccountId=("", "000", "001")[number % 3],
                RegionId=("eu", "")[number % 2],
                Tags=(
                    '{"team":"a","env":"Prod"}',
                    '{"Team":"b"}',
                    "",
                    '{"user:team":"c","ENV":"production"}',
                )[number % 4],
            )
        )
    home = Home(folder / "home")
    load(home, [write_focus(folder / "focus.csv", rows)])
    opened = Ledger(home)
    yield opened
    opened.close()


texts = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
    .map(str.strip)
    .filter(bool)
)
names = st.sampled_from(DIMENSIONS) | st.just("tag:team") | st.just("tag:a b")
condition = st.one_of(
    st.builds(Condition, names, st.sampled_from(["=", "!=", "~", "!~"]), st.tuples(texts)),
    st.builds(
        Condition,
        names,
        st.sampled_from(["in", "not in"]),
        st.lists(texts, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(Condition, names, st.sampled_from(["is null", "is not null"])),
)
days = st.dates(date(2026, 7, 25), date(2026, 11, 5))


@given(condition)
def test_a_condition_reads_back_as_itself(asked: Condition) -> None:
    assert Condition.parse(str(asked)) == asked


@given(
    st.lists(
        st.sampled_from(["BilledCost", "EffectiveCost", "ChargeCount"]), min_size=1, max_size=3, unique=True
    ),
    st.lists(names, max_size=3, unique=True),
    st.sampled_from(["none", "day", "week", "month", "quarter", "year"]),
    st.lists(condition, max_size=2),
    days,
    st.integers(1, 100),
    st.none() | st.integers(0, 50),
)
def test_a_query_survives_a_url(
    metrics: list[str],
    by: list[str],
    grain: str,
    where: list[Condition],
    start: date,
    length: int,
    limit: int | None,
) -> None:
    query = Query(metrics, by, grain, where, start, start + timedelta(days=length), None, limit)
    assert Query.from_params(query.to_params()) == query
    assert hash(Query.from_params(query.to_params())) == hash(query)


known = st.builds(
    Condition,
    st.sampled_from(["ServiceName", "SubAccountId", "x_Team", "RegionId", "ChargeCategory"]),
    st.sampled_from(["=", "!=", "~", "!~"]),
    st.sampled_from([("Compute",), ("a",), ("001",), ("eu",), ("Storage, cold",), ("Usage",)]),
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.sampled_from(["BilledCost", "EffectiveCost", "ListCost", "ChargeCount"]),
        min_size=1,
        max_size=3,
        unique=True,
    ),
    st.lists(st.sampled_from(DIMENSIONS), max_size=3, unique=True),
    st.sampled_from(["none", "day", "week", "month", "quarter", "year"]),
    st.lists(known | st.builds(Condition, st.just("x_Team"), st.just("is null")), max_size=2),
    st.none() | st.tuples(days, days).filter(lambda pair: pair[0] < pair[1]),
)
def test_cubes_and_charges_give_one_answer(
    ledger: Ledger,
    metrics: list[str],
    by: list[str],
    grain: str,
    where: list[Condition],
    bounds: tuple[date, date] | None,
) -> None:
    query = Query(metrics, by, grain, where, *(bounds or ()))
    cubes = cubes_of(query)
    plain = ledger.frame(sql_over(query, None))
    assert cubes and all(ledger.frame(sql_over(query, cube)).equals(plain) for cube in cubes)
    assert ledger.query(query).equals(plain)


@settings(max_examples=25, deadline=None)
@given(known)
def test_a_condition_and_its_opposite_make_up_the_whole(ledger: Ledger, asked: Condition) -> None:
    opposite = Condition(
        asked.dimension, {"=": "!=", "~": "!~", "!=": "=", "!~": "~"}[asked.operator], asked.values
    )
    parts = [ledger.query(Query("BilledCost", where=[c]))["BilledCost"].sum() for c in (asked, opposite)]
    assert sum(Decimal(p) for p in parts) == Decimal(ledger.query(Query("BilledCost"))["BilledCost"].sum())


def test_tags_are_found_under_any_prefix_and_spellings_become_one(ledger: Ledger) -> None:
    teams = ledger.query(Query("ChargeCount", by=["x_Team", "x_Environment"]).but(order="x_Team"))
    found = {(t, e) for t, e in teams.select("x_Team", "x_Environment").iter_rows()}
    assert found == {("a", "prod"), ("b", None), ("c", "prod"), (None, None)}
    tagged = ledger.query(Query("ChargeCount", by=["tag:team"]))
    assert {r[0] for r in tagged.select("tag:team").iter_rows()} == {"a", "c", None}


def test_columns_and_order_of_an_answer(ledger: Ledger) -> None:
    table = ledger.query(
        Query(
            ["EffectiveCost", "BilledCost"],
            by=["ServiceCategory"],
            grain="month",
            where={"BillingCurrency": "USD"},
        )
    )
    assert table.columns == [
        "ChargePeriod",
        "BillingCurrency",
        "ServiceCategory",
        "EffectiveCost",
        "BilledCost",
    ]
    assert [str(d) for d in table["ChargePeriod"]] == ["2026-08-01", "2026-09-01", "2026-10-01"]
    assert set(table["BillingCurrency"]) == {"USD"}


def test_the_range_is_half_open(ledger: Ledger) -> None:
    whole = Query("ChargeCount", start="2026-08-01", end="2026-11-01")  # type: ignore[arg-type]
    parts = [whole.but(end="2026-09-10"), whole.but(start="2026-09-10")]
    counts = [ledger.query(q)["ChargeCount"].sum() for q in (whole, *parts)]
    assert counts[0] == 240 == counts[1] + counts[2]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Query("Cost").metrics and sql(Query("Cost")),
        lambda: sql(Query("BilledCost", by=["Servicename"])),
        lambda: Query("BilledCost", grain="hour"),
        lambda: Query("BilledCost", start="yesterday"),
        lambda: Query("BilledCost", start="2026-02-01", end="2026-02-01"),
        lambda: Condition.parse("ServiceName"),
        lambda: sql(Query("BilledCost", order="Nothing")),
        lambda: sql(Query("BilledCost", where=["ConsumedQuantity=many"])),
        lambda: Query.from_params({"metric": "BilledCost", "limit": "x"}),
    ],
)
def test_what_cannot_be_asked_is_said_in_words(wrong: object) -> None:
    with pytest.raises(UsageError):
        wrong()  # type: ignore[operator]


def test_the_store_cannot_be_written_through_sql(ledger: Ledger) -> None:
    for statement in (
        "DELETE FROM charges",
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY charges TO '/tmp/x.csv'",
    ):
        with pytest.raises(UsageError):
            ledger.sql(statement)
