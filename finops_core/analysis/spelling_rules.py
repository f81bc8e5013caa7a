"""What the rules make of the values of a tag, and what people proposed of spellings, as changes of the rules that read them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from finops_core.allocation import editing
from finops_core.allocation.rules import Rule
from finops_core.allocation.ruleset import RuleSet
from finops_core.allocation.values.tag import Value as Tagged
from finops_core.store.state import State

SPELLINGS = "spelling proposal"
"""The kind of the records in which somebody proposed how values of a tag are to be spelt."""


@dataclass(frozen=True)
class SpellingChange:
    """Spellings that a tag rule would know, from what people proposed."""

    rule: str
    column: str
    spellings: dict[str, tuple[str, ...]]
    """Value → how else it is spelt."""
    proposed_by: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "column": self.column,
            "spellings": {value: list(spelt) for value, spelt in self.spellings.items()},
            "proposed_by": self.proposed_by,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class TagReading:
    """How the first rule that reads a tag spells its values."""

    key: str
    """The name of the tag, of those asked for, that the rule reads."""
    rule: str
    spelt: Mapping[str, str]
    """A spelling in lower case, without blanks around it → what all the rule's columns that read the tag make of it."""

    def means(self, value: str) -> str | None:
        """The value that a spelling stands for; None for one that the rule does not know."""
        return self.spelt.get(_bare(value))


def tag_reading(rules: RuleSet, names: Sequence[str]) -> TagReading | None:
    """How rules spell the values of a tag, under the first of its names that one of them reads; None where none is read."""
    for name in names:
        for rule, columns in _reading(rules, name):
            first, *others = map(_spelt, columns.values())
            alike = {s: v for s, v in first.items() if all(other.get(s) == v for other in others)}
            return TagReading(name, rule.name, alike)
    return None


def spelling_changes(rules: RuleSet, state: State) -> list[SpellingChange]:
    """What people proposed of spellings, as changes of the first rules that read these tags; those known already left out."""
    found = []
    for kept in state.kept(SPELLINGS).values():
        value = kept.record["value"]
        for rule, columns in _reading(rules, kept.record["key"]):
            for column, tagged in columns.items():
                known = {spelling for spelling, name in _spelt(tagged).items() if name == value}
                fresh = tuple(v for v in kept.record["values"] if _bare(v) not in known)
                if fresh:
                    found.append(
                        SpellingChange(
                            rule.name, column, {value: fresh}, kept.entered_by, kept.record.get("reason", "")
                        )
                    )
            break
    return found


def with_tag_read(
    text: str, rules: RuleSet, names: Sequence[str], column: str, spellings: Mapping[str, Sequence[str]]
) -> str:
    """allocation.yaml with a last rule that reads a tag, by any of its names, for an owner column, and knows spellings (value →
    how else it is spelt); where one of its rules reads the tag by now, that one learns them.

    `rules` are those of the text. Raises InputRefused where the text cannot be changed by a program.
    """
    for name in names:
        for rule, columns in _reading(rules, name):
            for read in columns:
                text = editing.with_spellings(text, rule.name, read, spellings)
            return text
    value = {
        "tag": list(names),
        "spellings": {value: list(spelt) for value, spelt in spellings.items()},
    }
    taken = {rule.name for rule in rules.rules}
    titles = chain([f"{names[0]} tag"], (f"{names[0]} tag {number}" for number in count(2)))
    title = next(name for name in titles if name not in taken)
    return editing.with_rule(text, {"name": title, "set": {column: value}})


def _reading(rules: RuleSet, key: str) -> Iterator[tuple[Rule, dict[str, Tagged]]]:
    """The rules that read a tag, in their order, each with its columns that do."""
    for rule in rules.rules:
        tagged = {column: value for column, value in rule.set.items() if isinstance(value, Tagged)}
        hits = {column: value for column, value in tagged.items() if _bare(key) in map(_bare, value.tag)}
        if hits:
            yield rule, hits


def _spelt(tagged: Tagged) -> dict[str, str]:
    return {_bare(s): name for name, spellings in tagged.spellings for s in (name, *spellings)}


def _bare(text: str) -> str:
    return text.strip().lower()
