"""A preview tells exactly what applying does: what rules give, what they hide, the money and the shares that move."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from finops_core import Ledger, Query
from finops_core.analysis.ownership import Preview, preview, unallocated
from finops_core.analysis.showback import showback
from finops_core.store.applying import apply
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus

TAG = {"name": "tag", "set": {"x_Team": {"tag": "team"}}}
ACCOUNT = {"name": "account", "set": {"x_Team": {"column": "SubAccountId", "map": {"1": "web", "2": "ml"}}}}
HIDDEN = {"name": "hidden", "when": "SubAccountId=2", "set": {"x_Team": "ml"}}
IDLE = {"name": "idle", "when": "SubAccountId=9", "set": {"x_Team": "ml"}}
TAX = {"name": "tax", "when": "ChargeCategory=Tax", "split": {"fixed": {"web": "0.75", "ml": "0.25"}}}


def files(rules: list[Any], pools: list[Any]) -> dict[str, str]:
    return {"allocation.yaml": json.dumps({"rules": rules, "pools": pools})}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    path = tmp_path_factory.mktemp("preview")
    home = Home(path / "home")
    rows = [
        focus_row(BilledCost=9, EffectiveCost=9, Tags='{"team": "web"}', SubAccountId="2"),
        focus_row(BilledCost=5, EffectiveCost=5, Tags="", SubAccountId="1"),
        focus_row(BilledCost=4, EffectiveCost=4, Tags="", SubAccountId="2"),
        focus_row(
            BilledCost=2, EffectiveCost=2, Tags="", SubAccountId="3", BillingCurrency="EUR", ListCost=""
        ),
        focus_row(BilledCost=1, EffectiveCost=1, Tags="", SubAccountId="3", ChargeCategory="Tax"),
        focus_row(BilledCost=-3, EffectiveCost=-3, Tags="", SubAccountId="3", ChargeCategory="Credit"),
    ]
    load(home, [write_focus(path / "x.csv", rows)])
    apply(home, files([TAG], [TAX]), "Ada", "Begin")
    opened = Ledger(home)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def found(ledger: Ledger) -> Preview:
    split = {**TAX, "split": {"fixed": {"web": "0.5", "ml": "0.5"}}}
    return preview(ledger, files([TAG, ACCOUNT, HIDDEN, IDLE], [split]))


def amounts(money: Any) -> dict[str, tuple[int, Decimal]]:
    return {m.BillingCurrency: (m.charges, m.EffectiveCost) for m in money}


def test_each_rule_says_what_it_gives_and_what_hides_it(found: Preview) -> None:
    told = {e.rule: (e.state, amounts(e.wins), amounts(e.moves), amounts(e.conflicts)) for e in found.rules}
    assert told == {
        "tag": ("works", {"USD": (1, 9)}, {}, {}),
        "account": ("works", {"USD": (2, 9)}, {"USD": (2, 9)}, {"USD": (1, 9)}),
        "hidden": ("shadowed", {}, {}, {"USD": (1, 9)}),
        "idle": ("idle", {}, {}, {}),
    }
    assert {e.rule: (e.taken_by, e.why()) for e in found.rules} == {
        "tag": ((), ""),
        "account": (("tag",), ""),
        "hidden": (("tag", "account"), "all that it matches is taken by tag and account"),
        "idle": ((), "it matches no charge"),
    }
    assert {pool: amounts(money) for pool, money in found.pools.items()} == {"tax": {"USD": (1, 1)}}


def test_the_money_that_moves_and_what_stays_without_an_owner(found: Preview) -> None:
    moved = [(m.column, m.before, m.after, m.money.EffectiveCost) for m in found.moves]
    assert moved == [("x_Team", None, "web", 5), ("x_Team", None, "ml", 4)]
    assert (found.total, found.unallocated_before, found.unallocated_after) == (
        {"EUR": 2, "USD": 19}, {"EUR": 2, "USD": 9}, {"EUR": 2}
    )  # fmt: skip
    shares = [(s.pool, s.consumer, s.before, s.after) for s in found.shares]
    assert shares == [
        ("tax", "ml", Decimal("0.25"), Decimal("0.5")),
        ("tax", "web", Decimal("0.75"), Decimal("0.5")),
    ]
    assert found.as_json()["shares"][0]["after"] == "0.5"
    assert "tax: ml 0.25 → 0.50 USD" in found.as_text()
    assert "+++ b/allocation.yaml" in found.difference


def test_a_cost_that_nobody_stated_is_not_nothing(ledger: Ledger) -> None:
    query = Query("ListCost", by=["SubAccountId"], where="BillingCurrency=EUR")
    assert showback(ledger, query).rows() == [("EUR", "3", None, 0, None)]
    assert ledger.query(query).rows() == [("EUR", "3", None)]


def test_what_was_previewed_is_what_is_applied(ledger: Ledger, found: Preview) -> None:
    before = dict(
        unallocated(ledger, Query("EffectiveCost")).select("BillingCurrency", "unallocated").iter_rows()
    )
    assert before == {"EUR": 2, "USD": 9}
    split = {**TAX, "split": {"fixed": {"web": "0.5", "ml": "0.5"}}}
    apply(ledger.home, files([TAG, ACCOUNT, HIDDEN, IDLE], [split]), "Ada", "As previewed")
    after = unallocated(ledger, Query("EffectiveCost"))
    assert after.rows() == [("EUR", 2, 2, 1.0), ("USD", 19, 0, 0.0)]
    table = showback(ledger, Query("EffectiveCost", by=["x_Team"], where=["BillingCurrency=USD"]))
    assert table.rows() == [
        ("USD", "web", 14, Decimal("0.5"), Decimal("14.5")),
        ("USD", "ml", 4, Decimal("0.5"), Decimal("4.5")),
        ("USD", None, -3, 0, -3),
    ]
    again = preview(ledger, files([TAG, ACCOUNT, HIDDEN, IDLE], [split]))
    assert (again.moves, again.shares, again.difference) == ((), (), "")
