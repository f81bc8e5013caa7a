"""Showback statements: what each team or cost centre caused itself, what it bears of shared pools, and adjustments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import polars

from finops_core.analysis.breakdown import MISSING
from finops_core.analysis.budgets.costs import planned, spent
from finops_core.analysis.closing import COSTS, DETAIL, MONEY, POOL, Month, following, month
from finops_core.errors import UsageError
from finops_core.model.ledger import Ledger
from finops_core.store.budgets import BUDGET as PLAN
from finops_core.store.budgets import budgets
from finops_core.store.state import State

OWNERS = ("x_Team", "x_CostCenter")
"""What there are statements by."""
KIND, LINE = "Kind", "Line"
DIRECT, SHARED, ADJUSTMENT, TOTAL = "direct", "shared", "adjustment", "total"
ADJUSTED = "Adjustment for "
"""What the line of an adjustment begins with; the closed month follows."""
KINDS = (DIRECT, SHARED, ADJUSTMENT, TOTAL)
PREVIOUS = "PreviousEffectiveCost"
POOL_COST = "PoolEffectiveCost"
BUDGET, SPENT = "Budget", "BudgetSpent"
UNSHARED = "before pools are shared out"
"""What budgets count: charges by the owner that they name, where their conditions find them."""


@dataclass(frozen=True)
class Statements:
    """The statements of a month, by team or cost centre, and the month they are of."""

    month: Month
    by: str
    """x_Team or x_CostCenter."""
    lines: str
    """What direct costs are listed by: ServiceName or x_Product."""
    table: polars.DataFrame
    """The owner (null: nobody's), BillingCurrency, Kind (direct | shared | adjustment | total), Line, BilledCost, EffectiveCost,
    PreviousEffectiveCost (charges of the month before; null where there is no such month, and for adjustments),
    PoolEffectiveCost (the whole pool, of shares); of totals, and null where there is none: Budget (the month's budgets that
    name the owner) and BudgetSpent (what these count of the charges that are there today, UNSHARED)."""

    def owners(self) -> list[str]:
        """What the owners are called, in order; those of charges without one `(none)`, last."""
        names = self.table[self.by].unique().to_list()
        return [*sorted(name for name in names if name is not None), *([MISSING] if None in names else [])]

    def of(self, owner: str) -> "Statements":
        """The statement of one owner. Raises UsageError where there is none of the name."""
        if owner not in self.owners():
            known = ", ".join(self.owners()[:20]) or "nobody"
            raise UsageError(
                f"{owner!r} has no statement for {self.month.period}; there are those of {known}"
            )
        column = polars.col(self.by)
        return replace(
            self, table=self.table.filter(column.is_null() if owner == MISSING else column == owner)
        )

    def currencies(self) -> list[str]:
        return sorted(self.table["BillingCurrency"].unique().to_list())

    def amount(self, kind: str, currency: str, column: str = "EffectiveCost") -> Decimal:
        """The sum of one kind of lines in a currency, over all owners of the table."""
        of_kind = (polars.col(KIND) == kind) & (polars.col("BillingCurrency") == currency)
        return Decimal(self.table.filter(of_kind)[column].sum() or 0)

    def budget(self, currency: str) -> Decimal | None:
        """The budgets of all owners of the table; None where none has one."""
        return self._of_totals(BUDGET, currency)

    def spent(self, currency: str) -> Decimal | None:
        """What these budgets count, UNSHARED; None where there is none."""
        return self._of_totals(SPENT, currency)

    def _of_totals(self, column: str, currency: str) -> Decimal | None:
        found = self.table.filter(polars.col("BillingCurrency") == currency)[column].drop_nulls()
        return Decimal(found.sum()) if len(found) else None

    def before(self, currency: str) -> Decimal | None:
        """The charges of the month before; None where there is no such month."""
        totals = self.table.filter((polars.col(KIND) == TOTAL) & (polars.col("BillingCurrency") == currency))[
            PREVIOUS
        ].drop_nulls()
        return Decimal(totals.sum()) if len(totals) else None

    def as_file(self) -> polars.DataFrame:
        """The table with what budgets count and where it comes from: BillingPeriod before it, BudgetCounts, State, Through,
        LakeVersion, RulesVersion behind."""
        found = self.month
        return self.table.select(
            polars.lit(found.period).alias("BillingPeriod"),
            polars.all(),
            polars.when(polars.col(BUDGET).is_not_null())
            .then(polars.lit(f"charges {UNSHARED}"))
            .alias("BudgetCounts"),
            polars.lit("closed" if found.close is not None else "open").alias("State"),
            polars.lit(found.through, polars.Date).alias("Through"),
            polars.lit(found.lake_version, polars.Int64).alias("LakeVersion"),
            polars.lit(found.rules_version, polars.Int64).alias("RulesVersion"),
        )


def statements(
    ledger: Ledger, state: State, period: str, by: str = "x_Team", lines: str = "ServiceName"
) -> Statements:
    """The statements of a month: as it was closed, else as it stands today. Raises UsageError for other owners or lines."""
    if by not in OWNERS:
        raise UsageError(f"there are statements by {' and '.join(OWNERS)}, not by {by!r}")
    if lines not in DETAIL:
        raise UsageError(f"direct costs are listed by {' or '.join(DETAIL)}, not by {lines!r}")
    now = month(ledger, state, period)
    table = _table(now, month(ledger, state, following(period, -1)), by, lines)
    kept, first = budgets(state), date.fromisoformat(f"{period}-01")
    amounts = {
        BUDGET: planned(kept, PLAN, first, by),
        SPENT: spent(ledger, kept, PLAN, first, by),
    }
    return Statements(now, by, lines, _with_budgets(table, amounts, by))


def _table(now: Month, before: Month, by: str, lines: str) -> polars.DataFrame:
    keys = (by, "BillingCurrency", KIND, LINE)
    charged = _lines(_named(now.figures, lines), keys)
    past = _lines(_named(before.figures, lines), keys).select(
        *keys, polars.col("EffectiveCost").alias(PREVIOUS)
    )
    joined = charged.join(past, on=keys, how="full", coalesce=True, nulls_equal=True).with_columns(
        polars.col(*COSTS).fill_null(Decimal(0)),
        polars.col(PREVIOUS).fill_null(Decimal(0)) if len(past) else polars.col(PREVIOUS),
    )
    adjusted = now.adjustments.with_columns(
        polars.lit(ADJUSTMENT).alias(KIND), (ADJUSTED + polars.col("BillingPeriod")).alias(LINE)
    )
    added = _lines(adjusted, keys).with_columns(polars.lit(None, MONEY).alias(PREVIOUS))
    some = polars.any_horizontal(polars.col(name).fill_null(Decimal(0)) != 0 for name in (*COSTS, PREVIOUS))
    listed = polars.concat([joined, added.select(joined.columns)]).filter(some)
    whole = listed.group_by(by, "BillingCurrency").agg(
        polars.lit(TOTAL).first().alias(KIND),
        polars.lit("Total").first().alias(LINE),
        *(polars.col(name).sum().cast(MONEY) for name in COSTS),
        polars.when(polars.col(PREVIOUS).is_not_null().any()).then(polars.col(PREVIOUS).sum()).cast(MONEY),
    )
    pools = listed.filter(polars.col(KIND) == SHARED).group_by("BillingCurrency", KIND, LINE)
    of_pools = pools.agg(polars.col("EffectiveCost").sum().cast(MONEY).alias(POOL_COST))
    return (
        polars.concat([listed, whole.select(listed.columns)])
        .join(of_pools, on=["BillingCurrency", KIND, LINE], how="left")
        .with_columns(polars.lit(None, MONEY).alias(BUDGET), polars.lit(None, MONEY).alias(SPENT))
        .sort(
            polars.col(by),
            "BillingCurrency",
            polars.col(KIND).replace_strict({k: n for n, k in enumerate(KINDS)}, return_dtype=polars.Int8),
            polars.when(polars.col(KIND) != ADJUSTMENT).then(-polars.col("EffectiveCost").abs()),
            LINE,
            nulls_last=True,
        )
    )


def _with_budgets(
    table: polars.DataFrame, amounts: Mapping[str, Mapping[tuple[str, str | None], Decimal]], by: str
) -> polars.DataFrame:
    rows = table.select("BillingCurrency", by, KIND).rows()
    return table.with_columns(
        polars.Series(
            name,
            [of.get((currency, owner)) if kind == TOTAL else None for currency, owner, kind in rows],
            MONEY,
        )
        for name, of in amounts.items()
    )


def _named(figures: polars.DataFrame, lines: str) -> polars.DataFrame:
    """Charges with the kind and the name of their line."""
    direct = polars.col(POOL).is_null()
    return figures.with_columns(
        polars.when(direct).then(polars.lit(DIRECT)).otherwise(polars.lit(SHARED)).alias(KIND),
        polars.when(direct)
        .then(polars.col(lines))
        .otherwise(polars.col(POOL))
        .fill_null(MISSING)
        .alias(LINE),
    )


def _lines(frame: polars.DataFrame, keys: Sequence[str]) -> polars.DataFrame:
    return frame.group_by(keys).agg(polars.col(name).sum().cast(MONEY) for name in COSTS)
