"""What there is to ask about: the days that charges reach over, and the currencies."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars

from finops_core.errors import NothingLoaded
from finops_core.model.engine import PERIOD
from finops_core.model.ledger import Ledger
from finops_core.model.periods import add_months, month_start
from finops_core.model.query import Condition, Query

_SETTLES = timedelta(days=3)
"""How long after a day the clouds still add usage to it, as a rule."""


@dataclass(frozen=True)
class Span:
    """The days from `first` up to, and without, `end`; currencies by the number of their charges, most first."""

    first: date
    end: date
    currencies: tuple[str, ...]
    complete_until: date
    """Days from here on are still being reported: the newest day with usage, unless all exports that reach it were loaded well after it."""

    @property
    def months(self) -> list[date]:
        """The first days of its months, from the first charge to the newest complete day, oldest first."""
        found, last = [month_start(self.first)], month_start(self.complete_until)
        while found[-1] < last:
            found.append(add_months(found[-1], 1))
        return found

    @property
    def usual_month(self) -> date:
        """The first day of the last month that is complete; of the running one where there is no other."""
        return max(add_months(month_start(self.complete_until), -1), month_start(self.first))


def span(ledger: Ledger) -> Span:
    """The span of all charges. Raises NothingLoaded where there are none."""
    days = ledger.query(Query("ChargeCount", grain="day"))
    if days.is_empty():
        raise NothingLoaded("the ledger holds no charges yet: ingest an export, or make the demo")
    usage = ledger.query(
        Query("ChargeCount", grain="day", where=[Condition("ChargeCategory", "=", ("Usage",))])
    )
    counts = (
        days.group_by("BillingCurrency")
        .agg(polars.col("ChargeCount").sum().alias("n"))
        .sort(["n", "BillingCurrency"], descending=[True, False])
    )
    newest: object = (usage if len(usage) else days)[PERIOD].max()
    last = days[PERIOD].max()
    first = days[PERIOD].min()
    assert isinstance(newest, date) and isinstance(last, date) and isinstance(first, date)
    # An older month that is loaded again says nothing of the newest day: only the exports that reach it do.
    reaching = [b for b in ledger.current_batches() if b.newest[:10] >= newest.isoformat()]
    loaded = min((date.fromisoformat(batch.loaded_at[:10]) for batch in reaching), default=newest)
    complete_until = newest + timedelta(1) if loaded - newest > _SETTLES else newest
    return Span(first, last + timedelta(1), tuple(counts["BillingCurrency"]), complete_until)
