"""Tag coverage: exact figures, which are those of the query that the definition states, whatever is asked."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.errors import UsageError
from finops_core.quality.tag_exceptions import KIND, TagException, except_charges, exceptions, remove
from finops_core.quality.tag_policy import TagPolicy, read_policy, shipped
from finops_core.quality.tag_report import report
from finops_core.quality.tags import Coverage, KeyCoverage, coverage, members
from finops_core.store.audit import entries
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.state import State
from tests.exports import focus_row, write_focus

TODAY = date(2026, 11, 1)
ALL = Query("EffectiveCost")


def charge(cost: str, tags: dict[str, Any] | str | None, resource: str = "r1", **more: str) -> dict[str, str]:
    text = "" if tags is None else tags if isinstance(tags, str) else json.dumps(tags)
    return focus_row(EffectiveCost=cost, Tags=text, ResourceId=resource, **more)


ROWS = [
    charge("10.000000000000000001", {"team": "search", "environment": "prod"}, "a", SubAccountId="one"),
    charge("20", {"user:Team": "search", "env": "production"}, "b", SubAccountId="one"),
    charge("4", {"label/TEAM": " ", "Environment": "Prod"}, "c", SubAccountId="two"),
    charge("8", {"squad": "shop", "stage": "prod "}, "d", SubAccountId="two", ServiceName="Amazon RDS"),
    charge("1", {"team": "", "user:team": "shop"}, "e", ServiceName="Amazon RDS"),
    charge("0.5", {"team": "serach", "environment": "qa", "env": "dev"}, "a"),
    charge("16", None, "f", ServiceName="Amazon RDS"),
    charge("2", {"owner": "search"}, "g"),
    charge("100", {"team": "search"}, "", ServiceName="Amazon S3"),
    charge("7", {"team": "search"}, "t", ChargeCategory="Tax"),
    charge("3", {"team": "search"}, "s", ServiceName="AWS Cost Explorer"),
    charge("32", {"team": "search", "environment": "test"}, "a", BillingCurrency="EUR"),
    charge("-2", {}, "h", BillingCurrency="EUR"),
]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    folder = tmp_path_factory.mktemp("tags")
    home = Home(folder / "home")
    load(home, [write_focus(folder / "focus.csv", ROWS)])
    yield Ledger(home)


@pytest.fixture(scope="module")
def found(ledger: Ledger) -> Coverage:
    return coverage(ledger, ALL, shipped(), today=TODAY)


STRICT = read_policy(
    """
keys:
  environment:
    owner: x_Environment
    aliases: [env, stage]
    allowed: [prod, staging, dev, test]
    spellings: {prod: [production]}
""",
    "policy",
)


def of(found: Coverage, key: str, currency: str = "USD") -> KeyCoverage:
    return next(k for k in found.keys if (k.key, k.currency) == (key, currency))


METRICS = ("EffectiveCost", "ChargeCount", "ResourceCount")


def asked(ledger: Ledger, where: list[str]) -> dict[str, tuple[Decimal, int, int]]:
    """Currency → EffectiveCost, charges and resources of what `farthing query --where` keeps."""
    table = ledger.query(Query(METRICS, where=where))
    return {row[0]: (row[1] or Decimal(0), row[2], row[3]) for row in table.iter_rows()}


def test_team_to_the_last_digit(found: Coverage) -> None:
    team = of(found, "team").tally
    assert team.taggable_cost == Decimal("61.500000000000000001")
    assert team.covered_cost == Decimal("39.500000000000000001")
    assert (team.taggable_rows, team.covered_rows, team.uncovered_rows) == (8, 5, 3)
    assert team.uncovered_cost == 22
    assert team.coverage_by_cost == Decimal("39.500000000000000001") / Decimal("61.500000000000000001")
    assert team.coverage_by_rows == Decimal(5) / 8
    assert team.effective_cost == Decimal("41.500000000000000001")
    resources = of(found, "team").resources
    assert (resources.taggable, resources.covered, resources.coverage) == (7, 4, Decimal(4) / 7)


def test_only_allowed_values_count(ledger: Ledger) -> None:
    environment = of(coverage(ledger, ALL, STRICT, today=TODAY), "environment")
    assert environment.tally.covered_cost == Decimal("10.500000000000000001")
    assert [(v.value, v.cost, v.rows) for v in environment.not_allowed] == [
        ("production", 20, 1),
        ("prod ", 8, 1),
        ("Prod", 4, 1),
    ]
    assert [(m.value, m.proposed, m.why, m.cost) for m in environment.near_misses] == [
        ("production", "prod", "known spelling", 20),
        ("prod ", "prod", "blanks", 8),
        ("Prod", "prod", "case", 4),
    ]
    # "prod " is not what the policy allows, but means prod to the rules that fill x_Environment.
    assert environment.tally.effective_cost == Decimal("42.500000000000000001")


def test_without_a_list_the_value_with_the_money_is_meant(found: Coverage) -> None:
    assert [(m.value, m.proposed, m.why) for m in of(found, "team").near_misses] == [
        ("serach", "search", "edit distance 1")
    ]


def test_currencies_are_never_added(found: Coverage) -> None:
    assert [(k.key, k.currency) for k in found.keys[:4]] == [
        ("team", "EUR"), ("team", "USD"), ("service", "EUR"), ("service", "USD")
    ]  # fmt: skip
    euro = of(found, "team", "EUR").tally
    assert (euro.taggable_cost, euro.covered_cost, euro.uncovered_cost) == (30, 32, -2)
    assert of(found, "cost-center", "EUR").tally.coverage_by_cost == 0


def test_the_worst_offenders(found: Coverage) -> None:
    offenders = [
        (o.by, o.member[o.by], o.uncovered_cost) for o in of(found, "team").offenders if o.by != "x_Team"
    ]
    assert offenders == [
        ("SubAccountId", "0222", 18),
        ("SubAccountId", "two", 4),
        ("ServiceName", "Amazon RDS", 16),
        ("ServiceName", "Amazon Elastic Compute Cloud", 6),
        ("ResourceId", "f", 16),
        ("ResourceId", "c", 4),
        ("ResourceId", "g", 2),
    ]


def test_what_cannot_carry_tags_is_apart(found: Coverage) -> None:
    assert [(a.currency, a.service, a.why, a.cost) for a in found.not_taggable] == [
        ("USD", "Amazon Elastic Compute Cloud", "Charge category is not Usage", 7),
        ("USD", "Amazon S3", "Resource is empty", 100),
        ("USD", "AWS Cost Explorer", "Service without tags", 3),
    ]
    apart = sum(a.cost for a in found.not_taggable)
    assert found.totals == {"EUR": Decimal(30), "USD": of(found, "team").tally.taggable_cost + apart}


def test_exceptions_hold_until_their_day(ledger: Ledger, tmp_path: Path) -> None:
    state = State(Home(tmp_path))
    spare = TagException(
        "legacy", "ServiceName=Amazon RDS", "ada", "is switched off", "2026-11-30", ("team",)
    )
    except_charges(state, spare, "bob")
    except_charges(state, TagException("old", "ResourceId=c", "ada", "migrates", "2026-10-31"), "bob")
    except_charges(state, spare, "eve")
    logged = [(e.action, e.subject, e.who, e.reason) for e in entries(state, limit=9)]
    assert logged[::2] == [
        ("tag exception replaced", "tag exception legacy", "eve", spare.reason),
        ("tag exception made", "tag exception legacy", "bob", spare.reason),
    ]
    with pytest.raises(UsageError, match="who"):
        except_charges(state, TagException("none", "ResourceId=c", "ada", "migrates", "2026-10-31"), " ")
    kept = exceptions(state)
    assert [e.name for e in kept] == ["legacy", "old"]
    now = of(coverage(ledger, ALL, shipped(), kept, TODAY), "team")
    assert (now.tally.excepted_cost, now.tally.uncovered_cost) == (16, 6)
    assert now.tally.covered_cost == Decimal(
        "39.500000000000000001"
    )  # what is tagged all the same still counts
    assert now.tally.coverage_by_cost == Decimal("39.500000000000000001") / Decimal("45.500000000000000001")
    assert [(e.name, cost, rows) for e, cost, rows in now.excepted] == [("legacy", 16, 1)]
    assert asked(ledger, now.definition["excepted"])["USD"] == (16, 1, 1)
    other = of(coverage(ledger, ALL, shipped(), kept, TODAY), "service")
    assert other.tally.excepted_cost == 0
    later = of(coverage(ledger, ALL, shipped(), kept, date(2026, 12, 1)), "team")
    assert (later.tally.excepted_cost, later.tally.uncovered_cost, later.excepted) == (0, 22, ())
    remove(state, "legacy", "bob")
    assert list(state.kept(KIND)) == ["old"]
    with pytest.raises(UsageError, match="no exception 'legacy'"):
        remove(state, "legacy", "bob")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"where": "Nonsense"}, "Nonsense"),
        ({"until": "soon"}, "no date"),
        ({"owner": " "}, "needs an owner"),
        ({"reason": ""}, "needs a reason"),
    ],
)
def test_an_exception_needs_all_of_its_parts(changes: dict[str, str], said: str) -> None:
    parts = {"name": "n", "where": "ResourceId=c", "owner": "o", "reason": "r", "until": "2026-10-31"}
    with pytest.raises(UsageError, match=said):
        TagException(**{**parts, **changes})


def test_nothing_taggable_has_no_share(ledger: Ledger) -> None:
    only = coverage(ledger, Query("EffectiveCost", where=["ChargeCategory=Tax"]), shipped())
    tally = of(only, "team").tally
    assert (tally.taggable_cost, tally.coverage_by_cost, tally.effective_coverage_by_cost) == (0, None, None)
    empty = report(coverage(ledger, Query("EffectiveCost", where=["RegionId=nowhere"]), shipped()))
    assert [(k["key"], k["BillingCurrency"], k["taggable_cost"]) for k in empty["keys"]] == [
        (key, None, "0") for key in shipped().keys
    ]


POLICIES = {
    "shipped": shipped(),
    "pattern": read_policy("keys: {team: {owner: x_Team, pattern: 's[a-z]+'}}", "p"),
    "list": read_policy("keys: {team: {owner: x_Team, aliases: [owner], allowed: [search, serach]}}", "p"),
    "where": read_policy(
        "keys: {env: {owner: x_Environment, aliases: [environment]}}\n"
        "taggable: {where: ['ChargeCategory in Usage,Tax', 'not ResourceId=f or SubAccountId=one']}\n"
        "services_without_tags: {}",
        "p",
    ),
}
CONDITIONS = ("ServiceName=Amazon RDS", "SubAccountId in one,two", "tag:team is null", "EffectiveCost>=8")


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(POLICIES)),
    st.sets(st.sampled_from(CONDITIONS), max_size=1),
    st.lists(st.sampled_from(CONDITIONS), max_size=2),
)
def test_the_parts_make_the_whole_and_are_those_of_the_query(
    ledger: Ledger, name: str, where: set[str], spared: list[str]
) -> None:
    policy: TagPolicy = POLICIES[name]
    kept = [TagException(str(n), text, "o", "r", "2026-12-31") for n, text in enumerate(spared)]
    query = Query("EffectiveCost", where=sorted(where))
    whole = coverage(ledger, query, policy, kept, TODAY)
    rows = members(ledger, query, policy, ["ServiceName"], kept, TODAY)
    nothing = (Decimal(0), 0, 0)
    everything = asked(ledger, sorted(where))
    for key in policy.keys:
        mine = [k for k in whole.keys if k.key == key]
        told = {part: asked(ledger, [*sorted(where), *texts]) for part, texts in mine[0].definition.items()}
        for found in mine:
            tally, currency = found.tally, found.currency or ""
            for part in ("taggable", "covered", "effective"):
                figures = (getattr(tally, f"{part}_cost"), getattr(tally, f"{part}_rows"))
                assert (*figures, getattr(found.resources, part)) == told[part].get(currency, nothing)
            excepted = told.get("excepted", {}).get(currency, nothing)
            assert (tally.excepted_cost, tally.excepted_rows, found.resources.excepted) == excepted
            assert sum(cost for _, cost, _ in found.excepted) == tally.excepted_cost
            assert tally.covered_cost + tally.uncovered_cost + tally.excepted_cost == tally.taggable_cost
            assert tally.covered_rows + tally.uncovered_rows + tally.excepted_rows == tally.taggable_rows
            apart = sum(a.cost for a in whole.not_taggable if a.currency == currency)
            assert tally.taggable_cost + apart == everything.get(currency, nothing)[0]
            split = rows.filter((rows["key"] == key) & (rows["BillingCurrency"] == currency))
            assert sum(split["covered_cost"], Decimal(0)) == tally.covered_cost
            assert sum(split["uncovered_cost"], Decimal(0)) == tally.uncovered_cost


def test_the_trend_by_month(ledger: Ledger) -> None:
    trend = members(ledger, ALL, shipped(), ["Month"], today=TODAY)
    assert list(trend.filter(trend["key"] == "team")["Month"]) == ["2026-09", "2026-09"]
    assert list(trend.filter(trend["key"] == "team")["taggable_cost"]) == [
        30,
        Decimal("61.500000000000000001"),
    ]
