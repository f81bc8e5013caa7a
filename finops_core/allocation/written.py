"""YAML that people write, read so that every value knows its line. All scalars stay text: `0123` is an account id."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from finops_core.errors import InputRefused, Place

_DEEPEST = 40
_TAGS = ("!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq")))
"""YAML's marks of a type that change nothing, as all scalars are text."""
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Written:
    """A YAML file: its name, its data (mappings, lists and text), and the line of each place in it."""

    name: str
    data: Any
    lines: dict[tuple[Hashable, ...], int]

    def place(self, path: Sequence[Hashable] = ()) -> Place:
        """Where a value stands: the line of the deepest part of its path that is written."""
        for length in range(len(path), -1, -1):
            line = self.lines.get(tuple(path[:length]))
            if line is not None:
                return Place(self.name, line=line)
        return Place(self.name)

    def validated(self, model: type[Model], context: Mapping[str, bool] | None = None) -> Model:
        """The data as a pydantic model, whose validators may ask for the context. Raises InputRefused with the file, the line and the field."""
        try:
            return model.model_validate(self.data, context=context)
        except ValidationError as error:
            found = error.errors(include_url=False)
            # A name that is spelt wrong is both unknown and missing: the first says more.
            first = next((e for e in found if e["type"] == "extra_forbidden"), found[0])
            path = first["loc"]
            words = first["msg"].removeprefix("Value error, ")
            if first["type"] == "extra_forbidden":
                words = "there is no such field"
            field = ".".join(str(part + 1 if isinstance(part, int) else part) for part in path)
            field = field or "the file"
            raise InputRefused(f"{field}: {words}", self.place(path)) from error


def excerpt(text: str, line: int, around: int = 2) -> str:
    """A line of a text, marked, with its number and the lines around it; the last lines where there is none of the number."""
    lines = text.splitlines()
    wanted = min(line, len(lines))
    shown = range(max(wanted - around, 1), min(wanted + around, len(lines)) + 1)
    width = len(str(shown.stop))
    return "\n".join(f"{'>' if n == wanted else ' '} {n:{width}}  {lines[n - 1]}".rstrip() for n in shown)


def text_of(file: Path) -> str:
    """What people wrote into a file. Raises InputRefused where there is none, or it is no text."""
    try:
        return file.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise InputRefused("there is no such file", Place(str(file))) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused("cannot be read as text in UTF-8", Place(str(file))) from error


def in_force(file: Path, model: type[Model], usual: Callable[[], Model]) -> Model:
    """What a file of rules says; what is usual where there is none, or it is empty. Raises InputRefused with file, line and field."""
    if not file.exists():
        return usual()
    found = read(text_of(file), file.name)
    return usual() if found.data in (None, "") else found.validated(model)


def read(text: str, name: str, applied: bool = False) -> Written:
    """Reads one YAML document. Raises InputRefused for what is no YAML, for a key that is written twice, for aliases and, unless it
    was `applied` before, for marks of a type such as !!binary."""
    try:
        _check_events(text, name, applied)
        root = yaml.compose(text, Loader=yaml.BaseLoader)
        lines: dict[tuple[Hashable, ...], int] = {}
        if root is not None:
            _walk(root, (), lines, name)
        return Written(name, yaml.load(text, Loader=yaml.BaseLoader), lines)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or " ".join(str(error).split())[:200]
        line = mark.line + 1 if mark else None
        if isinstance(error, yaml.reader.ReaderError):
            line = text.count("\n", 0, error.position) + 1
        raise InputRefused(f"no YAML: {problem}", Place(name, line=line)) from error


def _check_events(text: str, name: str, applied: bool) -> None:
    """Refuses marks that would not be heeded, aliases, which can make much out of little, and depth: the parser takes the longer the deeper it is."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        place = Place(name, line=event.start_mark.line + 1 if event.start_mark else None)
        if isinstance(event, yaml.AliasEvent):
            raise InputRefused("YAML aliases (*name) are not taken: write the value out", place)
        tag: str | None = getattr(event, "tag", None)
        if tag is not None and tag not in _TAGS and not applied:
            told = tag.replace("tag:yaml.org,2002:", "!!")
            raise InputRefused(f"the mark {told} has no meaning here: leave it away", place)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise InputRefused(f"is nested more than {_DEEPEST} deep", place)


def _walk(
    node: yaml.Node, path: tuple[Hashable, ...], lines: dict[tuple[Hashable, ...], int], name: str
) -> None:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                raise InputRefused("a key is a name, no list and no mapping", Place(name, line=line))
            at = (*path, key.value)
            if at in lines:
                raise InputRefused(
                    f"{key.value!r} is written twice, first in line {lines[at]}",
                    Place(name, line=key.start_mark.line + 1),
                )
            lines[at] = key.start_mark.line + 1
            _walk(value, at, lines, name)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(item, (*path, number), lines, name)
