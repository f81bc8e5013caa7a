"""Anomalies in the app: one is listed, downloaded, opened by its row, and triaged."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser

from finops_core.store.state import State
from finops_core.store.triage import triage
from tests.browser.conftest import App, serve
from tests.browser.test_allocation import choose
from tests.browser.test_pages import drawn, errors, title
from tests.spiked import spiked

SERIES = "search × Amazon Elastic Compute Cloud"

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_an_anomaly_is_opened_and_triaged(browser: Browser, tmp_path: Path) -> None:
    home = spiked(tmp_path)
    process, url = serve(home, tmp_path / "log")
    try:
        app = App(url, home, browser)
        page = app.open("/anomalies")
        assert title(page) == "Anomalies" and errors(page) == []
        table = page.locator(".st-key-anomalies-table")
        cells = drawn(table.locator("[role=grid] tbody [role=gridcell]")).all_text_contents()
        assert cells[:4] == [SERIES, "Warning", "899.36", "USD"] and cells[5:8] == [
            "2026-09-10",
            "2026-09-10",
            "search",
        ]
        with page.expect_download() as waiting:
            page.locator(".st-key-downloads-anomalies").get_by_role("button", name="CSV").click()
        assert f"{SERIES},Warning,899.36,USD," in waiting.value.path().read_text("utf-8")

        choose(page, "anomalies-table", 1)
        page.get_by_role("heading", name="Triage").wait_for()
        app.settle(page)
        (key,) = parse_qs(urlsplit(page.url).query)["incident"]
        assert (
            "Expected 102 ± 4.45 USD a day, was 1,001; 100 %"
            in page.locator("[data-testid=stMain]").inner_text()
        )
        page.get_by_label("Note").fill("a loop")
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("Saved: open").wait_for()
        app.settle(page)
        assert errors(page) == [] and triage(State(home))[key].steps[-1].note == "a loop"
        page.close()
    finally:
        process.terminate()
        process.wait(20)
