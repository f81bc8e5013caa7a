"""What to do next, and who."""

from finops_core.analysis.savings.proposing import proposals
from finops_core.reporting.pack.content import MONEY, Column, Part, Section, Table, Value
from finops_core.reporting.situation import Situation
from finops_core.store.savings import DOING, DONE, IDEA

_MOST = 6


def _make(found: Situation) -> Part | None:
    rows: list[list[Value]] = []
    for told in sorted(
        (t for t in found.known.incidents if t.is_open and t.incident.ongoing),
        key=lambda t: -abs(t.incident.impact),
    )[:_MOST]:
        rows.append(
            [
                "Find the cause, or say that it is expected",
                told.incident.series,
                told.owner or "nobody yet",
                told.incident.currency,
                abs(told.incident.impact),
            ]
        )
    for item in sorted(
        (i for i in found.known.items if i.state == IDEA), key=lambda i: i.worth, reverse=True
    )[:_MOST]:
        rows.append(["Decide", item.title, item.owner or "nobody yet", item.currency, item.expected_monthly])
    for item in [i for i in found.known.items if i.state == DOING][:_MOST]:
        rows.append(["Finish", item.title, item.owner or "nobody yet", item.currency, item.expected_monthly])
    for item in [i for i in found.known.items if i.state == DONE][:_MOST]:
        rows.append(
            ["Sign, or say what is missing", item.title, "Finance", item.currency, item.expected_monthly]
        )
    known = {i.opportunity for i in found.known.items}
    fresh = [o for o in found.known.opportunities if o.key not in known]
    for told_of, record in list(zip(fresh, proposals(fresh), strict=True))[:_MOST]:
        rows.append(
            [
                "Take into the backlog",
                str(record["title"]),
                told_of.team or "nobody yet",
                told_of.currency,
                told_of.saving,
            ]
        )
    if not rows:
        return None
    columns = [
        Column("Do", weight=1.7),
        Column("What", weight=2.6),
        Column("Who", weight=1.0),
        Column("", weight=0.5),
        Column("Money a month, or of the anomaly", MONEY, 1.5),
    ]
    return Part((), [Table("", columns, rows)])


SECTION = Section("actions", "Actions", 120, _make)
