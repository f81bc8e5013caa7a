"""The page of anomalies: what it lists, one closely by its link, and triage that the command line sees."""

import json

import pytest

from finops_core.store.home import Home
from tests.shell import farthing
from tests.spiked import spiked
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
        app.selectbox(key="triage-state").set_value("explained")
        app.selectbox(key="triage-cause").set_value("error")
        app.text_area(key="triage-note").set_value("a loop")
        app.button(key="FormSubmitter:triage-Save").click()
        app.run()
    assert [text.value for text in app.success] == ["Saved\\: explained"]
    (after,) = json.loads(farthing(home, "anomalies", "--json").stdout)["incidents"]
    assert (after["state"], after["cause"]) == ("explained", "error")


def test_another_sensitivity_says_what_would_come(home: Home) -> None:
    app = opened(home, "anomalies", sensitivity="0.3")
    assert any(text.value.startswith("At 0.3 there would be 1 anomaly instead of 1") for text in app.markdown)
