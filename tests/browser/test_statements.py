"""Showback statements in the app: a team's month by its link, its files, and the month closed and reopened."""

import csv
import io
from decimal import Decimal

import pytest

from tests.browser.conftest import App
from tests.browser.test_pages import download, drawn, errors, title

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_statement_is_read_downloaded_and_its_month_closed(app: App) -> None:
    page = app.open("/statements?month=2026-08&owner=search&currency=USD")
    assert title(page) == "Showback statements" and errors(page) == []
    told = app.cli("statement", "--period", "2026-08", "--owner", "search", "--format", "csv")
    rows = {r["Line"]: r for r in csv.DictReader(io.StringIO(told)) if r["BillingCurrency"] == "USD"}
    assert set(rows) == {"Amazon RDS", "AWS Lambda", "Total"}
    cells = drawn(page.locator(".st-key-statement-lines [role=grid] tbody [role=row]")).evaluate_all(
        "rows => rows.map(row => [...row.querySelectorAll('[role=gridcell]')].map(cell => cell.textContent))"
    )
    shown = {line: round(Decimal(cost), 6) for line, _, cost, *_ in cells}
    assert shown == {line: round(Decimal(row["EffectiveCost"]), 6) for line, row in rows.items()}
    assert download(page, "CSV").decode() == told
    assert download(page, "PDF").startswith(b"%PDF-")
    assert download(page, "Journal CSV").decode() == app.cli("journal", "--period", "2026-08")

    page.get_by_role("button", name="Close August 2026").click()
    page.get_by_label("Your name", exact=True).fill("Ada")
    page.get_by_label("Reason", exact=True).fill("month end")
    page.get_by_role("button", name="Close month").click()
    page.get_by_text("Closed on").wait_for()
    assert "month closed, month 2026-08: month end" in app.cli("audit-log", "--limit", "1")

    page.locator(".st-key-statement-owner").get_by_role("combobox").click()
    page.get_by_role("option", name="Everybody").click()
    page.wait_for_url(lambda url: "owner" not in url)
    app.settle(page)
    assert "All teams: " in page.locator(".farthing-answer").inner_text()
    page.get_by_role("button", name="Reopen August 2026").click()
    page.get_by_label("Reason", exact=True).fill("a test")
    page.get_by_role("button", name="Reopen month").click()
    page.get_by_text("Figures follow the ledger").wait_for()
    page.close()


def test_a_link_that_means_nothing_is_said(app: App) -> None:
    page = app.open("/statements?month=1999-01&owner=nobody")
    assert title(page) == "Showback statements"
    said = " ".join(page.locator("[data-testid=stAlert]").all_inner_texts())
    assert "There is no month 1999-01 here" in said and "'nobody' has no statement" in said
    page.close()
