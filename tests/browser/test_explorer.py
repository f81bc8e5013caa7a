"""Exploring: down by a click and back, by period, the charges behind a figure, pictures."""

import csv
import io
from decimal import Decimal

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import App
from tests.browser.test_pages import EXPLORER, asked, charted, download, drawn, errors, tabled

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def choose(page: Page, row: int) -> None:
    """Ticks the box of a row of the table; 1 is the first below the header."""
    grid = page.locator(".st-key-table canvas").first
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 15, box["y"] + 36 * row + 18)


def test_a_click_on_a_mark_drills_down_and_a_crumb_leads_back(app: App) -> None:
    page = app.open(EXPLORER)
    page.locator(".st-key-chart [role=graphics-symbol][aria-label*='Amazon RDS']").first.click()
    page.wait_for_url("**where=ServiceName%3DAmazon+RDS**")
    app.settle(page)
    assert "by=Sku" in page.url and errors(page) == []
    page.get_by_role("button", name="All by service").click()
    page.wait_for_function("() => !location.search.includes('where')")
    app.settle(page)
    page.wait_for_selector(".st-key-chart [role=graphics-symbol][aria-label*='Amazon S3']")
    assert "Sku" not in page.url
    page.close()


def test_by_period_rows_and_edges_are_the_answers(app: App) -> None:
    page = app.open(EXPLORER + "&table=pivot")
    rows = list(csv.DictReader(io.StringIO(asked(app, "--by", "ServiceName", "--grain", "month"))))
    services = {row["ServiceName"] for row in rows}
    sums = {s: sum(Decimal(r["EffectiveCost"]) for r in rows if r["ServiceName"] == s) for s in services}
    assert tabled(page) == {s: round(c, 6) for s, c in {**sums, "Total": sum(sums.values())}.items()}
    page.close()


def test_the_calendar_shows_every_day(app: App) -> None:
    page = app.open(EXPLORER + "&chart=heat")
    marks = page.locator(".st-key-chart [role=graphics-symbol][aria-label$=USD]")
    assert marks.count() == 84
    told = [
        Decimal((m.get_attribute("aria-label") or "").split(": ")[1].removesuffix(" USD"))
        for m in marks.all()
    ]
    assert sum(told) == Decimal(asked(app).splitlines()[1].split(",")[1])
    page.close()


def test_ranked_members_and_other_make_up_the_total(app: App) -> None:
    page = app.open(EXPLORER + "&chart=ranked&top=2")
    marks = drawn(page.locator(".st-key-chart [role=graphics-symbol][aria-label$=USD]")).evaluate_all(
        "marks => [...new Set(marks.map(mark => mark.getAttribute('aria-label')))]"
    )
    costs = {m.rsplit(": ", 1)[0]: Decimal(m.rsplit(": ", 1)[1].removesuffix(" USD")) for m in marks}
    assert next(iter(costs)) == "AWS Lambda" and "Other (2)" in costs
    assert sum(costs.values()) == Decimal(asked(app).splitlines()[1].split(",")[1])
    page.close()


def test_charges_behind_a_figure_lead_to_their_line(app: App) -> None:
    page = app.open(EXPLORER + "&where=ServiceName%3DAmazon%20S3&table=charges")
    choose(page, 1)
    page.locator(".st-key-origin").get_by_text("EffectiveCost = ").first.wait_for()
    words = page.locator(".st-key-origin").inner_text()
    assert "read as FOCUS" in words and "main.csv" in words
    assert "EffectiveCost = " in words
    page.close()


def test_a_chosen_member_has_ways_to_go_on(app: App) -> None:
    page = app.open(EXPLORER)
    choose(page, 2)
    page.get_by_role("button", name="Without this").click()
    page.wait_for_url("**ServiceName%21%3DAWS+Lambda**")
    app.settle(page)
    page.wait_for_function(
        "() => !document.querySelector('.st-key-chart [role=graphics-symbol][aria-label*=Lambda]')"
    )
    assert "AWS Lambda" not in {member for member, _, _ in charted(page)}
    page.close()


@pytest.mark.parametrize(("label", "start"), [("PNG", b"\x89PNG"), ("SVG", b"<svg")])
def test_the_chart_as_a_picture(app: App, label: str, start: bytes) -> None:
    page = app.open(EXPLORER)
    assert download(page, label).startswith(start)
    page.close()
