"""Top movers: the waterfall, the table, the download and the command line give the same exact figures."""

import csv
import io
import re
from decimal import Decimal
from pathlib import Path

import pytest

from finops_core.model import words
from tests.browser.conftest import App
from tests.browser.test_pages import download, drawn, errors, tabled

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
MOVERS = "/movers?from=2026-09-01&to=2026-10-01&by=ServiceName&currency=USD"
ASKED = (
    "movers",
    "--metric",
    "EffectiveCost",
    "--by",
    "ServiceName",
    "--from",
    "2026-09-01",
    "--to",
    "2026-10-01",
)


def told(app: App) -> list[dict[str, str]]:
    text = app.cli(*ASKED, "--where", "BillingCurrency=USD", "--format", "csv")
    return list(csv.DictReader(io.StringIO(text)))


def test_waterfall_table_download_and_command_line_agree(app: App) -> None:
    page = app.open(MOVERS)
    assert errors(page) == []
    rows = told(app)
    assert len(rows) == 4
    assert list(csv.DictReader(io.StringIO(download(page, "CSV").decode()))) == rows
    labels = drawn(page.locator(".st-key-waterfall [role=graphics-symbol][aria-label$=USD]")).evaluate_all(
        "marks => [...new Set(marks.map(mark => mark.getAttribute('aria-label')))]"
    )
    shown = dict(re.fullmatch(r"(.+): (-?[\d.]+) USD", label).groups() for label in labels)  # type: ignore[union-attr]
    changes = {row["ServiceName"]: Decimal(row["change"]) for row in rows}
    before, after = (sum(Decimal(row[side]) for row in rows) for side in ("before", "after"))
    assert {name: Decimal(cost) for name, cost in shown.items()} == {
        "August 2026": before,
        **changes,
        "September 2026": after,
    }
    shown = tabled(page, "movers")
    assert shown["Total"] == round(before, 6)
    page.close()


def test_small_changes_are_one_and_nothing_is_lost(app: App) -> None:
    page = app.open(MOVERS + "&top=1")
    rows = told(app)
    marks = page.locator(".st-key-waterfall [role=graphics-symbol][aria-label^='Other (3)']")
    rest = sum(Decimal(row["change"]) for row in rows[1:])
    assert Decimal(re.findall(r": (-?[\d.]+) USD", marks.first.get_attribute("aria-label") or "")[0]) == rest
    page.close()


def test_each_large_mover_has_its_sentence(app: App) -> None:
    page = app.open(MOVERS)
    first = told(app)[0]
    sentence = page.locator("[data-testid=stMarkdown] li").first.inner_text()
    assert sentence.startswith(f"{first['ServiceName']}: +") and "USD" in sentence
    page.close()


def test_why_it_changed_is_one_click_away_with_the_same_question(app: App) -> None:
    page = app.open(
        "/explorer?from=2026-09-01&to=2026-10-01&by=SubAccountId&where=ServiceName%3DAmazon%20S3&currency=EUR"
    )
    page.get_by_role("link", name="Why did it change?").click()
    page.wait_for_url("**/movers?**")
    app.settle(page)
    assert page.locator(".farthing-head h1").inner_text() == "Top movers"
    for part in ("from=2026-09-01", "to=2026-10-01", "by=SubAccountId", "Amazon+S3", "currency=EUR"):
        assert part in page.url
    assert errors(page) == []
    page.close()


def test_compared_with_nothing_nothing_changed(app: App) -> None:
    page = app.open(MOVERS + "&versus=none")
    assert "nothing changed" in page.locator(".farthing-answer").inner_text()
    page.close()


def test_a_mover_is_looked_at_beside_what_was_brought_out(app: App, tmp_path: Path) -> None:
    file = tmp_path / "deployments.csv"
    header = "deployed_at,team,application,environment,version,change"
    file.write_text(f"{header}\n2026-09-10T09:00:00Z,search,finder,prod,7,Log level\n")
    app.cli("deployments", "add", str(file))
    page = app.open(MOVERS)
    page.get_by_role("combobox", name="Mover").click()
    page.get_by_role("option", name="AWS Lambda").click()
    page.locator(".st-key-closer [aria-label='10 Sep: finder 7, prod (Log level)']").first.wait_for(
        state="attached"
    )
    assert "look=AWS+Lambda" in page.url
    services = page.locator(".farthing-list").first.inner_text()
    change = next(Decimal(row["change"]) for row in told(app) if row["ServiceName"] == "AWS Lambda")
    assert services.split() == ["Service,", "change", "in", "USD", "AWS", "Lambda", words.signed(change)]
    assert errors(page) == []
    page.close()
