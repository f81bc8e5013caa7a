"""Azure cost exports (Cost Management): Enterprise Agreement, Microsoft Customer Agreement, pay-as-you-go, partners.

An agreement's ActualCost and AmortizedCost exports describe the same month in two ways; `azure_pair` makes one set of
rows of them. The headers differ by case, by synonyms and by language (`Ressourcengruppe (ResourceGroup)`): the name in
parentheses counts. Dates are M/D/YYYY or ISO 8601, and the last day of a billing period belongs to it.

What the export says decides here:

- A commitment is what `PricingModel` calls Reservation or SavingsPlan, not what has a `ReservationId`: on-demand rows
  may carry one. Only where a row has no PricingModel do its ids say it.
- `Quantity` counts single units by documentation, blocks such as `10K` in many exports. The row's own unit price and
  cost say which; where they say nothing, the documentation holds.
- A price of 0 is unknown, not free. Unit prices of a Customer Agreement are in the pricing currency.
- ListCost, and ContractedCost of committed usage, are unit price x quantity: computed, to 12 decimals. All other costs
  are the export's own, to the last digit.
"""

import re
from collections.abc import Callable, Mapping

from finops_core.formats.azure_pair import ACTUAL, AMORTISED, CONFLICTS, UNEQUAL, WARNINGS, one_set, settle
from finops_core.formats.format import Format, Header, SourceTotal


def spell(name: str) -> str:
    """`costInBillingCurrency` and `CostInBillingCurrency` agree; of a localised name what stands in parentheses counts."""
    localised = re.search(r"\(([^()]+)\)\s*$", name)
    return re.sub(r"[^a-z0-9]", "", (localised.group(1) if localised else name).lower())


_SIGNS = frozenset(
    (
        "metercategory",
        "metersubcategory",
        "meterid",
        "metername",
        "meterregion",
        "consumedservice",
        "resourcelocation",
        "additionalinfo",
        "serviceinfo1",
        "unitofmeasure",
        "offerid",
        "subscriptionguid",
        "isazurecrediteligible",
    )
)


def recognise(header: Header) -> str | None:
    """Five names that only Azure's cost exports have; the agreement by the columns that only it has."""
    names = {spell(name) for name in header.names}
    if len(_SIGNS & names) < 5 or {"billedcost", "chargecategory"} <= names:
        return None
    if {"customertenantid", "partnername", "partnertenantid"} & names:
        return "CSP"
    if {"invoiceid", "pricingcurrency", "exchangeratepricingtobilling", "costinpricingcurrency"} & names:
        return "MCA"
    return "pay-as-you-go" if "billingaccountid" not in names else "EA"


_SYNONYMS = {
    "CostInBillingCurrency": ("Cost", "PreTaxCost", "ExtendedCost"),
    "BillingCurrencyCode": ("BillingCurrency", "Currency", "CurrencyCode"),
    "Date": ("UsageDateTime", "UsageDate"),
    "Quantity": ("UsageQuantity", "ConsumedQuantity"),
    "ResourceGroup": ("ResourceGroupName",),
    "ResourceId": ("InstanceName", "InstanceId"),
    "ProductName": ("Product",),
    "InvoiceSectionName": ("InvoiceSection", "DepartmentName"),
    "ReservationName": ("BenefitName",),
    "PayGPrice": ("PayGPricePerUnit", "MarketPrice"),
    "BillingPeriodStartDate": ("BillingPeriodStart",),
    "BillingPeriodEndDate": ("BillingPeriodEnd",),
}


def _has(header: Header, *names: str) -> bool:
    present = {spell(column) for column in header.names}
    return any(spell(name) in present for name in names)


def _role(header: Header, hint: str, count: Callable[[str], int]) -> str:
    """What the manifest says; else what only one kind of export can hold; else the words of the path; else nothing.

    A file without any trace of a commitment reads the same either way.
    """
    said = hint.lower()
    if said in ("actualcost", "usage"):
        return ACTUAL
    if said == "amortizedcost":
        return AMORTISED
    for role, sign in (
        (AMORTISED, "$unused"),
        (ACTUAL, "$covers"),
        (AMORTISED, "$usage AND $commitment IS NOT NULL AND $cost <> 0"),
        (ACTUAL, "$usage AND $commitment IS NOT NULL"),
    ):
        if count(sign):
            return role
    words = set(re.findall(r"amorti[sz]ed|actual", said))
    if len(words) == 1:
        return ACTUAL if "actual" in words else AMORTISED
    return ""


def _definitions(header: Header) -> Mapping[str, str]:
    profile = _has(header, "BillingProfileId") and recognise(header) in ("MCA", "CSP")
    payer = (
        "[BillingProfile{0}], [BillingAccount{0}]" if profile else "[BillingAccount{0}], [BillingProfile{0}]"
    )
    first_block = r"TRY_CAST(nullif(regexp_extract([UnitOfMeasure], '^\d+'), '') AS DOUBLE)"
    kind = "lower(replace(coalesce([ChargeType], ''), ' ', ''))" if _has(header, "ChargeType") else "'usage'"
    return {
        "type": kind,
        "model": "lower(replace(coalesce([PricingModel], ''), ' ', ''))",
        "unused": "($type IN ('unusedreservation', 'unusedsavingsplan'))",
        "usage": "($type = 'usage' OR $unused)",
        "purchase": "($type IN ('purchase', 'refund'))",
        "benefit": "coalesce([benefitId], [ReservationId])",
        "origin": "lower(concat_ws(' ', $benefit, [ConsumedService], [ResourceId]))",
        # A purchase may come without a pricing model, or as OnDemand; then what it buys says whether it covers usage.
        "by_origin": "CASE WHEN $origin LIKE '%microsoft.billingbenefits%' THEN 'Savings Plan'"
        " WHEN $origin LIKE '%microsoft.capacity%' THEN 'Reservation' END",
        "commitment": "CASE WHEN NOT ($usage OR $purchase) THEN NULL"
        " WHEN $type = 'unusedreservation' OR $model IN ('reservation', 'reserved') THEN 'Reservation'"
        " WHEN $type = 'unusedsavingsplan' OR $model = 'savingsplan' THEN 'Savings Plan'"
        " WHEN $purchase THEN $by_origin"
        " WHEN $model = '' AND $benefit IS NOT NULL THEN coalesce($by_origin, 'Reservation') END",
        "covers": "($purchase AND $commitment IS NOT NULL)",
        "cost": "money([CostInBillingCurrency])",
        "date": "us_date([Date])",
        "period": "coalesce(us_date([BillingPeriodStartDate]), date_trunc('month', $date))",
        "account": f"coalesce({payer.format('Id')}, $subscription)",
        "account_name": f"coalesce({payer.format('Name')})",
        "subscription": "coalesce([SubscriptionGuid], [SubscriptionId])",
        "quantity": "quantity([Quantity])",
        "stated_block": f"coalesce(CAST(lookup(azure_units, trim([UnitOfMeasure]), block) AS DOUBLE), nullif({first_block}, 0), 1)",
        "rate": "CASE WHEN upper([PricingCurrency]) IS DISTINCT FROM upper([BillingCurrencyCode])"
        " AND [PricingCurrency] IS NOT NULL THEN price([exchangeRatePricingToBilling])"
        " ELSE coalesce(price([exchangeRatePricingToBilling]), 1) END",
        "unit_price": "nullif(price([UnitPrice]), 0)",
        "list_price": "nullif(price([PayGPrice]), 0)",
        # How far unit price x quantity lies from the cost, as a ratio: blocks are tens to millions, discounts are not.
        "off": "nullif(abs(CAST($unit_price AS DOUBLE) * $rate * $quantity / CAST(nullif($cost, 0) AS DOUBLE)), 0)",
        "block": "CASE WHEN $stated_block = 1 OR abs(ln($off)) < abs(ln($off / $stated_block)) THEN 1 ELSE $stated_block END",
        "pricing_quantity": "($quantity / $block)",
        "list_cost": "coalesce(nullif(price([paygCostInBillingCurrency]), 0),"
        " computed_money(CAST($list_price AS DOUBLE) * $rate * $pricing_quantity))",
        "priced": "($type IN ('usage', 'purchase', 'refund'))",
        "unit": "coalesce(lookup(azure_units, trim([UnitOfMeasure]), PricingUnit), [UnitOfMeasure])",
        "resource_type": "coalesce([ResourceType], nullif(regexp_extract([ResourceId], '/providers/([^/]+/[^/]+)/', 1), ''))",
        # What was charged for says more than on what: the meter first, then the kind of resource, then its provider.
        "service": "coalesce(lookup(azure_services, [MeterCategory], key), lookup(azure_services, $resource_type, key),"
        " lookup(azure_services, [ConsumedService], key))",
        "info": "CASE WHEN json_valid([AdditionalInfo]) THEN [AdditionalInfo] END",
        # Tags come as the inside of an object: `"team": "search","env": "prod"`.
        "braced": "CASE WHEN trim([Tags]) LIKE '{%' THEN trim([Tags]) ELSE '{' || trim([Tags]) || '}' END",
        "tags": "CASE WHEN json_valid($braced) THEN nullif($braced, '{}') END",
    }


def _month(text: str) -> str:
    """YYYY-MM of a date as `us_date` reads it."""
    found = re.fullmatch(r"\s*(\d{1,2})/\d{1,2}/(\d{4})\s*", text)
    return f"{found.group(2)}-{int(found.group(1)):02d}" if found else text.strip()[:7]


def _total(header: Header, role: str) -> SourceTotal:
    cost = "CostInBillingCurrency"
    return SourceTotal(
        cost=cost,
        metric="EffectiveCost" if role == AMORTISED else "BilledCost",
        effective=None if role else cost,
        period="BillingPeriodStartDate|Date",
        currency="BillingCurrencyCode",
        period_of=_month,
        currency_of=lambda text: text.strip().upper(),
    )


_UNREADABLE_TAGS = "its Tags are no JSON"

FORMAT = Format(
    name="azure",
    title="Azure cost export",
    provider="Microsoft",
    description="Cost Management exports, actual and amortised: EA, MCA, pay-as-you-go, CSP; csv, gz or parquet.",
    recognise=recognise,
    spell=spell,
    synonyms=_SYNONYMS,
    required=("CostInBillingCurrency", "BillingCurrencyCode", "Date"),
    nulls=("N/A", "NULL"),
    roles=(ACTUAL, AMORTISED, ""),
    role=_role,
    settle=settle,
    irreplaceable=(ACTUAL, AMORTISED),
    definitions=_definitions,
    once=(
        "type",
        "model",
        "unused",
        "usage",
        "purchase",
        "commitment",
        "covers",
        "cost",
        "date",
        "period",
        "quantity",
        "rate",
        "unit_price",
        "list_price",
        "stated_block",
        "pricing_quantity",
        "unit",
        "subscription",
        "account",
        "resource_type",
        "service",
        "braced",
    ),
    total=_total,
    complete=one_set,
    conflicts=CONFLICTS,
    unequal=UNEQUAL,
    keep=(
        "ResourceId",
        "InstanceName",
        "InstanceId",
        "AdditionalInfo",
        "Quantity",
        "UsageQuantity",
        "UnitOfMeasure",
    ),
    columns={
        "BilledCost": f"CASE WHEN $role = '{AMORTISED}' AND $commitment IS NOT NULL AND $cost IS NOT NULL THEN 0 ELSE $cost END",
        "EffectiveCost": f"CASE WHEN $role <> '{AMORTISED}' AND $covers AND $cost IS NOT NULL THEN 0 ELSE $cost END",
        "ContractedCost": "CASE WHEN $unused THEN 0 WHEN $usage AND $commitment IS NOT NULL"
        " THEN computed_money(CAST($unit_price AS DOUBLE) * $rate * $pricing_quantity) ELSE $cost END",
        "ListCost": "CASE WHEN $unused THEN 0 WHEN $usage THEN $list_cost ELSE $cost END",
        "ContractedUnitPrice": "CASE WHEN $priced THEN CASE WHEN $rate = 1 THEN $unit_price"
        " ELSE computed_money(CAST($unit_price AS DOUBLE) * $rate) END END",
        "ListUnitPrice": "CASE WHEN $priced THEN CASE WHEN $rate = 1 THEN $list_price"
        " ELSE computed_money(CAST($list_price AS DOUBLE) * $rate) END END",
        "PricingCurrencyContractedUnitPrice": "CASE WHEN $priced THEN $unit_price END",
        "PricingCurrencyListUnitPrice": "CASE WHEN $priced THEN $list_price END",
        "PricingQuantity": "CASE WHEN $priced OR $unused THEN $pricing_quantity END",
        "PricingUnit": "CASE WHEN $priced OR $unused THEN $unit END",
        "ConsumedQuantity": "CASE WHEN $type = 'usage' THEN $quantity END",
        "ConsumedUnit": "CASE WHEN $type = 'usage' THEN $unit END",
        "BillingAccountId": "$account",
        "BillingAccountName": "$account_name",
        "BillingAccountType": "CASE WHEN $account = [BillingAccountId] THEN 'Billing Account'"
        " WHEN $account = [BillingProfileId] THEN 'Billing Profile' WHEN $account IS NOT NULL THEN 'Subscription' END",
        "SubAccountId": "$subscription",
        "SubAccountName": "[SubscriptionName]",
        "SubAccountType": "CASE WHEN $subscription IS NOT NULL THEN 'Subscription' END",
        "BillingPeriodStart": "$period",
        # The export's end is the last day of the period; FOCUS's is the day after.
        "BillingPeriodEnd": "coalesce(date_trunc('day', us_date([BillingPeriodEndDate])) + INTERVAL 1 DAY,"
        " $period + INTERVAL 1 MONTH)",
        "ChargePeriodStart": "date_trunc('day', $date)",
        "ChargePeriodEnd": "date_trunc('day', $date) + INTERVAL 1 DAY",
        "BillingCurrency": "upper(trim([BillingCurrencyCode]))",
        "PricingCurrency": "upper(coalesce([PricingCurrency], [BillingCurrencyCode]))",
        "InvoiceId": "[InvoiceId]",
        "InvoiceIssuerName": "coalesce([PartnerName], 'Microsoft')",
        "ProviderName": "'Microsoft'",
        "PublisherName": "coalesce([PublisherName], 'Microsoft')",
        "ServiceProviderName": "'Microsoft'",
        "HostProviderName": "'Microsoft'",
        "ChargeCategory": "CASE WHEN $usage THEN 'Usage' WHEN $purchase THEN 'Purchase' WHEN $type = 'tax' THEN 'Tax'"
        " WHEN $type = 'credit' THEN 'Credit' ELSE 'Adjustment' END",
        "ChargeClass": "CASE WHEN $type = 'refund' THEN 'Correction' END",
        "ChargeFrequency": "CASE lower(replace([Frequency], '-', '')) WHEN 'usagebased' THEN 'Usage-Based'"
        " WHEN 'onetime' THEN 'One-Time' WHEN 'recurring' THEN 'Recurring'"
        " ELSE CASE WHEN $usage THEN 'Usage-Based' ELSE 'One-Time' END END",
        "ChargeDescription": "coalesce([ProductName], nullif(concat_ws(' - ', [MeterCategory], [MeterSubCategory], [MeterName]), ''))",
        "CommitmentDiscountId": "CASE WHEN $commitment IS NOT NULL THEN coalesce($benefit, [ProductOrderId], [ReservationName]) END",
        "CommitmentDiscountName": "CASE WHEN $commitment IS NOT NULL THEN coalesce([benefitName], [ReservationName], [ProductOrderName]) END",
        "CommitmentDiscountType": "$commitment",
        "CommitmentDiscountCategory": "CASE $commitment WHEN 'Reservation' THEN 'Usage' WHEN 'Savings Plan' THEN 'Spend' END",
        "CommitmentDiscountStatus": "CASE WHEN $unused THEN 'Unused' WHEN $usage AND $commitment IS NOT NULL THEN 'Used' END",
        "PricingCategory": "CASE WHEN $usage AND $commitment IS NOT NULL THEN 'Committed' WHEN $usage AND $model = 'spot' THEN 'Dynamic'"
        " WHEN $usage OR $purchase THEN 'Standard' END",
        "RegionId": "coalesce(lookup(azure_regions, trim([ResourceLocation]), RegionId),"
        " lower(replace([ResourceLocation], ' ', '')))",
        "RegionName": "coalesce(lookup(azure_regions, trim([ResourceLocation]), RegionName), [ResourceLocation])",
        "AvailabilityZone": "[AvailabilityZone]",
        # Azure writes one id in several spellings: in lower case they are one resource (x_Extra keeps the export's).
        "ResourceId": "lower([ResourceId])",
        "ResourceName": "coalesce([ResourceName], nullif(regexp_extract([ResourceId], '[^/]+$'), ''))",
        "ResourceType": "$resource_type",
        "ServiceName": "coalesce(CASE WHEN [MeterCategory] IS NULL OR $service = lower([MeterCategory])"
        " THEN lookup(azure_services, $service, ServiceName) END, [MeterCategory], [ServiceName], [ConsumedService], 'Unknown')",
        "ServiceCategory": "coalesce(lookup(azure_services, $service, ServiceCategory), 'Other')",
        "ServiceSubcategory": "lookup(azure_services, $service, ServiceSubcategory)",
        "SkuId": "CASE WHEN $type <> 'tax' THEN [ProductId] END",
        "SkuMeter": "CASE WHEN $type <> 'tax' THEN [MeterName] END",
        "Tags": "$tags",
        "x_ChargeType": "coalesce([ChargeType], 'Usage')",
        "x_ServiceCode": "[ConsumedService]",
        "x_UsageType": "[MeterName]",
        "x_InstanceType": "$info ->> '$.ServiceType'",
        "x_ResourceGroup": "[ResourceGroup]",
        "x_Quality": f"CASE WHEN NOT json_valid($braced) THEN '{_UNREADABLE_TAGS}: ' || [Tags] END",
        "x_SourceCost": "$cost",
    },
    warn=(
        *WARNINGS,
        (
            f"rows of which {_UNREADABLE_TAGS}: they are in x_Quality as written",
            f"x_Quality LIKE '%{_UNREADABLE_TAGS}%'",
        ),
        (
            "rows of a charge type that is not known, kept as Adjustment",
            "lower(replace(x_ChargeType, ' ', '')) NOT IN ('usage', 'unusedreservation', 'unusedsavingsplan', 'purchase',"
            " 'refund', 'tax', 'credit', 'roundingadjustment', 'adjustment')",
        ),
    ),
)
