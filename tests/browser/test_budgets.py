"""Budgets in the app: a sheet is previewed, kept, held against the charges, and told; the same as the command line."""

import csv
import io
from pathlib import Path

import pytest

from tests.browser.conftest import App
from tests.browser.test_pages import drawn, errors, title

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_sheet_is_read_as_its_refusals_ask(app: App, tmp_path: Path) -> None:
    sheet = tmp_path / "plan.csv"
    sheet.write_text("team,currency,Jan,Feb\nsearch,USD,1,2\nTotal,,1,3\n", "utf-8")
    page = app.open("/budgets")
    if not page.get_by_role("button", name="Preview").is_visible():
        page.get_by_text("Import a sheet").click()
    page.locator("input[type=file]").set_input_files(sheet)
    page.locator("[data-testid=stFileChip]").first.wait_for()
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("'Jan' has no year").wait_for()
    page.get_by_label("Year of months without one").fill("2026")
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("'Total' states 3").wait_for()
    page.locator("[data-testid=stSelectbox]").filter(has_text="Totals in the sheet").locator("input").click()
    page.get_by_role("option", name="Leave them out").click()
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("2 amounts from January 2026 to February 2026").wait_for()
    page.close()


def test_a_sheet_is_previewed_kept_and_told(app: App, tmp_path: Path) -> None:
    sheet = tmp_path / "plan.csv"
    sheet.write_text('team,currency,Aug 26,Sep 26\nsearch,USD,"9,000.00",9500\nTotal,,9000,9500\n', "utf-8")
    page = app.open("/budgets?month=2026-08&currency=USD")
    assert title(page) == "Budgets" and errors(page) == []
    page.locator("input[type=file]").set_input_files(sheet)
    page.locator("[data-testid=stFileChip]").first.wait_for()
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("2 amounts from August 2026 to September 2026").wait_for()
    assert "budgets" not in app.cli("budgets", "list", "--format", "csv").partition("\n")[2]
    page.get_by_role("button", name="Keep 2 amounts").click()
    page.get_by_text("New amounts: 2").wait_for()
    app.settle(page)

    answer = page.locator(".farthing-answer").inner_text()
    assert answer.startswith("August 2026: ") and "of 9,000 USD are spent" in answer and errors(page) == []
    told = app.cli("budgets", "--month", "2026-08", "--format", "csv")
    with page.expect_download() as waiting:
        page.locator(".st-key-downloads-budgets-2026-08").get_by_role("button", name="CSV").click()
    assert waiting.value.path().read_text("utf-8") == told
    rows = [row for row in csv.DictReader(io.StringIO(told)) if row["BillingCurrency"] == "USD"]
    assert [row["name"] for row in rows] == ["search", "(no budget)"]
    cells = drawn(page.locator(".st-key-budgets-table [role=grid] tbody [role=row]")).evaluate_all(
        "rows => rows.map(row => row.querySelector('[role=gridcell]').textContent)"
    )
    assert cells == ["Total", "search", "(no budget)"]
    page.get_by_text("Why it differs").wait_for()
    page.close()
