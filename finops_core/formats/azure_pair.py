"""One set of charges out of Azure's two: the ActualCost and AmortizedCost exports of the same month.

| row                               | ActualCost | AmortizedCost  | BilledCost | EffectiveCost  |
|-----------------------------------|------------|----------------|------------|----------------|
| on-demand usage, tax, credit, ... | cost       | the same cost  | cost       | cost           |
| usage covered by a commitment     | 0          | amortised cost | 0          | amortised cost |
| unused part of a commitment       | absent     | amortised cost | 0          | amortised cost |
| purchase or refund of one         | cost       | absent         | cost       | 0              |

So all amortised rows count, and of the actual rows the purchases and refunds of commitments; the rest of the actual
rows are the same charges again, and dropped with that reason. BilledCost must then add up to the ActualCost files and
EffectiveCost to the AmortizedCost files, each summed by itself: where the dropped rows were not the same charges, the
first does not hold and the month does not reconcile.

What is a pair is decided for each month, currency and subscription. Where only one kind is there, its rows stand alone
and say what they cannot know; no total is then claimed for the other metric.
"""

from collections.abc import Callable, Mapping, Set
from pathlib import PurePath

from finops_core.focus.charges import EFFECTIVE_UNKNOWN
from finops_core.formats.format import Conflict

ACTUAL = "ActualCost"
AMORTISED = "AmortizedCost"

_SAME = "the same charge as in the AmortizedCost export"
_NO_EFFECTIVE = f"{EFFECTIVE_UNKNOWN}: ActualCost only"
_NO_BILLED = "BilledCost of the commitment is not in the export: AmortizedCost only"

_MONTH = "date_trunc('month', BillingPeriodStart)"
_SCOPE = "regexp_replace(lower(coalesce(SubAccountId, '')), '^/subscriptions/', '')"

UNEQUAL = ". Are all files there, and are ActualCost and AmortizedCost of the same scope and the same day? Export both anew"


def settle(roles: Mapping[str, str], months: Callable[[str], Set[str]]) -> Mapping[str, str]:
    """A part without any trace of commitments plays the role of the other files in its directory, if they have one."""
    near: dict[PurePath, set[str]] = {}
    for path, role in roles.items():
        if role:
            near.setdefault(PurePath(path).parent, set()).add(role)

    def settled(path: str, role: str) -> str:
        neighbours = near.get(PurePath(path).parent, set())
        return next(iter(neighbours)) if not role and len(neighbours) == 1 else role

    return {path: settled(path, role) for path, role in roles.items()}


def one_set(staged: str) -> str:
    """SQL that makes one set of rows of both kinds (see the module's text)."""
    covers = "(s.ChargeCategory = 'Purchase' AND s.CommitmentDiscountType IS NOT NULL)"
    # A subscription may well have only purchases in one kind, or only unused commitment in the other: all is known then.
    alone = f"""CASE
        WHEN s.x_Role = '{ACTUAL}' AND NOT c.amortised AND NOT (c.any_amortised AND {covers}) THEN 'EffectiveCost'
        WHEN s.x_Role = '{AMORTISED}' AND NOT c.actual AND NOT (c.any_actual AND s.CommitmentDiscountType IS NOT NULL)
        THEN 'BilledCost' END"""
    quality = f"""CASE WHEN s.CommitmentDiscountType IS NOT NULL THEN CASE ({alone})
        WHEN 'EffectiveCost' THEN '{_NO_EFFECTIVE}' WHEN 'BilledCost' THEN '{_NO_BILLED}' END END"""
    return f"""
        SELECT s.* REPLACE (
            CASE WHEN s.x_Role = '{ACTUAL}' AND c.amortised AND NOT {covers} THEN '{_SAME}' ELSE s.x_Drop END AS x_Drop,
            {alone} AS x_Uncompared,
            nullif(concat_ws('; ', s.x_Quality, {quality}), '') AS x_Quality)
        FROM {staged} s JOIN (
            SELECT *, bool_or(actual) OVER kind AS any_actual, bool_or(amortised) OVER kind AS any_amortised
            FROM (SELECT {_MONTH} AS month, BillingCurrency AS currency, {_SCOPE} AS scope,
                         bool_or(x_Role = '{ACTUAL}') AS actual, bool_or(x_Role = '{AMORTISED}') AS amortised
                  FROM {staged} GROUP BY ALL)
            WINDOW kind AS (PARTITION BY month, currency)) c
        ON c.month IS NOT DISTINCT FROM {_MONTH} AND c.currency IS NOT DISTINCT FROM s.BillingCurrency
           AND c.scope = {_SCOPE}"""


def _charges_twice(relation: str) -> str:
    """Two files (or folders of parts) that hold exactly the same on-demand charges of a subscription's month.

    An actual and an amortised file are meant to; any other two are copies, or exports whose scopes overlap.
    """
    place = "CASE WHEN regexp_matches(x_File, '(^|/)part_[0-9]') THEN regexp_replace(x_File, '[^/]*$', '') ELSE x_File END"
    same = "ChargePeriodStart, lower(SubAccountId), ResourceId, ChargeDescription, SkuMeter, x_ChargeType, x_SourceCost"
    return f"""
        WITH places AS (
            SELECT {place} AS place, min(x_File) AS file, x_Role AS role, {_MONTH} AS month, BillingCurrency AS currency,
                   {_SCOPE} AS scope, count(*) AS rows, sum(x_SourceCost) AS cost, sum(hash({same})) AS charges
            FROM {relation} WHERE CommitmentDiscountType IS NULL GROUP BY ALL)
        SELECT b.file, 'holds the same charges of ' || strftime(a.month, '%Y-%m') || ', subscription ' || a.scope
               || ', as ' || a.file || ': they would count twice'
        FROM places a JOIN places b USING (month, currency, scope, rows, cost, charges)
        WHERE a.place < b.place AND a.cost <> 0 AND (a.role = b.role OR a.role = '' OR b.role = '')"""


def _different_accounts(relation: str) -> str:
    """Months of which one kind has on-demand charges that the other lacks, both ways: the two are of different scopes."""
    return f"""
        SELECT min(x_File), strftime({_MONTH}, '%Y-%m') || ': subscription '
               || min({_SCOPE}) FILTER (x_Uncompared = 'EffectiveCost') || ' has only ActualCost and '
               || min({_SCOPE}) FILTER (x_Uncompared = 'BilledCost') || ' only AmortizedCost'
        FROM {relation} WHERE x_SourceCost <> 0 GROUP BY {_MONTH}, BillingCurrency
        HAVING count(DISTINCT x_Uncompared) > 1"""


CONFLICTS = (
    Conflict(
        _charges_twice,
        "Load one of the two; if they are the ActualCost and the AmortizedCost export, let their names say so",
    ),
    Conflict(
        _different_accounts,
        "Export both kinds for the same scope, or load the two apart, each with its own --source",
    ),
)

WARNINGS = (
    (
        "rows of ActualCost without their AmortizedCost: EffectiveCost of committed usage is not available"
        " (0 on its rows); load both exports together",
        "x_Uncompared = 'EffectiveCost'",
    ),
    (
        "rows of AmortizedCost without their ActualCost: BilledCost of purchases of commitments is not available"
        " (they are not in the export); load both exports together",
        "x_Uncompared = 'BilledCost'",
    ),
    (
        "purchases of commitments in an AmortizedCost export, which should have none",
        f"x_Role = '{AMORTISED}' AND ChargeCategory = 'Purchase' AND CommitmentDiscountType IS NOT NULL",
    ),
)
