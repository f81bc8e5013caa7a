"""The scorecard of the month."""

from finops_core.reporting.pack.content import Column, Part, Section, Table
from finops_core.reporting.scorecard import scorecard, told
from finops_core.reporting.situation import Situation


def _make(found: Situation) -> Part:
    rows = [
        [
            line.kpi.label,
            line.currency or "all",
            told(line.value, line.kpi.unit),
            told(line.target, line.kpi.unit),
            line.state,
            line.owner,
        ]
        for line in scorecard(found, 1)
    ]
    columns = [
        Column("Indicator", weight=2.4),
        Column("Currency", weight=0.7),
        Column("Actual"),
        Column("Target"),
        Column("State"),
        Column("Owner"),
    ]
    return Part((), [Table("", columns, rows)])


SECTION = Section("scorecard", "Scorecard", 100, _make)
