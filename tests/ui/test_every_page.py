"""Every page answers on a home without data, and on one with one source and one day, with words and never an error."""

import pytest

from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus
from tests.ui.opened import ROOT, heading, opened

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("[a-z]*.py"))
WITHOUT_CHARGES = ("sources", "glossary")
"""What says something of its own before the first load."""


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Home]:
    folder = tmp_path_factory.mktemp("homes")
    found = {name: Home(folder / name) for name in ("empty", "one-day")}
    load(found["one-day"], [write_focus(folder / "focus.csv", [focus_row()])])
    return found


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("which", ["empty", "one-day"])
def test_a_page_answers(homes: dict[str, Home], name: str, which: str) -> None:
    app = opened(homes[which], name)
    assert [e.value for e in (*app.exception, *app.error)] == []
    assert (heading(app) == "No charges yet") == (which == "empty" and name not in WITHOUT_CHARGES)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("grain", "hour"),
        ("where", "nonsense"),
        ("by", "NoSuchColumn"),
        ("metric", "Gold"),
        ("from", "2026-13-01"),
    ],
)
def test_a_broken_link_is_said(homes: dict[str, Home], parameter: str, value: str) -> None:
    app = opened(homes["one-day"], "explorer", **{parameter: value})
    assert [e.value for e in (*app.exception, *app.error)] == []
    assert "cannot be read" in app.warning[0].value
    assert heading(app) == "Explorer"
