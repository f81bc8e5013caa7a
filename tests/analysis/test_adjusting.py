"""Why a closed month is adjusted: then, now and the difference are those of the statement, and what was loaded since is named."""

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_core.allocation import ruleset
from finops_core.analysis import closing
from finops_core.analysis.adjusting import BILLED, DIFFERENCE, NOW, STATED, THEN, Adjusted, adjusted
from finops_core.errors import UsageError
from finops_core.model.ledger import Ledger
from finops_core.store import applying
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from finops_core.store.state import State
from tests.closed_books import CHARGES, Books
from tests.exports import focus_row, write_focus

D = Decimal
AMOUNTS = (THEN, STATED, NOW, DIFFERENCE, BILLED)


def _loaded(home: Home, folder: Path, *teams: tuple[str, str], service: str = "EC2") -> Ledger:
    rows = [
        focus_row(
            BilledCost=cost,
            EffectiveCost=cost,
            ServiceName=service,
            Tags=f'{{"team": "{team}"}}',
            BillingPeriodStart="2026-08-01T00:00:00Z",
            BillingPeriodEnd="2026-09-01T00:00:00Z",
            ChargePeriodStart="2026-08-30T00:00:00Z",
            ChargePeriodEnd="2026-08-31T00:00:00Z",
        )
        for team, cost in teams
    ]
    load(home, [write_focus(folder / "main.csv", rows)], LoadOptions(source="main"))
    return Ledger(home)


def _of(ledger: Ledger, state: State, month: str = "2026-09") -> Adjusted:
    return adjusted(ledger, state, closing.month(ledger, state, month), "2026-08")


def test_an_adjustment_tells_then_now_and_what_was_loaded(home: Home, tmp_path: Path) -> None:
    state = State(home)
    ledger = _loaded(home, tmp_path, ("search", "10"), ("shop", "5"))
    applying.apply(home, {"allocation.yaml": ruleset.shipped()}, "ada", "begin")
    closing.close(ledger, state, "2026-08", "fin", "month end")
    assert _of(ledger, state).causes() == []

    ledger = _loaded(home, tmp_path, ("search", "12.000000000000000001"), ("web", "5"))
    applying.apply(home, {"allocation.yaml": ruleset.shipped() + "\n# reviewed\n"}, "joan", "reviewed")
    found = _of(ledger, state)
    assert found.owners("x_Team", "USD").select("x_Team", *AMOUNTS).rows() == [
        ("shop", D(5), D(0), D(0), D(-5), D(-5)),
        ("web", D(0), D(0), D(5), D(5), D(5)),
        ("search", D(10), D(0), D("12.000000000000000001"), D("2.000000000000000001"), D("2.000000000000000001")),
    ]  # fmt: skip
    assert found.parts("x_Team", "web", "USD").rows() == [("Direct cost", D(0), D(0), D(5), D(5), D(5))]
    assert found.parts("x_Team", None, "USD").is_empty() and found.owners("x_Team", "EUR").is_empty()
    (loaded,), (rules,) = found.loads, found.rules
    assert (loaded.source, loaded.action, loaded.lake_version) == ("main", "replaced", 2)
    assert (rules.number, rules.author) == (2, "joan")
    assert [cause.partition(" was ")[0] for cause in found.causes()] == ["main", "version 2 of the rules"]
    assert found.causes()[0].endswith("(replaced, lake version 2)")

    # The statement that has it is closed; what comes later is another statement's, which knows of this one.
    closing.close(ledger, state, "2026-09", "fin", "month end", anyway=True)
    frozen = found.table
    ledger = _loaded(home, tmp_path, ("search", "13"), ("web", "5"))
    assert _of(ledger, state).table.equals(frozen) and _of(ledger, state).loads == found.loads
    assert _of(ledger, state, "2026-10").parts("x_Team", "search", "USD").row(0)[1:] == (
        D(10), D("2.000000000000000001"), D(13), D("0.999999999999999999"), D("0.999999999999999999"),
    )  # fmt: skip
    with pytest.raises(UsageError, match="2026-07 is not closed"):
        adjusted(ledger, state, closing.month(ledger, state, "2026-10"), "2026-07")


@given(CHARGES, CHARGES, st.sampled_from(["x_Team", "x_CostCenter"]))
def test_now_is_what_the_ledger_says_and_parts_sum_to_the_adjustment(then: dict, now: dict, by: str) -> None:
    books = Books({"2026-08": then})
    with TemporaryDirectory() as folder, books.in_place():
        state = State(Home(Path(folder) / "home"))
        closing.close(books, state, "2026-08", "fin", "month end", anyway=True)  # type: ignore[arg-type]
        books.charges["2026-08"] = now
        month = closing.month(books, state, "2026-09")  # type: ignore[arg-type]
        today = closing.figures(books, ["2026-08"])  # type: ignore[arg-type]
        found = adjusted(books, state, month, "2026-08")  # type: ignore[arg-type]
    for currency in ("EUR", "USD"):
        own = polars.col("BillingCurrency") == currency
        owners = found.owners(by, currency)
        assert owners[NOW].sum() == today.filter(own)["EffectiveCost"].sum()
        assert owners[BILLED].sum() == month.adjustments.filter(own)["BilledCost"].sum()
        for row in owners.iter_rows(named=True):
            parts = found.parts(by, row[by], currency)
            assert [parts[name].sum() for name in AMOUNTS] == [row[name] for name in AMOUNTS]
            assert row[NOW] - row[THEN] == row[DIFFERENCE]
