"""A refusal of rules that are being edited: said once, with the line that it cites and those around it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from finops_core.allocation.ruleset import FILE
from finops_core.allocation.written import excerpt
from finops_core.store.applying import apply
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus
from tests.ui.opened import at_home, opened

RULES = """directories:
  teams: {file: teams.csv, key: team}
  accounts: {file: accounts.csv, key: account}
rules:
  - {name: team tag, set: {x_Team: {tag: team, only: teams}}}
  - {name: account, set: {x_Team: {column: SubAccountId, directory: accounts, field: team}}}
pools: []
"""
FILES = {
    FILE: RULES,
    "teams.csv": "team,email\nweb,web@x\n",
    "accounts.csv": "account,team\nshop,web\n",
}


@pytest.fixture
def ruled(home: Home, tmp_path: Path) -> Home:
    load(home, [write_focus(tmp_path / "focus.csv", [focus_row()])])
    apply(home, FILES, "Ada", "the first")
    return home


def _retype(app: AppTest, home: Home, text: str) -> None:
    with at_home(home):
        app.text_area(key="rules-text-0").set_value(text).run()
    assert not app.exception


def _refusals(app: AppTest) -> list[str]:
    return [str(error.value).replace("\\", "") for error in app.error]


def _directories(app: AppTest) -> list[str]:
    return [e.label for e in app.expander if e.label.endswith("row") or "rows" in e.label]


def test_a_refusal_is_said_once_with_its_lines(ruled: Home) -> None:
    app = opened(ruled, "rules", show="edit")
    assert (_refusals(app), len(_directories(app))) == ([], 2)
    _retype(app, ruled, RULES.replace("{tag: team,", "{tga: team,"))
    (refused,) = _refusals(app)
    assert refused.startswith("As it is, nothing of it would be applied. allocation.yaml, line 5: ")
    shown = (
        "  3    accounts: {file: accounts.csv, key: account}\n"
        "  4  rules:\n"
        "> 5    - {name: team tag, set: {x_Team: {tga: team, only: teams}}}\n"
        "  6    - {name: account, set: {x_Team: {column: SubAccountId, directory: accounts, field: team}}}\n"
        "  7  pools: []"
    )
    assert [code.value for code in app.code] == [shown]
    with at_home(ruled):
        next(b for b in app.button if b.label == "Preview").click().run()
    (refused,) = _refusals(app)
    assert refused.startswith("Nothing was applied. allocation.yaml, line 5: ")
    assert [code.value for code in app.code] == [shown]
    assert _directories(app) == []
    assert len([c for c in app.caption if "once allocation" in c.value]) == 1
    _retype(app, ruled, RULES.replace("pools: []", "pools: [] # none"))
    assert (_refusals(app), len(app.code), len(_directories(app))) == ([], 0, 2)


def test_rules_of_the_folder_that_cannot_be_read_are_said_to_be_so(home: Home, tmp_path: Path) -> None:
    load(home, [write_focus(tmp_path / "focus.csv", [focus_row()])])
    home.rules.mkdir(exist_ok=True)
    (home.rules / FILE).write_text("rules:\n  - {name: team tag}\n")
    app = opened(home, "rules")
    (refused,) = _refusals(app)
    assert "allocation.yaml, line 2: " in refused
    assert [code.value for code in app.code] == ["  1  rules:\n> 2    - {name: team tag}"]


def test_an_excerpt_ends_where_the_text_does() -> None:
    text = "\n".join(f"line {n}" for n in range(1, 13))
    assert excerpt(text, 1) == "> 1  line 1\n  2  line 2\n  3  line 3"
    assert excerpt(text, 11).splitlines()[0] == "   9  line 9"
    assert excerpt(text, 99).splitlines()[-1] == "> 12  line 12"
    assert excerpt("", 1) == ""
