"""Is this number right: every source, billing period and currency, from the source's own total to what is stored."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from finops_core.model import words
from finops_core.store.batches import Batch, in_force
from finops_core.store.state import Invoice


@dataclass(frozen=True)
class Reconciliation:
    """One source, billing period and currency. Money in `currency`, exact; None where the source states nothing."""

    batch: Batch
    currency: str
    rows_stored: int
    source_total: Decimal | None
    """Summed from the raw files' own cost column, before any mapping."""
    billed: Decimal
    source_effective: Decimal | None
    effective: Decimal
    versions: int
    """How often this month was loaded."""
    invoice: Invoice | None

    @property
    def difference(self) -> Decimal | None:
        """Source total − stored BilledCost: 0 where every row is accounted for."""
        return None if self.source_total is None else self.source_total - self.billed

    @property
    def effective_difference(self) -> Decimal | None:
        return None if self.source_effective is None else self.source_effective - self.effective

    @property
    def invoice_difference(self) -> Decimal | None:
        """Typed invoice total − stored BilledCost."""
        return (
            None if self.invoice is None or self.invoice.total is None else self.invoice.total - self.billed
        )

    @property
    def holds(self) -> bool:
        """Whether totals and row counts agree with the source to the last digit."""
        return self.batch.reconciled and not self.difference and not self.effective_difference


def in_words(lines: Sequence[Reconciliation]) -> str:
    """`All 12 months reconcile with their source`, or how many do not."""
    wrong = sum(not line.holds for line in lines)
    if wrong:
        return f"{wrong} of {words.counted(len(lines), 'month')} do not reconcile"
    if len(lines) > 1:
        return f"All {len(lines)} months reconcile with their source"
    return "The one month reconciles with its source"


def reconcile(batches: Iterable[Batch], invoices: Iterable[Invoice] = ()) -> list[Reconciliation]:
    """All batches ever loaded, oldest first, to the state of every month; newest month first, then by source."""
    loaded = list(batches)
    versions = Counter((b.source, b.billing_period) for b in loaded)
    current = in_force(loaded)
    typed = {(i.source, i.billing_period, i.currency): i for i in invoices}
    found = [
        Reconciliation(
            batch=batch,
            currency=currency,
            rows_stored=int(totals["rows"]),
            source_total=_stated(totals, "source_total"),
            billed=Decimal(totals["BilledCost"]),
            source_effective=_stated(totals, "source_effective"),
            effective=Decimal(totals["EffectiveCost"]),
            versions=versions[key],
            invoice=typed.get((*key, currency)),
        )
        for key, batch in current.items()
        for currency, totals in batch.totals.items()
    ]
    by_source = sorted(found, key=lambda line: (line.batch.source, line.currency))
    return sorted(by_source, key=lambda line: line.batch.billing_period, reverse=True)


def _stated(totals: dict[str, str], name: str) -> Decimal | None:
    return Decimal(totals[name]) if name in totals else None
