"""Filters keep the rows that they say, on every kind of column; against a plain reading of each row in Python."""

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.cli import app
from finops_core.errors import UsageError
from finops_core.model import engine
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.vocabulary.conditions import AllOf, AnyOf, Condition, Node, Not
from finops_core.vocabulary.dimensions import canonical
from finops_core.vocabulary.where import parse
from tests.exports import focus_row, write_focus

KEYS = ("team", "k=v", "cost center", "say \"hi\"", '"quoted"', "a.b", "a/b", "a~b", "~1", "*", "[0]", "$.x", "ключ", "o'k", "back\\slash", "in or out")  # fmt: skip
SERVICES = ("Compute", "compute", "Storage, cold", "", "a or b", "100%", "x_y", "Ünïcode")


def quoted_key(key: str) -> str:
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Charges of three months with missing values, and tags of every odd key; some tags are no JSON."""
    folder = tmp_path_factory.mktemp("filters")
    rows = []
    for number in range(96):
        moment = datetime(2026, 8, 1) + timedelta(days=number, hours=number % 24)
        first = moment.replace(day=1, hour=0)
        rows.append(
            focus_row(
                BilledCost=Decimal(number - 20) / 4,
                ListCost="" if number % 5 == 0 else number,
                ServiceName=SERVICES[number % len(SERVICES)],
                RegionId=("eu", "us", "")[number % 3],
                ConsumedQuantity="" if number % 7 == 0 else number / 2,
                BillingPeriodStart=f"{first:%Y-%m-%dT%H:%M:%SZ}",
                BillingPeriodEnd=f"{(first + timedelta(32)).replace(day=1):%Y-%m-%dT%H:%M:%SZ}",
                ChargePeriodStart=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
                ChargePeriodEnd=f"{moment + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
                Tags="" if number % 6 == 0 else json.dumps({KEYS[number % len(KEYS)]: f"v{number % 4}"}),
            )
        )
    home = Home(folder / "home")
    load(home, [write_focus(folder / "focus.csv", rows)])
    opened = Ledger(home)
    yield opened
    opened.close()


def holds(row: dict[str, Any], node: Node) -> bool:
    """What a condition means, row by row."""
    if isinstance(node, Not):
        return not holds(row, node.part)
    if isinstance(node, AnyOf):
        return any(holds(row, part) for part in node.parts)
    if isinstance(node, AllOf):
        return all(holds(row, part) for part in node.parts)
    name, operator, values = node.dimension, node.operator, node.values
    if operator.startswith(("!", "not ")) or operator == "is not null":
        positive = {"!": operator[1:], "n": operator[4:], "i": "is null"}[operator[0]]
        return not holds(row, Condition(name, positive, values))
    found = row[name]
    if operator == "is null":
        return found is None
    if found is None:
        return False
    if operator == "~":
        return values[0].lower() in str(found).lower()
    if operator == "^=":
        return str(found).lower().startswith(values[0].lower())
    if operator == "matches":
        return re.search(values[0], found) is not None
    read = type(found) if not isinstance(found, date) else type(found).fromisoformat
    wanted = [read(value) for value in values]
    return {
        "=": lambda: found == wanted[0],
        "in": lambda: found in wanted,
        ">=": lambda: found >= wanted[0],
        ">": lambda: found > wanted[0],
        "<": lambda: found < wanted[0],
        "<=": lambda: found <= wanted[0],
        "between": lambda: wanted[0] <= found <= wanted[1],
    }[operator]()


texts = st.sampled_from(["ServiceName", "RegionId"])
words = st.sampled_from([*SERVICES, "o", "A", "%", "_", "eu"])
numbers = st.sampled_from(["0", "10", "-2.25", "1e1", "20.5", "999"])
moments = st.sampled_from(["2026-08-15T14:00:00", "2026-09-01T07:30:00", "2026-10-01T00:00:00"])
ranges = st.sampled_from(["=", ">=", ">", "<", "<=", "!="])


def bounded(names: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[Condition]:
    return st.builds(Condition, names, ranges, st.tuples(values)) | st.builds(
        Condition, names, st.just("between"), st.tuples(values, values)
    )


condition = st.one_of(
    st.builds(Condition, texts, st.sampled_from(["=", "!=", "~", "!~", "^=", "!^="]), st.tuples(words)),
    st.builds(Condition, texts, st.sampled_from(["in", "not in"]), st.lists(words, max_size=3).map(tuple)),
    st.builds(
        Condition,
        texts,
        st.sampled_from(["matches", "not matches"]),
        st.sampled_from([("^[Cc]om",), ("o.$",), ("a|u",), (r"\d+",)]),
    ),
    st.builds(
        Condition,
        st.sampled_from(["RegionId", "ListCost", "ConsumedQuantity", "tag:team"]),
        st.sampled_from(["is null", "is not null"]),
    ),
    bounded(st.sampled_from(["BilledCost", "ListCost", "ConsumedQuantity"]), numbers),
    bounded(st.just("ChargePeriodStart"), moments),
    bounded(st.just("BillingPeriod"), st.sampled_from(["2026-08", "2026-09", "2027-01"])),
    st.builds(
        Condition,
        st.sampled_from([f"tag:{quoted_key(key)}" for key in KEYS]),
        st.sampled_from(["=", "!="]),
        st.just(("v1",)),
    ),
)
nodes = st.recursive(
    condition,
    lambda inner: st.one_of(
        st.builds(AnyOf, st.tuples(inner, inner)),
        st.builds(AllOf, st.tuples(inner, inner)),
        st.builds(Not, inner),
    ),
    max_leaves=4,
)


@settings(max_examples=40, deadline=None)
@given(nodes)
def test_a_filter_keeps_the_rows_that_it_says(ledger: Ledger, node: Node) -> None:
    rows = ledger.sql("SELECT * FROM charges").to_dicts()
    for row in rows:
        tags = json.loads(row["Tags"] or "{}")
        row.update({canonical(f"tag:{quoted_key(key)}"): tags.get(key) for key in KEYS})
    expected = [row for row in rows if holds(row, node)]
    answer = ledger.query(Query(["ChargeCount", "BilledCost"], where=[node]))
    assert sum(answer["ChargeCount"]) == len(expected)
    assert sum(answer["BilledCost"], Decimal(0)) == sum((r["BilledCost"] for r in expected), Decimal(0))
    others = ledger.query(Query("ChargeCount", where=[Not(node)]))
    assert sum(others["ChargeCount"]) == len(rows) - len(expected)


@pytest.mark.parametrize("key", KEYS)
def test_tags_of_any_key_group_and_filter(ledger: Ledger, key: str) -> None:
    expected = {
        value: sum(
            1
            for number in range(96)
            if number % 6 and KEYS[number % len(KEYS)] == key and f"v{number % 4}" == value
        )
        for value in ("v0", "v1", "v2", "v3")
    }
    written = f"tag:{quoted_key(key)}"
    table = ledger.query(Query("ChargeCount", by=[written]))
    found = {value: count for _, value, count in table.iter_rows() if value is not None}
    assert found == {value: count for value, count in expected.items() if count}
    assert sum(table["ChargeCount"]) == 96
    (value,) = found.keys()
    filtered = ledger.query(Query("ChargeCount", where=[f"{written}={value}"]))
    assert filtered["ChargeCount"].to_list() == [expected[value]]


def test_a_plain_tag_name_and_the_quoted_one_are_one_dimension() -> None:
    assert Query("BilledCost", by=['tag:"team"', "tag:team"]).by == ("tag:team",)
    odd = Query("BilledCost", by=[r'tag:"\"quoted\""'])
    assert odd.but(limit=1).by == odd.by == (r'tag:"\"quoted\""',)
    assert Query.from_params(odd.to_params()) == odd


def test_tags_that_are_no_json_have_no_keys(ledger: Ledger, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    load(home, [write_focus(tmp_path / "a.csv", [focus_row(), focus_row(SubAccountId="1", Tags="")])])
    opened = Ledger(home)
    broken = "SELECT * REPLACE ('{\"team\": oops' AS Tags) FROM charges WHERE Tags IS NULL UNION ALL SELECT * FROM charges WHERE Tags IS NOT NULL"
    asked = engine.sql(Query("ChargeCount", by=["tag:team"], where=["tag:team!=x"]))
    rows = opened.frame(f"WITH charges AS ({broken}) {asked}").rows()
    opened.close()
    assert rows == [("USD", "search", 1), ("USD", None, 1)]


def test_a_range_of_costs_is_of_each_charge_and_not_of_a_sum(ledger: Ledger) -> None:
    asked = Query("BilledCost", where=["BilledCost>18", "BilledCost<=18.75"])
    assert not engine.uses_cube(asked)
    assert ledger.query(asked)["BilledCost"].to_list() == [
        Decimal("18.25") + Decimal("18.5") + Decimal("18.75")
    ]


def test_a_day_as_an_upper_end_is_the_whole_day(ledger: Ledger) -> None:
    def count(*where: str) -> int:
        return sum(ledger.query(Query("ChargeCount", where=where))["ChargeCount"])

    assert count("ChargePeriodStart<=2026-08-03") == 3
    assert count("ChargePeriodStart>2026-08-03") == 93
    assert count("ChargePeriodStart between 2026-08-02 and 2026-08-03") == 2
    assert count("ChargePeriodStart<2026-08-03") == 2
    assert count("ChargePeriodStart<=9999-12-31") == 96
    assert count("ChargePeriodStart<=2026-08-03T02:00:00+00:00") == 3
    assert count("ChargePeriodStart<=2026-08-03T02:00:00+01:00") == 2


@pytest.mark.parametrize(
    "where",
    [
        "BilledCost>much",
        "BilledCost>1_000",
        "BilledCost>nan",
        "BilledCost>=123456789012345678901",
        "BilledCost=0.1234567890123456789",
        "ConsumedQuantity between 1 and many",
        "x_Row=first",
        "ChargePeriodStart>yesterday",
        "ChargePeriodStart>=2026-02-30",
        "ChargePeriodStart<=2026-09",
        "BillingPeriod>=2026",
        "BillingPeriod=September",
        "ServiceName>a",
        "tag:team>=a",
        "ServiceName matches (",
        "ServiceName matches (?=a)",
        "BilledCost=٣",
        "ChargePeriodStart>=0001-01-01T00:00+02:00",
        "ServiceName=a\ud800b",
        "tag:\ud800=x",
        "NoSuchColumn=1",
        "not NoSuchColumn=1",
    ],
)
def test_what_cannot_be_compared_is_said_in_words(ledger: Ledger, where: str) -> None:
    with pytest.raises(UsageError) as error:
        ledger.query(Query("BilledCost", where=[where]))
    assert "Traceback" not in str(error.value) and len(str(error.value).splitlines()) == 1


def test_the_command_line_takes_nested_conditions(
    ledger: Ledger, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    words = ["--where", "(RegionId=eu or RegionId in us) and not ServiceName~o", "--where", "BilledCost>=0"]
    asked = ["query", "--metric", "ChargeCount", *words, "--format", "json"]
    app(["--home", str(ledger.home.path), *asked], standalone_mode=False)
    expected = sum(1 for n in range(20, 96) if n % 3 != 2 and SERVICES[n % 8] in ("100%", "x_y"))
    assert json.loads(capfdbinary.readouterr().out) == [{"BillingCurrency": "USD", "ChargeCount": expected}]


def test_nested_conditions_survive_a_url() -> None:
    query = Query(
        "BilledCost", where=["(ServiceName=a or x_Team is null) and not RegionId in x,y", "BilledCost>1"]
    )
    assert query.where[0] == parse(str(query.where[0]))
    assert Query.from_params(query.to_params()) == query
