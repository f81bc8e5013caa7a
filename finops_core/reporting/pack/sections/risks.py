"""What could go wrong, told by the figures themselves."""

import polars

from finops_core.model import words
from finops_core.reporting.pack.content import Part, Section
from finops_core.reporting.pack.sections.commitments import SOON
from finops_core.reporting.situation import Situation


def _make(found: Situation) -> Part:
    said = []
    wrong = [line for line in found.known.reconciled if not line.holds]
    if wrong:
        said.append(
            f"{words.counted(len(wrong), 'month does', 'months do')} not equal their source, the newest {wrong[0].batch.source} {wrong[0].batch.billing_period}: figures may change."
        )
    late = [p.batch.source for p in found.known.sources if p.state == "late"]
    if late:
        said.append(f"Late: {', '.join(dict.fromkeys(late))}. Newer days are not in these figures.")
    ends = found.commitments.items.filter(
        ~polars.col("ended") & (polars.col("expires") < found.period.end + SOON)
    )
    if len(ends):
        said.append(
            f"{words.counted(len(ends), 'commitment ends', 'commitments end')} within three months of the month; what is covered is then paid on demand."
        )
    over = [s for s in found.account.statuses if s.state in ("over", "heading over")]
    if over:
        most = max(over, key=lambda s: (s.forecast or s.actual) - s.budget)
        said.append(
            f"{words.counted(len(over), 'budget is', 'budgets are')} over or heading over; the furthest is {most.name} at {words.money(most.forecast or most.actual, most.currency)} of {words.amount(most.budget)}."
        )
    for row in found.unallocated.iter_rows(named=True):
        if row["unallocated"]:
            said.append(
                f"{words.money(row['unallocated'], row['BillingCurrency'])} of the month have no owner."
            )
    going = [t for t in found.known.incidents if t.incident.ongoing and t.is_open]
    going.sort(key=lambda t: -abs(t.incident.impact))
    if going:
        said.append(
            f"{words.counted(len(going), 'anomaly goes', 'anomalies go')} on now; the largest is {going[0].incident.series}: {words.signed(going[0].incident.impact)} {going[0].incident.currency}."
        )
    return Part(
        said
        or [
            "The figures show no risk of those that are looked for: late or unequal sources, ending commitments, budgets, cost without owner, anomalies."
        ]
    )


SECTION = Section("risks", "Risks", 110, _make)
