"""How the level of the coming months is forecast. A method is one module here, found by its declaration.

The module declares `METHOD = Method(...)`: its name, what it says of itself, and `means`: costs (series × days, complete, at least 28
days, NaN before a series begins) and blocks (half-open ranges of days ahead) → the mean cost of a day in each block, series ×
blocks. A method reads nothing but those costs; what it learns, it learns from their past.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from finops_core.analysis.forecasting.panel import Floats

Block = tuple[int, int]
Means = Callable[[Floats, Sequence[Block]], Floats]


@dataclass(frozen=True)
class Method:
    """A way of forecasting."""

    name: str
    description: str
    """As the end of a sentence: `the mean of ...`."""
    means: Means


@cache
def methods() -> dict[str, Method]:
    """All methods by name."""
    modules = (import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__))
    return {m.METHOD.name: m.METHOD for m in modules}
