"""Which incidents a reader is told of."""

from finops_core.analysis.detection.records import Evidence, Finding, Settings

_DEFAULT = Settings()


def findings(found: Evidence, settings: Settings = _DEFAULT) -> list[Finding]:
    """The incidents that the evidence holds at these settings, by first_seen and series."""
    return []
