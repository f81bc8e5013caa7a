"""Applied versions of the rules: numbered, told apart, put back, and each with its entry in the audit log."""

from decimal import Decimal

import pytest
from sqlalchemy import update

from finops_core.allocation import ruleset
from finops_core.errors import InputRefused, UsageError
from finops_core.store import audit, rulesets
from finops_core.store.home import Home
from finops_core.store.ownership import in_force
from finops_core.store.state import State
from finops_core.store.tables import RULE_TEXTS, RULE_VERSIONS

FIRST = {"allocation.yaml": "rules:\n- name: a\n", "accounts.csv": "account,team\n1,search\n"}
SECOND = {"allocation.yaml": "rules:\n- name: b\n", "accounts.csv": FIRST["accounts.csv"]}


def test_versions_are_numbered_and_the_newest_is_in_force(home: Home) -> None:
    state = State(home)
    assert rulesets.in_force(state) is None
    assert rulesets.versions(state) == []
    one = rulesets.apply(state, FIRST, "ada", "begin")
    two = rulesets.apply(state, SECOND, "bob", "rename a", {"moved": {"USD": "12.50"}})
    assert (one.number, two.number) == (1, 2)
    again = State(home)
    assert rulesets.in_force(again) == two
    assert rulesets.version(again, 1) == one
    assert dict(rulesets.version(again, 1).files) == FIRST
    assert [(v.number, v.author, v.reason) for v in rulesets.versions(again)] == [
        (2, "bob", "rename a"),
        (1, "ada", "begin"),
    ]
    newest, first = audit.entries(again, subject=rulesets.SUBJECT)
    assert (newest.who, newest.reason, newest.details["version"]) == ("bob", "rename a", 2)
    assert newest.details["moved"] == {"USD": "12.50"}
    assert newest.details["files"]["accounts.csv"] == first.details["files"]["accounts.csv"]
    assert newest.details["files"]["allocation.yaml"] != first.details["files"]["allocation.yaml"]
    assert audit.verify(again) == []


def test_an_older_version_is_put_back_as_a_new_one(home: Home) -> None:
    state = State(home)
    rulesets.apply(state, FIRST, "ada", "begin")
    rulesets.apply(state, SECOND, "ada", "rename a")
    back = rulesets.undo(state, 1, "bob", "that was wrong")
    assert (back.number, back.files) == (3, FIRST)
    assert rulesets.version(state, 2).files == SECOND
    assert audit.entries(state, limit=1)[0].details["files_of_version"] == 1
    with pytest.raises(UsageError, match="nothing changed: version 3"):
        rulesets.undo(state, 3, "bob", "again")
    with pytest.raises(UsageError, match="no version 9"):
        rulesets.undo(state, 9, "bob", "again")


def test_the_difference_is_told_file_by_file() -> None:
    assert rulesets.difference(FIRST, FIRST) == ""
    assert rulesets.difference(FIRST, SECOND) == (
        "--- a/allocation.yaml\n+++ b/allocation.yaml\n@@ -1,2 +1,2 @@\n rules:\n-- name: a\n+- name: b\n"
    )
    added = rulesets.difference({"a.csv": "x\n"}, {"a.csv": "x", "b.csv": ""})
    assert added == (
        "--- a/a.csv\n+++ b/a.csv\n@@ -1 +1 @@\n-x\n+x\n\\ No newline at end of file\n"
        "--- /dev/null\n+++ b/b.csv\n"
    )
    assert rulesets.difference(None, {"c.csv": "1\n"}) == "--- /dev/null\n+++ b/c.csv\n@@ -0,0 +1 @@\n+1\n"


@pytest.mark.parametrize(
    ("files", "author", "reason", "said"),
    [
        (FIRST, "ada", "again", "nothing changed: version 1"),
        (dict(reversed(FIRST.items())), "ada", "again", "nothing changed"),
        (SECOND, " ", "why", "author and reason"),
        (SECOND, "ada", "\n", "author and reason"),
        ({}, "ada", "why", "at least one file"),
        ({"../owners.yaml": "a"}, "ada", "why", "no name of a rule file"),
        ({"/etc/rules": "a"}, "ada", "why", "no name of a rule file"),
    ],
)
def test_what_is_refused_leaves_no_trace(
    home: Home, files: dict[str, str], author: str, reason: str, said: str
) -> None:
    state = State(home)
    rulesets.apply(state, FIRST, "ada", "begin")
    with pytest.raises(UsageError, match=said):
        rulesets.apply(state, files, author, reason)
    assert len(rulesets.versions(state)) == 1
    assert audit.head(state).id == 1


def test_megabytes_are_kept_once_whatever_the_number_of_versions(home: Home) -> None:
    state = State(home)
    large = "account,team\n" + "".join(f"{n:012d},search\n" for n in range(200_000))
    for number in range(5):
        rulesets.apply(state, {"allocation.yaml": f"# {number}\n", "accounts.csv": large}, "ada", "more")
    assert rulesets.version(state, 2).files["accounts.csv"] == large
    assert home.state.stat().st_size < 1.5 * len(large)


def test_files_that_were_edited_in_the_database_are_found(home: Home) -> None:
    state = State(home)
    rulesets.apply(state, FIRST, "ada", "begin")
    rulesets.apply(state, SECOND, "ada", "rename a")
    assert rulesets.altered(state) == []
    digest = rulesets.version(state, 2).hashes["allocation.yaml"]
    with state.writing() as connection:
        connection.execute(update(RULE_TEXTS).where(RULE_TEXTS.c.sha256 == digest).values(text="rules: []"))
    assert rulesets.altered(state) == [2]
    with state.writing() as connection:
        connection.execute(update(RULE_VERSIONS).where(RULE_VERSIONS.c.number == 1).values(files="{}"))
    assert rulesets.altered(state) == [1, 2]


POOL = "pools:\n- name: p\n  when: ServiceName=A\n  split: "


@pytest.mark.parametrize(
    ("text", "words", "same"),
    [
        ("", "is empty", "rules: []\n"),
        ("# nothing yet\n", "is empty", "rules: []\n"),
        ("---\n", "is empty", "rules: []\n"),
        (POOL + "{direct: [search, web, search]}\n", "named twice", POOL + "{direct: [search, web]}\n"),
        (POOL + "{even: [search, search]}\n", "named twice", POOL + "{even: [search]}\n"),
        (POOL + "{fixed: {a: 5e-1, b: 0.5}}\n", "is no share", POOL + "{fixed: {a: 0.5, b: 0.5}}\n"),
        (POOL + "{fixed: {a: 2.5e1 %, b: 3/4}}\n", "is no share", POOL + "{fixed: {a: 25 %, b: 0.75}}\n"),
        (
            "rules:\n- name: a\n  from: 2026-09-01 00:00\n  set: {x_Team: b}\n",
            "is no date",
            "rules:\n- name: a\n  from: 2026-09-01\n  set: {x_Team: b}\n",
        ),
        (
            "rules:\n- name: a\n  from: 1788220800\n  set: {x_Team: b}\n",
            "is no date",
            "rules:\n- name: a\n  from: 2026-09-01\n  set: {x_Team: b}\n",
        ),
        (
            POOL + "{tiered: {a: 1.5e0}, currency: USD, rest: {direct: [b, b]}}\n",
            "named twice",
            POOL + "{tiered: {a: 1.5}, currency: USD, rest: {direct: [b]}}\n",
        ),
        (
            POOL + "{direct: all}\n  fallback: {even: [b, b]}\n",
            "named twice",
            POOL + "{direct: all}\n  fallback: {even: [b]}\n",
        ),
    ],
)
def test_what_was_applied_in_a_notation_that_is_refused_today_stays_in_force_as_it_was_taken(
    home: Home, text: str, words: str, same: str
) -> None:
    rulesets.apply(State(home), {"allocation.yaml": text}, "ada", "as it was written then")
    found, meant = in_force(home), ruleset.parse({"allocation.yaml": same})
    assert (found.number, found.rules.rules, found.rules.pools) == (1, meant.rules, meant.pools)
    with pytest.raises(InputRefused, match=words):
        ruleset.parse({"allocation.yaml": text})


def test_a_fee_of_more_digits_than_are_taken_today_stays_in_force_to_the_digit(home: Home) -> None:
    fee = "0.1234567890123456789012"
    text = POOL + f"{{tiered: {{a: {fee}}}, currency: USD, rest: {{even: all}}}}\n"
    rulesets.apply(State(home), {"allocation.yaml": text}, "ada", "as it was written then")
    (pool,) = in_force(home).rules.pools
    assert pool.split.model_dump()["tiered"] == (("a", Decimal(fee)),)
    with pytest.raises(InputRefused, match="18 after it"):
        ruleset.parse({"allocation.yaml": text})
