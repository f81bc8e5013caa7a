"""Reads conditions from text, as they are written on the command line, in URLs, rules and files.

    Dim=value        Dim!=value       is, is not
    Dim in a,b       Dim not in a,b   one of several
    Dim~part         Dim!~part        contains, in upper or lower case
    Dim^=part        Dim!^=part       begins with, in upper or lower case
    Dim matches RE   Dim not matches RE      a regular expression (RE2) found anywhere in the value
    Dim>=v Dim>v Dim<v Dim<=v Dim between v and w        for numbers, costs, times and periods
    Dim is null      Dim is not null
    tag:KEY=value    tag:"any key"=value
    not C            C and C          C or C          (C)

`not` binds closest, then `and`, then `or`. Words may be written in upper or lower case.

A value ends where the text ends, or before an `and` or `or` that is followed by another condition, so that
`ServiceName=Fish (and chips) or more` is one value. `"…"` around a value takes it as it is (`\\"` for a quote, `\\\\` for a
backslash); it is needed for the empty text and for blanks at the ends and, where there is more than one condition, for
values with quotes, unpaired parentheses, or the words and, or. What could be meant in two ways is an error that says so,
never a guess. In a list, a backslash before a comma makes it part of the value, and blanks around commas do not count.
"""

import re

from finops_core.errors import UsageError
from finops_core.vocabulary.conditions import AllOf, AnyOf, Condition, Node, Not
from finops_core.vocabulary.dimensions import TAG, filterable, is_filterable

_SIGNS = r"!\^=|\^=|>=|<=|!=|!~|=|~|>|<"
_WORDS = r"not\s+in|in|not\s+matches|matches|between"
_OPERATOR = re.compile(
    rf"\s*(?P<sign>{_SIGNS})\s*|\s+(?P<word>{_WORDS})(?:\s+|$)|\s+(?P<null>is\s+(?:not\s+)?null)(?=\s|\)|$)",
    re.I,
)
_NAME = re.compile(r"[A-Za-z_]\w*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.S)
_JOIN = re.compile(r"(and|or)(?:\s+|(?=\())", re.I)
_NOT = re.compile(r"not(?:\s+|(?=\())", re.I)
_BEFORE = re.compile(r"(?:\(\s*|not\s+|not(?=\())*", re.I)
_JOINING_WORD = re.compile(r"(?<!\S)(?:and|or)(?!\S)", re.I)
_DEEPEST = 50
_MOST = 2_000
"""How many conditions may be joined: of more, nobody knows what they say, and the store takes minutes."""


def parse(text: str) -> Node:
    """Reads a condition, or several joined by and, or, not and parentheses. Raises UsageError."""
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.count = 0
        self.groups = 0
        self.several = False
        """Whether there is more than a single condition."""
        self.doubts: list[str] = []
        """What would be misread if there were more than a single condition."""

    def read(self) -> Node:
        found = self._any_of()
        if self.at < len(self.text):
            raise self._error(f"cannot be read from {self.text[self.at :]!r} on")
        if self.several and self.doubts:
            raise self._error(self.doubts[0])
        return found

    def _error(self, words: str) -> UsageError:
        return UsageError(f"the condition {self.text!r} {words}")

    def _any_of(self) -> Node:
        parts = [self._all_of()]
        while self._joined_by("or"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _all_of(self) -> Node:
        parts = [self._one()]
        while self._joined_by("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _joined_by(self, word: str) -> bool:
        self._skip_blanks()
        match = _JOIN.match(self.text, self.at)
        if match is None or match[1].lower() != word:
            return False
        self.several = True
        self.at = match.end()
        return True

    def _skip_blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _one(self) -> Node:
        self._skip_blanks()
        self.count += 1
        if self.count > _MOST:
            raise UsageError(
                f"a condition joins at most {_MOST:,} others: write a list, as in `ServiceName in A,B`"
            )
        self.depth += 1
        if self.depth > _DEEPEST:
            raise UsageError(f"a condition may be nested {_DEEPEST} deep, not deeper")
        found: Node
        if match := _NOT.match(self.text, self.at):
            self.several = True
            self.at = match.end()
            found = Not(self._one())
        elif self.text.startswith("(", self.at):
            self.several = True
            self.at += 1
            self.groups += 1
            found = self._any_of()
            self._skip_blanks()
            if not self.text.startswith(")", self.at):
                raise self._error("has a parenthesis that is not closed")
            self.at += 1
            self.groups -= 1
        else:
            found = self._condition()
        self.depth -= 1
        return found

    def _condition(self) -> Condition:
        name = self._dimension()
        match = _OPERATOR.match(self.text, self.at)
        if match is None:
            raise self._error(f"has no operator after {name}")
        self.at = match.end()
        operator = " ".join((match["sign"] or match["word"] or match["null"]).lower().split())
        if match["null"]:
            return Condition(name, operator)
        if operator in ("in", "not in"):
            return Condition(name, operator, self._values())
        if operator == "between":
            return Condition(name, operator, (self._lower_end(), self._value()))
        return Condition(name, operator, (self._value(),))

    def _dimension(self) -> str:
        """The dimension at the place; its operator follows."""
        start = self.at
        if self.text.startswith(TAG, start):
            self.at += len(TAG)
            if self.text.startswith('"', self.at):
                return TAG + self._quoted_text()
            return TAG + self._key()
        name = _NAME.match(self.text, start)
        if name is not None and _OPERATOR.match(self.text, name.end()):
            self.at = name.end()
            return name[0]
        operator = _OPERATOR.search(self.text, start)
        if operator is not None and operator.start() > start:
            filterable(self.text[start : operator.start()].strip())
        raise UsageError(
            f"{self.text[start:]!r} is no condition: write Dim=value, Dim!=value, Dim in a,b, Dim~part or Dim is null"
        )

    def _key(self) -> str:
        """A tag key without quotes: all before the first operator."""
        start = self.at
        match = _OPERATOR.search(self.text, start + 1)
        if match is None:
            raise self._error("has no operator")
        key = self.text[start : match.start()]
        if _JOINING_WORD.search(key):
            raise self._error(f'can be read in two ways: write {TAG}"{key}" for a key with and, or')
        if set(key) & set('()"'):
            self.doubts.append(f"needs quotes around the tag key {key!r}")
        self.at = match.start()
        return key

    def _quoted_text(self) -> str:
        """The text in quotes at the place, as it is written: with its quotes."""
        match = _QUOTED.match(self.text, self.at)
        if match is None:
            raise self._error("has a quote that is not closed")
        self.at = match.end()
        return match[0]

    def _quoted(self) -> str:
        text = unquoted(self._quoted_text())
        rest = self.text[self.at :].lstrip()
        if rest and rest[0] not in ",)" and not _JOIN.match(rest):
            raise self._error(f"goes on after a closing quote with {rest!r}: put the whole value in quotes")
        return text

    def _value(self) -> str:
        """The value at the place."""
        if self.text.startswith('"', self.at):
            return self._quoted()
        start = self.at
        self.at = end = self._end_of_value()
        value = self.text[start:end]
        if self.several or end < len(self.text):
            value = value.strip()
        if re.search(r"\bis\s+(?:not\s+)?null\s*$", value, re.I):
            raise self._error("can be read in two ways: put a value that ends so in quotes")
        self._doubt(value)
        return value

    def _doubt(self, value: str) -> None:
        if not value:
            self.doubts.append('lacks a value; the empty text is ""')
        elif '"' in value or _JOINING_WORD.search(value) or not _is_balanced(value):
            self.doubts.append(f"can be read in two ways: put the value {value!r} in quotes")

    def _end_of_value(self, comma: bool = False) -> int:
        """Where a value without quotes ends: before a joining word and a condition, the group's end, or the text's."""
        start, place, inside = self.at, self.at, 0
        while place < len(self.text):
            character = self.text[place]
            if comma and character == ",":
                break
            if comma and character == "\\":
                place += 1
            elif character == "(":
                inside += 1
            elif character == ")":
                if not inside and self.groups:
                    break
                inside = max(inside - 1, 0)
            elif place == start or self.text[place - 1].isspace():
                match = _JOIN.match(self.text, place)
                if match and self._begins_condition(match.end()):
                    if inside:
                        raise self._error("can be read in two ways: put a value with parentheses in quotes")
                    break
            place += 1
        return min(place, len(self.text))

    def _begins_condition(self, place: int) -> bool:
        """Whether what follows a joining word is a condition, and not a value that goes on."""
        match = _BEFORE.match(self.text, place)
        place = match.end() if match else place
        if self.text.startswith(TAG, place):
            return _OPERATOR.search(self.text, place + len(TAG)) is not None
        name = _NAME.match(self.text, place)
        operator = _OPERATOR.match(self.text, name.end()) if name else None
        if name is None or operator is None:
            return False
        if not is_filterable(name[0]) and operator["sign"] not in (None, "<", ">"):
            raise self._error(
                f"can be read in two ways: there is no dimension {name[0]!r}; put the value in quotes if {name[0]} is part of it"
            )
        return is_filterable(name[0])

    def _lower_end(self) -> str:
        """The first value of `between`, and its `and`."""
        if self.text.startswith('"', self.at):
            value = self._quoted()
            self._skip_blanks()
            match = re.compile(r"and\s+", re.I).match(self.text, self.at)
        else:
            match = re.compile(r"\s+and\s+", re.I).search(self.text, self.at)
            value = self.text[self.at : match.start()] if match else ""
        if match is None:
            raise self._error("lacks the second value: write Dim between v and w")
        self.at = match.end()
        return value

    def _values(self) -> tuple[str, ...]:
        """The values between commas; a backslash takes the next character as it is."""
        if match := re.compile(r"\(\s*\)(?=\s|\)|$)").match(self.text, self.at):
            self.at = match.end()
            return ()
        if self.at >= len(self.text):
            raise self._error('lacks values; the empty text is ""')
        found = []
        while True:
            self._skip_blanks()
            if self.text.startswith('"', self.at):
                found.append(self._quoted())
            else:
                start = self.at
                self.at = self._end_of_value(comma=True)
                item = self.text[start : self.at].strip()
                if not _is_balanced(item):
                    raise self._error(f"has an unpaired parenthesis in the list: put {item!r} in quotes")
                self._doubt(item)
                found.append(re.sub(r"\\(.)", r"\1", item, flags=re.S))
            blanks = re.compile(r"\s*,").match(self.text, self.at)
            if blanks is None:
                return tuple(found)
            self.at = blanks.end()


def _is_balanced(value: str) -> bool:
    inside = 0
    for character in value:
        inside += (character == "(") - (character == ")")
        if inside < 0:
            return False
    return inside == 0


def unquoted(text: str) -> str:
    """What stands between quotes, `\\"` and `\\\\` made what they stand for; every other backslash is itself."""
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])
