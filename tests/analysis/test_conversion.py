"""Costs in a display currency: the parts sum to the total to the last digit, and without a rate there is no sum."""

from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path

import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.analysis.conversion import Conversion, Lacking, convert, converted
from finops_core.analysis.remainders import largest_remainder
from finops_core.errors import UsageError
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.rates import Rate
from tests.exports import focus_row, write_focus

COST = "EffectiveCost"
SCHEMA = {
    "ChargePeriod": polars.Date,
    "BillingCurrency": polars.String,
    "x_Team": polars.String,
    COST: polars.Decimal(38, 18),
}
DAYS = st.dates(date(2026, 3, 1), date(2026, 3, 9))
ROWS = st.lists(
    st.tuples(
        DAYS,
        st.sampled_from(["USD", "GBP", "EUR"]),
        st.sampled_from(["search", "shop", None]),
        st.one_of(st.none(), st.decimals(-1000, 1000, places=18)),
    ),
    max_size=12,
)
AMOUNTS = st.decimals("0.000000000000000001", "200", places=18)
FIRST = date(2026, 3, 1)


def table(rows: list[tuple[date, str, str | None, Decimal | None]]) -> polars.DataFrame:
    return polars.DataFrame(rows, SCHEMA, orient="row")


def rate(day: date, code: str, value: str | Decimal, to: str = "EUR") -> Rate:
    return Rate(day, code, to, Decimal(value))


RATES = st.builds(
    lambda first, more: [*first, *more],
    st.tuples(*(st.builds(rate, st.just(FIRST), st.just(code), AMOUNTS) for code in ("USD", "GBP"))),
    st.lists(
        st.builds(
            rate, st.dates(date(2026, 3, 2), date(2026, 3, 9)), st.sampled_from(["USD", "GBP"]), AMOUNTS
        ),
        max_size=6,
        unique_by=lambda r: r.key,
    ),
)


def total(amounts: polars.Series) -> Decimal:
    return Decimal(amounts.sum() or 0)


def expected(rows: list[tuple[date, str, str | None, Decimal | None]], rates: list[Rate]) -> Decimal:
    """The total by fractions, row by row."""
    exact = Fraction(0)
    for day, code, _, cost in rows:
        if cost is not None:
            dated = [r for r in rates if r.currency == code and r.day <= day]
            in_force = Fraction(max(dated, key=lambda r: r.day).rate) if code != "EUR" else Fraction(1)
            exact += Fraction(cost) * in_force
    with localcontext() as context:
        context.prec = 60
        return Decimal(round(exact * 10**18)).scaleb(-18)


@settings(max_examples=40, deadline=None)
@given(ROWS, RATES)
def test_parts_sum_to_the_total(
    rows: list[tuple[date, str, str | None, Decimal | None]], rates: list[Rate]
) -> None:
    by_team = convert(table(rows), COST, rates, "EUR", ["x_Team"])
    whole = convert(table(rows), COST, rates, "EUR")
    assert by_team.lacking == ()
    assert by_team.total == whole.total
    assert total(by_team.table["Converted"]) == expected(rows, rates)
    unknown = any(found.cost is None for found in by_team.currencies)
    assert by_team.total == (None if unknown else expected(rows, rates))
    assert [c.converted for c in by_team.currencies] == [c.converted for c in whole.currencies]
    for found in by_team.currencies:
        members = by_team.table.filter(polars.col("BillingCurrency") == found.currency)
        assert total(members["Converted"]) == (found.converted or 0)
        assert total(members[COST]) == (found.cost or 0)


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_one_to_one_is_the_identity(rows: list[tuple[date, str, str | None, Decimal | None]]) -> None:
    rates = [rate(FIRST, "USD", "1"), rate(FIRST, "GBP", "1.0")]
    found = convert(table(rows), COST, rates, "EUR", ["x_Team"])
    assert found.table[COST].to_list() == found.table["Converted"].to_list()
    if not found.missing_in_words():
        assert found.total == total(found.table[COST])


@settings(max_examples=40, deadline=None)
@given(ROWS, DAYS)
def test_a_day_without_a_rate_leaves_no_sum(
    rows: list[tuple[date, str, str | None, Decimal | None]], begins: date
) -> None:
    rates = [rate(begins, "USD", "0.9"), rate(FIRST, "GBP", "1.2")]
    found = convert(table(rows), COST, rates, "EUR", ["x_Team"])
    early = {(d, team) for d, code, team, cost in rows if code == "USD" and d < begins and cost is not None}
    unknown = any(c.cost is None for c in found.currencies)
    assert (found.total is None) == (bool(early) or unknown)
    assert found.lacking == ((Lacking("USD", min(d for d, _ in early)),) if early else ())
    for code, team, cost, _, amount in found.table.iter_rows():
        lacks = code == "USD" and team in {t for _, t in early}
        assert (amount is None) == (lacks or cost is None)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.decimals(-10, 10, places=24), max_size=9))
def test_largest_remainders(exact: list[Decimal]) -> None:
    with localcontext() as context:
        context.prec = 60
        whole = sum(exact, Decimal(0)).quantize(Decimal("1E-18"))
        parts = largest_remainder(exact, whole)
        assert sum(parts, Decimal(0)) == whole
        for part, amount in zip(parts, exact, strict=True):
            assert abs(part - amount) < Decimal("1E-18")


def test_the_unit_goes_to_whom_the_cut_took_most_from() -> None:
    third = Decimal("0.000000000000000000333")
    assert largest_remainder([third, third * 2, Decimal(1)], Decimal("1.000000000000000001")) == [
        Decimal(0),
        Decimal("0.000000000000000001"),
        Decimal(1),
    ]


MARCH = [
    (date(2026, 3, 1), "USD", "search", Decimal("10")),
    (date(2026, 3, 2), "USD", "search", Decimal("20")),
    (date(2026, 3, 5), "USD", "shop", Decimal("-4")),
    (date(2026, 3, 2), "EUR", "shop", Decimal("7.5")),
]


def test_the_newest_rate_on_or_before_the_day() -> None:
    rates = [
        rate(date(2026, 2, 1), "USD", "0.5"),
        rate(date(2026, 3, 2), "USD", "0.75"),
        rate(date(2026, 3, 6), "USD", "9"),
    ]
    found = convert(table(MARCH), COST, rates, "EUR", ["x_Team"])
    assert found.table.rows() == [
        ("EUR", "shop", Decimal("7.5"), "EUR", Decimal("7.5")),
        ("USD", "search", Decimal(30), "EUR", Decimal(20)),
        ("USD", "shop", Decimal(-4), "EUR", Decimal(-3)),
    ]
    assert found.total == Decimal("24.5")
    assert [(c.currency, c.cost, c.converted) for c in found.currencies] == [
        ("EUR", Decimal("7.5"), Decimal("7.5")),
        ("USD", Decimal(26), Decimal(17)),
    ]
    assert found.rates_in_words() == "1 USD = 0.5 EUR (2026-02-01) to 1 USD = 0.75 EUR (2026-03-02), 2 rates"


def test_rates_are_neither_inverted_nor_chained() -> None:
    reverse = [rate(FIRST, "EUR", "2", to="USD"), rate(FIRST, "GBP", "1"), rate(FIRST, "USD", "1", to="GBP")]
    found = convert(table(MARCH), COST, reverse, "EUR")
    assert (found.total, found.lacking) == (None, (Lacking("USD", FIRST),))
    assert found.table["Converted"].to_list() == [Decimal("7.5"), None]
    assert found.missing_in_words() == "no rate for USD on 2026-03-01"


def test_a_day_that_nets_to_nothing_needs_a_rate_however_it_is_broken_down() -> None:
    rows = table([(FIRST, "USD", "search", Decimal(5)), (FIRST, "USD", "shop", Decimal(-5))])
    for by in ((), ("x_Team",)):
        assert convert(rows, COST, [], "EUR", by).lacking == (Lacking("USD", FIRST),)


def test_nothing_costs_nothing() -> None:
    found = convert(table([]), COST, [], "EUR")
    assert (found.total, found.currencies, len(found.table)) == (Decimal(0), (), 0)


def test_an_amount_that_cannot_be_kept_is_refused() -> None:
    huge = [(FIRST, "USD", "search", Decimal("12345678901234567890"))]
    with pytest.raises(UsageError, match=r"a cost of 1\.235E\+21 is more than can be kept"):
        convert(table(huge), COST, [rate(FIRST, "USD", "100")], "EUR")
    most = [(FIRST, "USD", "search", Decimal(50_000_000_000_000_000_000))]
    assert convert(table(most), COST, [rate(FIRST, "USD", "1.9")], "EUR").total == Decimal("95E18")
    with pytest.raises(UsageError, match="more than can be kept"):
        convert(table(most), COST, [rate(FIRST, "USD", "2")], "EUR")


@pytest.fixture
def ledger(tmp_path: Path, home: Home) -> Ledger:
    rows = [
        focus_row(
            BillingCurrency=code,
            EffectiveCost=cost,
            ListCost="",
            Tags=f'{{"team":"{team}"}}',
            BillingPeriodStart="2026-03-01T00:00:00Z",
            BillingPeriodEnd="2026-04-01T00:00:00Z",
            ChargePeriodStart=f"{day}T07:00:00Z",
            ChargePeriodEnd=f"{day}T08:00:00Z",
        )
        for day, code, team, cost in MARCH
    ]
    load(home, [write_focus(tmp_path / "march.csv", rows)])
    return Ledger(home)


def asked(ledger: Ledger, query: Query) -> Conversion:
    return converted(
        ledger, query, [rate(date(2026, 3, 1), "USD", "0.5"), rate(date(2026, 3, 2), "USD", "0.75")], "EUR"
    )


def test_over_a_ledger(ledger: Ledger) -> None:
    query = Query(COST, by=["x_Team"], grain="month", limit=1, order=COST)
    assert asked(ledger, query).total == Decimal("24.5")
    days = query.but(start=date(2026, 3, 2), end=date(2026, 3, 5), where=["x_Team=search"])
    found = asked(ledger, days)
    assert found.table.rows() == [("USD", "search", Decimal(20), "EUR", Decimal(15))]
    assert [r.rate for r in found.currencies[0].rates] == [Decimal("0.75")]
    assert asked(ledger, Query(COST, by=["BillingCurrency"])).table.columns == [
        "BillingCurrency",
        COST,
        "DisplayCurrency",
        "Converted",
    ]


def test_what_is_unknown_stays_unknown(ledger: Ledger) -> None:
    found = asked(ledger, Query("ListCost"))
    assert found.table.rows() == [("EUR", None, "EUR", None), ("USD", None, "EUR", None)]
    assert [(c.cost, c.converted, c.rates) for c in found.currencies] == [(None, None, ())] * 2
    assert (found.total, found.lacking) == (None, ())
    assert found.missing_in_words() == "what is charged in EUR is unknown; what is charged in USD is unknown"


def test_only_costs_are_in_a_currency(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="ChargeCount is not"):
        asked(ledger, Query("ChargeCount"))
    with pytest.raises(UsageError, match="'eur' is no currency"):
        converted(ledger, Query(COST), [], "eur")
