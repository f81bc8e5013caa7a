"""What must hold of staged charges before anything is stored, and what is worth a warning."""

import duckdb

from finops_core.errors import InputRefused, Place
from finops_core.focus.charges import CHARGE_CATEGORIES
from finops_core.formats.expressions import quoted
from finops_core.ingest.stage import Staged

PERIOD = "strftime(BillingPeriodStart, '%Y-%m')"
"""SQL of a staged row's billing period, YYYY-MM."""
_MANDATORY = (
    "BilledCost",
    "EffectiveCost",
    "BillingCurrency",
    "BillingPeriodStart",
    "ChargePeriodStart",
    "ChargeCategory",
)
_ADVICE = {
    "BillingCurrency": "Every row needs a currency: export the file with its currency column",
    "BillingPeriodStart": "Every row needs its billing period",
    "ChargePeriodStart": "Every row needs its date",
}


def check_staged(staged: Staged, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Returns the warnings of all periods. Raises InputRefused at the first row without a mandatory value or with a date
    out of its period, and where rows of the set contradict each other."""
    for column in _MANDATORY:
        _refuse_where(
            staged, connection, f"{column} IS NULL", f"{column} is missing", column, _ADVICE.get(column, "")
        )
    _refuse_where(
        staged,
        connection,
        "NOT regexp_full_match(BillingCurrency, '[A-Z]{3}')",
        "{value!r} is not a currency",
        "BillingCurrency",
        "Currencies are codes of three letters, such as USD (ISO 4217)",
    )
    _refuse_where(
        staged,
        connection,
        f"ChargeCategory NOT IN ({', '.join(quoted(c) for c in CHARGE_CATEGORIES)})",
        "{value!r} is not a charge category of FOCUS",
        "ChargeCategory",
        f"Known are {', '.join(CHARGE_CATEGORIES)}, spelled like this",
    )
    _refuse_where(
        staged,
        connection,
        "BillingPeriodEnd <= BillingPeriodStart OR BillingPeriodStart < TIMESTAMP '2000-01-01'"
        " OR BillingPeriodStart > TIMESTAMP '2100-01-01' OR BillingPeriodEnd > BillingPeriodStart + INTERVAL 400 DAY",
        "the billing period {BillingPeriodStart} to {BillingPeriodEnd} cannot be",
        "BillingPeriodStart",
        "Check the dates: day and month swapped?",
    )
    _refuse_twice(staged, connection)
    limits = staged.format
    _refuse_where(
        staged,
        connection,
        "ChargeCategory = 'Usage' AND ChargeClass IS NULL AND x_Derived IS NULL AND"
        f" (ChargePeriodStart < BillingPeriodStart - INTERVAL {limits.days_before} DAY"
        f" OR ChargePeriodStart >= BillingPeriodEnd + INTERVAL {limits.days_after} DAY)",
        "the charge of {ChargePeriodStart} lies outside its billing period {BillingPeriodStart} to {BillingPeriodEnd}",
        "ChargePeriodStart",
        "Check the dates: day and month swapped?",
    )
    for conflict in limits.conflicts:
        found = connection.execute(f"{conflict.find(staged.relation)} ORDER BY ALL LIMIT 1").fetchall()
        if found:
            raise InputRefused(found[0][1], Place(found[0][0]), conflict.advice)
    return [words for found in warnings_by_period(staged, connection).values() for words in found]


def _refuse_twice(staged: Staged, connection: duckdb.DuckDBPyConnection) -> None:
    if staged.format.twice is None or len(staged.roles) < 2:
        return
    files = connection.execute(staged.format.twice(staged.relation)).fetchall()
    if files:
        kinds = " and ".join(sorted(staged.roles))
        raise InputRefused(
            f"its spend is also in another file of this load ({kinds} export of the same account and month)",
            Place(files[0][0]),
            "Load one of the two",
        )


def _refuse_where(
    staged: Staged, connection: duckdb.DuckDBPyConnection, condition: str, what: str, column: str, advice: str
) -> None:
    rows = connection.execute(
        f"""SELECT x_File, x_Row, CAST(ChargePeriodStart AS VARCHAR), CAST(BillingPeriodStart AS VARCHAR),
                   CAST(BillingPeriodEnd AS VARCHAR), left(CAST({column} AS VARCHAR), 80)
            FROM {staged.relation} WHERE x_Drop IS NULL AND ({condition}) ORDER BY x_File, x_Row LIMIT 1"""
    ).fetchall()
    if rows:
        file, row, charge, start, end, value = rows[0]
        words = what.format(
            ChargePeriodStart=charge, BillingPeriodStart=start, BillingPeriodEnd=end, value=value
        )
        raise InputRefused(words, Place(file, row, column), advice)


def warnings_by_period(staged: Staged, connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """What is to be said of the stored rows of each billing period (YYYY-MM)."""
    conditions = [
        *staged.format.warn,
        ("rows whose charge period does not end after it starts", "ChargePeriodEnd <= ChargePeriodStart"),
        (
            "rows of usage from more than a day before their billing period",
            "ChargeCategory = 'Usage' AND ChargeClass IS NULL AND x_Derived IS NULL"
            " AND ChargePeriodStart < BillingPeriodStart - INTERVAL 1 DAY",
        ),
    ]
    counts = ", ".join(f"count(*) FILTER ({condition})" for _, condition in conditions)
    rows = connection.execute(
        f"SELECT {PERIOD}, {counts} FROM {staged.relation} WHERE x_Drop IS NULL GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return {
        period: [f"{count:,} {words}" for (words, _), count in zip(conditions, found, strict=True) if count]
        for period, *found in rows
    }
