"""Files of usage in the app: looked at before they are kept, refused by row and column, listed with the pools that they split."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from finops_core.allocation.ruleset import FILE
from finops_core.store import audit, metric_files
from finops_core.store.applying import apply
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.state import State
from tests.exports import focus_row, write_focus
from tests.ui.opened import at_home, opened

USAGE = "date,team,gb\n2026-09-01,search,18.5\n2026-09-01,web,40\n2026-09-02,web,1\n"
HOURS = (
    "date,cluster,namespace,cpu_core_hours_requested,cpu_core_hours_used,memory_gib_hours_requested,memory_gib_hours_used\n"
    "2026-09-01,one,shop,10,4,20,30\n2026-09-02,one,search,5,8,1,1\n"
)
POOL = "{name: logs, when: ServiceName=Logs, split: {driver: {kind: table, file: usage.csv, quantity: gb}}}"


@pytest.fixture
def loaded(home: Home, tmp_path: Path) -> Home:
    load(home, [write_focus(tmp_path / "focus.csv", [focus_row()])])
    return home


def _upload(app: AppTest, home: Home, name: str, text: str) -> None:
    with at_home(home):
        (uploader,) = [u for u in app.file_uploader if "usage" in u.label]
        uploader.set_value((name, text.encode(), "text/csv")).run()
    assert not app.exception


def _keep(app: AppTest, home: Home, who: str) -> None:
    with at_home(home):
        app.text_input(key="usage-author").set_value(who).run()
        app.button(key="usage-keep").click().run()
    assert not app.exception


def _told(app: AppTest) -> dict[str, str]:
    return {what: told.replace("\\", "") for what, told in app.table[0].value.values.tolist()}


def test_a_file_is_looked_at_then_kept_and_removed(loaded: Home) -> None:
    app = opened(loaded, "kubernetes")
    assert app.expander[0].label == "Files of usage (0)"
    _upload(app, loaded, "usage.csv", USAGE)
    assert {what.replace("\\", ""): told for what, told in _told(app).items()} == {
        "Kind": "table",
        "Days": "2 from 2026-09-01 to 2026-09-02",
        "Values of team": "2: search, web",
        "gb in all": "59.5",
    }
    assert metric_files.listed(loaded) == {}
    assert app.button(key="usage-keep").disabled
    _keep(app, loaded, "ada")
    holds = "table, 2 days from 2026-09-01 to 2026-09-02; team: search, web; gb: 59.5 in all"
    assert [str(m.value).replace("\\", "") for m in app.success] == [f"usage.csv: added: {holds}"]
    assert (loaded.metrics / "usage.csv").read_text() == USAGE
    assert app.expander[0].label == "Files of usage (1)"

    _upload(app, loaded, "usage.csv", USAGE + "2026-09-03,web,-1\n")
    (refused,) = [str(m.value).replace("\\", "") for m in app.error]
    assert refused.startswith("Nothing was kept. usage.csv, row 5, column 'gb': -1 is negative")
    assert (loaded.metrics / "usage.csv").read_text() == USAGE

    _upload(app, loaded, "usage.csv", USAGE + "2026-09-03,web,1\n")
    (before,) = [c.value.replace("\\", "") for c in app.caption if "replaces the file" in c.value]
    assert before == f"It replaces the file of this name: {holds}"
    _keep(app, loaded, "joan")
    with at_home(loaded):
        app.text_input(key="usage-remover-usage.csv").set_value("ana").run()
        app.button(key="usage-remove-usage.csv").click().run()
    assert [str(m.value).replace("\\", "") for m in app.success] == ["usage.csv: removed"]
    assert metric_files.listed(loaded) == {}
    assert [(e.who, e.action, e.subject) for e in audit.entries(State(loaded))] == [
        ("ana", "usage file removed", "usage file usage.csv"),
        ("joan", "usage file replaced", "usage file usage.csv"),
        ("ada", "usage file added", "usage file usage.csv"),
    ]


def test_a_cluster_is_told_once_its_hours_are_kept(loaded: Home) -> None:
    app = opened(loaded, "kubernetes")
    _upload(app, loaded, "hours.csv", HOURS)
    told = _told(app)
    assert (told["Kind"], told["Clusters"]) == ("kubernetes", "1: one")
    assert told["Values of namespace"] == "2: search, shop"
    _keep(app, loaded, "ada")
    assert app.selectbox(key="cluster-cluster").value == "one"
    assert app.expander[0].label == "Files of usage (1)"


def test_beside_the_pools_the_pools_of_a_file_are_named(loaded: Home, tmp_path: Path) -> None:
    (tmp_path / "usage.csv").write_text(USAGE)
    metric_files.add(loaded, tmp_path / "usage.csv")
    rules = f"rules:\n  - {{name: tag, set: {{x_Team: {{tag: team}}}}}}\npools:\n  - {POOL}\n"
    apply(loaded, {FILE: rules}, "Ada", "the first")
    app = opened(loaded, "allocation", period="all")
    assert not app.exception
    (usage,) = [e for e in app.expander if e.label == "Files of usage (1)"]
    assert str(usage.markdown[0].value).replace("\\", "").endswith("gb: 59.5 in all · splits the pool logs")
    (warned,) = usage.warning
    assert "splits the pool logs: it can be removed once the rules ask for it no more" in str(
        warned.value
    ).replace("\\", "")
    assert audit.entries(State(loaded), subject="usage file usage.csv") == []
