"""What a staged set amounts to, by billing period: rows, totals by currency, and whether they equal the source's own."""

import re
from dataclasses import dataclass, field
from decimal import Decimal

import duckdb

from finops_core.focus.charges import COSTS
from finops_core.ingest.sql import BILLING_PERIOD
from finops_core.ingest.stage import Staged

_METRICS = {"BilledCost": "source_total", "EffectiveCost": "source_effective"}


@dataclass
class Month:
    """One billing period of a staged set. `totals` by currency: plain decimals by name."""

    period: str
    rows_in: int = 0
    rows_stored: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    derived: dict[str, int] = field(default_factory=dict)
    totals: dict[str, dict[str, str]] = field(default_factory=dict)
    reconciled: bool = True
    warnings: list[str] = field(default_factory=list)
    newest: str = ""
    accounts: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    """The parts that the month's files play, as the format names them."""
    starts: list[str] = field(default_factory=list)
    """First days of the billing periods that start in the month, ISO 8601."""


def months_of(staged: Staged, connection: duckdb.DuckDBPyConnection) -> list[Month]:
    """The months of a set, in order."""
    months: dict[str, Month] = {}
    costs = ", ".join(f"sum({c}) FILTER (x_Drop IS NULL)" for c in COSTS)
    compared = ", ".join(f"sum({m}) FILTER (x_Uncompared IS DISTINCT FROM '{m}')" for m in _METRICS)
    rows = connection.execute(
        f"""SELECT {BILLING_PERIOD}, BillingCurrency, x_Drop, x_Derived, count(*), {costs}, {compared},
                   strftime(max(ChargePeriodStart), '%Y-%m-%dT%H:%M:%SZ')
            FROM {staged.relation} GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    sums: dict[tuple[str, str], dict[str, Decimal]] = {}
    held: dict[tuple[str, str, str], Decimal] = {}
    counted: dict[str, int] = {}
    for period, currency, drop, derived, count, *amounts, newest in rows:
        month = months.setdefault(period, Month(period))
        group = sums.setdefault((period, currency), {"rows": Decimal(0), **dict.fromkeys(COSTS, Decimal(0))})
        if drop is not None:
            month.dropped[drop] = month.dropped.get(drop, 0) + count
            continue
        if derived is not None:
            month.derived[derived] = month.derived.get(derived, 0) + count
        month.rows_stored += count
        month.newest = max(month.newest, newest or "")
        group["rows"] += count
        for name, amount in zip(COSTS, amounts, strict=False):
            group[name] += amount or 0
        for name, amount in zip(_METRICS, amounts[len(COSTS) :], strict=True):
            key = (period, currency, name)
            held[key] = held.get(key, Decimal(0)) + (amount or 0)
    for period, month in months.items():
        counted[period] = month.rows_stored + sum(month.dropped.values()) - sum(month.derived.values())
    _compare(staged, months, sums, held, counted)
    for period, keys in _accounts(staged, connection).items():
        months[period].accounts = keys
    for period, role in connection.execute(
        f"SELECT DISTINCT {BILLING_PERIOD}, x_Role FROM {staged.relation} ORDER BY ALL"
    ).fetchall():
        months[period].roles.append(role)
    for period, start in connection.execute(
        f"SELECT DISTINCT {BILLING_PERIOD}, strftime(BillingPeriodStart, '%Y-%m-%d') FROM {staged.relation}"
        " WHERE x_Drop IS NULL ORDER BY ALL"
    ).fetchall():
        months[period].starts.append(start)
    return [months[period] for period in sorted(months)]


def _compare(
    staged: Staged,
    months: dict[str, Month],
    sums: dict[tuple[str, str], dict[str, Decimal]],
    held: dict[tuple[str, str, str], Decimal],
    counted: dict[str, int],
) -> None:
    """Holds the stored totals against the source's own. `held`: those of the rows that the source states a total for."""
    for (period, currency), group in sums.items():
        month = months[period]
        totals = {name: _plain(amount) for name, amount in group.items()}
        for metric, name in _METRICS.items():
            source = staged.sums.sums.get((period, currency, metric))
            if source is None:
                continue
            totals[name] = _plain(source)
            stored = held.get((period, currency, metric), Decimal(0))
            if source != stored:
                month.reconciled = False
                month.warnings.append(
                    f"{metric} {currency}: the source adds up to {_plain(source)}, stored are {_plain(stored)}"
                    f" (difference {_plain(stored - source)}){staged.format.unequal}"
                )
        month.totals[currency] = totals
    for (period, currency), rows in staged.sums.rows.items():
        if period in months:
            months[period].rows_in += rows
        if (period, currency) not in sums:
            first = months[min(months)]
            first.reconciled = False
            first.warnings.append(
                f"{rows:,} source rows of {period or 'no period'} {currency or 'no currency'} are not stored"
            )
    for period, month in months.items():
        if month.rows_in != counted[period]:
            month.reconciled = False
            month.warnings.append(f"rows: {month.rows_in:,} in the source, {counted[period]:,} accounted for")


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


PROVIDER = """CASE WHEN lower(ProviderName) LIKE '%amazon%' OR lower(ProviderName) = 'aws' THEN 'aws'
    WHEN lower(ProviderName) LIKE '%microsoft%' OR lower(ProviderName) LIKE '%azure%' THEN 'azure'
    WHEN lower(ProviderName) LIKE '%google%' OR lower(ProviderName) = 'gcp' THEN 'gcp'
    WHEN lower(ProviderName) LIKE '%oracle%' OR lower(ProviderName) = 'oci' THEN 'oci'
    ELSE lower(coalesce(ProviderName, '')) END"""
"""One word for a provider, however an export names it."""


def _accounts(staged: Staged, connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """By period, the keys provider|account of the spend: the sub account, else the billing account."""
    rows = connection.execute(
        f"""SELECT DISTINCT {BILLING_PERIOD}, {PROVIDER} || '|' || lower(coalesce(SubAccountId, BillingAccountId, ''))
            FROM {staged.relation} WHERE x_Drop IS NULL ORDER BY ALL"""
    ).fetchall()
    found: dict[str, list[str]] = {}
    for period, key in rows:
        found.setdefault(period, []).append(key)
    return found


def source_name(staged: Staged, connection: duckdb.DuckDBPyConnection) -> str:
    """The source's name where the user gives none: the format and the billing account that pays."""
    slug = re.sub(r"[^a-z0-9]+", "-", staged.format.name.lower())
    accounts = connection.execute(
        f"SELECT DISTINCT BillingAccountId FROM {staged.relation} WHERE BillingAccountId IS NOT NULL ORDER BY 1"
    ).fetchall()
    if not accounts:
        return slug
    first = re.sub(r"[^A-Za-z0-9._-]+", "-", str(accounts[0][0])).strip("-.")[:60]
    rest = f"-and-{len(accounts) - 1}-more" if len(accounts) > 1 else ""
    return f"{slug}-{first}{rest}"
