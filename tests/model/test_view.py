"""A view goes into a URL and comes back the same."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_core.errors import UsageError
from finops_core.model.periods import NAMED_PERIODS
from finops_core.model.query import GRAINS, Condition, Query
from finops_core.model.view import CHARTS, View

NAMES = st.sampled_from(["ServiceName", "x_Team", "SubAccountId", "tag:cost center", "RegionId"])
TEXT = st.text(min_size=1, max_size=12).filter(lambda t: t == t.strip())
CONDITIONS = st.one_of(
    st.builds(lambda n, v: Condition(n, "in", tuple(v)), NAMES, st.lists(TEXT, min_size=1, max_size=3)),
    st.builds(lambda n: Condition(n, "is null"), NAMES),
    st.builds(lambda n, v: Condition(n, "=", (v,)), NAMES, TEXT),
)
RANGES = st.one_of(
    st.just((None, None)),
    st.tuples(st.dates(date(2024, 1, 1), date(2025, 1, 1)), st.dates(date(2025, 2, 1), date(2026, 1, 1))),
)


@st.composite
def views(draw: st.DrawFn) -> View:
    start, end = draw(RANGES)
    query = Query(
        draw(st.sampled_from(["EffectiveCost", "BilledCost"])),
        by=tuple(draw(st.lists(NAMES, max_size=3, unique=True))),
        grain=draw(st.sampled_from(GRAINS)),
        where=tuple(draw(st.lists(CONDITIONS, max_size=3))),
        start=start,
        end=end,
    )
    period = draw(st.sampled_from(sorted(NAMED_PERIODS)))
    return View(
        query,
        period if start is None else "6-months",
        draw(st.sampled_from(["previous", "year", "none", "2025-01-01..2025-02-01"])),
        draw(st.sampled_from([None, "USD", "EUR"])),
        draw(st.sampled_from(CHARTS)),
        draw(st.integers(1, 50)),
        display=draw(st.sampled_from([None, "EUR", "CHF"])),
    )


@given(views(), views())
def test_to_a_url_and_back(view: View, usual: View) -> None:
    found = View.from_params(view.to_params(usual), usual)
    if view.is_custom or usual.is_custom:
        # The name of a period is of no account where the days are given.
        found, view = found.but(period="all"), view.but(period="all")
    assert found == view


def test_what_is_usual_is_left_out() -> None:
    usual = View(Query("EffectiveCost", by=["ServiceName"], grain="month"))
    assert usual.to_params(usual) == {}
    assert usual.but(by=()).to_params(usual) == {"by": ""}
    assert usual.but(versus="none", grain="day").to_params(usual) == {"grain": "day", "versus": "none"}


def test_days_and_currency_of_the_question() -> None:
    view = View(Query("EffectiveCost", where={"x_Team": "search"}), period="last-month")
    asked = view.asked(date(2026, 1, 1), date(2026, 11, 24), "USD")
    assert (asked.start, asked.end) == (date(2026, 10, 1), date(2026, 11, 1))
    assert [str(c) for c in asked.where] == ["x_Team=search", "BillingCurrency=USD"]
    assert view.but(where=["BillingCurrency=EUR"]).asked(date(2026, 1, 1), date(2026, 2, 1), "USD").where == (
        Condition("BillingCurrency", "=", ("EUR",)),
    )


@pytest.mark.parametrize(
    "params",
    [
        {"period": "yesterday"},
        {"versus": "tomorrow"},
        {"chart": "pie"},
        {"top": "0"},
        {"top": "many"},
        {"display": "euro"},
        {"from": "2026-01-01"},
        {"grain": "hour"},
        {"where": "nonsense"},
        {"from": "2026-02-30", "to": "2026-04-01"},
    ],
)
def test_what_cannot_be_read_is_refused(params: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        View.from_params(params, View(Query("EffectiveCost")))
