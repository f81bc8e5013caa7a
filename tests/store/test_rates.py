"""Rates: read strictly, kept all or none, replaced and taken back."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core.errors import InputRefused, UsageError
from finops_core.focus.currencies import CURRENCIES
from finops_core.store.home import Home
from finops_core.store.rates import (
    Entered,
    Rate,
    enter,
    from_csv,
    rates,
    remove,
    targets,
    to_csv,
    typed_rate,
)
from finops_core.store.state import State

HEADER = "date,from,to,rate\n"
MARCH = Rate(date(2026, 3, 1), "USD", "EUR", Decimal("0.92"))
TEXT = HEADER + "2026-03-01,USD,EUR,0.92\n"
RATES = st.lists(
    st.builds(
        Rate,
        st.dates(date(2000, 1, 1), date(2100, 1, 1)),
        st.sampled_from(["USD", "GBP", "JPY"]),
        st.sampled_from(["EUR", "CHF"]),
        st.decimals("0.000000000000000001", "999999999999999999", places=18),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda rate: rate.key,
)


@settings(max_examples=40, deadline=None)
@given(RATES)
def test_to_csv_and_back(found: list[Rate]) -> None:
    assert from_csv(to_csv(found).encode()) == found


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.replace(",", ";").encode("utf-8-sig"),
        TEXT.replace("\n", "\r\n").encode() + b"\r\n\r\n",
        b"Rate,TO,From,Date\n0.92,EUR,USD,2026-03-01",
        b'date,from,to,rate\n"2026-03-01", USD ,EUR,"0.92"\n',
    ],
    ids=["plain", "byte order mark", "semicolons", "CRLF", "other order", "quotes and blanks"],
)
def test_forms_that_are_read_right(data: bytes) -> None:
    assert from_csv(data) == [MARCH]


GOOD = "2026-03-01,USD,EUR,0.92\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER + GOOD + "01.03.2026,GBP,EUR,1.2\n", "r.csv, row 3, column 'date': '01.03.2026' is no date"),
        (HEADER + "2026-02-30,USD,EUR,1\n", "row 2, column 'date'"),
        (HEADER + "20260301,USD,EUR,1\n", "row 2, column 'date'"),
        (HEADER + "2026-03-01,usd,EUR,1\n", "row 2, column 'from': 'usd' is no currency"),
        (HEADER + "2026-03-01,USD,EURO,1\n", "row 2, column 'to'"),
        (HEADER + "2026-03-01,XXX,EUR,1\n", "row 2, column 'from'"),
        (HEADER + "2026-03-01,EUR,EUR,1\n", "row 2: EUR needs no rate to itself"),
        (HEADER + "2026-03-01,USD,EUR,0\n", "row 2, column 'rate': a rate is more than 0"),
        (HEADER + "2026-03-01,USD,EUR,0.000\n", "row 2, column 'rate': a rate is more than 0"),
        (HEADER + "2026-03-01,USD,EUR,-1\n", "row 2, column 'rate'"),
        (HEADER + "2026-03-01,USD,EUR,NaN\n", "row 2, column 'rate'"),
        (HEADER + "2026-03-01,USD,EUR,Infinity\n", "row 2, column 'rate'"),
        (HEADER + "2026-03-01,USD,EUR,1e3\n", "row 2, column 'rate'"),
        (HEADER + "2026-03-01,USD,EUR,٣\n", "row 2, column 'rate'"),
        (HEADER + "2026-03-01,USD,EUR,\n", "row 2, column 'rate'"),
        (HEADER + '2026-03-01,USD,EUR,"0,92"\n', "row 2, column 'rate': '0,92' is no rate"),
        (HEADER.replace(",", ";") + "2026-03-01;USD;EUR;0,92\n", "row 2, column 'rate': '0,92' is no rate"),
        (HEADER + "2026-03-01,USD,EUR,0,92\n", "row 2: has 5 cells and not 4"),
        (HEADER + "2026-03-01,USD,EUR\n", "row 2: has 3 cells and not 4"),
        (
            HEADER + GOOD + "\n" + GOOD,
            "row 4: a second rate from USD to EUR dated 2026-03-01; the first is in row 2",
        ),
        (HEADER, "holds no rates"),
        ("", "row 1: the header must be date,from,to,rate"),
        ("date,from,to,value\n" + GOOD, "row 1: the header"),
        ("date,from,to,rate,note\n", "row 1: the header"),
        (HEADER + '2026-03-01,USD,EUR,"0.92\n', "r.csv: no CSV"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputRefused) as refused:
        from_csv(text.encode(), "r.csv")
    assert said in str(refused.value)


def test_another_encoding_is_refused() -> None:
    with pytest.raises(InputRefused, match="UTF-8"):
        from_csv(TEXT.encode("utf-16"))


def test_entered_replaced_and_removed(home: Home) -> None:
    state = State(home)
    april = Rate(date(2026, 4, 1), "USD", "EUR", Decimal("0.90"))
    assert enter(state, [april, MARCH], "ada") == Entered(2, 0, 0)
    assert rates(state) == [MARCH, april]
    corrected = Rate(MARCH.day, "USD", "EUR", Decimal("0.921"))
    assert enter(state, [corrected, april], "bob") == Entered(0, 1, 1)
    assert rates(State(home)) == [corrected, april]
    who = {key: kept.entered_by for key, kept in state.kept("rate").items()}
    assert who == {"2026-03-01 USD EUR": "bob", "2026-04-01 USD EUR": "ada"}
    remove(state, MARCH.day, "USD", "EUR", "ada")
    assert rates(state) == [april]
    with pytest.raises(UsageError, match="there is no rate from USD to EUR dated 2026-03-01"):
        remove(state, MARCH.day, "USD", "EUR", "ada")


def test_the_version_of_what_is_kept_changes_with_each_change(home: Home) -> None:
    state = State(home)
    state.keep("another kind", {"key": {}}, "ada")
    versions = [state.version("rate")]
    for change in (
        lambda: enter(state, [MARCH], "ada"),
        lambda: enter(state, [Rate(MARCH.day, "USD", "EUR", Decimal(1))], "ada"),
        lambda: remove(state, MARCH.day, "USD", "EUR", "ada"),
    ):
        change()
        versions.append(state.version("rate"))
    assert versions[0] == 0
    assert len(set(versions)) == 4


def test_as_a_person_types_it() -> None:
    assert typed_rate("2026-03-01", "USD", "EUR", "0.92") == MARCH
    assert MARCH.in_words() == "1 USD = 0.92 EUR (2026-03-01)"
    with pytest.raises(UsageError, match="did you mean USD"):
        typed_rate("2026-03-01", " usd", "EUR", "0.92")


def test_where_rates_lead_to() -> None:
    pound = Rate(MARCH.day, "GBP", "EUR", Decimal("1.2"))
    franc = Rate(MARCH.day, "GBP", "CHF", Decimal("1.1"))
    assert targets([franc, MARCH, pound]) == ["EUR", "CHF"]
    assert targets([]) == []


def test_codes_are_of_three_letters() -> None:
    assert {"EUR", "USD", "JPY", "BRL", "INR"} <= CURRENCIES
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in CURRENCIES)
