"""Forms that write to the audit log ask who sends them, where no proxy says it, and remember the name."""

from pathlib import Path
from unittest import mock

import pytest
from streamlit.testing.v1 import AppTest

from finops_core.store import audit, proposals
from finops_core.store.closes import closes
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from finops_core.store.savings import items
from finops_core.store.state import State
from tests.exports import focus_row, write_focus
from tests.ui.opened import at_home, opened

CALM = mock.patch("ui.frame.insist")
"""A page that is tested begins without app.py, and `insist` begins it again: what was clicked would be lost on the way."""
FORM = "FormSubmitter:close-month-"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """September with one charge, and another source that has charges of August only: September is not complete."""
    found = Home(tmp_path / "home")
    august = {"BillingPeriodStart": "2026-08-01T00:00:00Z", "BillingPeriodEnd": "2026-09-01T00:00:00Z"}
    days = {"ChargePeriodStart": "2026-08-30T00:00:00Z", "ChargePeriodEnd": "2026-08-31T00:00:00Z"}
    for source, row in (
        ("main", focus_row(Tags='{"team": "search"}')),
        ("other", focus_row(**august, **days)),
    ):
        load(found, [write_focus(tmp_path / f"{source}.csv", [row])], LoadOptions(source=source))
    return found


def _close(app: AppTest, home: Home, who: str | None = None, anyway: bool = True) -> list[str]:
    with at_home(home), CALM:
        if who is not None:
            app.text_input(key="name-close-month").set_value(who)
        next(t for t in app.text_input if t.label == "Reason").set_value("month end")
        box = next(b for b in app.checkbox if b.label.startswith("Close it although"))
        box.set_value(anyway)
        app.button(key=f"{FORM}Close month").click()
        app.run()
    assert not app.exception
    return [error.value for error in app.error]


def test_a_close_is_refused_without_a_name_and_kept_with_it(home: Home) -> None:
    state = State(home)
    app = opened(home, "statements", month="2026-09")
    assert "Say who you are" in _close(app, home)[0] and not closes(state)
    assert "Say who you are" in _close(app, home, "  ")[0] and not closes(state)
    assert _close(app, home, " Ada ") == []
    assert closes(state)["2026-09"].closed_by == "Ada"
    assert [entry.who for entry in audit.entries(state)] == ["Ada"]
    with at_home(home), CALM:
        app.text_input(key="name-close-month").set_value("")
        app.button(key=f"{FORM}Reopen month").click()
        app.run()
    assert "Say who you are" in app.error[0].value and closes(state)


def test_the_page_names_its_checkbox_not_an_option_of_the_command_line(home: Home) -> None:
    app = opened(home, "statements", month="2026-09")
    (said,) = _close(app, home, "Ada", anyway=False)
    assert "is not complete" in said and "Tick “Close it although it is not complete”" in said
    assert "anyway" not in said and not closes(State(home))


def test_a_name_that_was_given_once_is_there_in_the_next_form(home: Home) -> None:
    state = State(home)
    proposals.propose(state, "x_Team=search", "x_Team", "shop", "moved", "Bo")
    app = opened(home, "statements", month="2026-09")
    _close(app, home, "Ada")
    with at_home(home), CALM:
        app.switch_page("pages/rules.py")
        app.query_params["show"] = "queue"
        app.run()
        assert app.text_input(key="name-proposal-1").value == "Ada"
        app.text_input(key="why-not-proposal-1").set_value("it has not moved").run()
        app.button(key="reject-proposal-1").click()
        app.run()
    (rejected,) = proposals.proposals(state)
    assert (rejected.state, rejected.decided_by) == ("rejected", "Ada")


def test_a_saving_is_proposed_by_somebody(home: Home) -> None:
    app = opened(home, "savings")
    with at_home(home), CALM:
        next(t for t in app.text_input if t.label == "What").set_value("Smaller machines")
        next(t for t in app.text_input if t.label.startswith("Expected a month")).set_value("100")
        app.button(key="FormSubmitter:saving-new-Propose").click()
        app.run()
    assert "Say who you are" in app.error[0].value and not items(State(home))


def test_who_comes_through_a_proxy_is_not_asked(home: Home) -> None:
    with mock.patch("ui.viewer.known", lambda: "ada@example.org"):
        app = opened(home, "statements", month="2026-09")
        assert "name-close-month" not in [field.key for field in app.text_input]
        assert _close(app, home) == []
    assert closes(State(home))["2026-09"].closed_by == "ada@example.org"
