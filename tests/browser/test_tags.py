"""Tag coverage: the page's figures are those of the command line; a spelling is proposed and an exception made in place."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from finops_core.model import words
from finops_core.quality.spellings import spelling_proposals
from finops_core.quality.tag_exceptions import exceptions
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.state import State
from tests.browser.conftest import App, serve
from tests.browser.test_pages import drawn, errors, tabled, title
from tests.exports import focus_row, write_focus

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def tagged(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app over charges of three months with tags that are right, misspelt, not allowed and missing."""
    directory = tmp_path_factory.mktemp("tagged")
    home = Home(directory / "home")
    rows = [
        focus_row(
            EffectiveCost=f"{cost}.{month:02}",
            ResourceId=f"r{number}",
            Tags=tags,
            SubAccountId=f"account-{number % 2}",
            BillingPeriodStart=f"2026-{month:02}-01T00:00:00Z",
            BillingPeriodEnd=f"2026-{month + 1:02}-01T00:00:00Z",
            ChargePeriodStart=f"2026-{month:02}-05T00:00:00Z",
            ChargePeriodEnd=f"2026-{month:02}-06T00:00:00Z",
        )
        for month in (7, 8, 9)
        for number, (cost, tags) in enumerate(
            [
                (500, '{"team": "search", "environment": "prod"}'),
                (40, '{"team": "serach", "environment": "Prod"}'),
                (200, '{"environment": "nowhere"}'),
                (60, ""),
            ]
        )
    ]
    load(home, [write_focus(directory / "focus.csv", rows)])
    process, url = serve(home, directory / "log")
    yield App(url, home, browser)
    process.terminate()
    process.wait(20)


def test_figures_and_table_are_those_of_the_command_line(tagged: App) -> None:
    page = tagged.open("/tags?key=environment&period=all&grain=month", scheme="dark")
    assert (title(page), errors(page)) == ("Tag coverage", [])
    told = json.loads(tagged.cli("tags", "--by", "SubAccountId", "--json"))
    key = next(k for k in told["keys"] if k["key"] == "environment")
    raw, effective = (
        words.percent(Decimal(str(key[name]))) for name in ("coverage_by_cost", "effective_coverage_by_cost")
    )
    sentence = page.locator(".farthing-answer").inner_text()
    assert sentence.startswith(f"{raw} of taggable cost carries environment; after rules {effective}")
    figure = page.locator(".farthing-figure").filter(has_text="environment")
    assert figure.locator(".farthing-value").inner_text() == f"{raw} → {effective}"
    expected = {m["SubAccountId"]: round(Decimal(m["uncovered_cost"]), 6) for m in key["members"]}
    assert tabled(page, "tags") == {**expected, "Total": round(Decimal(key["uncovered_cost"]), 6)}
    marks = page.locator(".st-key-tags-trend [role=graphics-symbol][aria-label*='as tagged, 2026-']")
    labels = drawn(marks).evaluate_all("marks => marks.map(mark => mark.getAttribute('aria-label'))")
    assert {re.sub(": .*", "", label) for label in labels} == {
        f"as tagged, 2026-{month:02}" for month in (7, 8, 9)
    }
    page.close()


def test_a_spelling_is_proposed_and_an_exception_made(tagged: App) -> None:
    page = tagged.open("/tags?period=all")
    page.get_by_label("Your name", exact=True).first.fill("Grace")
    page.get_by_label("Your name", exact=True).first.blur()
    tagged.settle(page)
    page.get_by_role("button", name="Use this spelling").click()
    expect(page.get_by_role("button", name="Proposed")).to_be_disabled()
    (proposal,) = spelling_proposals(State(tagged.home))
    assert proposal.by == "Grace"
    assert (proposal.key, proposal.values, proposal.value) == ("team", ("serach",), "search")
    page.get_by_text("Exceptions (0)").click()
    for label, text in (
        ("Name", "lab"),
        ("What is excepted", "nonsense"),
        ("Owner", "ada"),
        ("Reason", "a trial"),
    ):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Except", exact=True).click()
    page.locator("[data-testid=stAlertContentError]").wait_for()
    page.get_by_label("What is excepted", exact=True).fill("ResourceId=r2")
    page.get_by_role("button", name="Except", exact=True).click()
    page.get_by_text("Exceptions (1)").wait_for()
    assert [(e.name, e.where) for e in exceptions(State(tagged.home))] == [("lab", "ResourceId=r2")]
    page.locator(".farthing-answer").filter(has_text="180.24 USD has no value").wait_for()
    page.close()


def test_the_policy_is_downloaded_and_the_key_is_in_the_link(tagged: App) -> None:
    page = tagged.open("/tags?period=all")
    page.locator(".st-key-tags-key").get_by_text("cost-center").click()
    page.wait_for_url("**key=cost-center**")
    page.locator(".st-key-tags-by").get_by_text("Service").click()
    page.wait_for_url("**by=ServiceName**")
    assert "key=cost-center" in page.url
    page.get_by_text("Policy, definition and exports").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="AWS tag policy").click()
    assert "cost-center" in json.loads(Path(waiting.value.path()).read_text())["tags"]
    page.close()
