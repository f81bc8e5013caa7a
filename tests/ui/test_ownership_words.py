"""What is said of whose cost is, and of what was agreed: read without a second look."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow
from streamlit.testing.v1 import AppTest

from finops_core import Ledger
from finops_core.allocation.ruleset import FILE
from finops_core.analysis import closing
from finops_core.store.applying import apply
from finops_core.store.budgets import BudgetLine, enter
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.state import State
from tests.exports import focus_row, write_focus
from tests.ui.opened import at_home, opened


def _budget(home: Home, amount: str) -> str:
    """The note of the card of search's budget."""
    line = BudgetLine(
        "search", "ada", "EffectiveCost", "x_Team=search", "USD", date(2026, 9, 1), Decimal(amount)
    )
    enter(State(home), [line], "ada")
    app = opened(home, "statements", month="2026-09", owner="search")
    assert not app.exception
    bodies = [str(element.proto.body) for element in app.main if element.type == "html"]
    return next(body for body in bodies if "Budget, USD" in body).rpartition("farthing-change")[2]


def test_the_card_of_a_budget_tells_one_share(home: Home, tmp_path: Path) -> None:
    load(
        home,
        [write_focus(tmp_path / "focus.csv", [focus_row(EffectiveCost="97", Tags='{"team": "search"}')])],
    )
    note = _budget(home, "100")
    assert "97 %" in note and "80 % spent" not in note
    note = _budget(home, "50")
    assert " %, over" in note


def _labels(app: AppTest) -> list[str]:
    (grid,) = [one for one in app.dataframe if "Effective cost USD" in str(one.proto.columns)]
    with pyarrow.ipc.open_stream(grid.proto.arrow_data.data) as stream:
        return [name for name in stream.schema.names if not name.startswith("__")]


def test_charges_begin_with_their_cost_and_whose_it_is(home: Home, tmp_path: Path) -> None:
    load(home, [write_focus(tmp_path / "focus.csv", [focus_row(Tags='{"team": "search"}')])])
    app = opened(home, "explorer", table="charges", period="all")
    assert not app.exception
    assert _labels(app)[:3] == ["Charge period start", "Effective cost USD", "Team"]


def test_what_a_pool_shares_is_no_matter_of_an_owner(home: Home, tmp_path: Path) -> None:
    load(home, [write_focus(tmp_path / "focus.csv", [focus_row(ServiceName="Support", Tags="")])])
    pool = "rules: []\npools:\n- {name: support, when: ServiceName=Support, split: {even: [web]}}\n"
    apply(home, {FILE: pool}, "Ada", "first")
    with at_home(home):
        app = AppTest.from_function(_whose_charge).run(timeout=60)
    assert not app.exception
    assert any("A pool shares this" in str(c.value) for c in app.caption)


def _whose_charge() -> None:
    import streamlit as st

    from finops_core import Query
    from ui import answers, whose

    (found,) = answers.charges(Query("EffectiveCost"), 5).iter_rows(named=True)
    mark = whose.crc32(repr([found.get(name) for name in whose._IDENTITY]).encode())
    st.session_state[f"why-{mark}"] = True
    whose.charge(found)


def test_who_loads_a_closed_month_anew_is_told_where_the_change_goes(home: Home, tmp_path: Path) -> None:
    load(home, [write_focus(tmp_path / "focus.csv", [focus_row(EffectiveCost="1")])])
    closing.close(Ledger(home), State(home), "2026-09", "ada", "month end", anyway=True)
    write_focus(tmp_path / "focus.csv", [focus_row(EffectiveCost="2")])
    with at_home(home):
        app = AppTest.from_function(_upload, kwargs={"file": str(tmp_path / "focus.csv")}).run(timeout=60)
    assert not app.exception
    assert [i.value for i in app.info if i.value.startswith("2026-09 is closed: statements stay as they are")]


def _upload(file: str) -> None:
    from pathlib import Path

    from finops_core.store.load import LoadOptions
    from finops_core.store.preview import preview
    from ui import answers, upload

    upload._months(preview(answers.ledger().home, [Path(file)], LoadOptions()).months)
