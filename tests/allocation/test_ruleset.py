"""Rules that are wrong are refused, with file and line; rules that are right are read as they are written."""

from datetime import date
from textwrap import dedent

import pytest

from finops_core.allocation import ruleset
from finops_core.allocation.patterns import pattern
from finops_core.allocation.rules import in_order
from finops_core.errors import InputRefused

TEAMS = "team,cost_center\nsearch,CC-1\nweb,CC-2\n"
RULE = "rules:\n- name: a\n  set: {x_Team: search}\n"
SET = "rules:\n- name: a\n  set:\n    x_Team: "
POOL = "pools:\n- name: p\n  when: ServiceName=A\n  split: "

WRONG = {
    "an unknown field": ("rules:\n- name: a\n  set: {x_Team: b}\n  wen: x\n", 4, "no such field"),
    "an unknown field at the top": ("rule: []\n", 1, "no such field"),
    "an unknown field of a value": ("rules:\n- name: a\n  set:\n    x_Team: {tag: t, speling: {}}\n", 4, "no such field"),
    "no owner column": ("rules:\n- name: a\n  set:\n    Team: b\n", 4, "no owner column"),
    "no date": ("rules:\n- name: a\n  from: 2026-13-01\n  set: {x_Team: b}\n", 3, "date"),
    "no day": ("rules:\n- name: a\n  from: 2026-02-01\n  to: 2026-02-01\n  set: {x_Team: b}\n", 2, "holds no day"),
    "no dimension": ("rules:\n- name: a\n  when: Servce=A\n  set: {x_Team: b}\n", 3, "did you mean"),
    "no condition": ("rules:\n- name: a\n  when: ServiceName\n  set: {x_Team: b}\n", 3, "no condition"),
    "a bomb": ("rules:\n- name: a\n  when: ResourceId matches (a+)+$\n  set: {x_Team: b}\n", 3, "repeats a repetition"),
    "a bomb in a value": (
        "rules:\n- name: a\n  set:\n    x_Team: {column: ResourceId, pattern: '(x*)*'}\n", 4, "repeats a repetition"),
    "an empty pattern": (SET + "{column: ResourceId, pattern: ''}\n", 4, "is empty"),
    "a tag of blanks": (SET + "{tag: [team, ' ']}\n", 4, "a tag has a name"),
    "more than is read in a moment": ("rules:\n" + "- {name: a, set: {x_Team: b}}\n" * 20_000, 16_668, "more than 500,000"),
    "an owner of blanks": (SET + "'  '\n", 4, "is blank"),
    "an owner that is nothing": (SET + "null\n", 4, "no name of an owner"),
    "a map to nothing": (SET + "{column: SubAccountId, map: {'1': ~}}\n", 4, "no name of an owner"),
    "an owner that looks like another": (SET + "se\u200barch\n", 4, "U+200B"),
    "a rule that looks like another": ("rules:\n- name: a\u00adb\n  set: {x_Team: b}\n", 2, "U+00AD"),
    "a name that is read backwards": ('rules:\n- name: "a\\u202Eb"\n  set: {x_Team: b}\n', 2, "U+202E"),
    "a consumer of blanks": (POOL + "{even: [' ', search]}\n", 4, "a consumer has a name"),
    "a consumer with a blank": (POOL + "{fixed: {search: 0.5, 'search ': 0.5}}\n", 4, "blanks around it"),
    "a mark of a type": ("rules:\n- name: !!binary aGVsbG8=\n  set: {x_Team: b}\n", 2, "the mark !!binary"),
    "a mark of nobody": ("rules:\n- !rule {name: a, set: {x_Team: b}}\n", 2, "the mark !rule"),
    "more conditions than anybody reads": (
        "rules:\n- name: a\n  when: " + " or ".join(["ProviderName=A"] * 2001) + "\n  set: {x_Team: b}\n",
        3, "at most 2,000"),
    "many pools in a circle": (
        "pools:\n" + "".join(f"- {{name: p{n}, when: ServiceName=S, split: {{even: ['pool:p{(n + 1) % 99}']}}}}\n" for n in range(99)),
        2, "p17 and 89 more only feed each other"),
    "no pattern": ("rules:\n- name: a\n  set:\n    x_Team: {column: ResourceId, pattern: '['}\n", 4, "RE2"),
    "two entries": (RULE + "- name: a\n  set: {x_Team: b}\n", 4, "two entries 'a'"),
    "a key twice": ("rules: []\nrules: []\n", 2, "written twice, first in line 1"),
    "no YAML": ("rules: [\n", 2, "no YAML"),
    "an alias": ("rules: &r []\npools: *r\n", 2, "aliases"),
    "nothing": ("# to do\n", 1, "is empty"),
    "no mapping": ("- a\n", 1, "the file: "),
    "a number for a day": ("rules:\n- name: a\n  from: 86400\n  set: {x_Team: b}\n", 3, "is no date"),
    "a list as a key": ("rules:\n- ? [a, b]\n  : c\n", 2, "a key is a name"),
    "a list as a condition": ("rules:\n- name: a\n  when: [[a]]\n  set: {x_Team: b}\n", 3, "is a condition"),
    "too deep": ("rules:\n " + "[" * 20_000, 2, "more than 40 deep"),
    "a zero byte": ("rules:\n- name: a\0\n", 2, "no YAML"),
    "a share that no memory holds": (POOL + "\n    fixed: {search: 1e999999999}\n", 4, "is no share"),
    "a fee that no memory holds": (
        POOL + "\n    tiered: {search: 1e999999}\n    currency: USD\n    rest: {even: all}\n", 4, "20 digits before the point"),
    "a consumer twice": (POOL + "{even: [search, search]}\n", 4, "'search' is named twice"),
    "nobody to share": (POOL + "{direct: []}\n", 4, "names nobody"),
    "a cycle": (
        "rules:\n- name: a\n  set:\n    x_Team: {column: x_Product}\n- name: b\n  when: x_Team=q\n  set: {x_Product: z}\n",
        4, "x_Team needs x_Product needs x_Team"),
    "itself": ("rules:\n- name: a\n  when: x_Team is null\n  set: {x_Team: b}\n", 4, "x_Team needs x_Team"),
    "no directory": (
        "rules:\n- name: a\n  set:\n    x_Team: {column: SubAccountId, directory: d, field: f}\n", 4, "no directory 'd'"),
    "no field": (
        "directories:\n  teams: {file: teams.csv, key: team}\nrules:\n- name: a\n  set:\n"
        "    x_Team: {column: SubAccountId, directory: teams, field: f}\n", 6, "no field 'f'"),
    "no key": ("directories:\n  teams: {file: teams.csv, key: squad}\n", 1, "no column 'squad'"),
    "no file": ("directories:\n  teams: {file: gone.csv, key: team}\n", 2, "gone.csv is missing"),
    "a file elsewhere": ("directories:\n  teams: {file: ../teams.csv, key: team}\n", 2, "pattern"),
    "shares below 1": (POOL + "\n    fixed: {search: 0.5, web: 0.4}\n", 4, "sum to 0.9, not to 1"),
    "shares above 1": (POOL + "\n    fixed: {search: 1/3, web: 1/3, ml: 40 %}\n", 4, "not to 1"),
    "a negative share": (POOL + "\n    fixed: {search: 1.5, web: -0.5}\n", 4, "is negative"),
    "no share": (POOL + "\n    fixed: {search: all}\n", 4, "is no share"),
    "no method": (POOL + "{random: all}\n", 4, "has none of"),
    "no pool": (POOL + "{even: ['pool:q', search]}\n", 2, "no pool of that name"),
    "pools in a circle": (
        POOL + "{even: ['pool:q']}\n- name: q\n  when: ServiceName=B\n  split: {fixed: {'pool:p': 1}}\n",
        2, "the pools p, q only feed each other"),
    "a pool without a condition": ("pools:\n- name: p\n  split: {even: all}\n", 2, "when"),
    "spellings of two": (
        "rules:\n- name: a\n  set:\n    x_Team: {tag: t, spellings: {a: [x], b: [X]}}\n", 4, "stands for both"),
    "no kind of value": ("rules:\n- name: a\n  set:\n    x_Team: {tags: t}\n", 4, "has none of"),
    "a computed column": ("rules:\n- name: a\n  set:\n    x_Team: {column: Month}\n", 4, "no text column"),
    "what rules find": ("rules:\n- name: a\n  when: x_AllocationKind=rule\n  set: {x_Team: b}\n", 3, "what rules find"),
    "a list of rules that is none": ("rules: yes\n", 1, "list"),
}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        *("(a+)+", "(?:a*)*", "(?P<x>a+)*", "(a+?)+?", "((a+ )+)+", "(a{2,}){2,}", "(b|a+)+"),
        *(r"(\pL+)+", r"(\p{L}+)+", r"(\p{^Greek}*)+", r"(\x{61}+)+", r"(?U)(a+)+", r"(\Q(\Ea+)+", r"([[:alpha:])]+)*", "([)a]+)*"),
    ],
)  # fmt: skip
def test_a_repetition_of_repetitions_is_refused_in_every_spelling(text: str) -> None:
    with pytest.raises(ValueError, match="repeats a repetition"):
        pattern(text)
    assert pattern(text, applied=True) == text


@pytest.mark.parametrize(
    "text",
    ["^([a-z]+)-", "(ab)+c+", r"(a\+)+", "([a+]b)+", r"(\Qa+\E)+", "(a{3})?", "(?i)a+", "(a|b)*", "(?:x)+(y+)", "[]+]+"],
)  # fmt: skip
def test_other_repetitions_are_taken(text: str) -> None:
    assert pattern(text) == text


def test_what_was_applied_once_stays_in_force() -> None:
    taken = ("se\u200barch", "'  '", "null", "!!str b", "!name b", r"{column: ResourceId, pattern: (\pL+)+}")
    for value in (*taken, "{column: ResourceId, pattern: ''}"):
        found = ruleset.parse(
            {"allocation.yaml": f"rules:\n- name: a\u200bb\n  set:\n    x_Team: {value}\n"}, applied=True
        )
        assert found.rules[0].name == "a\u200bb"


def test_joined_letters_are_no_unseen_ones() -> None:
    name = "\u06a9\u062a\u0627\u0628\u200c\u0647\u0627"
    assert (
        ruleset.parse({"allocation.yaml": f"rules:\n- name: {name}\n  set: {{x_Team: {name}}}\n"})
        .rules[0]
        .name
        == name
    )


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_refused_with_its_line(case: str) -> None:
    text, line, words = WRONG[case]
    with pytest.raises(InputRefused) as refused:
        ruleset.parse({"allocation.yaml": text, "teams.csv": TEAMS})
    assert refused.value.place is not None
    assert refused.value.place.line == line
    assert words in str(refused.value)
    assert str(refused.value).startswith("teams.csv" if case == "no key" else "allocation.yaml")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("team,cost_center\nsearch,1\nsearch,2\n", 3, "named twice for the same days"),
        ("team,cost_center\nsearch\n", 2, "has 1 cells"),
        ("team,team\na,b\n", 1, "named twice"),
        ("team,from\na,soon\n", 2, "no date"),
        ("team,from,to\na,2026-01-01,2026-03-01\na,2026-02-01,\n", 3, "named twice for the same days"),
        ("team,x\n,1\n", 2, "is empty"),
        ("", 1, "is empty"),
        ("team,x\nse\0arch,1\n", 2, "NUL"),
    ],
)
def test_a_directory_that_is_wrong_is_refused_with_its_line(text: str, line: int | None, words: str) -> None:
    files = {"allocation.yaml": "directories:\n  teams: {file: teams.csv, key: team}\n", "teams.csv": text}
    with pytest.raises(InputRefused, match=words) as refused:
        ruleset.parse(files)
    assert refused.value.place is not None
    assert (refused.value.place.file, refused.value.place.line) == ("teams.csv", line)


def test_scalars_stay_text_and_lists_of_keys_are_several_keys() -> None:
    services = "services:\n- prefixes: [web, '007']\n  team: 0123\n- prefixes: api\n  team: no\n"
    text = "directories:\n  s: {file: s.yaml, key: prefixes}\n"
    found = ruleset.parse({"allocation.yaml": text, "s.yaml": services}).directories["s"]
    assert found.select("__key", "team").rows() == [("web", "0123"), ("007", "0123"), ("api", "no")]


def test_revisions_divide_the_days_and_keep_the_place_of_the_first() -> None:
    text = dedent("""
        rules:
        - {name: a, set: {x_Team: one}}
        - {name: b, set: {x_Team: two}}
        - {name: a, from: 2026-03-01, set: {x_Team: three}}
        - {name: a, from: 2026-02-01, to: 2026-02-10, set: {x_Team: four}}
    """)
    found = ruleset.parse({"allocation.yaml": text}).rules
    assert [(r.name, r.since, r.until) for r in found] == [
        ("a", None, date(2026, 2, 1)),
        ("a", date(2026, 3, 1), None),
        ("a", date(2026, 2, 1), date(2026, 2, 10)),
        ("b", None, None),
    ]
    assert in_order(found) == list(found)


def test_comments_change_no_digest_and_owners_do() -> None:
    plain = ruleset.parse({"allocation.yaml": RULE})
    assert ruleset.parse({"allocation.yaml": "# why\n" + RULE}).owners_digest == plain.owners_digest
    assert (
        ruleset.parse({"allocation.yaml": RULE.replace("search", "web")}).owners_digest != plain.owners_digest
    )
    split = POOL + "{even: all}\n"
    pools = ruleset.parse({"allocation.yaml": RULE + split})
    fixed = ruleset.parse({"allocation.yaml": RULE + split.replace("even: all", "direct: all")})
    assert pools.owners_digest != plain.owners_digest
    assert (pools.owners_digest, pools.splits_digest == fixed.splits_digest) == (fixed.owners_digest, False)


def test_the_shipped_rules_are_sound() -> None:
    assert [rule.name for rule in ruleset.default().rules][:2] == ["team tag", "product tag"]
