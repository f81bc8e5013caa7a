"""Which tags every resource must carry, as HOME/rules/tag_policy.yaml says it, else the shipped policy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from finops_core.errors import InputRefused, Place, UsageError
from finops_core.focus.charges import OWNER_COLUMNS, TAG_PREFIXES
from finops_core.vocabulary.conditions import AllOf, AnyOf, Condition, Node, Not
from finops_core.vocabulary.dimensions import TAG, canonical

FILE = "tag_policy.yaml"
SOMETHING = r"\S"
"""The regular expression of a value that is more than blanks."""


@dataclass(frozen=True)
class Line(Place):
    """A line of a text file."""

    def __str__(self) -> str:
        return self.file if self.row is None else f"{self.file}, line {self.row:,}"


def _text(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be a text, of characters that can be read")
    return text


def _key(text: str) -> str:
    if _text(text) != text.strip():
        raise ValueError(f"{text!r} has blanks around it")
    return text


def _owner(text: str) -> str:
    if text not in OWNER_COLUMNS:
        raise ValueError(f"{text!r} is no owner column; known are {', '.join(OWNER_COLUMNS)}")
    return text


def _condition(text: str) -> str:
    try:
        check_condition(Condition.parse(text))
    except UsageError as error:
        raise ValueError(str(error)) from error
    return text


def _pattern(text: str) -> str:
    return _condition(str(Condition("tag:key", "matches", (_whole(text),)))) and text


def check_condition(node: Node) -> None:
    """Raises UsageError for a value that a dimension cannot be compared with."""
    from finops_core.model.engine import charges  # Ibis takes longer to import than most commands take
    from finops_core.vocabulary.expressions import condition

    condition(charges(), node)


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"


Text = Annotated[str, AfterValidator(_text)]
KeyName = Annotated[str, AfterValidator(_key)]
WhereText = Annotated[str, AfterValidator(_condition)]
Share = Annotated[Decimal, Field(ge=0, le=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TagKey(_Model):
    """A required key: what else it is called, which values it may have, and the owner column that it ends up in."""

    owner: Annotated[str, AfterValidator(_owner)]
    """The column whose value is the key's effective one: after spelling maps and allocation rules."""
    aliases: list[KeyName] = []
    allowed: Annotated[list[Text], Field(min_length=1)] | None = None
    pattern: Annotated[str, AfterValidator(_pattern)] | None = None
    """A regular expression (RE2) that a whole value must fit."""
    spellings: dict[Text, list[Text]] = {}
    """Allowed value → other spellings that are known to mean it; they do not count, but are proposed for it."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.allowed is not None and self.pattern is not None:
            raise ValueError("has either a list `allowed` or a `pattern`, not both")
        unknown = sorted(set(self.spellings) - set(self.allowed or ()))
        if unknown:
            raise ValueError(f"spellings: {unknown[0]!r} is not in the list `allowed`")
        return self

    @property
    def whole_pattern(self) -> str | None:
        """The pattern with its ends."""
        return None if self.pattern is None else _whole(self.pattern)

    @property
    def known_spellings(self) -> dict[str, str]:
        """A spelling in lower case → the allowed value that it means."""
        return {text.lower(): value for value, texts in self.spellings.items() for text in texts}


class Taggable(_Model):
    """What can carry tags: every condition must hold."""

    where: Annotated[list[WhereText], Field(min_length=1)]


def _shipped_taggable() -> Taggable:
    return shipped().taggable


def _shipped_services() -> dict[str, list[str]]:
    return shipped().services_without_tags


class TagPolicy(_Model):
    """The required keys, and what must carry them."""

    keys: Annotated[dict[KeyName, TagKey], Field(min_length=1)]
    target: Share = Decimal("0.95")
    """The coverage by cost that is aimed for."""
    taggable: Taggable = Field(default_factory=_shipped_taggable)
    services_without_tags: dict[Text, list[Text]] = Field(default_factory=_shipped_services)

    @model_validator(mode="after")
    def _each_key_once(self) -> Self:
        named = [bare(name) for key, found in self.keys.items() for name in (key, *found.aliases)]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(f"keys: {twice[0]!r} is named twice; case and providers' prefixes do not count")
        return self

    def taggable_conditions(self) -> tuple[Node, ...]:
        """What a taggable charge fulfils, each condition a reason why others are not taggable."""
        unable = [
            AllOf((Condition("ProviderName", "=", (provider,)), Condition("ServiceName", "in", tuple(names))))
            for provider, names in self.services_without_tags.items()
            if names
        ]
        conditions = [Condition.parse(text) for text in self.taggable.where]
        if unable:
            conditions.append(Not(unable[0] if len(unable) == 1 else AnyOf(tuple(unable))))
        return tuple(conditions)

    def names(self, key: str) -> tuple[str, ...]:
        """The names of a required key, itself first, as `bare` writes them."""
        return tuple(dict.fromkeys(bare(name) for name in (key, *self.keys[key].aliases)))

    def spelled(self, key: str, found: Sequence[str]) -> tuple[str, ...]:
        """The tag keys, of those found in the data, that mean a required key: first itself, then its aliases in order.

        Upper and lower case are the same, and providers' prefixes do not count. At least one: the key itself.
        """
        rank = {name: n for n, name in enumerate(self.names(key))}
        hits = sorted((rank[bare(name)], name) for name in found if bare(name) in rank)
        return tuple(name for _, name in hits) or (key,)

    def is_covered(self, key: str, spelled: Sequence[str]) -> Node:
        """Whether a charge has an allowed value of a key, under any of the spellings."""
        rule = self.keys[key]
        filled = [Condition(tag_dimension(name), "matches", (SOMETHING,)) for name in spelled]
        if rule.allowed is not None:
            return any_of([Condition(tag_dimension(name), "in", tuple(rule.allowed)) for name in spelled])
        if rule.whole_pattern is not None:
            fits = [Condition(tag_dimension(name), "matches", (rule.whole_pattern,)) for name in spelled]
            return any_of([AllOf(pair) for pair in zip(fits, filled, strict=True)])
        return any_of(filled)


def bare(name: str) -> str:
    """A tag key in lower case, without blanks around it and without providers' prefixes."""
    text = name.strip(" \t\n\r").lower()
    while prefix := next((p for p in TAG_PREFIXES if p and text.startswith(p)), ""):
        text = text.removeprefix(prefix)
    return text


def tag_dimension(name: str) -> str:
    """The dimension of a key exactly as it stands in the data."""
    return canonical(TAG + '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"')


def any_of(nodes: Sequence[Node]) -> Node:
    """At least one holds."""
    return nodes[0] if len(nodes) == 1 else AnyOf(tuple(nodes))


@cache
def shipped() -> "TagPolicy":
    """The policy where a home has none."""
    return read_policy(shipped_text(), FILE)


def shipped_text() -> str:
    """The shipped policy as it is written: where to start from."""
    return resources.files("finops_core.quality").joinpath(FILE).read_text("utf-8")


def tag_policy(rules: Path) -> TagPolicy:
    """The policy of HOME/rules. Raises InputRefused naming file, line and field."""
    file = rules / FILE
    if not file.exists():
        return shipped()
    try:
        return read_policy(file.read_text("utf-8-sig"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(f"cannot be read: {error}", Place(str(file))) from error


def read_policy(text: str, name: str) -> TagPolicy:
    """The policy of a YAML text. Raises InputRefused naming line and field of what is wrong."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_twins(node, name)
        found: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        words = getattr(error, "problem", None) or " ".join(str(error).split())[:200]
        raise InputRefused(f"no YAML: {words}", Line(name, mark.line + 1 if mark else None)) from error
    except RecursionError as error:
        raise InputRefused("no YAML: nested too deeply", Place(name)) from error
    if not isinstance(found, dict):
        raise InputRefused("must be a mapping with `keys`", Line(name, 1))
    try:
        return TagPolicy.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        where = [part for part in first["loc"] if part != "[key]"]
        field = ".".join(str(part) for part in where)
        words = first["msg"].removeprefix("Value error, ")
        raise InputRefused(
            f"{field}: {words}" if field else words, Line(name, _line(node, where), field or None)
        ) from error


def _line(node: yaml.Node | None, path: Sequence[str | int]) -> int | None:
    """The line of the deepest part of a path that is there."""
    line = None if node is None else node.start_mark.line + 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pair = next((p for p in node.value if p[0].value == str(part)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line


def _refuse_twins(node: yaml.Node | None, name: str) -> None:
    """YAML would take the last of two fields of one name, silently."""
    for mapping in _mappings(node):
        seen: set[str] = set()
        for key, _ in mapping.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise InputRefused(
                    f"{key.value}: stands here twice", Line(name, key.start_mark.line + 1, key.value)
                )
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else "")


def _mappings(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    waiting, seen = [node], set[int]()
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, yaml.MappingNode):
            yield current
            waiting += [part for pair in current.value for part in pair]
        elif isinstance(current, yaml.SequenceNode):
            waiting += current.value
