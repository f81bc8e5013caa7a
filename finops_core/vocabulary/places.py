"""Where among filters a condition can be joined: beside them all, as another way to fit one, or as a part of one such way."""

from collections.abc import Sequence
from dataclasses import dataclass

from finops_core.vocabulary.conditions import AllOf, AnyOf, Node


@dataclass(frozen=True)
class Place:
    """A filter, or one of the ways to fit it, that a condition is joined to by its word (or | and)."""

    path: tuple[int, ...]
    """The position of the filter, and within it that of the way."""
    word: str
    beside: Node

    def in_words(self) -> str:
        """`or Service is A`."""
        return f"{self.word} {self.beside.in_words()}"


def places(where: Sequence[Node]) -> list[Place]:
    """Every filter of those that all must hold, and every way to fit it."""
    found = []
    for position, node in enumerate(where):
        found.append(Place((position,), "or", node))
        if isinstance(node, AnyOf):
            found += [Place((position, number), "and", part) for number, part in enumerate(node.parts)]
    return found


def joined(where: Sequence[Node], place: Place | None, added: Node) -> tuple[Node, ...]:
    """The filters with a condition joined at a place; at none, it is a filter of its own."""
    if place is None:
        return (*where, added)
    position, *within = place.path
    node = where[position]
    if within and isinstance(node, AnyOf):
        (number,) = within
        part = node.parts[number]
        both = AllOf((*part.parts, added)) if isinstance(part, AllOf) else AllOf((part, added))
        changed: Node = AnyOf((*node.parts[:number], both, *node.parts[number + 1 :]))
    else:
        changed = AnyOf((*node.parts, added)) if isinstance(node, AnyOf) else AnyOf((node, added))
    return (*where[:position], changed, *where[position + 1 :])


def among(where: Sequence[Node], place: Place | None) -> tuple[Node, ...]:
    """What else must hold where a condition joined at a place does: among such rows its values are found."""
    if place is None:
        return tuple(where)
    position, *within = place.path
    others = (*where[:position], *where[position + 1 :])
    return (*others, place.beside) if within else others
