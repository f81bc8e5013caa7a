"""The kinds of rules, one file each: a module here that declares KIND is a kind."""

import importlib
import pkgutil
from functools import cache

from finops_core.alerting.alert import Kind


@cache
def kinds() -> dict[str, Kind]:
    """By the name that a rule's `kind` says."""
    modules = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    found = [module.KIND for module in modules]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: kind.name)}
