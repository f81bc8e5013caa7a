"""What must hold of staged charges before anything is stored, and what is worth a warning."""

from dataclasses import dataclass

import duckdb

from finops_core.errors import InputRefused, Place
from finops_core.focus.charges import CHARGE_CATEGORIES
from finops_core.formats.expressions import quoted
from finops_core.formats.format import Format
from finops_core.ingest.sql import BILLING_PERIOD
from finops_core.ingest.stage import Staged

_ADVICE = {
    "BillingCurrency": "Every row needs a currency: export the file with its currency column",
    "BillingPeriodStart": "Every row needs its billing period",
    "ChargePeriodStart": "Every row needs its date",
}
_MANDATORY = ("BilledCost", "EffectiveCost", *_ADVICE, "ChargeCategory")


@dataclass(frozen=True)
class Rule:
    """A condition that no stored row may fulfil; the words may hold {value} of the column, and the row's dates by name."""

    column: str
    broken: str
    words: str
    advice: str = ""


def _rules(format: Format) -> list[Rule]:
    categories = ", ".join(CHARGE_CATEGORIES)
    return [
        *(Rule(c, f"{c} IS NULL", f"{c} is missing", _ADVICE.get(c, "")) for c in _MANDATORY),
        Rule(
            "BillingCurrency",
            "NOT regexp_full_match(BillingCurrency, '[A-Z]{3}')",
            "{value!r} is not a currency",
            "Currencies are codes of three letters, such as USD (ISO 4217)",
        ),
        Rule(
            "ChargeCategory",
            f"ChargeCategory NOT IN ({', '.join(quoted(c) for c in CHARGE_CATEGORIES)})",
            "{value!r} is not a charge category of FOCUS",
            f"Known are {categories}, spelled like this",
        ),
        Rule(
            "BillingPeriodStart",
            "BillingPeriodEnd <= BillingPeriodStart OR BillingPeriodStart < TIMESTAMP '2000-01-01'"
            " OR BillingPeriodStart > TIMESTAMP '2100-01-01' OR BillingPeriodEnd > BillingPeriodStart + INTERVAL 400 DAY",
            "the billing period {start} to {end} cannot be",
            "Check the dates: day and month swapped?",
        ),
        Rule(
            "ChargePeriodStart",
            "ChargeCategory = 'Usage' AND ChargeClass IS NULL AND x_Derived IS NULL AND"
            f" (ChargePeriodStart < BillingPeriodStart - INTERVAL {format.days_before} DAY"
            f" OR ChargePeriodStart >= BillingPeriodEnd + INTERVAL {format.days_after} DAY)",
            "the charge of {charge} lies outside its billing period {start} to {end}",
            "Check the dates: day and month swapped?",
        ),
    ]


def check_staged(staged: Staged, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Returns the warnings of all periods. Raises InputRefused at the first row without a mandatory value or with a date
    out of its period, and where rows of the set contradict each other."""
    rules = _rules(staged.format)
    counts = ", ".join(f"count(*) FILTER ({rule.broken})" for rule in rules)
    broken = connection.execute(f"SELECT {counts} FROM {staged.relation} WHERE x_Drop IS NULL").fetchall()[0]
    for rule, count in zip(rules, broken, strict=True):
        if count:
            raise _refusal(staged, connection, rule)
    _refuse_twice(staged, connection)
    for conflict in staged.format.conflicts:
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


def _refusal(staged: Staged, connection: duckdb.DuckDBPyConnection, rule: Rule) -> InputRefused:
    """The first row that breaks a rule."""
    file, row, value, charge, start, end = connection.execute(
        f"""SELECT x_File, x_Row, left(CAST({rule.column} AS VARCHAR), 80), CAST(ChargePeriodStart AS VARCHAR),
                   CAST(BillingPeriodStart AS VARCHAR), CAST(BillingPeriodEnd AS VARCHAR)
            FROM {staged.relation} WHERE x_Drop IS NULL AND ({rule.broken}) ORDER BY x_File, x_Row LIMIT 1"""
    ).fetchall()[0]
    words = rule.words.format(value=value, charge=charge, start=start, end=end)
    return InputRefused(words, Place(file, row, rule.column), rule.advice)


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
        f"SELECT {BILLING_PERIOD}, {counts} FROM {staged.relation} WHERE x_Drop IS NULL GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return {
        period: [f"{count:,} {words}" for (words, _), count in zip(conditions, found, strict=True) if count]
        for period, *found in rows
    }
