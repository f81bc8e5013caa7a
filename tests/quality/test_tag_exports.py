"""The tag policy for other systems: held against the grammar that each documents, and Rego against an interpreter."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import regopy

from finops_core.errors import UsageError
from finops_core.quality.tag_exports import (
    FORMS,
    SCP_LIMIT,
    TAG_POLICY_LIMIT,
    aws_scp,
    aws_tag_policy,
    azure_policy,
    exported,
    rego,
)
from finops_core.quality.tag_policy import TagPolicy, read_policy, shipped

POLICY = read_policy(
    "keys:\n"
    "  team: {owner: x_Team, aliases: [squad]}\n"
    "  Environment: {owner: x_Environment, aliases: [env], allowed: [prod, dev]}\n"
    "  cc: {owner: x_CostCenter, pattern: 'CC-[0-9]+'}\n",
    "policy",
)


def keyed(values: str, key: str = "team") -> TagPolicy:
    return read_policy(f"keys: {{'{key}': {{owner: x_Team, allowed: [{values}]}}}}", "p")


@pytest.mark.parametrize("policy", [POLICY, shipped()])
def test_a_tag_policy_of_aws(policy: TagPolicy) -> None:
    text = aws_tag_policy(policy).text
    assert len(text) <= TAG_POLICY_LIMIT
    found = json.loads(text)
    assert list(found) == ["tags"]
    for key, rule in found["tags"].items():
        assert set(rule) <= {"tag_key", "tag_value", "enforced_for"}
        assert all(set(part) == {"@@assign"} for part in rule.values())
        assert rule["tag_key"]["@@assign"].lower() == key.lower()
        for value in rule.get("tag_value", {"@@assign": []})["@@assign"]:
            assert value.count("*") <= 1 and len(value) <= 256
    assert {k: r["tag_value"]["@@assign"] for k, r in found["tags"].items() if "tag_value" in r} == {
        key: rule.allowed for key, rule in policy.keys.items() if rule.allowed
    }


@pytest.mark.parametrize("policy", [POLICY, shipped()])
def test_a_service_control_policy_of_aws(policy: TagPolicy) -> None:
    text = aws_scp(policy).text
    assert len(text) <= SCP_LIMIT
    found = json.loads(text)
    assert found["Version"] == "2012-10-17" and set(found) == {"Version", "Statement"}
    sids = [statement["Sid"] for statement in found["Statement"]]
    assert len(set(sids)) == len(sids)
    needed = set()
    for statement in found["Statement"]:
        assert set(statement) == {"Sid", "Effect", "Action", "Resource", "Condition"}
        assert re.fullmatch("[0-9A-Za-z]+", statement["Sid"]) and statement["Effect"] == "Deny"
        assert all(re.fullmatch(r"[a-z0-9-]+:[A-Z]\w+", action) for action in statement["Action"])
        assert all(re.fullmatch(r"arn:\*:[a-z0-9]+:\*:\*:[^:]+(:\*)?", arn) for arn in statement["Resource"])
        assert set(statement["Condition"]) <= {"Null", "StringNotEquals"}
        if statement["Condition"].get("Null", {}) and "StringNotEquals" not in statement["Condition"]:
            ((tag, value),) = statement["Condition"]["Null"].items()
            assert value == "true"
            needed.add(tag.removeprefix("aws:RequestTag/"))
    assert needed == set(policy.keys)


def test_what_aws_cannot_take_is_refused() -> None:
    with pytest.raises(UsageError, match="at most 10,000 characters"):
        aws_tag_policy(keyed(", ".join(f"value-{n:04}-{'x' * 40}" for n in range(400))))
    with pytest.raises(UsageError, match="at most 5,120 characters"):
        aws_scp(keyed(", ".join(f"value-{n:04}-{'x' * 40}" for n in range(100))))
    with pytest.raises(UsageError, match="no tag key 'aws:team'"):
        aws_scp(keyed("a", "aws:team"))
    with pytest.raises(UsageError, match="no tag value"):
        aws_tag_policy(keyed("'a*b*'"))
    assert any("any value of cc passes" in note for note in aws_scp(POLICY).notes)


def conditions(rule: dict[str, Any]) -> list[dict[str, Any]]:
    """The leaves of the `if` of an Azure Policy."""
    for joined in ("anyOf", "allOf"):
        if joined in rule:
            assert set(rule) == {joined} and rule[joined]
            return [leaf for part in rule[joined] for leaf in conditions(part)]
    return [rule]


def test_definitions_and_initiative_of_azure_policy() -> None:
    template = json.loads(azure_policy(POLICY).text)
    assert template["$schema"].endswith("subscriptionDeploymentTemplate.json#")
    *definitions, initiative = template["resources"]
    assert [d["name"] for d in definitions] == [
        "farthing-require-team",
        "farthing-require-environment",
        "farthing-allowed-environment",
        "farthing-require-cc",
    ]
    for definition in definitions:
        assert definition["type"] == "Microsoft.Authorization/policyDefinitions"
        properties = definition["properties"]
        assert properties["mode"] == "Indexed" and properties["policyType"] == "Custom"
        assert properties["parameters"]["effect"]["defaultValue"] == "audit"
        assert properties["policyRule"]["then"] == {"effect": "[[parameters('effect')]"}
        for leaf in conditions(properties["policyRule"]["if"]):
            assert re.fullmatch(r"tags\['[^']+'\]", leaf["field"])
            assert len(leaf) == 2 and set(leaf) & {"exists", "equals", "notIn"}
    members = initiative["properties"]["policyDefinitions"]
    assert [m["policyDefinitionReferenceId"] for m in members] == [d["name"] for d in definitions]
    assert initiative["dependsOn"] == [m["policyDefinitionId"] for m in members]
    with pytest.raises(UsageError, match="Azure Policy takes no tag"):
        azure_policy(keyed("a", "a/b"))


def denied(given: dict[str, Any]) -> set[str]:
    """What OPA's language, as an interpreter that is not ours runs it, denies."""
    interpreter = regopy.Interpreter()
    interpreter.add_module("tags", rego(POLICY).text)
    interpreter.set_input(given)
    return set(json.loads(str(interpreter.query("data.farthing.tags.deny")))["expressions"][0])


def test_rego_denies_what_the_policy_does_not_allow() -> None:
    resources = [
        {"name": "good", "tags": {"Team": "x", "env": "prod", "cc": "CC-12"}},
        {"name": "wrong", "tags": {"squad": "x", "environment": "production", "cc": "CC-1x"}},
        {"name": "blank", "tags": {"team": " ", "environment": "dev", "CC": "CC-1"}},
        {"name": "bare", "tags": None},
    ]
    assert denied({"resources": resources}) == {
        "wrong: the value of the tag Environment is not allowed: production",
        "wrong: the value of the tag cc is not allowed: CC-1x",
        "blank has no tag team",
        "bare has no tag team",
        "bare has no tag Environment",
        "bare has no tag cc",
    }


def test_rego_reads_a_plan_of_terraform() -> None:
    full = {"team": "x", "Environment": "dev", "cc": "CC-1"}
    changes = [
        ("a.kept", ["update"], {"tags": {}, "tags_all": full}),
        ("a.gone", ["delete"], {"tags": {}}),
        ("a.untaggable", ["create"], {"name": "n"}),
        ("a.new", ["create"], {"tags": {**full, "team": ""}}),
    ]
    plan = [{"address": a, "change": {"actions": b, "after": c}} for a, b, c in changes]
    assert denied({"resource_changes": plan}) == {"a.new has no tag team"}


def test_forms(tmp_path: Path) -> None:
    for form in (*FORMS, "yaml"):
        assert exported(tmp_path, form).text
    with pytest.raises(UsageError, match="no form 'xml'"):
        exported(tmp_path, "xml")
