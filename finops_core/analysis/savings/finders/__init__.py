"""The kinds of waste that a bill shows: a file each, found by its FINDER."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from finops_core.analysis.savings.finders.finder import Finder, Situation

__all__ = ["Finder", "Situation", "finders"]


@cache
def finders() -> tuple[Finder, ...]:
    """All finders, in the order in which they take lines."""
    found = []
    for module in iter_modules(__path__):
        own = getattr(import_module(f"{__name__}.{module.name}"), "FINDER", None)
        if own is not None:
            found.append(own)
    return tuple(sorted(found, key=lambda finder: (finder.order, finder.name)))
