"""Uploading: a preview, the load, the figures; wrong files explain themselves; any CSV through a mapping."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import App
from tests.exports import focus_row, write_focus

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def preview(app: App, page: Page, *files: Path) -> None:
    page.locator("input[type=file]").set_input_files(list(files))
    page.locator("[data-testid=stFileChip]").nth(len(files) - 1).wait_for()
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("Read", exact=True).or_(page.get_by_text("Refused: nothing was stored")).first.wait_for()
    app.settle(page)


def test_upload_preview_load(empty_app: App, tmp_path: Path) -> None:
    app = empty_app
    export = write_focus(tmp_path / "bill.csv", [focus_row(BilledCost="12.345678901"), focus_row()])
    page = app.open("/sources")
    preview(app, page, export)
    page.get_by_text("What a load would do").wait_for()
    assert not app.home.link.exists()
    page.get_by_role("button", name="Load 1 month").click()
    page.get_by_text("2 rows are stored and equal their source to the last digit").wait_for()
    answer = app.cli("query", "--metric", "BilledCost", "--format", "csv")
    assert answer == "BillingCurrency,BilledCost\nUSD,13.345678901\n"
    assert not any(app.home.uploads.iterdir())
    preview(app, page, export)
    page.get_by_text("loaded already").wait_for()
    page.close()


def test_wrong_files_explain_themselves(app: App, tmp_path: Path) -> None:
    before = app.cli("sources", "--json")
    page = app.open("/sources")
    preview(app, page, write_focus(tmp_path / "bad.csv", [focus_row(), focus_row(BilledCost="1.234,56")]))
    words = page.locator("[data-testid=stAlertContentError]").first.inner_text()
    assert "bad.csv, row 3, column 'BilledCost'" in words
    assert "1.234,56" in words
    assert app.cli("sources", "--json") == before
    page.close()


def test_any_csv_through_a_mapping(empty_app: App, tmp_path: Path) -> None:
    app = empty_app
    bill = tmp_path / "observa.csv"
    bill.write_text(
        "Usage Date,Product,Team,Net Cost,Currency\n2026-09-01,Logs,search,10.25,USD\n2026-09-02,Traces,shop,0.75,USD\n"
    )
    page = app.open("/sources")
    preview(app, page, bill)
    page.get_by_text("A mapping of some twenty lines").wait_for()
    page.get_by_role("button", name="Keep mapping").click()
    page.get_by_text("What a load would do").wait_for()
    page.get_by_role("button", name="Load 1 month").click()
    page.get_by_text("2 rows are stored and equal their source").wait_for()
    answer = app.cli("query", "--metric", "EffectiveCost", "--by", "ServiceName", "--format", "csv")
    assert answer == "BillingCurrency,ServiceName,EffectiveCost\nUSD,Logs,10.25\nUSD,Traces,0.75\n"
    page.close()
