"""FOCUS itself, 1.0-preview to 1.4, in the flavours of AWS, Microsoft, Google, Oracle and others; csv, parquet, JSON lines."""

import re
from collections.abc import Mapping

from finops_core.focus.charges import CUSTOM_COLUMNS, EFFECTIVE_ASSUMED
from finops_core.focus.columns import FOCUS_COLUMNS
from finops_core.formats.expressions import UNREAD_TAGS, utc_month
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
_UNSTATED = (
    "the export does not say whether the commitment was used: taken as unused where nothing was consumed"
)
_PRICING = "CASE [PricingCategory] WHEN 'On-Demand' THEN 'Standard' WHEN 'Commitment-Based' THEN 'Committed' ELSE [PricingCategory] END"
_UNKNOWN_CATEGORY = "the export gives no ChargeCategory: counted as Adjustment"


def _known(name: str) -> str:
    """A cost that Microsoft writes as 0 where it does not know it (marketplace, reservations): unknown, not free."""
    return (
        f"CASE WHEN $provider = 'Microsoft' AND money([{name}]) = 0 AND ($billed <> 0 OR $effective <> 0) THEN NULL"
        f" ELSE money([{name}]) END"
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
    columns |= {name: _known(name) for name in ("ListCost", "ContractedCost")}
    columns |= {
        "BillingPeriodEnd": "coalesce(instant([BillingPeriodEnd]), instant([BillingPeriodStart]) + INTERVAL 1 MONTH)",
        "ChargePeriodEnd": "coalesce(instant([ChargePeriodEnd]), instant([ChargePeriodStart]) + INTERVAL 1 DAY)",
        "ProviderName": "$provider",
        "ServiceProviderName": "coalesce([ServiceProviderName], [ProviderName])",
        "PublisherName": "coalesce([PublisherName], [ServiceProviderName])",
        "HostProviderName": "coalesce([HostProviderName], [PublisherName], [ServiceProviderName])",
        "ChargeCategory": "coalesce($category, 'Adjustment')",
        "PricingCategory": _PRICING,
        "ServiceCategory": "coalesce([ServiceCategory], 'Other')",
        "ServiceName": "coalesce([ServiceName], 'Unknown')",
        "CommitmentDiscountStatus": "coalesce($status, $guessed)",
        "Tags": "tags([Tags])",
        "x_CostCategories": "tags([x_CostCategories])",
        "x_Quality": f"nullif(concat_ws('; ', CASE WHEN $category IS NULL THEN '{_UNKNOWN_CATEGORY}' END,"
        f" CASE WHEN $guessed IS NOT NULL THEN '{_UNSTATED}' END), '')",
        "x_SourceCost": "$billed",
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
        period_of=utc_month,
    )


def _complete(staged: str) -> str:
    """Where every EffectiveCost of a set is 0 or missing although money was billed (Oracle's exports), fall back to
    BilledCost and say so on each row; a set with any EffectiveCost is taken at its word.

    Purchases that cover other rows say nothing here: their EffectiveCost is 0 by rule.
    """
    told = "NOT (ChargeCategory = 'Purchase' AND CommitmentDiscountId IS NOT NULL)"
    return f"""
        SELECT s.* REPLACE (
            CASE WHEN t.absent THEN BilledCost ELSE EffectiveCost END AS EffectiveCost,
            CASE WHEN t.absent THEN '{EFFECTIVE_ASSUMED}' ELSE x_Quality END AS x_Quality,
            CASE WHEN t.absent THEN 'EffectiveCost' ELSE x_Uncompared END AS x_Uncompared)
        FROM {staged} s CROSS JOIN (
            SELECT coalesce(bool_and(coalesce(EffectiveCost, 0) = 0), FALSE)
                   AND coalesce(bool_or(BilledCost <> 0 AND {told}), FALSE) AS absent FROM {staged}) t"""


def _definitions(header: Header) -> Mapping[str, str]:
    names = {spell(name) for name in header.names}
    # FOCUS wants no ConsumedQuantity of what is unused. A correction may lack it too, and a file the column: then it is what has no price.
    nothing = "coalesce(money([ContractedCost]), money([ListCost])) = 0"
    if names & {"consumedquantity", "usagequantity"}:
        nothing = f"quantity([ConsumedQuantity]) IS NULL AND ([ChargeClass] IS NULL OR {nothing})"
    return {
        "billed": "money([BilledCost])",
        "effective": "money([EffectiveCost])",
        "provider": "coalesce([ProviderName], [ServiceProviderName])",
        "category": "coalesce([ChargeCategory], [ChargeType])",
        "status": f"coalesce([CommitmentDiscountStatus], {_SUBCATEGORY})",
        "guessed": "CASE WHEN $status IS NULL AND $category = 'Usage' AND [CommitmentDiscountId] IS NOT NULL"
        f" THEN CASE WHEN {nothing} THEN 'Unused' ELSE 'Used' END END",
    }


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
    definitions=_definitions,
    nulls=("NULL", "NONE", "N/A"),
    total=_total,
    columns=_columns(),
    complete=_complete,
    warn=(
        (
            "rows where the export has no EffectiveCost anywhere: BilledCost is shown instead",
            f"x_Quality = '{EFFECTIVE_ASSUMED}'",
        ),
        (
            "rows without a ChargeCategory, counted as Adjustment",
            f"contains(x_Quality, '{_UNKNOWN_CATEGORY}')",
        ),
        (
            "rows of commitments without a CommitmentDiscountStatus: taken as unused where nothing was consumed, else as used",
            f"contains(x_Quality, '{_UNSTATED}')",
        ),
        (
            "rows with a ChargeCategory that FOCUS does not know, kept as it is",
            "ChargeCategory NOT IN ('Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment')",
        ),
        ("rows whose tags are written in no known way", f"Tags LIKE '{{\"{UNREAD_TAGS}\":%'"),
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
