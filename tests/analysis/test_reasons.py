"""Why a charge is whose it is, and why a line of a statement is what it is: to the last digit, back to the export."""

import itertools
from decimal import Decimal
from functools import cache

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.allocation.shares import WHOLE, part
from finops_core.allocation.splits import PART_MACROS
from finops_core.analysis.reasons import Reason, reasons
from finops_core.analysis.showback import showback
from finops_core.analysis.statement_reasons import statement_reasons
from finops_core.errors import UsageError
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus

RULES = """
directories:
  accounts: {file: accounts.csv, key: account}
rules:
  - name: team tag
    set:
      x_Team: {tag: [team, squad], spellings: {search: [serach]}}
  - name: same region
    description: What the region agrees on
    set:
      x_Team: {inherit: RegionId}
  - name: same account
    when: ServiceName!=Bare
    set:
      x_Team: {inherit: SubAccountId}
  - name: payer
    set:
      x_CostCenter: {column: SubAccountId, directory: accounts, field: cost_center}
      x_Product: {column: ServiceName, pattern: "^Amazon ([A-Z])", map: {E: elastic}}
  - name: payer
    from: 2026-09-10
    set:
      x_CostCenter: CC-9
consumers:
  x_CostCenter: {directory: teams, field: cost_center}
pools:
  - name: support
    when: ServiceName=Support
    split: {driver: {kind: table, file: tickets.csv, consumer: team, quantity: tickets}}
    fallback: {fixed: {search: 1/3, web: 2/3}}
    why: Tickets
    approved_by: Sofia
""".replace("directories:\n", "directories:\n  teams: {file: teams.csv, key: team}\n")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    tmp_path = tmp_path_factory.mktemp("reasons")
    home = Home(tmp_path / "home")
    home.rules.mkdir(parents=True)
    (home.rules / "allocation.yaml").write_text(RULES, "utf-8")
    (home.rules / "accounts.csv").write_text("account,cost_center,to\n0222,CC-1,2026-10-01\n", "utf-8")
    (home.rules / "teams.csv").write_text("team,cost_center\nsearch,CC-1\nweb,CC-2\n", "utf-8")
    home.metrics.mkdir(parents=True)
    (home.metrics / "tickets.csv").write_text(
        "date,team,tickets\n2026-09-06,search,3\n2026-09-06,web,1\n", "utf-8"
    )
    rows = [
        focus_row(EffectiveCost="8", Tags='{"user:Team": "serach"}', RegionId="eu"),
        # The region has one owner, who is the other account's through it, and so this charge's.
        focus_row(EffectiveCost="4", Tags="", RegionId="eu", SubAccountId="0333"),
        focus_row(EffectiveCost="2", Tags="", RegionId="us", SubAccountId="0333"),
        focus_row(EffectiveCost="1", Tags="", RegionId="us", SubAccountId="0444", ServiceName="Bare"),
        focus_row(EffectiveCost="0.5", ChargePeriodStart="2026-09-12T00:00:00Z", RegionId="ap", Tags='{"team": "web"}'),
        focus_row(EffectiveCost="10", ServiceName="Support", RegionId="xx", SubAccountId="0999", Tags=""),
        focus_row(EffectiveCost="-0.000000000000000001", ServiceName="Support", RegionId="xx", SubAccountId="0999", Tags=""),
        focus_row(
            EffectiveCost="7", ServiceName="Support", RegionId="xx", SubAccountId="0999", Tags="",
            ChargePeriodStart="2026-09-06T00:00:00Z", ChargePeriodEnd="2026-09-07T00:00:00Z",
        ),
    ]  # fmt: skip
    load(home, [write_focus(tmp_path / "focus.csv", rows)])
    return Ledger(home)


def _one(ledger: Ledger, *where: str) -> Reason:
    (found,) = reasons(ledger, Query("EffectiveCost", where=where))
    return found


def _inputs(reason: Reason, column: str) -> list[tuple[str, str | None]]:
    return [(i.name, i.value) for owner in reason.owners if owner.column == column for i in owner.inputs]


def test_a_tag_is_told_as_it_is_written_and_what_it_became(ledger: Ledger) -> None:
    found = _one(ledger, "EffectiveCost=8")
    team, product, _, payer, *_ = found.owners
    assert (found.kind, team.value, team.rule.name if team.rule else "") == ("direct", "search", "team tag")
    assert _inputs(found, "x_Team") == [("tag:user:Team", "serach")]
    assert "the tag team or squad" in found.as_text()
    assert (product.value, _inputs(found, "x_Product")[1]) == ("elastic", ("map", "elastic"))
    assert payer.value == "CC-1" and payer.rule is not None and str(payer.rule.until) == "2026-09-10"
    column, row = payer.inputs
    assert (column.name, column.value) == ("SubAccountId", "0222")
    assert (row.name, row.key, row.value) == ("directory accounts", "0222", "CC-1")
    assert row.row == {"account": "0222", "cost_center": "CC-1", "to": "2026-10-01"}


def test_the_revision_of_the_day_is_told(ledger: Ledger) -> None:
    payer = next(o for o in _one(ledger, "EffectiveCost=0.5").owners if o.column == "x_CostCenter")
    assert payer.as_json()["from"] == "2026-09-10" and payer.value == "CC-9"


def test_an_inherited_owner_is_found_through_groups_of_groups(ledger: Ledger) -> None:
    found = _one(ledger, "EffectiveCost=2")
    assert (found.owners[0].value, found.owners[0].as_json()["rule"]) == ("search", "same account")
    assert _inputs(found, "x_Team") == [
        ("ServiceName", "Amazon Elastic Compute Cloud"),
        ("SubAccountId", "0333"),
        ("the group in focus-007, 2026-09", "2 of its 2 charges have search"),
    ]
    assert _one(ledger, "EffectiveCost=4").owners[0].as_json()["rule"] == "same region"
    nobody = _one(ledger, "ServiceName=Bare")
    assert (nobody.kind, nobody.owners[0].rule) == ("unallocated", None)
    assert "no rule has a value" in nobody.as_text()


def test_the_parts_of_a_shared_charge_sum_to_it(ledger: Ledger) -> None:
    found = _one(ledger, "EffectiveCost=10")
    assert found.kind == "shared" and found.pool is not None
    assert found.pool.method == "no data: fixed: search 0.3333, web 0.6667"
    parts = [(p.consumer, p.high - p.low, p.amount) for p in found.pool.parts]
    assert parts == [
        ("search", 333_333_333_333_333_333, Decimal("3.33333333333333333")),
        ("web", 666_666_666_666_666_667, Decimal("6.66666666666666667")),
    ]
    pool = found.as_json()["pool"]
    assert (pool["why"], pool["approved_by"], pool["when"]) == ("Tickets", "Sofia", "ServiceName=Support")
    assert pool["shares"][0]["amount"] == "3.33333333333333333"
    small = _one(ledger, "EffectiveCost<0").pool
    assert small is not None and [p.amount for p in small.parts] == [Decimal(0), Decimal("-1E-18")]


def test_a_charge_leads_back_to_its_line(ledger: Ledger) -> None:
    found = _one(ledger, "EffectiveCost=10")
    assert found.origin is not None
    assert (found.origin.file, found.origin.row) == ("focus.csv", 7)
    assert found.as_json()["origin"]["batch"] == found.charge["x_BatchId"]
    assert "focus.csv, row 7" in found.as_text()


def test_the_costliest_come_first(ledger: Ledger) -> None:
    found = reasons(ledger, Query("EffectiveCost"), 3)
    assert [r.charge["EffectiveCost"] for r in found] == [10, 8, 7]


def test_rules_that_changed_since_explain_nothing(ledger: Ledger) -> None:
    file = ledger.home.rules / "allocation.yaml"
    file.write_text(RULES.replace("serach", "sreach"), "utf-8")
    try:
        with pytest.raises(UsageError, match="the rules changed since"):
            reasons(ledger, Query("EffectiveCost"))
    finally:
        file.write_text(RULES, "utf-8")


def test_a_line_of_a_statement_is_told_by_day(ledger: Ledger) -> None:
    found = statement_reasons(ledger, "x_Team", "search", "support", "2026-09")
    days = [
        (str(r["ChargeDay"]), r["EffectiveCost"], r["PoolEffectiveCost"]) for r in found.shares.to_dicts()
    ]
    assert days == [
        ("2026-09-05", Decimal("3.333333333333333330"), Decimal("9.999999999999999999")),
        ("2026-09-06", Decimal("5.25"), 7),
    ]
    assert found.weights.rows() == [
        (found.shares["ChargeDay"][1], "tickets.csv", "search", Decimal(3), Decimal(4))
    ]
    shown = showback(ledger, Query("EffectiveCost", by="x_Team"))
    assert found.amounts == {"USD": shown.filter(shown["x_Team"] == "search")["shared"][0]}
    assert found.rows["EffectiveCost"].to_list() == [Decimal("16.999999999999999999")]
    assert "3 of 4" in found.as_text() and found.as_json()["amounts"] == {"USD": "8.58333333333333333"}
    by_payer = statement_reasons(ledger, "x_CostCenter", "CC-1", "support", "2026-09")
    assert by_payer.amounts == found.amounts and set(by_payer.shares["Consumer"]) == {"search"}


def test_a_line_of_direct_cost_is_told_by_its_rules(ledger: Ledger) -> None:
    found = statement_reasons(ledger, "x_Team", "search", None, "2026-09")
    assert found.amounts == {"USD": Decimal(14)}
    assert found.rows["x_AllocationRule"].to_list() == ["team tag", "same region", "same account"]
    nobody = statement_reasons(ledger, "x_Team", None, None, "2026-09")
    assert nobody.amounts == {"USD": Decimal(1)}
    with pytest.raises(UsageError, match="no pool 'suport'; known are support"):
        statement_reasons(ledger, "x_Team", "search", "suport", "2026-09")


units = st.integers(-9 * 10**36, 9 * 10**36)
bounds = st.lists(st.integers(0, WHOLE), max_size=4)


@given(units, bounds)
def test_parts_are_those_of_the_store_and_sum_to_the_cost(units: int, inner: list[int]) -> None:
    cost = Decimal(units).scaleb(-18)
    ends = [0, *sorted(inner), WHOLE]
    parts = [part(cost, low, high) for low, high in itertools.pairwise(ends)]
    assert sum(int(p.scaleb(18)) for p in parts) == units
    asked = ", ".join(
        f"share_part(whole_of({cost:f}::DECIMAL(38,18)), rest_of({cost:f}::DECIMAL(38,18)), {low}, {high})"
        for low, high in itertools.pairwise(ends)
    )
    assert list(_splitting().execute(f"SELECT {asked}").fetchall()[0]) == parts


@cache
def _splitting() -> duckdb.DuckDBPyConnection:
    """A connection with the macros that the store splits with."""
    connection = duckdb.connect()
    connection.execute(PART_MACROS)
    return connection
