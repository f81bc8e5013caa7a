"""The family of machines that a charge is for, from the machine or usage type as the clouds write it."""

import re

_AWS = re.compile(r"(?:^|[:\s])(?:ml\.)?((?:(?:db|cache|dax)\.)?[a-z][a-z0-9-]*[0-9][a-z0-9-]*)\.(?:[0-9]*x?l(?:arge)?|nano|micro|small|medium|metal)")  # fmt: skip
_GOOGLE_TYPE = re.compile(
    r"^([a-z][a-z0-9]{1,3})-(?:standard|high|ultra|mega|mem|medium|micro|small|custom|node)"
)
_GOOGLE_SKU = re.compile(
    r"^(?:Spot Preemptible |Preemptible )?([A-Z][0-9][A-Z]?)\b.*\b(?:Core|Ram|Instance)\b"
)
_AZURE = re.compile(
    r"^(?:Standard_|Basic_)?([A-Z]{1,2})\d+(?:-\d+)?([a-z]*)(?:[ _](v\d+))?(?:/.*)?(?: Spot| Low Priority| Expired)?$"
)


def family(instance_type: str | None, usage_type: str | None) -> str | None:
    """`m6i`, `db.r6g` (AWS), `n2` (Google Cloud), `Dsv5` (Azure); None where neither tells one, as for disks and floating plans."""
    for text in (instance_type, usage_type):
        if not text:
            continue
        if found := _AWS.search(text):
            return found.group(1)
        if found := _GOOGLE_TYPE.match(text) or _GOOGLE_SKU.match(text):
            return found.group(1).lower()
        if found := _AZURE.match(text):
            return "".join(part or "" for part in found.groups())
    return None
