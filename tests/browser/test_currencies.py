"""A display currency beside the original: rates are typed and uploaded, the figure names them, and without one is no sum."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from finops_core.model import words
from tests.browser.conftest import App

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
DAYS = "from=2026-07-01&to=2026-10-01"


@pytest.fixture
def rated(app: App) -> Iterator[App]:
    """The app, whose rates go when a test is over: the other tests know of none."""
    yield app
    for rate in kept(app):
        app.cli("rates", "remove", *rate[:3])


def kept(app: App) -> list[list[str]]:
    return list(csv.reader(io.StringIO(app.cli("rates", "list", "--format", "csv"))))[1:]


def import_rates(app: App, folder: Path, *rows: str) -> None:
    file = folder / "rates.csv"
    file.write_text("\n".join(["date,from,to,rate", *rows]))
    app.cli("rates", "import", str(file))


def figure(page: Page, label: str) -> Locator:
    return page.locator(".farthing-figure").filter(has_text=label)


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def hint(page: Page, label: str) -> str:
    figure(page, label).locator(".farthing-help").hover()
    return figure(page, label).locator(".farthing-tip:visible").inner_text()


def test_without_rates_nothing_is_added(app: App) -> None:
    page = app.open(f"/explorer?{DAYS}&currency=USD&display=EUR")
    assert figure(page, "Effective cost, USD").count() == 1
    assert figure(page, "All in").count() == 0
    assert page.get_by_text("Show also in").count() == 0
    page.close()


@pytest.mark.parametrize("path", ["/", "/explorer"])
def test_the_figure_is_that_of_the_command_line(rated: App, tmp_path: Path, path: str) -> None:
    app = rated
    import_rates(app, tmp_path, "2026-06-01,USD,EUR,0.92", "2026-08-15,USD,EUR,0.9345")
    days = ("--from", "2026-07-01", "--to", "2026-10-01")
    answer = app.cli("convert", "--metric", "EffectiveCost", *days, "--into", "EUR", "--format", "csv")
    amounts = [Decimal(row["Converted"]) for row in csv.DictReader(io.StringIO(answer))]
    assert len(amounts) == 2
    for code in ("USD", "EUR"):
        page = app.open(f"{path}?{DAYS}&currency={code}")
        figure(page, "All in EUR").wait_for()
        value = figure(page, "All in EUR").locator(".farthing-value").inner_text()
        assert value == words.amount(sum(amounts, Decimal(0)))
        told = hint(page, "All in EUR")
        assert "1 USD = 0.92 EUR (2026-06-01) to 1 USD = 0.9345 EUR (2026-08-15), 2 rates" in told
        page.close()


def test_without_a_rate_there_is_no_sum(rated: App, tmp_path: Path) -> None:
    app = rated
    import_rates(app, tmp_path, "2026-08-15,USD,EUR,0.92")
    page = app.open(f"/explorer?{DAYS}")
    shown = figure(page, "All in EUR")
    assert shown.locator(".farthing-value").inner_text() == "no sum"
    assert "no rate for USD on 2026-07-01" in shown.inner_text()
    page.close()


def test_the_display_currency_is_in_the_url(rated: App, tmp_path: Path) -> None:
    app = rated
    import_rates(app, tmp_path, "2026-06-01,USD,EUR,0.9", "2026-06-01,USD,CHF,0.8", "2026-06-01,EUR,CHF,0.9")
    page = app.open(f"/explorer?{DAYS}&currency=USD")
    figure(page, "All in CHF").wait_for()
    choose(page, "Show also in", "EUR")
    figure(page, "All in EUR").wait_for()
    assert "display=EUR" in page.url
    page.get_by_role("link", name="Top movers").click()
    page.wait_for_url("**/movers**")
    app.settle(page)
    assert page.get_by_text("Show also in").count() == 0
    page.get_by_role("link", name="Overview").click()
    page.wait_for_url(lambda url: "/movers" not in url)
    figure(page, "All in EUR").wait_for()
    page.close()


def test_rates_are_typed_uploaded_and_removed(rated: App) -> None:
    app = rated
    page = app.open("/sources")
    page.get_by_text("Exchange rates (0)").click()
    page.get_by_role("spinbutton", name="year, From day").click()
    page.keyboard.type("20260701")
    choose(page, "1 unit of", "USD")
    choose(page, "units of", "EUR")
    page.get_by_label("is", exact=True).fill("0,92")
    page.get_by_role("button", name="Keep rate", exact=True).click()
    page.get_by_text("write it with a decimal point").wait_for()
    assert kept(app) == []
    page.get_by_label("is", exact=True).fill("0.92")
    page.get_by_role("button", name="Keep rate", exact=True).click()
    page.get_by_text("New rates: 1").wait_for()
    assert kept(app) == [["2026-07-01", "USD", "EUR", "0.92"]]
    page.get_by_role("button", name="Upload CSV").click()
    upload = page.get_by_test_id("stPopoverBody")
    data = b"date,from,to,rate\n2026-08-01,USD,EUR,0.93\n2026-08-01,GBP,EUR,1.15\n"
    upload.locator("input[type=file]").set_input_files(
        {"name": "r.csv", "mimeType": "text/csv", "buffer": data}
    )
    upload.get_by_role("button", name="Keep rates").click()
    page.get_by_text("New rates: 2").wait_for()
    assert len(kept(app)) == 3
    app.settle(page)
    page.keyboard.press("Escape")
    page.get_by_test_id("stPopoverBody").wait_for(state="detached")
    page.get_by_role("button", name="Remove a rate").click()
    app.settle(page)
    page.get_by_test_id("stPopoverBody").get_by_role("button", name="Remove", exact=True).click()
    page.get_by_text("1 USD = 0.93 EUR (2026-08-01) is removed").wait_for()
    expect(page.get_by_text("Exchange rates (2)")).to_be_visible()
    assert [rate[1] for rate in kept(app)] == ["USD", "GBP"]
    page.close()
