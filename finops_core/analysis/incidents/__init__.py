"""Incidents of a store: cost that is other than expected, one report a cause, with what contributed and what came before.

found = find(ledger)                      # as of the newest day
found = find(ledger, as_of=date(2026, 5, 31), settings=Settings(sensitivity=0.7))
days = series_of(ledger, found[0])        # date, cost, expected, low, high
"""

from finops_core.analysis.detection import Settings
from finops_core.analysis.incidents.contributing import account_names
from finops_core.analysis.incidents.finding import explain, find, series_of
from finops_core.analysis.incidents.incident import SEVERITIES, Contributor, Incident, KnownEvent

__all__ = [
    "SEVERITIES", "Contributor", "Incident", "KnownEvent", "Settings", "account_names", "explain", "find", "series_of",
]  # fmt: skip
