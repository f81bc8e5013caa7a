"""Changes of allocation.yaml as text: comments, order and layout of everything else stay as somebody wrote them.

Each function knows what the data must be afterwards. Where a change of the lines does not lead there, as in a file that is
written in braces, the file is written anew from the data, without its comments.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import yaml

from finops_core.allocation import written
from finops_core.allocation.ruleset import FILE
from finops_core.errors import InputRefused, Place, UsageError

Section = Literal["rules", "pools"]
_WIDTH = 120


def with_rule(
    text: str, rule: Mapping[str, Any], before: str | None = None, section: Section = "rules"
) -> str:
    """Adds an entry: before the first of a name, else as the last. Raises UsageError where there is none of that name."""
    data, entry = _data(text), _plain(rule)
    entries = _entries(data, section)
    at = len(entries) if before is None else _first(entries, before, section)
    entries.insert(at, entry)

    def by_lines() -> str:
        found = _Lines.of(text, section)
        return found.with_block(found.start(at), _dumped([entry]))

    return _changed(data, by_lines)


def without_rule(text: str, name: str, section: Section = "rules") -> str:
    """Takes all entries of a name away, with the comments right above them. Raises UsageError where there is none."""
    data = _data(text)
    entries = _entries(data, section)
    _first(entries, name, section)
    gone = [number for number, entry in enumerate(entries) if _name(entry) == name]
    data[section] = [entry for entry in entries if _name(entry) != name]

    def by_lines() -> str:
        found = _Lines.of(text, section)
        for number in reversed(gone):
            del found.lines[found.start(number) : found.end(number)]
        return found.text()

    return _changed(data, by_lines)


def moved(text: str, name: str, before: str | None, section: Section = "rules") -> str:
    """Moves all entries of a name, with the comments right above them: before the first of another, else to the end.

    Raises UsageError where there is none of a name, and where a rule is to be moved before itself.
    """
    if before == name:
        raise UsageError(f"{name!r} cannot stand before itself")
    data = _data(text)
    entries = _entries(data, section)
    _first(entries, name, section)
    if before is not None:
        _first(entries, before, section)
    going = [number for number, entry in enumerate(entries) if _name(entry) == name]
    staying = [entry for entry in entries if _name(entry) != name]
    at = len(staying) if before is None else _first(staying, before, section)
    data[section] = [*staying[:at], *(entries[number] for number in going), *staying[at:]]

    def by_lines() -> str:
        found = _Lines.of(text, section)
        target = len(entries) if before is None else _first(entries, before, section)
        block = [line for n in going for line in found.lines[found.start(n) : found.end(n)]]
        place = found.start(target)
        for number in reversed(going):
            start, end = found.start(number), found.end(number)
            del found.lines[start:end]
            place -= end - start if start < place else 0
        found.lines[place:place] = block
        return found.text()

    return _changed(data, by_lines)


def with_spellings(text: str, name: str, column: str, spellings: Mapping[str, Sequence[str]]) -> str:
    """Adds spellings (value → how else it is spelt) to what a rule takes from a tag; of several revisions, to the last.

    Raises UsageError where no rule of the name takes the column from a tag.
    """
    data = _data(text)
    entries = _entries(data, "rules")
    _first(entries, name, "rules")
    number = max(n for n, entry in enumerate(entries) if _name(entry) == name)
    value = entries[number].get("set", {}).get(column)
    if not isinstance(value, dict) or "tag" not in value:
        raise UsageError(f"the rule {name!r} does not take {column} from a tag")
    known = value["spellings"] = value.get("spellings") or {}
    for target, fresh in spellings.items():
        had = known.get(target, [])
        had = [had] if isinstance(had, str) else list(had)
        known[target] = [*had, *(name for name in dict.fromkeys(map(str, fresh)) if name not in had)]

    def by_lines() -> str:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
        node = _at(root, "rules", number, "set", column)
        if not isinstance(node, yaml.MappingNode):
            return text
        return _spelt(text, node, value)

    return _changed(data, by_lines)


def _spelt(text: str, node: yaml.MappingNode, value: Mapping[str, Any]) -> str:
    """The text with the spellings of a tag's mapping replaced by those of a value."""
    spelt = _at(node, "spellings")
    if node.flow_style:
        return _replaced(text, node, _flow(value))
    if spelt is None:
        lines = _ended(text.splitlines(keepends=True), text)
        indent = " " * node.start_mark.column
        block = _dumped({"spellings": value["spellings"]})
        lines[_last_line(node) + 1 : _last_line(node) + 1] = [indent + line for line in _split(block, text)]
        return "".join(lines)
    if not isinstance(spelt, yaml.MappingNode) or spelt.flow_style:
        return _replaced(text, spelt, _flow(value["spellings"]))
    nodes = {key.value: item for key, item in spelt.value}
    lines = _ended(text.splitlines(keepends=True), text)
    fresh = {name: names for name, names in value["spellings"].items() if name not in nodes}
    indent = " " * spelt.start_mark.column
    place = _last_line(spelt) + 1
    lines[place:place] = [indent + line for line in _split(_dumped(fresh), text)] if fresh else []
    longer = "".join(lines)
    for name, item in reversed(list(nodes.items())):  # from the end, so that places before stay true
        wanted = value["spellings"][name]
        if _names(item) != wanted:
            longer = _with_items(longer, item, wanted)
    return longer


def _with_items(text: str, node: yaml.Node, names: Sequence[str]) -> str:
    """The text with a list of spellings, or the only one, made longer: by lines where it is written in lines."""
    if not isinstance(node, yaml.SequenceNode) or node.flow_style:
        return _replaced(text, node, _flow(list(names)))
    lines = _ended(text.splitlines(keepends=True), text)
    indent, place = " " * node.start_mark.column, _last_line(node) + 1
    lines[place:place] = [
        indent + line for line in _split(_dumped(list(names[len(node.value) :]), in_lines=True), text)
    ]
    return "".join(lines)


@dataclass
class _Lines:
    """The lines of a file, and where the entries of a section are among them."""

    lines: list[str]
    items: list[tuple[int, int]]
    """For each entry its first line, comments above it included, and the line after its last."""
    indent: int
    newline: str
    after: int
    """The line behind the section's last entry, or behind its name."""

    @classmethod
    def of(cls, text: str, section: str) -> "_Lines":
        """Raises ValueError where the section is not written as a list of lines with dashes."""
        newline = "\r\n" if "\r\n" in text else "\n"
        lines = _ended(text.splitlines(keepends=True), text)
        root = yaml.compose(text, Loader=yaml.BaseLoader)
        node = _at(root, section)
        if node is None:
            if root is not None and (not isinstance(root, yaml.MappingNode) or root.flow_style):
                raise ValueError("is no mapping of lines")
            lines = [*lines, f"{section}:{newline}"]
            return cls(lines, [], 2, newline, len(lines))
        if isinstance(node, yaml.ScalarNode) and not node.value:
            return cls(lines, [], 2, newline, node.end_mark.line + 1)
        if not isinstance(node, yaml.SequenceNode) or (node.flow_style and node.value):
            raise ValueError("is no list of lines")
        if not node.value:
            return cls(
                _ended(_replaced(text, node, "").splitlines(keepends=True), text),
                [],
                2,
                newline,
                node.start_mark.line + 1,
            )
        indent = node.start_mark.column
        items: list[tuple[int, int]] = []
        floor = node.start_mark.line
        while floor and lines[floor - 1].lstrip().startswith("#"):
            floor -= 1
        for item in node.value:
            start = item.start_mark.line
            while not lines[start][indent:].startswith("-"):
                start -= 1
            end = _last_line(item) + 1
            while start > floor and lines[start - 1].lstrip().startswith("#"):
                start -= 1
            items.append((start, end))
            floor = end
        return cls(lines, items, indent, newline, items[-1][1])

    def start(self, number: int) -> int:
        return self.items[number][0] if number < len(self.items) else self.after

    def end(self, number: int) -> int:
        return self.items[number][1]

    def with_block(self, place: int, block: str) -> str:
        indent = " " * self.indent
        found = [indent + line + self.newline for line in block.splitlines()]
        return "".join([*self.lines[:place], *found, *self.lines[place:]])

    def text(self) -> str:
        return "".join(self.lines)


def _changed(data: Mapping[str, Any], by_lines: Callable[[], str]) -> str:
    """What a change of the lines comes to if that is the data, else the data written anew."""
    try:
        text = by_lines()
        if written.read(text, FILE).data == data:
            return text
    except (ValueError, IndexError, yaml.YAMLError, InputRefused):
        pass
    text = _dumped(data)
    if written.read(text, FILE).data != data:
        raise InputRefused("cannot be changed by a program: change it in an editor", Place(FILE))
    return text


def _data(text: str) -> dict[str, Any]:
    found = written.read(text, FILE).data
    if found in (None, ""):
        return {}
    if not isinstance(found, dict):
        raise InputRefused("must be a mapping with `rules`", Place(FILE, line=1))
    return found


def _entries(data: dict[str, Any], section: str) -> list[Any]:
    found = data.get(section) or []
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise InputRefused(f"{section} must be a list of entries", Place(FILE))
    data[section] = found
    return found


def _first(entries: Sequence[Any], name: str, section: str) -> int:
    for number, entry in enumerate(entries):
        if _name(entry) == name:
            return number
    known = ", ".join(dict.fromkeys(str(_name(entry)) for entry in entries)) or "none"
    raise UsageError(f"there is no {section.removesuffix('s')} {name!r}; known are {known}")


def _name(entry: Mapping[str, Any]) -> Any:
    return entry.get("name")


def _at(node: yaml.Node | None, *path: str | int) -> yaml.Node | None:
    """The node at a path; None where there is none."""
    for part in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
        else:
            return None
    return node


def _last_line(node: yaml.Node) -> int:
    """The last line that a node stands on. The end of a block is the next token's place, behind blanks and comments."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return max(_last_line(part) for pair in node.value for part in pair)
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return max(_last_line(item) for item in node.value)
    end: int = node.end_mark.line
    return end - 1 if node.end_mark.column == 0 and end > node.start_mark.line else end


def _names(node: yaml.Node) -> list[str]:
    return [item.value for item in node.value] if isinstance(node, yaml.SequenceNode) else [node.value]


def _replaced(text: str, node: yaml.Node, by: str) -> str:
    return text[: node.start_mark.index] + by + text[node.end_mark.index :]


def _ended(lines: list[str], text: str) -> list[str]:
    """Lines of which the last is ended too."""
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += "\r\n" if "\r\n" in text else "\n"
    return lines


def _split(block: str, text: str) -> list[str]:
    newline = "\r\n" if "\r\n" in text else "\n"
    return [line + newline for line in block.splitlines()]


class _Dumper(yaml.SafeDumper):
    """Never writes an alias, which rules may not have."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dumped(data: Any, in_lines: bool = False) -> str:
    found: str = yaml.dump(
        data,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        default_flow_style=False if in_lines else None,
    )
    return found


def _flow(data: Any) -> str:
    found: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100_000, default_flow_style=True
    )
    return found.strip()


def _plain(value: Any) -> Any:
    """A value as YAML reads it: mappings, lists and text."""
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items() if part is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, date) else str(value)
