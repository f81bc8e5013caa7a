"""Fifty questions as pages and people ask them: one or two dimensions, a filter or two, some months, a few at resource level."""

from finops_core import Query

_USAGE = "ChargeCategory not in Tax,Credit"
_LAST = {"start": "2026-05-01", "end": "2026-08-01"}
_BEFORE = {"start": "2026-02-01", "end": "2026-05-20"}
"""What a page compares with: the months before, up to the same day."""
_TO_DATE = {"start": "2026-07-01", "end": "2026-07-20"}
_A_WEEK = {"start": "2026-07-06", "end": "2026-07-13"}


def _ask(
    *by: str, grain: str = "none", where: tuple[str, ...] = (), metric: str = "EffectiveCost", **more: object
) -> Query:
    return Query(metric, by=by, grain=grain, where=where, **more)  # type: ignore[arg-type]


QUESTIONS: tuple[Query, ...] = (
    # Overview and Explorer: totals, and one dimension over months, weeks and days
    _ask(),
    _ask(grain="day"),
    _ask(grain="month", metric="BilledCost"),
    _ask(grain="day", where=("ChargeCategory=Usage",), metric="ChargeCount"),
    _ask("ServiceName", grain="month"),
    _ask("ServiceName", grain="day", **_LAST),
    _ask("ServiceName", grain="month", where=(_USAGE,)),
    _ask("ServiceCategory", grain="week"),
    _ask("SubAccountName", grain="day"),
    _ask("SubAccountId", "SubAccountName", grain="month", metric="BilledCost"),
    _ask("RegionId", grain="month"),
    _ask("RegionName", grain="day", **_TO_DATE),
    _ask("x_Team", grain="month"),
    _ask("x_Team", grain="day", where=("x_Environment=prod",)),
    _ask("x_Environment", grain="week"),
    _ask("x_CostCenter", grain="month", metric="BilledCost"),
    _ask("x_Application", grain="month", order="-EffectiveCost", limit=500),
    _ask("ProviderName", "ChargeCategory", grain="month"),
    _ask("PublisherName", grain="quarter"),
    _ask("ChargeCategory", "ChargeClass", "ChargeFrequency", grain="month", metric="BilledCost"),
    # Two dimensions
    _ask("SubAccountName", "ServiceName", grain="month"),
    _ask("SubAccountName", "ServiceName", **_TO_DATE),
    _ask("ServiceName", "RegionId", grain="month", **_LAST),
    _ask("x_Team", "ServiceName", grain="month", **_BEFORE),
    _ask("x_Team", "x_Environment", grain="month"),
    _ask("x_Team", "SubAccountName", grain="week", **_LAST),
    _ask("x_CostCenter", "x_Team", grain="month", **_LAST),
    _ask("ServiceCategory", "x_Environment", grain="day", **_LAST),
    # One or two filters of others
    _ask("ServiceName", grain="day", where=("SubAccountName=Account 3",)),
    _ask("ServiceName", grain="month", where=("SubAccountName in Account 1,Account 2,Account 3", _USAGE)),
    _ask("SubAccountName", grain="day", where=("ServiceName=Service 1",)),
    _ask("SubAccountName", where=("ServiceCategory=Compute", "x_Environment=prod"), **_BEFORE),
    _ask("ServiceName", grain="day", where=("x_Team=team-2", "x_Environment=prod")),
    _ask("RegionId", grain="month", where=("ServiceName~Service 2", "SubAccountName!=Account 0")),
    _ask("x_Team", grain="day", where=("SubAccountName=Account 1", "ServiceName=Service 0"), **_LAST),
    _ask("x_Application", grain="month", where=("x_Team=team-1",)),
    _ask("x_Application", where=("x_Team=team-1",), **_BEFORE),
    _ask("ServiceName", where=("x_Team is null",), order="-EffectiveCost", limit=20),
    _ask("x_Environment", grain="month", where=("RegionId=region-1", "ServiceCategory=Storage")),
    # Commitments
    _ask("CommitmentDiscountStatus", "PricingCategory", grain="month"),
    _ask("CommitmentDiscountId", grain="month", where=("CommitmentDiscountStatus=Used",)),
    _ask("PricingCategory", grain="day", where=("ServiceCategory=Compute",)),
    _ask("CommitmentDiscountType", "SubAccountName", grain="month", metric="BilledCost"),
    # Down to SKUs, resources and tags
    _ask("SkuId", grain="month", where=("ServiceName=Service 3",)),
    _ask("x_UsageType", where=("ServiceName=Service 0", "SubAccountName=Account 1"), **_LAST),
    _ask("ResourceId", order="-EffectiveCost", limit=100, **_LAST),
    _ask("ResourceId", grain="day", where=("SubAccountId=account-7",), **_A_WEEK),
    _ask(
        "ResourceId",
        "ResourceName",
        where=("x_Team=team-4", "ServiceName=Service 5"),
        order="-EffectiveCost",
        limit=100,
    ),
    _ask("ServiceName", grain="month", metric="ResourceCount"),
    _ask("tag:owner", where=("x_Team=team-3",), **_TO_DATE),
)
