"""Drilling: from a member to what it is made of, down a hierarchy, and back up by the trail of members chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from finops_core.model.hierarchies import level_below
from finops_core.model.query import Condition, conditions
from finops_core.model.view import View
from finops_core.vocabulary.dimensions import dimension


@dataclass(frozen=True)
class Crumb:
    """A step of the way down: what is shown there, in words, and its view."""

    label: str
    view: View


def only(view: View, member: Mapping[str, Any]) -> View:
    """The view of one member alone: a row with a value, or None, for each dimension that the view groups by."""
    return view.but(where=(*conditions(view.query.where), *_chosen(view, member)))


def without(view: View, member: Mapping[str, Any]) -> View:
    """The view without the charges of one member of a single dimension."""
    (chosen,) = _chosen(view, member)
    opposite = {"=": "!=", "is null": "is not null"}[chosen.operator]
    return view.but(
        where=(*conditions(view.query.where), Condition(chosen.dimension, opposite, chosen.values))
    )


def into(view: View, member: Mapping[str, Any]) -> View:
    """What a member is made of: its own view by the level below its last dimension; its charges, at the bottom."""
    below = level_below(view.query.by[-1])
    if below is None:
        return only(view, member).but(table="charges")
    return only(view, member).but(by=(below,))


def trail(view: View) -> list[Crumb]:
    """The way down that led to a view, its top first; empty where the view was not drilled to.

    It is read from the view itself: its last conditions are a way down where each is about the level below the one
    before, and the view is by the level below the last.
    """
    where = conditions(view.query.where)
    steps: list[Crumb] = []
    below = view.query.by[0] if len(view.query.by) == 1 else None
    for position in range(len(where) - 1, -1, -1):
        node = where[position]
        if not isinstance(node, Condition) or level_below(node.dimension) != below:
            break
        if node.operator not in ("=", "is null"):
            break
        value = node.values[0] if node.values else f"no {dimension(node.dimension).label.lower()}"
        steps.insert(0, Crumb(value, view.but(where=where[: position + 1], by=(below,))))
        below = node.dimension
    if steps and below is not None:
        top = view.but(where=where[: len(where) - len(steps)], by=(below,))
        steps.insert(0, Crumb(f"All by {dimension(below).label.lower()}", top))
    return steps


def _chosen(view: View, member: Mapping[str, Any]) -> list[Condition]:
    return [
        Condition(name, "is null")
        if member[name] is None
        else Condition(name, "=", (_written(member[name]),))
        for name in view.query.by
    ]


def _written(value: object) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)
