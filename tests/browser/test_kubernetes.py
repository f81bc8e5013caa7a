"""The page of a cluster: figures, chart, table, download and command line agree; without an export it says how to add one."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from finops_core.store import metric_files
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.browser.conftest import App, serve
from tests.browser.test_pages import barriers, charted, download, errors, tabled, title
from tests.exports import focus_row, write_focus

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
HOURS = (
    "date,cluster,namespace,cpu_core_hours_requested,cpu_core_hours_used,memory_gib_hours_requested,memory_gib_hours_used\n"
    "2026-03-01,one,shop,10,4,20,30\n2026-03-01,one,<b>search</b>,5,8,1,1\n2026-03-02,one,shop,1,0,0,0\n"
)


def _node(day: int, cost: str) -> dict[str, str]:
    return focus_row(
        BilledCost=cost,
        EffectiveCost=cost,
        Tags='{"aws_eks_cluster_name": "one"}',
        BillingPeriodStart="2026-03-01T00:00:00Z",
        BillingPeriodEnd="2026-04-01T00:00:00Z",
        ChargePeriodStart=f"2026-03-{day:02}T00:00:00Z",
        ChargePeriodEnd=f"2026-03-{day + 1:02}T00:00:00Z",
    )


@pytest.fixture(scope="module")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    directory = tmp_path_factory.mktemp("cluster")
    home = Home(directory / "home")
    costs = {1: "100.000000000000000001", 2: "10", 3: "7.5"}
    load(home, [write_focus(directory / "nodes.csv", [_node(d, c) for d, c in costs.items()])])
    process, url = serve(home, directory / "log")
    yield App(url, home, browser)
    process.terminate()
    process.wait(20)


def test_a_cluster_is_told_the_same_everywhere(app: App, tmp_path: Path) -> None:
    page = app.open("/kubernetes")
    assert "farthing drivers add" in page.locator("[data-testid=stCode]").inner_text()
    page.close()
    (tmp_path / "hours.csv").write_text(HOURS)
    metric_files.add(app.home, tmp_path / "hours.csv")

    page = app.open("/kubernetes?month=2026-03&by=namespace")
    assert (title(page), errors(page), barriers(page)) == ("Kubernetes", [], [])
    assert page.locator(".farthing-answer").inner_text() == "one cost 117.50 USD in March 2026 so far."
    told = app.cli(
        "kubernetes", "--cluster", "one", "--from", "2026-03-01", "--to", "2026-04-01", "--format", "csv"
    )
    assert download(page, "CSV").decode() == told
    rows = {row["Name"]: Decimal(row["EffectiveCost"]) for row in csv.DictReader(io.StringIO(told))}
    assert sum(rows.values()) == Decimal("117.500000000000000001")
    drawn: dict[str, Decimal] = {}
    for member, _, cost in charted(page, "cluster"):
        drawn[member] = drawn.get(member, Decimal(0)) + cost
    assert drawn == {"shop": rows["shop"], "<b>search</b>": rows["<b>search</b>"], "No usage known": rows[""]}
    shown = tabled(page, "cluster-parts")
    assert shown.keys() == {"Nodes", "shop", "<b>search</b>", "No usage known"}
    assert shown["Nodes"] == Decimal("117.5")
    page.close()

    page = app.open("/kubernetes?month=2020-01&by=pod")
    warnings = page.locator("[data-testid=stAlertContentWarning]").all_inner_texts()
    assert [text.splitlines()[-1] for text in warnings] == [
        "There is no month 2020-01 here",
        "There is no by pod here",
    ]
    page.close()
