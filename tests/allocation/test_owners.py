"""Owners by SQL are those that the rules' own words give, rule by rule in plain Python."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core.allocation import ruleset
from finops_core.allocation.owners import owners
from finops_core.focus.charges import ALLOCATED_COLUMNS, OWNER_COLUMNS, TAG_PREFIXES
from finops_core.store.lake import lake_columns

ACCOUNTS = "account,team,from,to\n1,search,,2026-01-03\n1,web,2026-01-03,\n2,ml,,\n"
FIRST = date(2026, 1, 1)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        columns = ", ".join(f"{name} {kind}" for name, kind in lake_columns().items())
        opened.execute(f"CREATE TABLE charges (number INTEGER, {columns})")
        yield opened


def owned(
    connection: duckdb.DuckDBPyConnection, files: dict[str, str], charges: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Each charge's allocation, in the order of the charges."""
    connection.execute("DELETE FROM charges")
    for number, charge in enumerate(charges):
        names = ["number", *charge]
        connection.execute(
            f"INSERT INTO charges ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            [number, *charge.values()],
        )
    found = owners(ruleset.parse(files), "charges", ("number", *lake_columns()))
    found.prepare(connection)
    rows = connection.sql(
        f"SELECT number, {', '.join(ALLOCATED_COLUMNS)} FROM ({found.relation}) ORDER BY number"
    ).pl()
    assert rows["number"].to_list() == list(range(len(charges)))
    return rows.drop("number").to_dicts()


def charge(tags: dict[str, str] | None = None, day: date = FIRST, **columns: Any) -> dict[str, Any]:
    written = None if tags is None else json.dumps(tags)
    moment = datetime(day.year, day.month, day.day)
    return {
        "Tags": written,
        "ChargePeriodStart": moment,
        "x_Source": "s",
        "BillingPeriod": "2026-01",
        **columns,
    }


def test_the_first_match_wins_and_says_which_rule(connection: duckdb.DuckDBPyConnection) -> None:
    rules = """
rules:
- name: tag
  set: {x_Team: {tag: [team, squad], only: [search, web], spellings: {search: [serach]}}}
- name: sandbox
  when: [SubAccountId=9, not ServiceName~tax]
  set: {x_Team: platform, x_Environment: sandbox}
- name: named
  set: {x_Team: {column: ResourceName, pattern: "^([a-z]+)-", map: {srch: search}}}
- name: centre
  set: {x_CostCenter: {column: x_Team, map: {search: CC-1, platform: CC-9}}}
pools:
- {name: support, when: ServiceName=Support, split: {even: all}}
"""
    found = owned(connection, {"allocation.yaml": rules}, [
        charge({"user:Team": " Serach ", "squad": "web"}, SubAccountId="9"),
        charge({"team": "unknown", "squad": "web"}),
        charge({"team": "unknown"}, SubAccountId="9"),
        charge({}, SubAccountId="9", ServiceName="Sales Tax", ResourceName="srch-1"),
        charge(None, ResourceName="other-1"),
        charge({"team": "web"}, ServiceName="Support"),
    ])  # fmt: skip
    asked = ("x_Team", "x_Environment", "x_CostCenter", "x_AllocationRule", "x_AllocationKind")
    assert [tuple(row[name] for name in asked) for row in found] == [
        ("search", "sandbox", "CC-1", "tag", "direct"),
        (None, None, None, None, "unallocated"),
        ("platform", "sandbox", "CC-9", "sandbox", "rule"),
        ("search", None, "CC-1", "named", "rule"),
        (None, None, None, None, "unallocated"),
        ("web", None, None, "support", "shared"),
    ]


def test_directories_are_dated_and_a_day_is_never_divided(connection: duckdb.DuckDBPyConnection) -> None:
    rules = """
directories: {accounts: {file: accounts.csv, key: account}}
rules:
- name: account
  set: {x_Team: {column: SubAccountId, directory: accounts, field: team}}
- name: rest
  from: 2026-01-04
  set: {x_Team: ops}
"""
    moments = [
        datetime(2026, 1, 2, 23, 59, 59),
        datetime(2026, 1, 3),
        datetime(2026, 1, 3, 23),
        datetime(2026, 1, 4),
    ]
    charges = [{**charge(SubAccountId=a), "ChargePeriodStart": m} for a in ("1", "3") for m in moments]
    found = owned(connection, {"allocation.yaml": rules, "accounts.csv": ACCOUNTS}, charges)
    assert [row["x_Team"] for row in found] == ["search", "web", "web", "web", None, None, None, "ops"]


def test_a_group_hands_down_the_owner_on_which_all_agree(connection: duckdb.DuckDBPyConnection) -> None:
    rules = """
rules:
- {name: tag, set: {x_Team: {tag: team}}}
- {name: group, set: {x_Team: {inherit: [SubAccountId, x_ResourceGroup]}}}
- {name: rest, set: {x_Team: ops}}
"""
    found = owned(connection, {"allocation.yaml": rules}, [
        charge({"team": "web"}, SubAccountId="1", x_ResourceGroup="a"),
        charge({}, SubAccountId="1", x_ResourceGroup="a"),
        charge({}, SubAccountId="2", x_ResourceGroup="a"),
        charge({"team": "web"}, SubAccountId="1", x_ResourceGroup="b"),
        charge({"team": "ml"}, SubAccountId="1", x_ResourceGroup="b"),
        charge({}, SubAccountId="1", x_ResourceGroup="b"),
        {**charge({}, SubAccountId="1", x_ResourceGroup="a"), "BillingPeriod": "2026-02"},
    ])  # fmt: skip
    assert [(row["x_Team"], row["x_AllocationRule"]) for row in found] == [
        ("web", "tag"), ("web", "group"), ("ops", "rest"), ("web", "tag"), ("ml", "tag"), ("ops", "rest"), ("ops", "rest"),
    ]  # fmt: skip


# A rule set as data, written as YAML for the product and read as it stands by the reference below.
names = st.sampled_from(["a", "b", "c", "d"])
days = st.integers(0, 5).map(lambda n: FIRST + timedelta(n))
owner_values = st.one_of(
    st.sampled_from(["search", "web"]),
    st.fixed_dictionaries(
        {"tag": st.lists(st.sampled_from(["team", "Squad"]), min_size=1, max_size=2, unique=True)},
        optional={"only": st.just(["search", "web"]), "spellings": st.just({"search": ["Serach", "srch"]})},
    ),
    st.just({"column": "SubAccountId", "map": {"1": "ml", "2": "web"}}),
    st.just({"column": "SubAccountId", "directory": "accounts", "field": "team"}),
)
whens = st.sampled_from(
    [None, {"SubAccountId": "1"}, {"tag:team": "web"}, {"SubAccountId": "2", "tag:team": "web"}]
)
rules = st.lists(
    st.tuples(
        names,
        st.none() | days,
        st.none() | st.integers(1, 3),
        whens,
        st.sampled_from(["x_Team", "x_Product"]),
        owner_values,
    ),
    max_size=5,
    unique_by=lambda r: (r[0], r[1]),
)
charges = st.lists(
    st.tuples(
        st.none() | st.dictionaries(
            st.sampled_from(["team", "user:team", "TEAM", "squad"]), st.sampled_from(["search", "SRCH", "web ", "", "x"]), max_size=2
        ),
        days,
        st.sampled_from(["1", "2", "3"]),
    ),
    min_size=1, max_size=5,
)  # fmt: skip


def tag_of(tags: dict[str, str], keys: list[str]) -> str | None:
    lowered: dict[str, str] = {}
    for key, text in tags.items():
        if text.strip():
            key = key.strip().lower()
            lowered[key] = min(lowered.get(key, text.strip()), text.strip())
    candidates = [lowered.get(prefix + key.lower()) for key in keys for prefix in TAG_PREFIXES]
    return next((value for value in candidates if value is not None), None)


def exact_tag(tags: dict[str, str], key: str) -> str | None:
    return next((tags[prefix + key] for prefix in TAG_PREFIXES if prefix + key in tags), None)


def value_of(value: Any, tags: dict[str, str], day: date, account: str) -> str | None:
    if isinstance(value, str):
        return value
    if "tag" in value:
        found = tag_of(tags, value["tag"])
        for name, spelt in value.get("spellings", {}).items():
            if found is not None and found.lower() in {s.lower() for s in (name, *spelt)}:
                found = name
        return found if "only" not in value or found in value["only"] else None
    if "map" in value:
        return value["map"].get(account)
    return {"1": "search" if day < date(2026, 1, 3) else "web", "2": "ml"}.get(account)


def expected(entries: list[Any], column: str, tags: dict[str, str], day: date, account: str) -> str | None:
    first = {name: place for place, (name, *_) in reversed(list(enumerate(entries)))}
    for name in sorted(first, key=lambda n: first[n]):
        own = [e for e in entries if e[0] == name and (e[1] is None or e[1] <= day)]
        if not own:
            continue
        _, since, length, when, set_column, value = max(own, key=lambda e: e[1] or date.min)
        if since is not None and length is not None and day >= since + timedelta(length):
            continue
        held = all(
            (exact_tag(tags, "team") if key == "tag:team" else account) == wanted
            for key, wanted in (when or {}).items()
        )
        if set_column == column and held and (found := value_of(value, tags, day, account)) is not None:
            return found
    return None


@settings(max_examples=25, deadline=None, derandomize=True)
@given(rules, charges)
def test_any_rules_give_what_their_words_say(entries: list[Any], drawn: list[Any]) -> None:
    written = [
        {"name": name, "set": {column: value}}
        | ({"from": str(since)} if since else {})
        | ({"to": str(since + timedelta(length))} if since and length else {})
        | ({"when": when} if when else {})
        for name, since, length, when, column, value in entries
    ]
    text = json.dumps(
        {"directories": {"accounts": {"file": "accounts.csv", "key": "account"}}, "rules": written}
    )
    with duckdb.connect() as opened:
        columns = ", ".join(f"{name} {kind}" for name, kind in lake_columns().items())
        opened.execute(f"CREATE TABLE charges (number INTEGER, {columns})")
        files = {"allocation.yaml": text, "accounts.csv": ACCOUNTS}
        found = owned(
            opened, files, [charge(tags, day, SubAccountId=account) for tags, day, account in drawn]
        )
    for row, (tags, day, account) in zip(found, drawn, strict=True):
        for column in ("x_Team", "x_Product"):
            assert row[column] == expected(entries, column, tags or {}, day, account)
        assert (row["x_AllocationKind"] == "unallocated") == (row["x_Team"] is None)
    assert set(OWNER_COLUMNS) <= set(polars.DataFrame(found).columns)
