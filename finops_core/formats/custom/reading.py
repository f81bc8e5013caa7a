"""YAML → mapping. Whatever is wrong is said with the file and the field, or the row."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from finops_core.errors import InputRefused, Place
from finops_core.formats.custom.mapping import Mapping

HOW_TO = "docs/how-to/any-csv.md shows a mapping"
SUFFIXES = (".yaml", ".yml")

_WORDS = {
    "extra_forbidden": "is no field of a mapping",
    "missing": "is missing",
    "string_type": "must be text",
    "dict_type": "must be a mapping of names",
    "list_type": "must be a list",
    "model_type": "must be a mapping of fields",
    "too_short": "must not be empty",
}


class _Loader(yaml.BaseLoader):
    """Every scalar is text, so NO stays Norway; a key that stands twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def parse_mapping(text: str, file: str) -> Mapping:
    """The mapping in a YAML text. Raises InputRefused with the file and the field."""
    try:
        found = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        row = error.problem_mark.line + 1 if error.problem_mark else None
        raise InputRefused(f"no YAML: {error.problem}", Place(file, row), HOW_TO) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise InputRefused(f"no YAML: {error}", Place(file), HOW_TO) from error
    if not isinstance(found, dict):
        raise InputRefused("must be a mapping of fields", Place(file), HOW_TO)
    try:
        return Mapping.model_validate(found)
    except ValidationError as error:
        said = [_said(e["loc"], e["type"], e["msg"]) for e in error.errors()]
        raise InputRefused("; ".join(dict.fromkeys(said)), Place(file), HOW_TO) from error


def _said(location: tuple[int | str, ...], kind: str, message: str) -> str:
    field = ".".join(str(part) for part in location if part != "[key]")
    words = _WORDS.get(kind) or message.removeprefix("Value error, ")
    return f"{field}: {words}" if field else words


def read_mapping(file: Path) -> Mapping:
    """The mapping in a file. Raises InputRefused with the file and the field."""
    try:
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise InputRefused(f"cannot be read: {error.strerror}", Place(str(file))) from error
    except UnicodeDecodeError as error:
        raise InputRefused("not UTF-8 text", Place(str(file)), "Save it as UTF-8") from error
    return parse_mapping(text, str(file))


def read_mappings(directory: Path) -> list[Mapping]:
    """All mappings of a directory, one a YAML file. Raises InputRefused with the file and the field."""
    by_name: dict[str, Path] = {}
    found = []
    for file in sorted(f for f in directory.glob("*") if f.suffix.lower() in SUFFIXES and f.is_file()):
        mapping = read_mapping(file)
        if mapping.name in by_name:
            other = by_name[mapping.name]
            raise InputRefused(f"name: {mapping.name!r} is also the name of {other}", Place(str(file)))
        by_name[mapping.name] = file
        found.append(mapping)
    return found
