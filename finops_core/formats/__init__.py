"""The export formats, one file each, found by their declaration `FORMAT = Format(...)`."""

import pkgutil
from functools import cache
from importlib import import_module

from finops_core.formats.format import Format, Header


@cache
def formats() -> tuple[Format, ...]:
    """All declared formats, by name."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        if module.ispkg:  # machinery, such as what makes formats of mappings
            continue
        declared = getattr(import_module(f"{__name__}.{module.name}"), "FORMAT", None)
        if isinstance(declared, Format):
            found.append(declared)
    return tuple(sorted(found, key=lambda f: f.name))


def recognise(header: Header, among: tuple[Format, ...]) -> tuple[Format, str] | None:
    """The first format that knows the header, and its version."""
    for candidate in among:
        version = candidate.recognise(header)
        if version is not None:
            return candidate, version
    return None
