"""`farthing tags`, `tag-policy` and `tag-exceptions`, as a shell sees them."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus
from tests.shell import farthing

SEPTEMBER = ("--from", "2026-09-01", "--to", "2026-10-01")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("tags")
    rows = [
        focus_row(EffectiveCost="10.000000000000000001", ResourceId="a", Tags='{"team":"search"}'),
        focus_row(EffectiveCost="5", ResourceId="b", Tags='{"Team":"serach"}', ServiceName="Amazon RDS"),
        focus_row(EffectiveCost="1", ResourceId="c", Tags="{}", ServiceName="Amazon RDS"),
        focus_row(EffectiveCost="7", Tags='{"team":"search"}'),
    ]
    home = Home(folder / "home")
    load(home, [write_focus(folder / "focus.csv", rows)])
    home.rules.mkdir()
    policy = "keys: {team: {owner: x_Team, allowed: [search]}}\n"
    (home.rules / "tag_policy.yaml").write_text(policy)
    return home


def told(home: Home, *words: str) -> Any:
    found = farthing(home, "tags", *SEPTEMBER, *words, "--json")
    assert (found.returncode, found.stderr) == (0, "")
    return json.loads(found.stdout)


def test_json_is_as_the_contract_says_and_its_definition_gives_its_figures(home: Home) -> None:
    answer = told(home, "--by", "ServiceName")
    (key,) = answer["keys"]
    assert (key["key"], key["BillingCurrency"], key["taggable_cost"], key["covered_cost"]) == (
        "team",
        "USD",
        "16.000000000000000001",
        "10.000000000000000001",
    )
    assert (key["coverage_by_cost"], key["coverage_by_rows"]) == (10 / 16, 1 / 3)
    assert (key["effective_coverage_by_cost"], key["coverage_by_resources"]) == (15 / 16, 1 / 3)
    assert key["not_allowed"] == [{"value": "serach", "cost": "5", "rows": 1}]
    assert key["near_misses"] == [
        {"value": "serach", "proposed": "search", "why": "edit distance 1", "cost": "5"}
    ]
    assert [o["uncovered_cost"] for o in key["offenders"] if o["by"] == "ResourceId"] == ["5", "1"]
    assert [
        (m["ServiceName"], m["taggable_cost"], m["covered_cost"], m["coverage_by_cost"])
        for m in key["members"]
    ] == [
        ("Amazon Elastic Compute Cloud", "10.000000000000000001", "10.000000000000000001", 1.0),
        ("Amazon RDS", "6", "0", 0.0),
    ]
    assert answer["totals"] == [{"BillingCurrency": "USD", "EffectiveCost": "23.000000000000000001"}]
    assert [(line["why"], line["cost"]) for line in answer["not_taggable"]] == [("Resource is empty", "7")]
    where = [word for text in key["definition"]["covered"] for word in ("--where", text)]
    asked = farthing(home, "query", "--metric", "EffectiveCost", *SEPTEMBER, *where, "--format", "csv")
    assert asked.stdout.splitlines()[1] == f"USD,{key['covered_cost']}"


def test_a_table_by_month(home: Home) -> None:
    (row,) = csv.DictReader(io.StringIO(farthing(home, "tags", "--by", "Month", "--format", "csv").stdout))
    assert (row["Month"], row["taggable_cost"], row["uncovered_cost"]) == (
        "2026-09",
        "16.000000000000000001",
        "6",
    )


def test_an_exception_is_added_listed_and_removed(home: Home) -> None:
    words = ("tag-exceptions", "add", "rds", "--where", "ServiceName=Amazon RDS", "--owner", "ada")
    added = farthing(home, *words, "--reason", "is switched off", "--until", "2999-01-01", "--key", "team")
    assert (added.returncode, added.stdout) == (0, "")
    (key,) = told(home)["keys"]
    assert (key["excepted_cost"], key["uncovered_cost"], key["coverage_by_cost"]) == ("6", "0", 1.0)
    assert [e["name"] for e in key["excepted"]] == ["rds"]
    listed = ("tag-exceptions", "list", "--format", "csv")
    line = "rds,team,ServiceName=Amazon RDS,ada,is switched off,2999-01-01"
    assert farthing(home, *listed).stdout.splitlines()[1:] == [line]
    assert farthing(home, "tag-exceptions", "remove", "rds").returncode == 0
    assert farthing(home, *listed).stdout.splitlines()[1:] == []


def test_the_policy_for_others_and_a_malformed_one(home: Home, tmp_path: Path) -> None:
    found = farthing(home, "tag-policy", "--as", "aws-tag-policy")
    assert json.loads(found.stdout)["tags"]["team"]["tag_value"] == {"@@assign": ["search"]}
    assert found.stderr.startswith("note: ")
    assert farthing(home, "tag-policy", "--as", "xml").returncode == 2
    broken = Home(tmp_path)
    broken.rules.mkdir()
    (broken.rules / "tag_policy.yaml").write_text("keys:\n  team:\n    owner: x_Tema\n")
    refused = farthing(broken, "tag-policy", "--as", "rego")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "tag_policy.yaml, line 3: keys.team.owner: 'x_Tema' is no owner column" in refused.stderr
