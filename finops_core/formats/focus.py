"""FOCUS itself, 1.0-preview to 1.4, in the flavours of AWS, Microsoft, Google, Oracle and others; csv, parquet, JSON lines."""

import re

from finops_core.focus.charges import CUSTOM_COLUMNS
from finops_core.focus.columns import FOCUS_COLUMNS
from finops_core.formats.format import Format, Header, SourceTotal


def spell(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


_BY_VERSION = (
    ("1.4", ("InvoiceDetailId", "CommitmentProgramEligibilityDetails")),
    ("1.3", ("ServiceProviderName", "HostProviderName", "ContractApplied", "AllocatedMethodId")),
    ("1.2", ("PricingCurrency", "InvoiceId", "BillingAccountType", "SubAccountType")),
    ("1.1", ("SkuMeter", "CapacityReservationId", "CommitmentDiscountQuantity", "ServiceSubcategory")),
    ("1.0", ("ConsumedQuantity", "ContractedCost", "RegionId", "CommitmentDiscountStatus")),
)


def recognise(header: Header) -> str | None:
    """Six FOCUS columns, one of them that no native export has, make a FOCUS file; its newest columns, the version."""
    names = {spell(name) for name in header.names}
    known = {spell(name) for name in FOCUS_COLUMNS} & names
    if len(known) < 6 or not known & {"chargeperiodstart", "billedcost", "chargecategory"}:
        return None
    if "serviceprovidername" in names and "providername" not in names and "publishername" not in names:
        return "1.4"
    for version, signs in _BY_VERSION:
        if any(spell(sign) in names for sign in signs):
            return version
    return "1.0-preview"


_SUBCATEGORY = (
    "CASE [ChargeSubcategory] WHEN 'Used Commitment' THEN 'Used' WHEN 'Unused Commitment' THEN 'Unused' END"
)


def _columns() -> dict[str, str]:
    reader = {"Date/Time": "instant", "JSON": "json"}
    columns: dict[str, str] = {}
    for name, column in FOCUS_COLUMNS.items():
        if name in ("BilledCost", "EffectiveCost"):
            columns[name] = f"money([{name}])"
        elif column.type == "Decimal":
            columns[name] = f"quantity([{name}])" if name.endswith("Quantity") else f"price([{name}])"
        elif column.type in reader:
            columns[name] = f"{reader[column.type]}([{name}])"
        else:
            columns[name] = f"[{name}]"
    # Costs beside the two that are reconciled may be absent, and then unknown; a word in them is still an error.
    columns |= {name: f"money([{name}])" for name in ("ListCost", "ContractedCost")}
    columns |= {
        "BillingPeriodEnd": "coalesce(instant([BillingPeriodEnd]), instant([BillingPeriodStart]) + INTERVAL 1 MONTH)",
        "ChargePeriodEnd": "coalesce(instant([ChargePeriodEnd]), instant([ChargePeriodStart]) + INTERVAL 1 DAY)",
        "ProviderName": "coalesce([ProviderName], [ServiceProviderName])",
        "ServiceProviderName": "coalesce([ServiceProviderName], [ProviderName])",
        "PublisherName": "coalesce([PublisherName], [ServiceProviderName])",
        "HostProviderName": "coalesce([HostProviderName], [PublisherName], [ServiceProviderName])",
        "ChargeCategory": "coalesce([ChargeCategory], CASE WHEN [ChargeType] IN ('Usage', 'Purchase', 'Tax', 'Credit')"
        " THEN [ChargeType] ELSE 'Adjustment' END)",
        "ServiceCategory": "coalesce([ServiceCategory], 'Other')",
        "ServiceName": "coalesce([ServiceName], 'Unknown')",
        "CommitmentDiscountStatus": f"coalesce([CommitmentDiscountStatus], {_SUBCATEGORY})",
        "x_SourceCost": "money([BilledCost])",
        "x_ChargeType": "coalesce([x_ChargeType], [ChargeSubcategory])",
    }
    columns |= {
        name: f"[{name}]"
        for name in CUSTOM_COLUMNS
        if name.startswith("x_") and name not in _OURS | set(columns)
    }
    return columns


_OURS = {"x_SourceCost", "x_Derived", "x_File", "x_Row", "x_Extra", "x_Quality", "x_Credits"}


def _total(header: Header, role: str) -> SourceTotal:
    return SourceTotal(
        cost="BilledCost",
        effective="EffectiveCost",
        period="BillingPeriodStart",
        currency="BillingCurrency",
        period_of=lambda text: text[:7],
    )


def _complete(staged: str) -> str:
    """Where every EffectiveCost of a set is 0 or missing although money was billed (Oracle's exports), fall back to
    BilledCost and say so on each row; a set with any EffectiveCost is taken at its word."""
    return f"""
        SELECT s.* REPLACE (
            CASE WHEN t.absent THEN BilledCost ELSE EffectiveCost END AS EffectiveCost,
            CASE WHEN t.absent THEN 'EffectiveCost is not in the export: BilledCost is shown' ELSE x_Quality END AS x_Quality)
        FROM {staged} s CROSS JOIN (
            SELECT coalesce(bool_and(coalesce(EffectiveCost, 0) = 0), FALSE)
                   AND coalesce(bool_or(BilledCost <> 0), FALSE) AS absent FROM {staged}) t"""


FORMAT = Format(
    name="focus",
    title="FOCUS",
    provider="",
    description="FinOps Open Cost and Usage Specification, 1.0-preview to 1.4; csv, parquet or JSON lines.",
    recognise=recognise,
    spell=spell,
    required=("BilledCost", "EffectiveCost", "BillingCurrency", "BillingPeriodStart", "ChargePeriodStart"),
    synonyms={
        "RegionId": ("Region",),
        "ConsumedQuantity": ("UsageQuantity",),
        "ConsumedUnit": ("UsageUnit",),
        "ProviderName": ("Provider",),
        "PublisherName": ("Publisher",),
        "InvoiceIssuerName": ("InvoiceIssuer",),
    },
    nulls=("NULL", "NONE", "N/A"),
    total=_total,
    columns=_columns(),
    complete=_complete,
    warn=(
        (
            "rows where the export has no EffectiveCost anywhere: BilledCost is shown instead",
            "x_Quality LIKE 'EffectiveCost is not%'",
        ),
        (
            "rows bought to cover other rows whose EffectiveCost is not 0",
            "ChargeCategory = 'Purchase' AND CommitmentDiscountId IS NOT NULL AND EffectiveCost <> 0",
        ),
        (
            "Credit rows whose EffectiveCost differs from their BilledCost",
            "ChargeCategory = 'Credit' AND EffectiveCost <> BilledCost",
        ),
        (
            "Usage rows outside any commitment with a BilledCost other than their EffectiveCost"
            " (the export itself may be rounded or broken: it is shown as it is)",
            "ChargeCategory = 'Usage' AND CommitmentDiscountId IS NULL AND EffectiveCost <> BilledCost",
        ),
    ),
)
