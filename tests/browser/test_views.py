"""Saved views in the app; and a view that the command writes, opened."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import ROOT, App, serve
from tests.browser.test_pages import EXPLORER, errors, title

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_view_is_kept_opened_pinned_and_removed(app: App) -> None:
    page = app.open(EXPLORER + "&where=RegionId%3Deu-west-1")
    page.get_by_role("button", name="Save", exact=False).first.click()
    page.get_by_label("Name", exact=True).fill("Europe (west)")
    page.get_by_label("Description").fill("For Mondays")
    page.get_by_role("button", name="Save view").click()
    page.get_by_text("Kept as").wait_for()
    page.goto(app.url + "/views")
    app.settle(page)
    page.locator("[data-testid=stCheckbox]").filter(has_text="Pinned").locator("label").first.click()
    page.get_by_text("1 saved view, 1 of them on the Overview.").wait_for()
    link = page.get_by_role("link", name="Europe (west)").get_attribute("href") or ""
    assert "RegionId%3Deu-west-1" in link
    home = app.open("/")
    assert "Europe (west), USD" in home.locator("[data-testid=stMain]").inner_text()
    opened = app.open(link.removeprefix(app.url))
    assert title(opened) == "Explorer" and errors(opened) == []
    opened.get_by_text("Region is eu-west-1", exact=True).first.wait_for()
    page.get_by_role("button", name="Remove").click()
    page.get_by_text("Nothing is saved yet").wait_for()
    for one in (page, home, opened):
        one.close()


def test_a_new_view_works_in_the_browser(app: App, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("app.py", "pages", "ui", "finops_core", ".streamlit"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, checkout / name)
    command = [sys.executable, "-m", "finops_core", "new-view", "by_region", "--group", "RegionId"]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    process, url = serve(app.home, tmp_path / "log", checkout)
    try:
        own = App(url, app.home, app.browser)
        page = own.open("/by-region")
        assert title(page) == "By region" and errors(page) == []
        assert page.locator(".st-key-chart [role=graphics-symbol][aria-label*='eu-west-1']").count() > 0
        page.close()
    finally:
        process.terminate()
        process.wait(20)
