"""The tag policy for the systems that can enforce it where resources are made: AWS Organizations, Azure Policy, OPA."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finops_core.errors import UsageError
from finops_core.quality.tag_policy import FILE, TagKey, TagPolicy, shipped_text, tag_policy

TAG_POLICY_LIMIT, SCP_LIMIT = 10_000, 5_120
"""The characters that AWS Organizations takes for a tag policy, and for a service control policy."""
_AWS_KEY = re.compile(r"(?!aws:)[\w .:/=+@-]{1,128}", re.I)
_AWS_VALUE = re.compile(r"[\w .:/=+@-]{1,256}")
_AZURE_KEY = re.compile(r"[^<>%&\\?/']{1,512}")
_AZURE_VALUE_LENGTH = 256
_CREATION = {
    "dynamodb:CreateTable": "dynamodb:*:*:table/*",
    "ec2:CreateVolume": "ec2:*:*:volume/*",
    "ec2:RunInstances": "ec2:*:*:instance/*",
    "ecs:CreateCluster": "ecs:*:*:cluster/*",
    "eks:CreateCluster": "eks:*:*:cluster/*",
    "elasticloadbalancing:CreateLoadBalancer": "elasticloadbalancing:*:*:loadbalancer/*",
    "lambda:CreateFunction": "lambda:*:*:function:*",
    "rds:CreateDBCluster": "rds:*:*:cluster:*",
    "rds:CreateDBInstance": "rds:*:*:db:*",
    "redshift:CreateCluster": "redshift:*:*:cluster:*",
}
"""Actions of AWS that take tags with the request that makes a resource → the resource (ARN without its partition)."""


@dataclass(frozen=True)
class Exported:
    """A policy for another system, and what it cannot say there."""

    name: str
    """A file name."""
    text: str
    notes: tuple[str, ...] = ()


def exported(rules: Path, form: str) -> Exported:
    """The policy of HOME/rules as one of FORMS. Raises UsageError for another form, and for what a system cannot take."""
    policy = tag_policy(rules)
    if form == "yaml":
        file = rules / FILE
        return Exported(FILE, file.read_text("utf-8-sig") if file.exists() else shipped_text())
    if form not in FORMS:
        raise UsageError(f"there is no form {form!r}; known are {', '.join(('yaml', *FORMS))}")
    return FORMS[form](policy)


def aws_tag_policy(policy: TagPolicy) -> Exported:
    """A tag policy of AWS Organizations: how keys and values are written. It does not make anybody set them."""
    notes = list(_patterns_lost(policy, "a tag policy"))
    tags: dict[str, Any] = {}
    for key, rule in policy.keys.items():
        tags[_aws_key(key)] = {"tag_key": {"@@assign": key}}
        if rule.allowed is not None:
            tags[key]["tag_value"] = {"@@assign": [_aws_value(value) for value in rule.allowed]}
    notes.append("a tag policy judges tags that are set, it demands none: use it with aws-scp")
    return Exported(
        "aws-tag-policy.json", _within({"tags": tags}, TAG_POLICY_LIMIT, "a tag policy"), tuple(notes)
    )


def aws_scp(policy: TagPolicy) -> Exported:
    """A service control policy: nothing is made without the required tags, nor with a value that is not allowed."""
    notes = (
        *_patterns_lost(policy, "a service control policy"),
        f"it covers {len(_CREATION)} actions that make most of what costs money: {', '.join(_CREATION)}",
        "try it on one organisational unit first: what deploys without tags stops there",
    )
    statements: list[dict[str, Any]] = []
    for number, (key, rule) in enumerate(policy.keys.items(), start=1):
        tag = f"aws:RequestTag/{_aws_key(key)}"
        statements.append(_denied(f"Require{number}", {"Null": {tag: "true"}}))
        if rule.allowed is not None:
            values = [_aws_value(value) for value in rule.allowed]
            statements.append(
                _denied(f"Allowed{number}", {"StringNotEquals": {tag: values}, "Null": {tag: "false"}})
            )
    document = {"Version": "2012-10-17", "Statement": statements}
    return Exported("aws-scp.json", _within(document, SCP_LIMIT, "a service control policy"), notes)


def _denied(sid: str, when: dict[str, Any]) -> dict[str, Any]:
    arns = [f"arn:*:{resource}" for resource in dict.fromkeys(_CREATION.values())]
    return {"Sid": sid, "Effect": "Deny", "Action": list(_CREATION), "Resource": arns, "Condition": when}


def _aws_key(key: str) -> str:
    if not _AWS_KEY.fullmatch(key):
        raise UsageError(
            f"AWS takes no tag key {key!r}: at most 128 letters, digits, blanks and . : / = + - @ _, without aws: before it"
        )
    return key


def _aws_value(value: str) -> str:
    if not _AWS_VALUE.fullmatch(value):
        raise UsageError(
            f"AWS takes no tag value {value!r}: at most 256 letters, digits, blanks and . : / = + - @ _"
        )
    return value


def _within(document: dict[str, Any], limit: int, what: str) -> str:
    """Indented where there is room, else compact."""
    for text in (json.dumps(document, indent=2) + "\n", json.dumps(document, separators=(",", ":"))):
        if len(text) <= limit:
            return text
    raise UsageError(
        f"{what} has at most {limit:,} characters, and this one needs {len(text):,}: shorten the lists of allowed values"
    )


def azure_policy(policy: TagPolicy) -> Exported:
    """Azure Policy: a definition a rule and an initiative of all, as a template for a subscription
    (`az deployment sub create --location … --template-file azure-policy.json`)."""
    definitions = []
    for key, rule in policy.keys.items():
        field = f"tags['{_azure_key(key)}']"
        missing = {"anyOf": [{"field": field, "exists": False}, {"field": field, "equals": ""}]}
        definitions.append(_definition(f"require-{key}", f"Require the tag {key}", missing))
        if rule.allowed is not None:
            long = next((v for v in rule.allowed if len(v) > _AZURE_VALUE_LENGTH), None)
            if long is not None:
                raise UsageError(f"Azure takes no tag value of more than 256 characters: {long[:40]}…")
            wrong = {
                "allOf": [{"field": field, "exists": True}, {"field": field, "notIn": list(rule.allowed)}]
            }
            definitions.append(_definition(f"allowed-{key}", f"Allowed values of the tag {key}", wrong))
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [*definitions, _initiative([d["name"] for d in definitions])],
    }
    notes = (
        *_patterns_lost(policy, "Azure Policy"),
        "Azure compares the keys of tags, and values in notIn, without regard to case",
        "the effect is audit: set it to deny when the figures are good",
    )
    return Exported("azure-policy.json", json.dumps(template, indent=2, ensure_ascii=False) + "\n", notes)


_EFFECT = {
    "type": "String",
    "allowedValues": ["audit", "deny", "disabled"],
    "defaultValue": "audit",
    "metadata": {"displayName": "Effect"},
}


def _definition(name: str, title: str, when: dict[str, Any]) -> dict[str, Any]:
    # In a template, [[ is how an expression of the policy's own is written.
    return {
        "type": "Microsoft.Authorization/policyDefinitions",
        "apiVersion": "2021-06-01",
        "name": _azure_name(name),
        "properties": {
            "policyType": "Custom",
            "mode": "Indexed",
            "displayName": title,
            "metadata": {"category": "Tags", "version": "1.0.0"},
            "parameters": {"effect": _EFFECT},
            "policyRule": {"if": when, "then": {"effect": "[[parameters('effect')]"}},
        },
    }


def _initiative(names: list[str]) -> dict[str, Any]:
    kind = "Microsoft.Authorization/policyDefinitions"
    return {
        "type": "Microsoft.Authorization/policySetDefinitions",
        "apiVersion": "2021-06-01",
        "name": "farthing-tags",
        "dependsOn": [f"[subscriptionResourceId('{kind}', '{name}')]" for name in names],
        "properties": {
            "policyType": "Custom",
            "displayName": "Required tags",
            "metadata": {"category": "Tags", "version": "1.0.0"},
            "parameters": {"effect": _EFFECT},
            "policyDefinitions": [
                {
                    "policyDefinitionId": f"[subscriptionResourceId('{kind}', '{name}')]",
                    "policyDefinitionReferenceId": name,
                    "parameters": {"effect": {"value": "[[parameters('effect')]"}},
                }
                for name in names
            ],
        },
    }


def _azure_key(key: str) -> str:
    if not _AZURE_KEY.fullmatch(key):
        raise UsageError(
            f"Azure Policy takes no tag {key!r}: at most 512 characters, none of < > % & \\ ? / '"
        )
    return key


def _azure_name(text: str) -> str:
    return "farthing-" + re.sub(r"[^a-z0-9-]+", "-", text.lower())[:55].strip("-")


def rego(policy: TagPolicy) -> Exported:
    """A package of OPA (Rego v1): `deny` over a Terraform plan (`terraform show -json`), or over {"resources": [{"name",
    "tags"}]}."""
    names = {key: [key, *rule.aliases] for key, rule in policy.keys.items()}
    allowed = {key: rule.allowed for key, rule in policy.keys.items() if rule.allowed is not None}
    patterns = {key: f"^(?:{rule.pattern})$" for key, rule in policy.keys.items() if rule.pattern is not None}
    data = "\n\n".join(
        f"{name} := {json.dumps(value, indent=2, ensure_ascii=False)}"
        for name, value in (("required", names), ("allowed", allowed), ("patterns", patterns))
    )
    return Exported("tags.rego", f"{_REGO_HEAD}\n{data}\n{_REGO_RULES}")


_REGO_HEAD = """\
# Required tags, exported from Farthing's tag policy. Aliases of a key count; upper and lower case of keys are the same.
package farthing.tags

import rego.v1
"""
_REGO_RULES = """
resources contains resource if {
	some resource in input.resources
}

resources contains {"name": change.address, "tags": object.get(change.change.after, "tags_all", tags)} if {
	some change in input.resource_changes
	some action in change.change.actions
	action in {"create", "update"}
	tags := change.change.after.tags
}

carried contains [resource, key, value] if {
	some resource in resources
	is_object(resource.tags)
	some name, value in resource.tags
	some key, known in required
	some spelling in known
	lower(trim_space(name)) == lower(spelling)
	trim_space(value) != ""
}

values(resource, key) := {carry[2] | some carry in carried; carry[0] == resource; carry[1] == key}

fits(key, value) if {
	not allowed[key]
	not patterns[key]
}

fits(key, value) if value in allowed[key]

fits(key, value) if regex.match(patterns[key], value)

deny contains message if {
	some resource in resources
	some key, _ in required
	count(values(resource, key)) == 0
	message := concat("", [resource.name, " has no tag ", key])
}

deny contains message if {
	some resource in resources
	some key, _ in required
	found := values(resource, key)
	count(found) > 0
	count({value | some value in found; fits(key, value)}) == 0
	message := concat("", [resource.name, ": the value of the tag ", key, " is not allowed: ", concat(", ", sort(found))])
}
"""


def _patterns_lost(policy: TagPolicy, where: str) -> Iterator[str]:
    lost = [key for key, rule in policy.keys.items() if _has_pattern(rule)]
    if lost:
        yield f"{where} knows no regular expressions: any value of {', '.join(lost)} passes there"


def _has_pattern(rule: TagKey) -> bool:
    return rule.pattern is not None


FORMS: dict[str, Callable[[TagPolicy], Exported]] = {
    "aws-tag-policy": aws_tag_policy,
    "aws-scp": aws_scp,
    "azure-policy": azure_policy,
    "rego": rego,
}
"""How the policy can be written for others."""
