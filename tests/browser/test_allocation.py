"""Allocation and rules: figures are those of the command line; a rule is previewed, applied and undone; a malformed one is refused."""

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from finops_core import Ledger, Query
from finops_core.allocation.ruleset import FILE
from finops_core.store.applying import apply
from finops_core.store.audit import entries
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.proposals import proposals
from finops_core.store.rulesets import versions
from finops_core.store.state import State
from tests.browser.conftest import App, serve
from tests.browser.test_pages import download, drawn, errors, tabled, title
from tests.exports import focus_row, write_focus

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
RULES = """# kept
rules:
  - {name: team tag, set: {x_Team: {tag: team}}}
pools:
  - {name: support, when: ServiceName=Support, split: {direct: all}, why: agreed, approved_by: Ada}
"""
DAYS = ("--from", "2026-09-01", "--to", "2026-10-01", "--where", "BillingCurrency=USD")
URL = "/allocation?from=2026-09-01&to=2026-10-01&currency=USD"


@pytest.fixture(scope="module")
def owned(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app over a month of two teams, a shared support, and charges of one account that nobody owns."""
    directory = tmp_path_factory.mktemp("owned")
    home = Home(directory / "home")
    rows = [
        focus_row(EffectiveCost="60.5", ResourceId="r1"),
        focus_row(EffectiveCost="30.25", SubAccountId="shop", Tags='{"team": "web"}'),
        focus_row(EffectiveCost="7.125", SubAccountId="shop", Tags="", ResourceId="r2"),
        focus_row(EffectiveCost="10", ServiceName="Support", Tags="", SubAccountId="payer"),
        focus_row(EffectiveCost="2.5", Tags="", SubAccountId="alone"),
    ]
    load(home, [write_focus(directory / "focus.csv", rows)])
    apply(home, {FILE: RULES}, "Ada", "the first")
    process, url = serve(home, directory / "log")
    yield App(url, home, browser)
    process.terminate()
    process.wait(20)


def answer(page: Page) -> str:
    return page.locator(".farthing-answer").inner_text()


def click(app: App, page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    app.settle(page)


def cost(app: App, team: str) -> Decimal:
    found = Ledger(app.home).query(Query("EffectiveCost", where=[f"x_Team={team}"]))
    return Decimal(found["EffectiveCost"][0])


def choose(page: Page, key: str, row: int) -> None:
    """Ticks the box of a row of a table, which is drawn on a canvas."""
    grid = page.locator(f".st-key-{key} canvas").first
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 15, box["y"] + 36 * row + 18)


def test_figures_are_those_of_the_command_line(owned: App) -> None:
    page = owned.open(URL, scheme="dark")
    assert (title(page), errors(page)) == ("Allocation", [])
    assert answer(page) == (
        "September 2026: 8.7 % of allocable cost has no owner; 82 % named by its own tag, 0.0 % by rules, 9.1 % shared by pools."
    )
    told = owned.cli("showback", *DAYS, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(told)))
    totals = {row["x_Team"] or "No owner": round(Decimal(row["total"]), 6) for row in rows}
    assert tabled(page, "showback") == {**totals, "Total": Decimal("110.375000")}
    assert download(page, "CSV").decode() == told
    labels = drawn(page.locator(".st-key-flow [role=graphics-symbol][aria-label*='USD']")).evaluate_all(
        "marks => marks.map(mark => mark.getAttribute('aria-label'))"
    )
    owners = {label.removeprefix("Owned by ") for label in labels if label.startswith("Owned by ")}
    assert {
        (m[1], Decimal(m[2])) for m in (re.fullmatch(r"(.+): (.+) USD", owner) for owner in owners) if m
    } == {(row["x_Team"] or "No owner", Decimal(row["total"])) for row in rows}
    pools = page.locator(".st-key-pools").inner_text()
    assert "by the direct cost of the month" in pools and "agreed. Approved by Ada" in pools
    page.close()


def test_a_suggested_rule_is_previewed_applied_and_undone(owned: App) -> None:
    page = owned.open(URL)
    page.locator(".st-key-suggestion-0").get_by_text("7.12 USD").wait_for()
    click(owned, page, "Preview this rule")
    preview = page.locator(".st-key-preview-suggestion")
    assert "8.7 % → 2.3 %, 9.62 → 2.50 USD" in preview.inner_text()
    assert len(versions(State(owned.home))) == 1
    preview.get_by_label("Author").fill("Grace")
    click(owned, page, "Apply")
    page.locator(".farthing-answer").filter(has_text="2.3 % of allocable cost has no owner").wait_for()
    assert [(v.number, v.author) for v in versions(State(owned.home))] == [(2, "Grace"), (1, "Ada")]
    assert cost(owned, "web") == Decimal("37.375")

    page.goto(owned.url + "/rules?show=versions")
    owned.settle(page)
    assert answer(page).startswith("Version 2: 2 rules, 1 pools")
    choose(page, "versions", 2)
    click(owned, page, "Preview going back to version 1")
    assert "2.3 % → 8.7 %" in page.locator(".st-key-preview-undo").inner_text()
    page.get_by_label("Author").fill("Grace")
    click(owned, page, "Apply")
    page.get_by_text("Version 3 of the rules is in force: Back to version 1").wait_for()
    assert [entry.action for entry in entries(State(owned.home), limit=1)] == ["rules put back"]
    page.close()


def test_a_malformed_rule_applies_nothing_and_a_late_one_is_told(owned: App) -> None:
    page = owned.open("/rules?show=edit")
    before = len(versions(State(owned.home)))
    text = page.get_by_role("textbox", name=re.compile("allocation.yaml"))
    text.fill(text.input_value().replace("{tag: team}", "{tga: team}"))
    text.blur()
    expect(page.get_by_role("button", name="Preview", exact=True)).to_be_enabled()
    click(owned, page, "Preview")
    page.get_by_text(re.compile(r"Nothing was applied\. allocation\.yaml, line 3.*tga")).wait_for()
    assert page.locator(".st-key-preview-rules").count() == 0
    text.fill(
        text.input_value().replace("{tga: team}", "{tag: team}").replace("set:", "from: 2026-13-01, set:")
    )
    text.blur()
    click(owned, page, "Preview")
    page.get_by_text("Nothing was applied. allocation.yaml, line 3: rules.1.from").wait_for()
    # A day that is none keeps nothing else from being drawn.
    expect(page.locator("[data-testid=stException], [data-testid=stAlertContentError]")).to_have_count(1)
    text.fill(
        text.input_value().replace("from: 2026-13-01, ", "").replace("{tag: team}", "{tag: [team, squad]}")
    )
    text.blur()
    owned.settle(page)
    page.get_by_text("Audit log").click()
    page.get_by_text("The chain holds").wait_for()
    page.get_by_text("Edit", exact=True).click()
    owned.settle(page)
    expect(text).to_have_value(re.compile("squad"))
    click(owned, page, "Preview")
    page.locator(".st-key-preview-rules").get_by_text("Nothing would change hands").wait_for()
    apply(owned.home, {FILE: RULES + "# by another\n"}, "Joan", "meanwhile")
    page.get_by_label("Author").fill("Grace")
    page.get_by_label("Reason", exact=True).fill("late")
    click(owned, page, "Apply")
    page.get_by_text("was applied by Joan since you began").wait_for()
    assert len(versions(State(owned.home))) == before + 1
    page.close()


def test_what_is_typed_while_the_page_is_drawn_stays(owned: App) -> None:
    page = owned.open("/rules?show=edit")
    text = page.get_by_role("textbox", name=re.compile("allocation.yaml"))
    for number in range(4):
        text.fill(RULES.replace("set:", f"from: 2026-13-{10 + number}, set:"))
        text.blur()
        page.get_by_role("button", name="Preview", exact=True).click()
        page.get_by_text("Nothing was applied. allocation.yaml, line 3: rules.1.from").wait_for()
        text.fill(f"{RULES}# typed meanwhile, {number}\n")
        page.get_by_text("Audit log").click()
        page.get_by_text("The chain holds").wait_for()
        page.get_by_text("Edit", exact=True).click()
        expect(text).to_have_value(f"{RULES}# typed meanwhile, {number}\n")
    page.get_by_role("button", name="Put the draft aside").click()
    expect(text).not_to_have_value(re.compile("typed meanwhile"))
    page.close()


def test_not_mine_becomes_a_rule_proposal(owned: App) -> None:
    page = owned.open(
        "/explorer?from=2026-09-01&to=2026-10-01&currency=USD&by=x_Team&table=charges&allocated=yes"
    )
    assert errors(page) == []
    assert page.get_by_text("Shared costs split").is_visible() and "--allocated" in page.content()
    choose(page, "table", 1)
    page.locator(".st-key-whose").get_by_text("owns this: its own tag says so, by the rule").wait_for()
    page.get_by_text("Why is this mine?").click()
    page.locator(".st-key-whose").get_by_text("the tag team, for all charges").wait_for()
    page.get_by_role("button", name="Not mine").click()
    page.get_by_label("Owner", exact=True).fill("ml")
    page.keyboard.press("Enter")
    page.get_by_role("group", name="Since").get_by_role("spinbutton").first.click()
    page.keyboard.type("20260801")
    owned.settle(page)
    page.get_by_label("Why", exact=True).fill("moved in August")
    page.get_by_label("Your name", exact=True).fill("Joan")
    page.get_by_label("Your name", exact=True).blur()
    click(owned, page, "Propose")
    page.get_by_text("Proposal 1: ml for ResourceId").wait_for()
    (proposal,) = proposals(State(owned.home))
    assert (proposal.condition, proposal.column, proposal.value) == ("ResourceId=r1", "x_Team", "ml")
    assert proposal.since == "2026-08-01"

    page.goto(owned.url + "/rules?show=queue")
    owned.settle(page)
    click(owned, page, "Accept and preview")
    page.locator(".st-key-preview-rules").get_by_text("What these rules would do").wait_for()
    page.get_by_label("Author").fill("Grace")
    click(owned, page, "Apply")
    page.get_by_text("of the rules is in force").wait_for()
    assert proposals(State(owned.home))[0].state == "accepted"
    assert cost(owned, "ml") == Decimal("60.5")
    page.close()
