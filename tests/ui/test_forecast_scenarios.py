"""Scenarios on the Forecast page: what they change is told, an adjustment is taken out, and what was typed is not left out in silence."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from finops_core.store.home import Home
from finops_core.store.scenarios import scenario, scenarios
from finops_core.store.state import State
from tests.spiked import spiked
from tests.ui.opened import at_home, opened


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return spiked(tmp_path_factory.mktemp("scenarios"))


def add(app: AppTest, home: Home, **typed: str) -> list[str]:
    """Types an adjustment and adds it; says what the page then says."""
    with at_home(home):
        for name, text in typed.items():
            app.text_input(key=f"adjust-{name}").set_value(text)
        app.button(key="FormSubmitter:forecast-adjust-Add adjustment").click()
        app.run()
    assert [e.value for e in app.exception] == []
    return [e.value.replace("\\", "") for e in (*app.success, *app.error)]


def test_an_adjustment_is_added_told_and_taken_out(home: Home) -> None:
    app = opened(home, "forecast")
    assert add(app, home, name="Spring", percent="10", where="x_Team=search") == ["Kept in Spring"]
    told = [text for c in app.caption if (text := c.value.replace("\\", "")).startswith("Spring: ")]
    assert len(told) == 1 and "Oct 2026 +" in told[0] and told[0].endswith(" USD")
    assert any("Growth 10 % a month of x_Team=search" in m.value.replace("\\", "") for m in app.markdown)
    (said,) = add(app, home, percent="5", where="x_Team=nobody")
    assert said.startswith("Kept in Spring. No charge of the last three months fulfils x_Team=nobody")
    with at_home(home):
        app.button(key="take-out-1").click().run()
    assert [a.where for a in scenario(State(home), "Spring").adjustments] == [("x_Team=search",)]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"to": "platform"}, "'platform' does not say to whom: write x_Team=platform"),
        ({"to": "x_Tem=platform"}, "there is no dimension 'x_Tem'"),
        ({"where": "x_Tem=search"}, "there is no dimension 'x_Tem'"),
    ],
)
def test_what_cannot_be_meant_is_refused(home: Home, typed: dict[str, str], words: str) -> None:
    app = opened(home, "forecast")
    (said,) = add(app, home, name="Wrong", percent="10", **typed)
    assert words in said and "Wrong" not in {s.name for s in scenarios(State(home))}


def test_a_file_with_conditions_that_cannot_be_read_is_refused(home: Home, tmp_path: Path) -> None:
    app = opened(home, "forecast")
    file = b"name: Broken\nadjustments:\n  - {kind: growth, start: 2026-12-01, percent: 10, where: [x_Tem=web]}\n"
    with at_home(home):
        app.get("file_uploader")[0].set_value([("broken.yaml", file, "text/yaml")]).run()
    assert any("there is no dimension 'x_Tem'" in e.value.replace("\\", "") for e in app.error)
    assert "Broken" not in {s.name for s in scenarios(State(home))}
