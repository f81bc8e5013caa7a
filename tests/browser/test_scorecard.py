"""The pack, downloaded from the scorecard: its totals are those of the command line."""

import io
import json
from datetime import datetime
from decimal import Decimal

import openpyxl
from pypdf import PdfReader

from finops_core.model.periods import add_months
from tests.browser.conftest import App
from tests.browser.test_pages import download, title


def test_the_pack_has_the_totals_of_the_query(app: App) -> None:
    page = app.open("/scorecard")
    assert title(page) == "Scorecard"
    heading = page.get_by_role("heading", name="The pack of").inner_text()
    first = datetime.strptime(heading.strip().partition("of ")[2][:20].strip(), "%B %Y").date()
    after = add_months(first, 1)
    told = json.loads(
        app.cli(
            "query", "--metric", "EffectiveCost", "--from", str(first), "--to", str(after), "--format", "json"
        )
    )
    totals = {row["BillingCurrency"]: Decimal(row["EffectiveCost"]).quantize(Decimal("0.01")) for row in told}
    assert totals
    book = openpyxl.load_workbook(io.BytesIO(download(page, "Workbook")))
    sheet = {row[0]: row[1] for row in book["Summary"].iter_rows(min_row=3, values_only=True)}
    pdf = " ".join(p.extract_text() for p in PdfReader(io.BytesIO(download(page, "PDF"))).pages)
    for code, total in totals.items():
        assert Decimal(str(sheet[code])) == total
        assert f"{total:,.2f}" in pdf
    page.close()
