"""Days on which a pool fell back: those that cost something, by what split it then, with the money to the last digit."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from finops_core import Ledger, Query
from finops_core.allocation.ruleset import FILE
from finops_core.analysis.pool_fallbacks import Fallback, fallbacks
from finops_core.store import metric_files
from finops_core.store.applying import apply
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus
from tests.ui.opened import opened

USAGE = "date,team,gb\n2026-09-02,search,3\n2026-09-02,web,1\n2026-09-06,web,1\n"
RULES = """
rules:
  - {name: team tag, set: {x_Team: {tag: team}}}
pools:
  - name: logs
    when: ServiceName=Logs
    split: {driver: {kind: table, file: usage.csv, quantity: gb}}
    fallback: FALLBACK
"""
QUERY = Query("EffectiveCost", where=["BillingCurrency=USD"], start="2026-09-01", end="2026-10-01")  # type: ignore[arg-type]
LAST = Decimal("0.000000000000000001")


def charge(day: int, cost: str, **more: str) -> dict[str, str]:
    return focus_row(
        EffectiveCost=cost,
        ChargePeriodStart=f"2026-09-{day:02}T00:00:00Z",
        ChargePeriodEnd=f"2026-09-{day + 1:02}T00:00:00Z",
        **more,
    )


@pytest.fixture
def loaded(home: Home, tmp_path: Path) -> Home:
    rows = [charge(1, "60"), charge(1, "20", Tags='{"team": "web"}')]
    costs = {2: "10", 3: "1.5", 4: "2", 5: "0.000000000000000001", 6: "8", 9: "4"}
    rows += [charge(day, cost, ServiceName="Logs", Tags="") for day, cost in costs.items()]
    rows += [charge(8, "3", ServiceName="Logs", Tags="", BillingCurrency="EUR")]
    load(home, [write_focus(tmp_path / "focus.csv", rows)])
    (tmp_path / "usage.csv").write_text(USAGE)
    metric_files.add(home, tmp_path / "usage.csv")
    return home


def applied(home: Home, fallback: str) -> Ledger:
    apply(home, {FILE: RULES.replace("FALLBACK", fallback)}, "Ada", fallback)
    return Ledger(home)


def test_days_without_data_are_told_with_what_split_them(loaded: Home) -> None:
    ledger = applied(loaded, "{direct: all}")
    days = tuple(date(2026, 9, day) for day in (3, 4, 5, 9))
    (found,) = fallbacks(ledger, QUERY, "logs")
    assert found == Fallback("by the direct cost of the month", "USD", days, Decimal("7.5") + LAST)
    assert found.in_words() == (
        "On 4 days (3 to 5 September 2026, 9 September 2026; 7.50 USD) the method had no data:"
        " split by the direct cost of the month."
    )
    assert fallbacks(ledger, QUERY.but(start="2026-09-02", end="2026-09-03"), "logs") == []
    assert fallbacks(ledger, QUERY, "no such pool") == []
    app = opened(loaded, "allocation", period="all", pool="logs", currency="USD")
    assert not app.exception
    told = [str(m.value).replace("\\", "") for m in app.markdown]
    assert f":material/info: {found.in_words()}" in told


def test_what_stays_central_is_said_to_stay_with_nobody(loaded: Home) -> None:
    (found,) = fallbacks(applied(loaded, "central"), QUERY.but(end="2026-09-06"), "logs")
    assert found.in_words() == (
        "On 3 days (3 to 5 September 2026; 3.50 USD) the method had no data: it stayed with nobody."
    )


def test_many_runs_are_counted() -> None:
    days = tuple(date(2026, month, 1) for month in range(1, 8))
    told = Fallback("evenly over all", "USD", days, Decimal(7)).in_words()
    assert told.startswith(
        "On 7 days (1 January 2026, 1 February 2026, 1 March 2026, 1 April 2026 and 3 others; 7.00 USD)"
    )
