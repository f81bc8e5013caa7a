"""The page of anomalies: what it lists, one closely by its link, and triage that the command line sees."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from streamlit.testing.v1 import AppTest

from finops_core import Ledger
from finops_core.analysis import triaging
from finops_core.analysis.triaging import Triaged
from finops_core.store.home import Home
from finops_core.store.state import State
from finops_core.store.triage import Triage
from tests.shell import farthing
from tests.spiked import SPIKE, spiked
from tests.ui.opened import at_home, opened
from ui.plain import plain


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return spiked(tmp_path_factory.mktemp("anomalies"))


def test_an_incident_is_listed_opened_and_triaged(home: Home) -> None:
    (told,) = json.loads(farthing(home, "anomalies", "--json").stdout)["incidents"]
    app = opened(home, "anomalies", incident=told["key"])
    assert [e.value for e in (*app.exception, *app.error, *app.warning)] == []
    (listed,) = [frame.value for frame in app.dataframe if "Severity" in frame.value.columns]
    assert listed["Impact"].tolist() == [float(told["impact"])]
    assert any(plain(told["sentence"][1:]) in text.value for text in app.markdown)
    with at_home(home):
        _of_triage(app, "selectbox", "state").set_value("explained")
        _of_triage(app, "selectbox", "cause").set_value("error")
        _of_triage(app, "text_area", "note").set_value("a loop")
        _of_triage(app, "text_input", "link").set_value("https://tracker.example/1?a=b(c)")
        app.button(key="FormSubmitter:triage-Save").click()
        app.run()
    assert [text.value for text in app.success] == ["Saved\\: explained"]
    (after,) = json.loads(farthing(home, "anomalies", "--json").stdout)["incidents"]
    assert (after["state"], after["cause"]) == ("explained", "error")
    (step,) = [text.value for text in app.caption if "a loop" in text.value]
    assert step.endswith("(https://tracker.example/1?a=b%28c%29)")
    assert _of_triage(app, "selectbox", "cause").value == ""  # said once, not with every step from now on


def test_what_was_said_of_one_incident_is_not_in_the_form_of_another(tmp_path: Path) -> None:
    home = spiked(tmp_path, date(2026, 8, 18), SPIKE)
    found = json.loads(farthing(home, "anomalies", "--json").stdout)["incidents"]
    first, second = (told["key"] for told in found)
    app = opened(home, "anomalies", incident=first)
    with at_home(home):
        _of_triage(app, "selectbox", "state").set_value("explained")
        _of_triage(app, "selectbox", "cause").set_value("waste")
        app.button(key="FormSubmitter:triage-Save").click()
        app.run()
        app.query_params["incident"] = second
        app.run()
    assert [_of_triage(app, "selectbox", name).value for name in ("state", "cause")] == ["open", ""]


def test_another_sensitivity_says_what_would_come(home: Home) -> None:
    app = opened(home, "anomalies", sensitivity="0.3")
    assert any(text.value.startswith("At 0.3 there would be 1 anomaly instead of 1") for text in app.markdown)


def test_one_that_begins_on_another_day_has_not_come_and_gone(home: Home) -> None:
    (found,) = triaging.triaged(Ledger(home), State(home))
    later = replace(found.incident, key="other", start=SPIKE - timedelta(1))
    apart = replace(found.incident, key="apart", start=SPIKE + timedelta(5), end=SPIKE + timedelta(9))
    with mock.patch.object(
        triaging,
        "triaged",
        lambda _ledger, _state, sensitivity, *_: (
            [found] if sensitivity == 0.5 else [Triaged(later, Triage()), Triaged(apart, Triage())]
        ),
    ):
        app = opened(home, "anomalies", sensitivity="0.8")
    told = next(text.value for text in app.markdown if text.value.startswith("At 0.8"))
    assert told == "At 0.8 there would be 2 anomalies instead of 1: 1 more, 0 fewer, 1 with other days."


def test_an_event_is_announced_and_said_where_it_was_typed(tmp_path: Path) -> None:
    home = spiked(tmp_path)
    app = opened(home, "anomalies")
    with at_home(home):
        app.text_input(key="quiet-name").set_value("Load test")
        app.text_input(key="quiet-where").set_value("x_Team=search")
        for day in ("start", "end"):
            app.date_input(key=f"quiet-{day}").set_value(SPIKE)
        app.button(key="FormSubmitter:quiet-Add").click()
        app.run()
    (said,) = [text.value.replace("\\", "") for text in app.success]
    assert said == "Announced: Load test, of x_Team=search, 10 September 2026. What it covers is not raised"
    assert app.text_input(key="quiet-name").value == ""
    assert json.loads(farthing(home, "anomalies", "--json").stdout)["incidents"] == []


def _of_triage(app: AppTest, kind: str, name: str) -> Any:
    (widget,) = [one for one in app.get(kind) if str(one.key).startswith(f"triage-{name}")]
    return widget
