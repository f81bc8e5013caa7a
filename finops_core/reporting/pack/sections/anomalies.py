"""What happened that nobody expected."""

from finops_core.analysis.incidents import explain
from finops_core.reporting.pack.content import CHANGE, DAY, Column, Part, Section, Table, Value
from finops_core.reporting.situation import Situation

_MOST = 12
_SENTENCES = 4


def _make(found: Situation) -> Part:
    own = sorted(found.incidents_of_month, key=lambda t: (t.incident.currency, -abs(t.incident.impact)))
    if not own:
        return Part(["No anomaly went on in the month."])
    largest = sorted((t.incident for t in own), key=lambda i: -abs(i.impact))[:_SENTENCES]
    told = explain(found.ledger, largest)
    rows: list[list[Value]] = [
        [
            t.incident.series,
            t.owner,
            t.incident.start,
            t.incident.end,
            t.incident.currency,
            t.incident.impact,
            t.incident.severity,
            t.state,
        ]
        for t in own[:_MOST]
    ]
    columns = [
        Column("Where", weight=2.6), Column("Owner", weight=1.1), Column("From", DAY, 1.0), Column("To", DAY, 1.0), Column("", weight=0.55),
        Column("Impact", CHANGE, 1.1), Column("Severity", weight=0.8), Column("State", weight=1.0),
    ]  # fmt: skip
    more = [f"{len(own) - _MOST} smaller ones are on the page Anomalies."] if len(own) > _MOST else []
    return Part(
        [*(f"{i.series}: {i.sentence}." for i in told), *more],
        [Table("", columns, rows)],
    )


SECTION = Section("anomalies", "Anomalies", 50, _make)
