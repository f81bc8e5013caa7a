"""Every page opens cold by its URL; chart, table, download and command line give the same figures."""

import csv
import io
import re
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

from tests.browser.conftest import App

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PAGES = (
    "Explorer",
    "Top movers",
    "Anomalies",
    "Saved views",
    "Forecast",
    "Commitments",
    "Budgets",
    "Unit cost",
    "Savings",
    "Scorecard",
    "Alerts",
    "Allocation",
    "Rules",
    "Showback statements",
    "Kubernetes",
    "Tag coverage",
    "Sources & upload",
    "Reconciliation",
    "Glossary",
)
VIEWS = {
    "/explorer?chart=heat&table=pivot": ("Explorer", "dark"),
    "/explorer?chart=ranked&table=charges": ("Explorer", "light"),
    "/movers?chart=causes&by=SubAccountId": ("Top movers", "light"),
    "/rules?show=edit": ("Rules", "light"),
    "/explorer?present=1&where=RegionId%3Deu-west-1": ("Explorer", "light"),
}
EXPLORER = "/explorer?from=2026-07-01&to=2026-10-01&by=ServiceName&grain=month&currency=USD"


def asked(app: App, *more: str) -> str:
    """What the command line answers to the question of EXPLORER, as csv."""
    days = ("--from", "2026-07-01", "--to", "2026-10-01", "--where", "BillingCurrency=USD")
    return app.cli("query", "--metric", "EffectiveCost", *days, *more, "--format", "csv")


def title(page: Page) -> str:
    return page.locator(".farthing-head h1").inner_text()


def errors(page: Page) -> list[str]:
    return page.locator("[data-testid=stException], [data-testid=stAlertContentError]").all_inner_texts()


def barriers(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds serious or worse: the rule, and the elements that break it."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        (v["id"], [node["html"][:200] for node in v["nodes"]])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


WIDER_THAN_THE_SCREEN = """() => {
    const main = document.querySelector('[data-testid=stMain]')
    return document.documentElement.scrollWidth > innerWidth || main.scrollWidth > main.clientWidth
}"""


def drawn(marks: Locator) -> Locator:
    """Marks or rows, once they are there: a chart and a table are drawn after the page."""
    marks.first.wait_for(state="attached")
    return marks


def charted(page: Page, key: str = "chart") -> list[tuple[str, str, Decimal]]:
    """(member, first day, cost) of every mark of a chart, from what it tells a screen reader."""
    labels = drawn(page.locator(f".st-key-{key} [role=graphics-symbol][aria-label*=': ']")).evaluate_all(
        "marks => marks.map(mark => mark.getAttribute('aria-label'))"
    )
    found = [re.fullmatch(r"(.+), (\d{4}-\d\d-\d\d): (-?[\d.]+) USD", label) for label in labels]
    return [(m[1], m[2], Decimal(m[3])) for m in found if m]


def tabled(page: Page, key: str = "table") -> dict[str, Decimal]:
    """First column → second column of a table, as it tells a screen reader; rounded, for it is told as a double."""
    rows = drawn(page.locator(f".st-key-{key} [role=grid] tbody [role=row]")).evaluate_all(
        "rows => rows.map(row => [...row.querySelectorAll('[role=gridcell]')].map(cell => cell.textContent))"
    )
    return {cells[0]: round(Decimal(cells[1]), 6) for cells in rows}


def download(page: Page, label: str) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label, exact=True).click()
    return waiting.value.path().read_bytes()


def wrong(page: Page) -> list[object]:
    """What a reader would stumble over: errors, barriers, and content that is wider than the screen."""
    return [*errors(page), *barriers(page), *(["too wide"] if page.evaluate(WIDER_THAN_THE_SCREEN) else [])]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read_by_everybody(app: App, scheme: str) -> None:
    page = app.open("/", scheme=scheme)
    found = {"Overview": wrong(page)}
    for name in PAGES:
        app.follow(page, name)
        found[name] = wrong(page)
    assert found == {name: [] for name in ("Overview", *PAGES)}
    page.close()


@pytest.mark.parametrize("path", VIEWS)
def test_views_open_cold(app: App, path: str) -> None:
    heading, scheme = VIEWS[path]
    page = app.open(path, scheme=scheme)
    assert (title(page), wrong(page)) == (heading, [])
    page.close()


def test_chart_table_download_and_command_line_agree(app: App) -> None:
    page = app.open(EXPLORER)
    told = asked(app, "--by", "ServiceName", "--grain", "month")
    assert download(page, "CSV").decode() == told
    rows = {
        (r["ServiceName"], r["ChargePeriod"]): Decimal(r["EffectiveCost"])
        for r in csv.DictReader(io.StringIO(told))
    }
    assert len(rows) == 12
    assert {(member, start): cost for member, start, cost in charted(page)} == rows
    shown = tabled(page)
    services = {service: sum(c for (s, _), c in rows.items() if s == service) for service, _ in rows}
    assert shown == {name: round(cost, 6) for name, cost in {**services, "Total": sum(rows.values())}.items()}
    page.close()


def test_the_rest_is_other_and_exact(app: App) -> None:
    page = app.open(EXPLORER + "&top=1")
    marks = charted(page)
    assert {member for member, _, _ in marks} == {"AWS Lambda", "Other (3)"}
    told = asked(app)
    assert sum(cost for _, _, cost in marks) == Decimal(told.splitlines()[1].split(",")[1])
    page.close()


def test_a_change_of_a_filter_is_a_change_of_the_link(app: App) -> None:
    page = app.open(EXPLORER)
    page.locator(".st-key-chart-kind").get_by_text("Lines").click()
    page.wait_for_url("**chart=lines**")
    app.settle(page)
    again = app.open(page.url.removeprefix(app.url))
    assert title(again) == "Explorer"
    assert again.locator("[data-testid=stAlert]").count() == 0
    page.close()
    again.close()


def test_filters_are_chips_that_can_be_taken_off(app: App) -> None:
    page = app.open(EXPLORER + "&where=RegionId%3Deu-west-1&where=x_Team%3D%3Cb%3Eshop%3C/b%3E")
    page.get_by_text("Team is <b>shop</b>", exact=True).first.wait_for()
    assert len({member for member, _, _ in charted(page)}) == 2
    page.get_by_role("button", name=re.compile("Team is")).click()
    page.wait_for_function("() => !location.search.includes('x_Team')")
    app.settle(page)
    page.wait_for_function(
        "() => document.querySelectorAll('.st-key-chart [role=graphics-symbol][aria-label*=Lambda]').length > 0"
    )
    assert "RegionId" in page.url
    page.locator(".st-key-filter").get_by_role("button").first.click()
    page.get_by_role("combobox", name="Holds").wait_for()
    page.get_by_role("tab", name="Write").click()
    page.get_by_role("textbox", name="Condition as text").fill("x_Team is null and not BilledCost>5")
    page.get_by_role("textbox", name="Condition as text").press("Enter")
    page.get_by_role("combobox", name="Holds").click()
    page.get_by_role("option", name="or Region is eu-west-1").click()
    page.get_by_role("button", name="Add filter").click()
    page.get_by_role(
        "button", name="Region is eu-west-1 or (Team is empty and not (Billed cost is more than 5))"
    ).wait_for()
    assert "x_Team" in page.url
    page.close()


def test_currencies_have_a_switch_and_no_sum(app: App) -> None:
    page = app.open("/explorer?from=2026-07-01&to=2026-10-01&currency=EUR")
    assert "EUR" in page.locator(".farthing-answer").inner_text()
    switch = page.locator(".st-key-bar-currency")
    switch.get_by_text("USD", exact=True).click()
    page.wait_for_function("() => document.querySelector('.farthing-answer').innerText.includes('USD')")
    assert "currency=USD" in page.url
    page.close()


def test_labels_of_the_bar_stand_in_a_line(app: App) -> None:
    page = app.open("/explorer")
    labels = page.locator(".st-key-bar [data-testid=stWidgetLabel]")
    labels.filter(has_text="Currency").wait_for()
    assert len({round(label.bounding_box()["y"]) for label in labels.all() if label.is_visible()}) == 1  # type: ignore[index]
    page.close()


def test_a_filter_without_rows_is_named(app: App) -> None:
    page = app.open("/explorer?where=RegionId%3Dnowhere")
    assert "Region is nowhere" in page.locator("[data-testid=stAlert]").inner_text()
    page.get_by_role("button", name="Remove all filters").click()
    page.wait_for_selector(".farthing-answer")
    page.close()


def test_an_invoice_total_is_compared(app: App) -> None:
    page = app.open("/reconciliation")
    page.get_by_label("Total of the invoice").fill("12,5")
    page.get_by_role("button", name="Keep").click()
    page.get_by_text("is no amount").wait_for()
    page.get_by_label("Total of the invoice").fill("12.5")
    page.get_by_role("button", name="Keep").click()
    page.get_by_text("0 of 1 agree").wait_for()
    page.close()


def test_presenting_hides_the_sidebar(app: App) -> None:
    page = app.open("/?present=1")
    assert not page.locator("[data-testid=stSidebar]").is_visible()
    page.get_by_role("button", name="Stop presenting").click()
    page.wait_for_function("() => !location.search.includes('present')")
    page.locator("[data-testid=stSidebar]").wait_for(state="visible")
    page.close()


@pytest.mark.parametrize("path", ["/reconciliation", "/sources?present=1"])
def test_the_first_link_after_a_start_has_its_frame(empty_app: App, path: str) -> None:
    page = empty_app.open(path)
    page.locator(".farthing-brand").wait_for(state="attached")
    page.close()


def test_a_column_tells_where_it_comes_from(app: App) -> None:
    page = app.open("/sources")
    page.get_by_text("Where a column comes from").click()
    page.locator(".st-key-origins [role=grid]").wait_for(state="attached")
    assert "BilledCost" in page.locator(".st-key-origins [role=grid]").inner_text()
    page.close()
