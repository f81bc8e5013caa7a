"""Rules suggested for unallocated cost: whose it probably is, and the exact money, each charge counted once."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import polars
from hypothesis import given
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.allocation import ruleset
from finops_core.allocation.editing import with_rule, with_spellings
from finops_core.allocation.ruleset import FILE
from finops_core.analysis.spelling_rules import SPELLINGS, tag_reading
from finops_core.analysis.suggestions import GROUPS, LEAST_SHARE, chosen, suggestions
from finops_core.store.applying import apply
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.state import State
from tests.exports import focus_row, write_focus

EVERYTHING = Query("EffectiveCost")


def _load(home: Home, tmp_path: Path) -> Ledger:
    def charge(cost: str, account: str, team: str = "", **more: str) -> dict[str, str]:
        tags = {k: v for k, v in {"team": team, "Name": more.pop("name", "")}.items() if v}
        return focus_row(EffectiveCost=cost, SubAccountId=account, Tags=json.dumps(tags), **more)

    rows = [
        charge("95", "A", "search"),
        charge("5", "A", "web"),
        charge("12.5", "A"),
        charge("-2.25", "A", ChargeCategory="Credit"),
        # Nobody has nine tenths of B, but of its storage.
        charge("50", "B", "web", ServiceName="Storage"),
        charge("50", "B", "search"),
        charge("0.000000000000000001", "B", ServiceName="Storage"),
        charge("7", "B", ServiceName="Queue"),
        # The name counts across accounts; the account's own charge is the same one.
        charge("10", "C", "ml", name="train-1"),
        charge("3", "D", name="Train-2"),
        charge("4", "E", BillingCurrency="EUR"),
        charge("9", "E", "orders", BillingCurrency="EUR"),
    ]
    load(home, [write_focus(tmp_path / "focus.csv", rows)])
    return Ledger(home)


def test_what_is_suggested_is_what_the_rules_then_find(home: Home, tmp_path: Path) -> None:
    ledger = _load(home, tmp_path)
    found = suggestions(ledger, EVERYTHING)
    assert found.unallocated == {"USD": Decimal("22.500000000000000001"), "EUR": Decimal(4)}
    told = [(s.rule["when"], s.owner, s.share, s.recovers, s.charges) for s in found.suggestions]
    assert told == [
        (["SubAccountId=E"], "orders", 1, {"EUR": Decimal(4)}, 1),
        (["SubAccountId=A"], "search", Fraction(95, 100), {"USD": Decimal("12.5")}, 2),
        (["tag:Name^=train-"], "ml", 1, {"USD": Decimal(3)}, 1),
        (["SubAccountId=B", "ServiceName=Storage"], "web", 1, {"USD": Decimal("1E-18")}, 1),
    ]
    assert found.suggestions[1].moves == {"USD": Decimal("10.25")}
    assert "95.0% of the allocated cost of the account A belongs to search" in found.as_text()
    assert found.rest.rows() == [("USD", "B", "Queue", Decimal(7), 1)]
    assert found.as_json()["suggestions"][3]["recovers"] == {"USD": "0.000000000000000001"}
    assert [s.owner for s in suggestions(ledger, EVERYTHING, 1).suggestions] == ["orders"]

    text = ruleset.shipped()
    for one in found.suggestions:
        text = with_rule(text, one.rule)
    apply(home, {FILE: text}, "ana", "suggested")
    left = ledger.query(Query("EffectiveCost", where=["x_AllocationKind=unallocated"]))
    assert left.rows() == [("USD", Decimal(7))]
    assert suggestions(ledger, EVERYTHING).suggestions == ()


def test_spellings_that_people_proposed_become_changes_of_the_rule(home: Home, tmp_path: Path) -> None:
    ledger = _load(home, tmp_path)
    state = State(home)
    record = {"key": "Stage", "values": ["prodd", "PRD"], "value": "prod", "reason": "typing"}
    state.keep(
        SPELLINGS,
        {"a": record, "b": {**record, "key": "unknown"}, "c": {**record, "values": ["live"]}},
        "ana",
    )
    (change,) = suggestions(ledger, EVERYTHING).spellings
    assert (change.rule, change.column, change.spellings) == (
        "environment tag",
        "x_Environment",
        {"prod": ("prodd",)},
    )
    text = with_spellings(ruleset.shipped(), change.rule, change.column, change.spellings)
    apply(home, {FILE: text}, "ana", change.reason)
    assert suggestions(ledger, EVERYTHING).spellings == ()


def test_what_the_rules_make_of_spellings() -> None:
    text = """
rules:
  - {name: account, set: {x_Team: {column: SubAccountId}}}
  - name: team tag
    set: {x_Team: {tag: [Team, squad], spellings: {web: [wbe, Team-Web]}}}
  - {name: squad, set: {x_Product: {tag: squad, spellings: {web: [weeb]}}}}
  - name: two columns
    set: {x_Environment: {tag: env, spellings: {prod: [prd], dev: [d]}}, x_Application: {tag: env, spellings: {prod: [prd], data: [d]}}}
"""
    rules = ruleset.parse({FILE: text})
    reading = tag_reading(rules, ["group", "squad", "team"])
    assert reading is not None
    assert (reading.key, reading.rule) == ("squad", "team tag")
    spelt = {value: reading.means(value) for value in ("wbe", " TEAM-web ", "Web", "weeb", "shop")}
    assert spelt == {"wbe": "web", " TEAM-web ": "web", "Web": "web", "weeb": None, "shop": None}
    both = tag_reading(rules, ["env"])
    assert both is not None and dict(both.spelt) == {"prod": "prod", "prd": "prod"}
    assert tag_reading(rules, ["cost-center", "cost_center"]) is None


_COLUMNS = list(dict.fromkeys(name for group in GROUPS for name, _ in group.dimensions))
_ROW = st.fixed_dictionaries(
    {
        "BillingCurrency": st.sampled_from(["USD", "EUR"]),
        "owner": st.sampled_from([None, None, "a", "b"]),
        "is_allocable": st.sampled_from([True, True, False]),
        "cost": st.integers(-5, 40).map(Decimal),
        "charges": st.integers(1, 3),
        **{name: st.sampled_from([None, "x-", "y-"]) for name in _COLUMNS},
    }
)


@given(st.lists(_ROW, max_size=12), st.integers(0, 6))
def test_no_charge_is_counted_twice(rows: list[dict[str, object]], limit: int) -> None:
    schema = {"BillingCurrency": polars.String(), "owner": polars.String(), "is_allocable": polars.Boolean()}
    schema |= {
        "cost": polars.Decimal(38, 18),
        "charges": polars.Int64(),
        **dict.fromkeys(_COLUMNS, polars.String()),
    }  # type: ignore[dict-item]
    unallocated, found, rest = chosen(polars.DataFrame(rows, schema=schema), "x_Team", limit)
    mine = [row for row in rows if row["owner"] is None]
    caught: set[int] = set()
    for one in found:
        conditions = dict(part.replace("^=", "=").split("=", 1) for part in one.rule["when"])
        hits = {
            n for n, row in enumerate(mine) if all(row[name] == value for name, value in conditions.items())
        } - caught
        caught |= hits
        for money, counts in ((one.recovers, lambda row: row["is_allocable"]), (one.moves, lambda row: True)):
            sums: dict[object, Decimal] = {}
            for row in (mine[n] for n in hits):
                if counts(row):
                    sums[row["BillingCurrency"]] = sums.get(row["BillingCurrency"], Decimal(0)) + row["cost"]  # type: ignore[operator]
            assert money == sums
        assert one.charges == sum(mine[n]["charges"] for n in hits)  # type: ignore[misc]
        assert one.share >= LEAST_SHARE and any(amount > 0 for amount in one.recovers.values())
    for currency, total in unallocated.items():
        recovered = sum((one.recovers.get(currency, Decimal(0)) for one in found), Decimal(0))
        left = rest.filter(polars.col("BillingCurrency") == currency)["EffectiveCost"].sum()
        assert recovered + Decimal(left or 0) == total
