"""A journal of a month's cloud cost for finance: cost centres debited, the clearing account credited, to the cent."""

from dataclasses import dataclass
from decimal import Decimal

import polars

from finops_core.analysis.cents import cents, less, rounded, total
from finops_core.analysis.closing import COSTS, MONEY, POOL, Month
from finops_core.errors import UsageError
from finops_core.store.batches import plain
from finops_core.store.journal_accounts import Accounts

BOOKED = polars.Decimal(38, 2)
_SCHEMA = polars.Schema(
    {
        **dict.fromkeys(("BillingPeriod", "CostCenter", "Account"), polars.String()),
        **dict.fromkeys(("Debit", "Credit"), BOOKED),
        **dict.fromkeys(("BillingCurrency", "Text"), polars.String()),
        "Exact": MONEY,
    }
)


@dataclass(frozen=True)
class Balance:
    """What a journal books in a currency."""

    currency: str
    exact: Decimal
    """The month's exact cost."""
    booked: Decimal
    """The same to the cent: what the lines sum to."""
    dust: int
    """Lines of less than a cent, which are not booked; the others make up for them."""

    @property
    def residue(self) -> Decimal:
        """Exact − booked: less than a cent, which no line can carry."""
        return less(self.exact, self.booked)

    def in_words(self) -> str:
        left_out = f"; {self.dust} lines of less than a cent are left out" if self.dust else ""
        return (
            f"{self.currency}: debits = credits; booked {self.booked:,}, exact {plain(self.exact)},"
            f" residue {plain(self.residue)}{left_out}"
        )


@dataclass(frozen=True)
class Journal:
    """The lines, and what they come to by currency."""

    table: polars.DataFrame
    """BillingPeriod, CostCenter (null: the balancing line), Account, Debit, Credit (2 decimals, null for none), BillingCurrency,
    Text, Exact (debit − credit before rounding)."""
    balances: list[Balance]

    def as_text(self) -> polars.DataFrame:
        """The table with amounts as text of two decimals, for CSV."""
        return self.table.with_columns(polars.col("Debit", "Credit").cast(polars.String))


def journal(month: Month, accounts: Accounts, metric: str = "EffectiveCost") -> Journal:
    """The journal of a month as it was closed, else as it stands; lines and balancing line by currency.

    Amounts are closed by largest remainder: a currency's lines sum to its total rounded to the cent, and debits equal
    credits. Raises UsageError for a metric that is no cost of a statement.
    """
    if metric not in COSTS:
        raise UsageError(f"a journal books {' or '.join(COSTS)}, not {metric!r}")
    lines = _lines(month, accounts, metric)
    rows: list[tuple[object, ...]] = []
    balances = []
    for currency in sorted(lines["BillingCurrency"].unique().to_list()):
        found = lines.filter(polars.col("BillingCurrency") == currency).rows(named=True)
        booked = cents([line["Exact"] for line in found])
        exact = total([line["Exact"] for line in found])
        for line, value in zip(found, booked, strict=True):
            if value:
                place = (month.period, line["CostCenter"], line["Account"])
                rows.append((*place, *_sides(value), currency, line["Text"], line["Exact"]))
        balance = Balance(currency, exact, rounded(exact), sum(not value for value in booked))
        text = f"Cloud cost {month.period}, {metric}: clearing"
        if balance.booked:
            rows.append(
                (
                    month.period,
                    None,
                    accounts.clearing,
                    *_sides(-balance.booked),
                    currency,
                    text,
                    exact.copy_negate(),
                )
            )
        balances.append(balance)
    return Journal(polars.DataFrame(rows, _SCHEMA, orient="row"), balances)


def _sides(value: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """An amount as debit, or where it is negative as credit."""
    return (value, None) if value > 0 else (None, -value)


def _lines(month: Month, accounts: Accounts, metric: str) -> polars.DataFrame:
    """BillingCurrency, CostCenter, Account, Text, Exact; those that are nothing left out."""
    pool, service = polars.col(POOL), polars.col("ServiceName")
    about = f"Cloud cost {month.period}"
    charged = month.figures.select(
        "BillingCurrency",
        "x_CostCenter",
        polars.when(pool.is_null())
        .then(_mapped(service, accounts.services, accounts.direct))
        .otherwise(_mapped(pool, accounts.pools, accounts.shared))
        .alias("Account"),
        polars.when(pool.is_null())
        .then(polars.lit(f"{about}: direct"))
        .otherwise(f"{about}: share of " + pool)
        .alias("Text"),
        polars.col(metric).alias("Exact"),
    )
    adjusted = month.adjustments.select(
        "BillingCurrency",
        "x_CostCenter",
        polars.lit(accounts.adjustment).alias("Account"),
        (f"{about}: adjustment for " + polars.col("BillingPeriod")).alias("Text"),
        polars.col(metric).alias("Exact"),
    )
    keys = ["BillingCurrency", "CostCenter", "Account", "Text"]
    named = polars.col("x_CostCenter").fill_null(accounts.no_cost_center).alias("CostCenter")
    found = polars.concat([charged, adjusted]).with_columns(named)
    exact = found.group_by(keys).agg(polars.col("Exact").sum().cast(MONEY))
    return exact.filter(polars.col("Exact") != 0).sort(keys)


def _mapped(column: polars.Expr, names: dict[str, str], default: str) -> polars.Expr:
    if not names:
        return polars.lit(default)
    return column.replace_strict(names, default=default, return_dtype=polars.String)
