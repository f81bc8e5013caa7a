"""The tag policy: what it says, and that what is wrong with one is said with file, line and field."""

from pathlib import Path

import pytest

from finops_core.errors import InputRefused
from finops_core.quality.tag_policy import FILE, read_policy, shipped, shipped_text, tag_policy

GOOD = """\
target: 0.9
keys:
  team:
    owner: x_Team
    aliases: [squad]
  environment:
    owner: x_Environment
    allowed: [prod, dev]
    spellings: {prod: [production]}
"""


def test_the_shipped_policy_has_four_keys() -> None:
    policy = shipped()
    assert {key: rule.owner for key, rule in policy.keys.items()} == {
        "team": "x_Team",
        "service": "x_Product",
        "environment": "x_Environment",
        "cost-center": "x_CostCenter",
    }
    assert [str(c) for c in policy.taggable_conditions()[:2]] == [
        "ChargeCategory=Usage",
        "ResourceId is not null",
    ]


def test_a_home_has_its_own(tmp_path: Path) -> None:
    assert tag_policy(tmp_path) == shipped()
    (tmp_path / FILE).write_text(GOOD)
    policy = tag_policy(tmp_path)
    assert (list(policy.keys), str(policy.target)) == (["team", "environment"], "0.9")
    assert policy.services_without_tags == shipped().services_without_tags
    (tmp_path / FILE).write_text(shipped_text())
    assert tag_policy(tmp_path) == shipped()


def test_keys_are_found_in_any_case_and_under_any_prefix() -> None:
    found = ["user:Team", "teams", "label/SQUAD", "team", "user_team", " Team ", "user:label/team"]
    assert read_policy(GOOD, "p").spelled("team", found) == (
        " Team ",
        "team",
        "user:Team",
        "user:label/team",
        "user_team",
        "label/SQUAD",
    )
    assert read_policy(GOOD, "p").spelled("team", ["name"]) == ("team",)


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("aliases: [squad]", "alias: [squad]"), 5, "keys.team.alias: Extra inputs are not permitted"),
        (("owner: x_Team", "owner: Team"), 4, "keys.team.owner: 'Team' is no owner column"),
        (("    owner: x_Team\n", ""), 3, "keys.team.owner: Field required"),
        (("[squad]", "[squad, ' ']"), 5, "keys.team.aliases.1: must be a text"),
        (("[squad]", "[user:Environment]"), 1, "keys: 'environment' is named twice"),
        (("spellings: {prod", "spellings: {live"), 6, "spellings: 'live' is not in the list `allowed`"),
        (("allowed: [prod, dev]", "allowed: []"), 8, "keys.environment.allowed: List should have at least"),
        (("spellings: {prod: [production]}", "pattern: a"), 6, "either a list `allowed` or a `pattern`"),
        (("aliases: [squad]", "pattern: '(('"), 5, "is no regular expression"),
        (("target: 0.9", "target: 2"), 1, "target: Input should be less than or equal to 1"),
        (("target: 0.9", "target: {"), 3, "no YAML"),
        (("target: 0.9", "target: 0.9\ntarget: 0.8"), 2, "target: stands here twice"),
        (("target: 0.9", "taggable: {where: [Charge=1]}"), 1, "taggable.where.0: there is no dimension"),
        (("target: 0.9", "taggable: {where: ['EffectiveCost>x']}"), 1, "'x' is no number"),
        (("target: 0.9", "target: !!python/object:os.system 1"), 1, "no YAML: could not determine"),
    ],
)
def test_what_is_wrong_has_its_line_and_field(
    tmp_path: Path, change: tuple[str, str], line: int, said: str
) -> None:
    file = tmp_path / FILE
    file.write_text(GOOD.replace(*change))
    with pytest.raises(InputRefused) as refused:
        tag_policy(tmp_path)
    assert f"{FILE}, line {line}: " in str(refused.value) and said in str(refused.value)
    assert refused.value.place is not None and refused.value.place.row == line


@pytest.mark.parametrize("text", ["", "- a", "keys: {}", "keys"])
def test_a_file_without_keys_is_no_policy(text: str) -> None:
    with pytest.raises(InputRefused, match="p"):
        read_policy(text, "p")
