"""Months that are not what their source says they are."""

from collections.abc import Iterator
from decimal import Decimal

from finops_core.alerting.alert import Alert, Kind, Situation
from finops_core.alerting.rule import Names, Rule, Severity
from finops_core.quality.reconciliation import Reconciliation, reconcile
from finops_core.store.batches import plain


class ReconciliationRule(Rule):
    """Every month in force against its source's own total."""

    sources: Names = ()
    """Only these."""
    severity: Severity = "critical"
    owner: str = ""


def find(rule: ReconciliationRule, situation: Situation) -> Iterator[Alert]:
    """An alert a source, month and currency."""
    for line in reconcile(situation.ledger.batches(), situation.state.invoices()):
        if not line.holds and (not rule.sources or line.batch.source in rule.sources):
            yield _alert(rule, line)


def _alert(rule: ReconciliationRule, line: Reconciliation) -> Alert:
    batch = line.batch
    differences = [
        f"{name} differs by {plain(value)} {line.currency}"
        for name, value in (("BilledCost", line.difference), ("EffectiveCost", line.effective_difference))
        if value
    ]
    figures: dict[str, Decimal | None] = {
        "source_total": line.source_total,
        "BilledCost": line.billed,
        "difference": line.difference,
        "effective_difference": line.effective_difference,
    }
    return Alert(
        key=f"{batch.source}/{batch.billing_period}/{line.currency}",
        state="does not reconcile",
        severity=rule.severity,
        owner=rule.owner,
        subject=f"{batch.source} {batch.billing_period} does not reconcile",
        sentence=f"{batch.billing_period} of {batch.source} does not agree with its source's own total: "
        f"{' and '.join(differences) or 'rows are missing or too many'}",
        link="/reconciliation",
        figures=figures,
        currency=line.currency,
    )


KIND = Kind(
    "reconciliation", "A month that does not agree with its source's own total", ReconciliationRule, find
)
