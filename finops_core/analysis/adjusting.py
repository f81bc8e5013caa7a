"""Why a statement has an adjustment for a closed month: then, now and the difference, by owner and pool, and what was loaded since."""

from dataclasses import dataclass
from decimal import Decimal

import polars

from finops_core.analysis.closing import ADJUSTMENTS, DETAIL, FIGURES, MONEY, POOL, Month, frame_of
from finops_core.errors import UsageError
from finops_core.model.ledger import Ledger
from finops_core.store import rulesets
from finops_core.store.batches import Batch
from finops_core.store.closes import Close, closes
from finops_core.store.rulesets import Applied
from finops_core.store.state import State

PART = "Part"
DIRECT = "Direct cost"
"""The part that is no share of a pool; the others are called as their pool."""
THEN, STATED, NOW, DIFFERENCE, BILLED = "Then", "AdjustedBefore", "Now", "Difference", "BilledDifference"
_AMOUNTS = (THEN, STATED, NOW, DIFFERENCE, BILLED)
_KEYS = tuple(name for name in ADJUSTMENTS if name not in ("BillingPeriod", "BilledCost", "EffectiveCost"))


@dataclass(frozen=True)
class Adjusted:
    """A closed month as another month's statement adjusts it."""

    close: Close
    table: polars.DataFrame
    """BillingCurrency, x_Team, x_CostCenter, Pool; of effective cost Then (as it was closed), AdjustedBefore (by other
    statements), Now, and Difference = Now − Then − AdjustedBefore, which the statement has; and BilledDifference."""
    loads: list[Batch]
    """What was loaded of the month after its close, and before the close of the statement's month, oldest first."""
    rules: list[Applied]
    """The rules that were applied in that time, oldest first."""

    def parts(self, by: str, owner: str | None, currency: str) -> polars.DataFrame:
        """Part (DIRECT first, then pools) and the amounts of an owner; None are charges without one."""
        column = polars.col(by)
        own = self.table.filter(column.is_null() if owner is None else column == owner)
        named = own.with_columns(polars.col(POOL).fill_null(DIRECT).alias(PART))
        return _summed(named, PART, currency).sort(polars.col(PART) != DIRECT, PART)

    def owners(self, by: str, currency: str) -> polars.DataFrame:
        """The amounts by owner, the largest difference first."""
        return _summed(self.table, by, currency).sort(-polars.col(DIFFERENCE).abs(), by, nulls_last=True)

    def causes(self) -> list[str]:
        """What was loaded and applied since the close, in words."""
        loaded = [
            f"{b.source} was loaded on {b.loaded_at[:10]} ({b.action}, lake version {b.lake_version})"
            for b in self.loads
        ]
        applied = [
            f"version {v.number} of the rules was applied on {v.at[:10]} by {v.author}: {v.reason}"
            for v in self.rules
        ]
        return [*loaded, *applied]


def adjusted(ledger: Ledger, state: State, stated: Month, period: str) -> Adjusted:
    """A closed month as `stated`, a month with its statement, adjusts it. Raises UsageError where it is not closed."""
    known = closes(state)
    if period not in known:
        raise UsageError(f"{period} is not closed: nothing adjusts it")
    then, until = known[period], stated.rules_version
    return Adjusted(
        then,
        _table(then, list(known.values()), stated),
        [b for b in ledger.batches() if b.billing_period == period and _is_since(b, then, stated)],
        [
            version
            for version in reversed(rulesets.versions(state))
            if (then.rules_version or 0) < version.number <= (until or 0)
        ],
    )


def _is_since(batch: Batch, then: Close, stated: Month) -> bool:
    """Whether a batch came in between the versions of the lake that both are of, and changed what is stored."""
    return then.lake_version < batch.lake_version <= stated.lake_version and batch.action not in (
        "unchanged",
        "refused",
    )


def _table(then: Close, known: list[Close], stated: Month) -> polars.DataFrame:
    of_period = polars.col("BillingPeriod") == then.period
    own = stated.adjustments.filter(of_period)
    earlier = [
        frame_of(c.adjustments, ADJUSTMENTS).filter(of_period)
        for c in known
        if stated.close is None or c.closed_at < stated.close.closed_at
    ]
    parts = {
        THEN: [frame_of(then.figures, FIGURES, then.period).drop(DETAIL)],
        STATED: earlier,
        DIFFERENCE: [own],
    }
    rows = [_column(frame, name, "EffectiveCost") for name, frames in parts.items() for frame in frames]
    found = polars.concat([*rows, _column(own, BILLED, "BilledCost")], how="diagonal")
    amounts = [_sum(name) for name in (THEN, STATED, DIFFERENCE, BILLED)]
    whole = found.group_by(_KEYS).agg(amounts)
    now = (polars.col(THEN) + polars.col(STATED) + polars.col(DIFFERENCE)).cast(MONEY).alias(NOW)
    return whole.with_columns(now).select(*_KEYS, *_AMOUNTS).sort(_KEYS, nulls_last=True)


def _column(frame: polars.DataFrame, name: str, cost: str) -> polars.DataFrame:
    """The keys and one cost by another name; the other amounts are there too, with nothing in them."""
    empty = [polars.lit(None, MONEY).alias(n) for n in _AMOUNTS if n not in (name, NOW)]
    return frame.select(*_KEYS, polars.col(cost).alias(name), *empty)


def _summed(table: polars.DataFrame, by: str, currency: str) -> polars.DataFrame:
    own = table.filter(polars.col("BillingCurrency") == currency)
    found = own.group_by(by).agg(_sum(name) for name in _AMOUNTS)
    return found.filter(polars.any_horizontal(polars.col(name) != 0 for name in _AMOUNTS))


def _sum(name: str) -> polars.Expr:
    return polars.col(name).fill_null(Decimal(0)).sum().cast(MONEY)
