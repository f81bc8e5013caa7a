"""The flow of cost to its owners: exact by kind and member, whatever is made one; and the ribbons that draw it."""

from decimal import Decimal
from pathlib import Path

import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.allocation.ruleset import FILE
from finops_core.analysis.flow import (
    COST,
    HOW,
    KINDS,
    NOBODY,
    NOBODYS,
    OWNER,
    SOURCE,
    Flow,
    flow,
    pool_lines,
    pool_series,
)
from finops_core.analysis.ownership import unallocated
from finops_core.store.applying import VersionChanged, apply, undo
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus
from ui.flow_chart import layout

RULES = """
rules:
  - {name: team tag, set: {x_Team: {tag: team}}}
  - {name: lab, when: SubAccountId=lab, set: {x_Team: web}}
pools:
  - name: support
    when: ServiceName=Support
    split: {fixed: {search: 1/3, web: 2/3}}
    why: agreed
    approved_by: Ada
  - name: tax
    when: ChargeCategory=Tax
    split: {even: [search]}
    fallback: central
"""
QUERY = Query("EffectiveCost", where=["BillingCurrency=USD"], start="2026-09-01", end="2026-10-01")  # type: ignore[arg-type]


@pytest.fixture
def ledger(home: Home, tmp_path: Path) -> Ledger:
    rows = [
        focus_row(EffectiveCost="60.5"),
        focus_row(EffectiveCost="20", SubAccountId="lab", Tags=""),
        focus_row(EffectiveCost="10", ServiceName="Support", Tags=""),
        focus_row(EffectiveCost="4", ChargeCategory="Tax", Tags=""),
        focus_row(EffectiveCost="5.25", Tags="", ProviderName="Google Cloud"),
        focus_row(EffectiveCost="-3", Tags="", ChargeCategory="Credit"),
        focus_row(EffectiveCost="8", Tags="", BillingCurrency="EUR"),
    ]
    load(home, [write_focus(tmp_path / "focus.csv", rows)])
    apply(home, {FILE: RULES}, "Ada", "the first")
    return Ledger(home)


def test_kinds_and_members_are_exact(ledger: Ledger) -> None:
    found = flow(ledger, QUERY)
    sums = {kind: found.of_kind(kind) for kind in KINDS}
    assert sums == {
        "direct": Decimal("60.5"),
        "rule": 20,
        "shared": 14,
        "unallocated": Decimal("5.25"),
        "exempt": 0,
    }
    assert (found.allocable, found.total) == (Decimal("99.75"), Decimal("96.75"))
    told = unallocated(ledger, QUERY)
    assert [found.allocable, found.of_kind("unallocated")] == [told["allocable"][0], told["unallocated"][0]]
    rows = {(s, h, o): c for s, h, _, o, c in found.top().iter_rows()}
    third = Decimal("3.33333333333333333")  # a share has 18 digits
    assert rows == {
        ("AWS", "Own tag", "search"): Decimal("60.5"),
        ("AWS", "Rule: lab", "web"): 20,
        ("AWS", "Pool: support", "search"): third,
        ("AWS", "Pool: support", "web"): 10 - third,
        ("AWS", "Pool: tax", "search"): 4,
        ("Google Cloud", NOBODY, NOBODY): Decimal("5.25"),
        ("AWS", "Taxes and credits", NOBODYS): -3,
    }
    assert dict(found.consumers("support").iter_rows()) == {"web": 10 - third, "search": third}
    series = pool_series(ledger, QUERY.but(grain="month"), "support", top=1)
    assert series[COST].sum() == 10 and series["Member"].to_list() == ["Other (2)"]


def test_what_cannot_be_split_stands_where_it_is_billed(ledger: Ledger) -> None:
    found = flow(ledger, QUERY.but(where=[*QUERY.where, "ChargeDescription is null"]))
    assert not found.is_split and found.total == Decimal("96.75")
    shared = found.table.filter(polars.col("Kind") == "shared")
    assert (shared[COST].sum(), shared[OWNER].to_list()) == (14, [None, None])


def test_pools_in_words(ledger: Ledger) -> None:
    support, tax = pool_lines(ledger, QUERY)
    assert (support.pool, support.method, support.fallback) == (
        "support",
        "fixed: search 0.3333, web 0.6667",
        "by the direct cost of the month",
    )
    assert (support.why, support.approved_by, support.cost_that) == ("agreed", "Ada", "ServiceName=Support")
    assert tax.fallback == "stays central"


def test_who_begins_from_an_older_version_is_told(ledger: Ledger) -> None:
    home = ledger.home
    apply(home, {FILE: RULES + "# one\n"}, "Grace", "the second", after=1)
    with pytest.raises(VersionChanged, match=r"Grace applied version 2 meanwhile \(the second\)"):
        apply(home, {FILE: RULES + "# two\n"}, "Ada", "late", after=1)
    with pytest.raises(VersionChanged):
        undo(home, 1, "Ada", "late", after=1)
    assert undo(home, 1, "Ada", "back", after=2).number == 3


NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
PARTS = st.lists(
    st.tuples(NAMES, NAMES, st.sampled_from(KINDS), NAMES, st.decimals(-9999, 9999, places=18)), min_size=1
)


@given(PARTS, st.integers(1, 4))
def test_the_largest_members_and_the_rest_sum_to_all(
    parts: list[tuple[str, str, str, str, Decimal]], most: int
) -> None:
    rows = [
        ("USD", s, f"{k}: {h}", k, None, None if k in ("unallocated", "exempt") else o, True, c)
        for s, h, k, o, c in parts
    ]
    names = ("BillingCurrency", SOURCE, HOW, "Kind", "Pool", OWNER)
    schema = {
        **dict.fromkeys(names, polars.String),
        "Allocable": polars.Boolean,
        COST: polars.Decimal(38, 18),
    }
    found = Flow(polars.DataFrame(rows, schema, orient="row"), "x_Team", True)
    top = found.top(most, most, most)
    whole = Decimal(top[COST].sum() or 0)
    assert whole == sum(c for *_, c in parts)
    assert top[SOURCE].n_unique() <= most
    assert top.filter(~polars.col(OWNER).is_in([NOBODY, NOBODYS]))[OWNER].n_unique() <= most
    placed = layout(top, 400)
    assert all(bar.top >= 0 and bar.top + bar.height <= 401.5 for bar in placed.bars)
    for column in (0, 1):
        drawn = sum((r.cost for r in placed.ribbons if r.column == column), Decimal(0))
        assert drawn >= whole
    ends = {(b.column, b.name): (b.top, b.top + b.height) for b in placed.bars}
    for ribbon in placed.ribbons:
        low, high = ends[ribbon.column, ribbon.source]
        assert low - 0.01 <= ribbon.start and ribbon.start + ribbon.height <= high + 0.01
