"""Closed months: frozen figures, what changed since, and that both always sum to what the ledger says today."""

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import polars
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from finops_core import Ledger
from finops_core.allocation import ruleset
from finops_core.analysis import closing
from finops_core.errors import UsageError
from finops_core.store import applying, audit
from finops_core.store.batches import Batch
from finops_core.store.closes import altered, closes, keep, reopen
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from finops_core.store.state import State
from tests.closed_books import CHARGES, Books
from tests.exports import focus_row, write_focus

COSTS = ("BilledCost", "EffectiveCost")


def _row(month: int, team: str, billed: str, effective: str, **changes: object) -> dict[str, str]:
    return focus_row(
        BilledCost=billed,
        EffectiveCost=effective,
        BillingPeriodStart=f"2026-{month:02}-01T00:00:00Z",
        BillingPeriodEnd=f"2026-{month + 1:02}-01T00:00:00Z",
        ChargePeriodStart=f"2026-{month:02}-{28 if month == 2 else 30}T00:00:00Z",
        ChargePeriodEnd=f"2026-{month:02}-{28 if month == 2 else 30}T01:00:00Z",
        Tags=f'{{"team": "{team}", "cost-center": "CC-{team}"}}',
        **changes,
    )


def _load(home: Home, directory: Path, *rows: dict[str, str], source: str = "main") -> Ledger:
    load(home, [write_focus(directory / f"{source}.csv", rows)], LoadOptions(source=source))
    return Ledger(home)


def _sums(frame: polars.DataFrame) -> tuple[Decimal, ...]:
    return tuple(sum(frame[name].to_list(), Decimal(0)) for name in COSTS)


def test_a_month_is_frozen_and_its_restatement_is_in_the_next_open_one(home: Home, tmp_path: Path) -> None:
    state = State(home)
    august = (
        _row(8, "search", "10.000000000000000001", "9"),
        _row(8, "shop", "5", "5", BillingCurrency="EUR"),
    )
    ledger = _load(home, tmp_path, *august, _row(9, "search", "1", "2"))
    applying.apply(home, {"allocation.yaml": ruleset.shipped()}, "ada", "begin")
    closed = closing.close(ledger, state, "2026-08", "fin", "month end")
    assert (closed.lake_version, closed.rules_version, closed.through) == (1, 1, "2026-08-30")
    assert closed.figures[1] == {
        "BillingCurrency": "USD",
        "x_Team": "search",
        "x_CostCenter": "CC-search",
        "Pool": None,
        "ServiceName": "Amazon Elastic Compute Cloud",
        "x_Product": None,
        "BilledCost": "10.000000000000000001",
        "EffectiveCost": "9",
    }
    entry = audit.entries(state, limit=1)[0]
    assert (entry.action, entry.subject, entry.who) == ("month closed", "month 2026-08", "fin")
    assert entry.details["totals"]["EUR"] == {"BilledCost": "5", "EffectiveCost": "5"}
    assert altered(state) == []
    assert closing.adjustments(ledger, state, "2026-09").is_empty()

    # August is restated: search rises, shop's charge moves to another team.
    moved = _row(8, "web", "5", "5", BillingCurrency="EUR")
    ledger = _load(home, tmp_path, _row(8, "search", "12", "9"), moved, _row(9, "search", "1", "2"))
    assert closing.month(ledger, state, "2026-08").figures.equals(
        closing.frame_of(closed.figures, closing.FIGURES, "2026-08")
    )
    wanted = [
        ("2026-08", "EUR", "shop", "CC-shop", None, Decimal(-5), Decimal(-5)),
        ("2026-08", "EUR", "web", "CC-web", None, Decimal(5), Decimal(5)),
        ("2026-08", "USD", "search", "CC-search", None, Decimal("1.999999999999999999"), Decimal(0)),
    ]
    assert closing.adjustments(ledger, state, "2026-09").rows() == wanted
    assert closing.adjustments(ledger, state, "2026-10").is_empty()
    closing.close(ledger, state, "2026-09", "fin", "month end", anyway=True)
    assert closing.adjustments(ledger, state, "2026-09").rows() == wanted
    assert closing.adjustments(ledger, state, "2026-10").is_empty()
    assert closing.totals(closing.month(ledger, state, "2026-09"))["USD"] == {
        "BilledCost": "2.999999999999999999",
        "EffectiveCost": "2",
    }

    with pytest.raises(UsageError, match=r"2026-08 was closed by fin .* next open month"):
        closing.close(ledger, state, "2026-08", "fin", "again")
    with pytest.raises(
        UsageError, match=r"statement of 2026-09 has an adjustment for 2026-08: reopen 2026-09"
    ):
        reopen(state, "2026-08", "fin", "typo")
    reopen(state, "2026-09", "fin", "a late invoice")
    reopen(state, "2026-08", "fin", "a late invoice")
    with pytest.raises(UsageError, match="2026-08 is not closed"):
        reopen(state, "2026-08", "fin", "again")
    assert closing.adjustments(ledger, state, "2026-09").is_empty()
    assert _sums(closing.month(ledger, state, "2026-08").figures) == (Decimal(17), Decimal(14))
    assert [e.action for e in audit.entries(state, limit=2)] == ["month reopened", "month reopened"]
    assert audit.verify(state) == []


def test_a_month_that_is_not_complete_is_closed_only_with_a_reason(home: Home, tmp_path: Path) -> None:
    state = State(home)
    _load(home, tmp_path, _row(8, "a", "1", "1", SubAccountId="0333"), source="europe")
    ledger = _load(home, tmp_path, _row(8, "a", "1", "1"), _row(9, "a", "1", "1"))
    assert closing.doubts(ledger.batches(), "2026-08") == []
    with pytest.raises(UsageError, match="europe has charges of 2026-08 and none of 2026-09"):
        closing.close(ledger, state, "2026-09", "fin", "month end")
    with pytest.raises(UsageError, match="nothing is loaded of 2026-12"):
        closing.close(ledger, state, "2026-12", "fin", "month end")
    for who, reason in ((" ", "month end"), ("fin", " ")):
        with pytest.raises(UsageError, match="say who you are, and why"):
            closing.close(ledger, state, "2026-08", who, reason)
    with pytest.raises(UsageError, match="no billing period"):
        closing.close(ledger, state, "2026-13", "fin", "month end")
    assert closes(state) == {} and audit.head(state).id == 0
    closing.close(ledger, state, "2026-09", "fin", "europe was sold", anyway=True)
    assert audit.entries(state)[0].details["doubts"] == ["europe has charges of 2026-08 and none of 2026-09"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"reconciled": False}, ["main does not reconcile with its own total"]),
        ({"newest": "2026-09-20T00:00:00Z"}, ["main reaches only to 2026-09-20"]),
        ({"newest": "2026-09-28T00:00:00Z"}, []),
        ({"newest": "2026-09-20T00:00:00Z", "loaded_at": "2026-10-01T00:00:00Z"}, []),
    ],
)
def test_doubts(changes: dict[str, object], said: list[str]) -> None:
    usual = dict.fromkeys(Batch.__dataclass_fields__, "") | {"source": "main", "billing_period": "2026-09"}
    usual |= {"reconciled": True, "loaded_at": "2026-09-30T00:00:00Z", "newest": "2026-09-30T00:00:00Z"}
    assert closing.doubts([Batch(**(usual | changes))], "2026-09") == said  # type: ignore[arg-type]


def test_the_first_open_month_has_the_adjustments() -> None:
    assert closing.lands_in("2026-11", ["2026-11"]) == "2026-12"
    assert closing.lands_in("2026-11", ["2026-11", "2026-12", "2027-02"]) == "2027-01"


MONTHS = [f"2026-{number:02}" for number in range(1, 4)]
CHARGE = {("USD", "search", "CC-1", "direct", "", "EC2"): (Decimal("1.5"), Decimal("0.1"))}
LESS = {("USD", "search", "CC-1", "shared", "cluster", "EC2"): (Decimal(1), Decimal("0.05"))}
STEP = st.one_of(
    st.tuples(st.just("restate"), st.sampled_from(MONTHS), CHARGES),
    st.tuples(st.sampled_from(["close", "close", "reopen"]), st.sampled_from(MONTHS), st.none()),
)
ONE, TWO, THREE = MONTHS


def _by_currency(frames: list[polars.DataFrame]) -> dict[str, tuple[Decimal, ...]]:
    found = closing.summed(
        polars.concat([f.select("BillingCurrency", *COSTS) for f in frames]), ["BillingCurrency"]
    )
    return {row[0]: row[1:] for row in found.rows() if any(row[1:])}


@settings(max_examples=10, deadline=None)
@given(st.lists(STEP, min_size=6, max_size=14))
@example([("restate", ONE, CHARGE), ("close", ONE, None), ("close", TWO, None), ("restate", ONE, LESS)])
@example([("close", ONE, None), ("restate", ONE, CHARGE), ("close", TWO, None), ("close", THREE, None)])
@example(
    [
        ("close", TWO, None),
        ("restate", ONE, CHARGE),
        ("close", ONE, None),
        ("restate", ONE, LESS),
        ("close", THREE, None),
        ("reopen", TWO, None),
        ("reopen", ONE, None),
        ("restate", TWO, CHARGE),
    ]
)
def test_closed_statements_and_open_adjustments_sum_to_today(
    steps: list[tuple[str, str, dict | None]],
) -> None:
    books = Books()
    with TemporaryDirectory() as directory, books.in_place():
        state = State(Home(Path(directory)))
        for what, period, charges in steps:
            if what == "restate":
                books.charges[period] = charges or {}
                continue
            try:
                if what == "close":
                    closing.close(books, state, period, "fin", "month end", anyway=True)  # type: ignore[arg-type]
                else:
                    reopen(state, period, "fin", "again")
            except UsageError:
                assert what == "reopen" or period in closes(state)
        known = closes(state)
        months = {p: closing.month(books, state, p) for p in [*MONTHS, "2026-04"]}  # type: ignore[arg-type]
        assert [p for p, m in months.items() if m.close is not None] == list(known)
        # Every month's statement, closed or open, with its adjustments: what the ledger says today, in all ...
        stated = [part for m in months.values() for part in (m.figures, m.adjustments)]
        today = closing.figures(books, MONTHS)  # type: ignore[arg-type]
        assert _by_currency(stated) == _by_currency([today])
        # ... and the closed ones with the adjustments that are still open, what it says of the closed months.
        closed = [part for m in months.values() if m.close for part in (m.figures, m.adjustments)]
        waiting = [m.adjustments for m in months.values() if m.close is None]
        of_closed = today.filter(polars.col("BillingPeriod").is_in(list(known)))
        assert _by_currency([*closed, *waiting]) == _by_currency([of_closed])


def test_a_close_and_its_entry_are_one(home: Home, tmp_path: Path) -> None:
    state = State(home)
    ledger = _load(home, tmp_path, _row(8, "a", "1", "1"))
    with patch.object(audit, "append", side_effect=RuntimeError), pytest.raises(RuntimeError):
        closing.close(ledger, state, "2026-08", "fin", "month end")
    assert closes(state) == {}
    closed = closing.close(ledger, state, "2026-08", "fin", "month end")
    with state.writing() as connection, pytest.raises(UsageError, match="was closed by fin"):
        keep(state, connection, closed, "eve", {})
    figures = [{**row, "x_Team": "b"} for row in closed.figures]
    state.keep(
        "month close", {"2026-08": {**state.kept("month close")["2026-08"].record, "figures": figures}}, "eve"
    )
    assert altered(state) == ["2026-08"]
