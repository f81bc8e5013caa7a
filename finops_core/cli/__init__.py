"""The command line: the same functions as the pages, for shells, schedulers and checks.

One module a group of commands, which registers them when it is imported. A command imports what it needs when it runs,
so that `--help` answers at once.
"""

from importlib import import_module

from finops_core.cli.session import app, main

__all__ = ["app", "main"]

GROUPS = (
    "loading",
    "describing",
    "asking",
    "moving",
    "forecasting",
    "forecasting_series",
    "incidents",
    "triaging",
    "detecting",
    "committing",
    "recommending",
    "unit_costs",
    "saving",
    "saving_finding",
    "scoring",
    "packing",
    "budgeting",
    "owning",
    "currencies",
    "deploying",
    "closing",
    "tagging",
    "checking",
    "alerting",
    "mapping",
    "driving",
    "making",
    "serving",
)
"""The modules with commands, in the order of `--help`."""

for _group in GROUPS:
    import_module(f"{__name__}.{_group}")
