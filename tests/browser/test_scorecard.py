"""The pack, downloaded from the scorecard: its totals are those of the command line."""

import io
import json
from decimal import Decimal

import openpyxl
from pypdf import PdfReader

from tests.browser.conftest import App
from tests.browser.test_pages import download, title


def test_the_pack_has_the_totals_of_the_query(app: App) -> None:
    page = app.open("/scorecard")
    assert title(page) == "Scorecard"
    heading = page.get_by_role("heading", name="The pack of").inner_text()
    month = page.locator("[data-testid=stSelectbox]").first.inner_text().split()[-1]
    year, number = map(int, month.split("-"))
    after = f"{year + number // 12}-{number % 12 + 1:02}-01"
    told = json.loads(
        app.cli(
            "query", "--metric", "EffectiveCost", "--from", f"{month}-01", "--to", after, "--format", "json"
        )
    )
    totals = {row["BillingCurrency"]: Decimal(row["EffectiveCost"]).quantize(Decimal("0.01")) for row in told}
    assert heading.startswith("The pack of") and totals
    book = openpyxl.load_workbook(io.BytesIO(download(page, "Workbook")))
    sheet = {row[0]: row[1] for row in book["Summary"].iter_rows(min_row=3, values_only=True)}
    pdf = " ".join(p.extract_text() for p in PdfReader(io.BytesIO(download(page, "PDF"))).pages)
    for code, total in totals.items():
        assert Decimal(str(sheet[code])) == total
        assert f"{total:,.2f}" in pdf
    page.close()
