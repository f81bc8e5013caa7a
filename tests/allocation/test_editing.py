"""Changes of allocation.yaml as text, and of directories as tables: what was asked for, and nothing else."""

import io
import json
from importlib import resources
from typing import Any

import openpyxl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core.allocation import ruleset, written
from finops_core.allocation.directory_tables import directory_as_csv, directory_as_xlsx, directory_from
from finops_core.allocation.editing import moved, with_rule, with_spellings, without_rule
from finops_core.allocation.ruleset import FILE, KEY, shipped
from finops_core.errors import InputRefused, UsageError

DEMO = resources.files("finops_core.demo").joinpath("allocation.yaml").read_text("utf-8")
NEW = {"name": "new", "when": ["SubAccountId=0123"], "set": {"x_Team": "search"}}
COMMENTED = """# The head
rules:  # in order

  # About the first
  - name: first
    set: {x_Team: web}  # fixed
  # About the second,
  # in two lines
  - name: second
    set:
      x_Team: {tag: team}
  - name: first
    from: 2026-09-01
    set: {x_Team: search}

# The foot
pools: []
"""


def _rules(text: str) -> list[Any]:
    found: list[Any] = written.read(text, FILE).data["rules"]
    return found


def test_a_rule_is_added_and_every_other_line_stays() -> None:
    added = """  - name: new
    when: [SubAccountId=0123]
    set: {x_Team: search}
"""
    assert with_rule(COMMENTED, NEW, "second") == COMMENTED.replace(
        "  # About the second", added + "  # About the second"
    )
    assert with_rule(COMMENTED, NEW) == COMMENTED.replace("\n# The foot", added + "\n# The foot")
    assert with_rule("", NEW) == "rules:\n" + added
    assert with_rule("owner: x_Team", NEW) == "owner: x_Team\nrules:\n" + added
    assert with_rule("rules: []  # none\r\n", NEW) == "rules:   # none\r\n" + added.replace("\n", "\r\n")
    assert ruleset.parse({FILE: with_rule(shipped(), NEW)}).rules[-1].name == "new"


def test_all_entries_of_a_rule_go_with_their_comments() -> None:
    second = COMMENTED[COMMENTED.index("  # About the second") : COMMENTED.index("  - name: first\n    from")]
    assert without_rule(COMMENTED, "second") == COMMENTED.replace(second, "")
    assert [rule["name"] for rule in _rules(without_rule(COMMENTED, "first"))] == ["second"]
    with pytest.raises(UsageError, match="no rule 'third'; known are first, second"):
        without_rule(COMMENTED, "third")


def test_a_rule_moves_with_its_comments() -> None:
    found = moved(COMMENTED, "second", "first")
    assert [rule["name"] for rule in _rules(found)] == ["second", "first", "first"]
    assert sorted(found.splitlines()) == sorted(COMMENTED.splitlines())
    assert found.index("# About the second") < found.index("name: second") < found.index("# About the first")
    assert moved(DEMO, "team tag", None).splitlines()[7].strip() == "- name: name of the resource"
    with pytest.raises(UsageError, match="before itself"):
        moved(COMMENTED, "first", "first")


def test_pools_are_edited_alike() -> None:
    pool = {"name": "tax", "when": "ChargeCategory=Tax", "split": {"direct": "all"}}
    added = with_rule(DEMO, {**pool, "name": "more tax"}, "support", section="pools")
    names = [pool["name"] for pool in written.read(added, FILE).data["pools"]]
    assert names.index("more tax") == names.index("support") - 1
    assert without_rule(added, "more tax", section="pools") == DEMO


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{tag: team}", "{tag: team, spellings: {web: [wbe], ml: [mll]}}"),
        ("\n        tag: team\n        # about", "\n        tag: team\n        spellings:\n          web: [wbe]\n          ml: [mll]\n        # about"),
        ("{tag: team, spellings: {web: [web1]}}", "{tag: team, spellings: {web: [web1, wbe], ml: [mll]}}"),
        (
            "\n        spellings:  # how\n          web: [web1]  # one\n          ml:\n            - mll\n        tag: team",
            "\n        spellings:  # how\n          web: [web1, wbe]  # one\n          ml:\n            - mll\n        tag: team",
        ),
        (
            "\n        spellings:\n          web:\n            - web1  # one\n        tag: team",
            "\n        spellings:\n          web:\n            - web1  # one\n            - wbe\n          ml: [mll]\n        tag: team",
        ),
    ],
)  # fmt: skip
def test_spellings_are_added_in_the_layout_that_is_there(before: str, after: str) -> None:
    text = f"# head\nrules:\n  - name: tags\n    set:\n      x_Team: {before}\n      x_Owner: a  # b\n"
    assert with_spellings(text, "tags", "x_Team", {"web": ["wbe"], "ml": ["mll"]}) == text.replace(
        before, after
    )


def test_only_tags_have_spellings() -> None:
    with pytest.raises(UsageError, match="'account' does not take x_Team from a tag"):
        with_spellings(DEMO, "account", "x_Team", {"web": ["wbe"]})


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
entries = st.fixed_dictionaries(
    {"name": words, "set": st.dictionaries(st.sampled_from(["x_Team", "x_Owner"]), words, min_size=1)},
    optional={"when": st.lists(words, max_size=2), "description": words},
)


def _flow(rules: list[Any]) -> str:
    return json.dumps({"rules": rules}, ensure_ascii=False)


def _block(rules: list[Any]) -> str:
    return "# head\n" + str(yaml.safe_dump({"rules": rules}, allow_unicode=True)) + "# foot\n"


def _indented(rules: list[Any]) -> str:
    lines = str(yaml.safe_dump(rules, allow_unicode=True, sort_keys=False)).splitlines(keepends=True)
    return "pools: []\nrules:\n" + "".join(f"    {line}" for line in lines) if rules else "rules:\n"


@settings(max_examples=40)
@given(
    st.lists(entries, max_size=3, unique_by=lambda entry: entry["name"]),
    entries,
    st.integers(0, 3),
    st.sampled_from([_flow, _block, _indented]),
)
def test_an_edited_text_has_exactly_the_rules_that_it_must(
    rules: list[dict[str, Any]], fresh: dict[str, Any], at: int, write: Any
) -> None:
    rules = [rule for rule in rules if rule["name"] != fresh["name"]]
    text = write(rules)
    before = rules[at]["name"] if at < len(rules) else None
    at = min(at, len(rules))
    added = with_rule(text, fresh, before)
    assert _rules(added) == [*rules[:at], fresh, *rules[at:]]
    assert _rules(moved(added, fresh["name"], None)) == [*rules, fresh]
    gone = without_rule(added, fresh["name"])
    assert (written.read(gone, FILE).data["rules"] or []) == rules


FILES = {
    FILE: "directories:\n  accounts: {file: accounts.csv, key: account}\n  services: {file: services.yaml, key: prefix}\n",
    "accounts.csv": "account,team,from,to\n0123,search,,2026-09-01\n0123,web,2026-09-01,\n",
    "services.yaml": "# the catalogue\nservices:\n  - {team: search, prefix: [srch, idx]}\n  - team: web\n    prefix: [web]\n",
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_the_lines_of_rows_that_changed_are_written_anew(end: str) -> None:
    text = f'account,"team",from,to{end}0123,"search",,2026-09-01{end}0123, web,2026-09-01,""{end}0456,"ml","",{end}'
    files = {**FILES, "accounts.csv": text}
    edited = directory_as_csv(files, "accounts").replace(b"0123,web", b"0123,shop")
    found = directory_from(files, "accounts", edited, "edited.csv")
    assert found == {
        **files,
        "accounts.csv": text.replace('0123, web,2026-09-01,""', "0123,shop,2026-09-01,"),
    }


def test_a_part_of_a_cell_of_several_lines_is_no_row() -> None:
    files = {**FILES, "accounts.csv": 'account,team\n"0123","a\nb"\n0456,web\n'}
    edited = b"account,team\n0123,a\nb,\n0456,ml\n"
    found = directory_from(files, "accounts", edited, "edited.csv")
    assert found["accounts.csv"] == "account,team\n0123,a\nb,\n0456,ml\n"


@pytest.mark.parametrize("write", [directory_as_csv, directory_as_xlsx])
def test_directories_go_to_a_spreadsheet_and_back(write: Any) -> None:
    for name in ("accounts", "services"):
        assert directory_from(FILES, name, write(FILES, name), "edited") == FILES
    book = openpyxl.load_workbook(io.BytesIO(directory_as_xlsx(FILES, "accounts")))
    assert book.active is not None and book.active["A2"].value == "0123"
    edited = (
        directory_as_csv(FILES, "services")
        .replace(b"srch; idx", b"srch; index")
        .replace(b"\nweb,", b"\nshop,")
    )
    found = directory_from(FILES, "services", edited, "edited.csv")
    assert yaml.safe_load(found["services.yaml"]) == {
        "services": [{"team": "search", "prefix": ["srch", "index"]}, {"team": "shop", "prefix": ["web"]}]
    }
    assert ruleset.parse(found).directories["services"][KEY].to_list() == ["srch", "index", "web"]


@pytest.mark.parametrize(
    ("table", "refusal"),
    [
        ("account;team\n1;a\n\n;b\n", "edited, row 4, column 'account': account is empty"),
        ("account,from\n1,\n1,2026-09-01\n", "edited, row 3, column 'account': '1' is in row 2 already"),
        ("account,to\n1,1.9.2026\n", "edited, row 2, column 'to': '1.9.2026' is no date"),
        ("account,from,to\n1,2026-09-01,2026-09-01\n", "edited, row 2, column 'from': from 2026-09-01"),
        ("account\n1,2\n", "edited, row 2: has more cells than the header"),
        ("team\na\n", "edited, row 1: has no column 'account'. It has team"),
        ("account,account\n1,2\n", "edited, row 1: a column has no name, or one that is there twice"),
        ("", "edited: is empty"),
    ],
)
def test_a_table_is_refused_by_its_row(table: str, refusal: str) -> None:
    with pytest.raises(InputRefused) as refused:
        directory_from(FILES, "accounts", table.encode(), "edited")
    assert str(refused.value).startswith(refusal)


def test_no_workbook_and_no_text_is_refused() -> None:
    broken = directory_as_xlsx(FILES, "accounts").replace(b"sheet1.xml", b"sheet7.xml")
    for data in (broken, b"account\n\xff\n"):
        with pytest.raises(InputRefused, match="edited"):
            directory_from(FILES, "accounts", data, "edited")
