"""Tag keys that become plain columns at load: grouping by a column is far faster than by a key of Tags."""

from functools import cache
from importlib import resources
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finops_core.errors import InputRefused, Place
from finops_core.focus.charges import OWNER_COLUMNS, TAG_PREFIXES
from finops_core.formats.expressions import quoted


class OwnerRule(BaseModel):
    """Where an owner column takes its value from: tag keys in order, and spellings that mean one value."""

    model_config = ConfigDict(extra="forbid")
    keys: list[str] = Field(min_length=1)
    values: dict[str, list[str]] = {}


@cache
def _default() -> str:
    return resources.files("finops_core.store").joinpath("owners.yaml").read_text("utf-8")


def owner_rules(directory: Path) -> dict[str, OwnerRule]:
    """The rules of HOME/rules/owners.yaml, else the shipped ones. Raises InputRefused naming file and field."""
    file = directory / "owners.yaml"
    text = file.read_text("utf-8") if file.exists() else _default()
    place = Place(str(file))
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise InputRefused(f"no YAML: {error}", place) from error
    if not isinstance(found, dict):
        raise InputRefused("must be a mapping of owner columns", place)
    unknown = set(found) - set(OWNER_COLUMNS)
    if unknown:
        raise InputRefused(
            f"{sorted(unknown)[0]!r} is no owner column", place, f"Known are {', '.join(OWNER_COLUMNS)}"
        )
    try:
        return {column: OwnerRule.model_validate(rule) for column, rule in found.items()}
    except ValidationError as error:
        first = error.errors()[0]
        raise InputRefused(f"{'.'.join(str(p) for p in first['loc'])}: {first['msg']}", place) from error


def owners_sql(rules: dict[str, OwnerRule], tags: str) -> str:
    """SELECT Tags and the owner columns from a relation with a column Tags (each value once).

    Keys are compared in lower case and without a provider's prefix; the first key of a rule that has a value wins.
    """
    columns = []
    for column in OWNER_COLUMNS:
        rule = rules.get(column)
        if rule is None:
            columns.append(f"CAST(NULL AS VARCHAR) AS {column}")
            continue
        candidates = [prefix + key.lower() for key in rule.keys for prefix in TAG_PREFIXES]
        value = "coalesce(" + ", ".join(f"pairs[{quoted(c)}]" for c in candidates) + ")"
        spelled = {s.lower(): name for name, spellings in rule.values.items() for s in spellings}
        if spelled:
            cases = " ".join(f"WHEN {quoted(s)} THEN {quoted(name)}" for s, name in spelled.items())
            value = f"CASE lower({value}) {cases} ELSE {value} END"
        columns.append(f"{value} AS {column}")
    return f"""SELECT Tags, {", ".join(columns)} FROM (
        SELECT Tags, map_from_entries(list_distinct_by_key) AS pairs FROM (
            SELECT Tags, list(struct_pack(k := k, v := v)) AS list_distinct_by_key FROM (
                SELECT Tags, lower(trim(key)) AS k, min(nullif(trim(json_extract_string(Tags, '$."' || key || '"')), '')) AS v
                FROM (SELECT Tags, unnest(json_keys(Tags)) AS key FROM {tags} WHERE json_valid(Tags))
                WHERE position('"' IN key) = 0
                GROUP BY ALL)
            GROUP BY Tags))"""
