"""Oracle Cloud's own cost report, from before FOCUS: names such as `cost/myCost`, one column a tag, files of six hours.

What Oracle's documentation says of the columns decides here:

- `cost/myCost` is the cost of the line and already includes overage (use beyond the Universal Credits commitment).
  `cost/myCostOverage` says how much of it that is: it is kept in x_Extra and never added. Oracle's own FOCUS report
  takes both BilledCost and EffectiveCost from `cost/myCost`.
- A correction is a row of its own that rolls back or amends an earlier one: it is added like any other, as Usage of
  ChargeClass Correction. `lineItem/backreferenceNo` alone means nothing: real files fill it on every row.
- There is no list price: ListCost is unknown. `cost/unitPrice` is the price that the customer pays.
- Times are UTC and there is no billing period: it is the calendar month of the interval's start.
- `cost/attributedCost` shares a virtual machine cluster's cost among its databases; it stays in x_Extra.
"""

import re

from finops_core.formats.expressions import utc_month
from finops_core.formats.format import Format, Header, SourceTotal


def spell(name: str) -> str:
    """`lineItem/tenantId`, `lineItem/TenantId` and `lineitem_tenantid` agree."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


_SIGNS = frozenset(
    spell(name)
    for name in (
        "lineItem/referenceNo",
        "lineItem/tenantId",
        "lineItem/intervalUsageStart",
        "product/compartmentId",
        "usage/billedQuantity",
        "cost/myCost",
        "cost/productSku",
        "cost/currencyCode",
    )
)


def recognise(header: Header) -> str | None:
    """Five of the report's own columns, and costs: Oracle's usage report is much alike, but has none."""
    known = _SIGNS & {spell(name) for name in header.names}
    return "legacy" if len(known) >= 5 and any(name.startswith("cost") for name in known) else None


_CATEGORIES = (
    (
        "AI and Machine Learning",
        "DATA_?SCIENCE|GENERATIVE|GENAI|LANGUAGE|VISION|SPEECH|DIGITAL_?ASSISTANT|ANOMALY",
    ),
    ("Analytics", "ANALYTICS|DATA_?FLOW|BIG_?DATA|DATA_?CATALOG|OAC"),
    ("Databases", "DATABASE|MYSQL|NOSQL|POSTGRES|EXADATA|AUTONOMOUS|REDIS|CACHE|GOLDEN_?GATE|OPENSEARCH"),
    ("Storage", "STORAGE|OBJECT_?STORE|ARCHIVE|BACKUP"),
    ("Integration", "STREAMING|QUEUE|INTEGRATION|API_?GATEWAY|NOTIFICATION|EVENTS|EMAIL"),
    ("Security", "VAULT|KMS|KEY_?MANAGEMENT|CLOUD_?GUARD|DATA_?SAFE|BASTION|FIREWALL|WAF|WAAS|CERTIFICATE"),
    ("Identity", "IDENTITY|IDCS"),
    ("Networking", "NETWORK|VCN|LOAD_?BALANC|LBAAS|ORALB|FAST_?CONNECT|VPN|DNS|CDN"),
    ("Developer Tools", "DEVOPS|VISUAL_?BUILDER|APEX"),
    ("Management and Governance", "TELEMETRY|MONITORING|LOGGING|APM|OPERATIONS|HEALTH_?CHECK"),
    ("Compute", "COMPUTE|CONTAINER|FUNCTIONS|FAAS|OKE|VMWARE|OCVS"),
)
"""ServiceCategory by a word in the service's code, the first that fits."""

_CATEGORY = "".join(
    f" WHEN regexp_matches(upper([product/service]), '{words}') THEN '{category}'"
    for category, words in _CATEGORIES
)
_COST = "coalesce(money([cost/myCost]), 0)"
_NO_COST = "the export states no cost: counted as 0"
_START = "instant([lineItem/intervalUsageStart])"
_MONTH = f"date_trunc('month', {_START})"
_UNIT = "coalesce([cost/skuUnitDescription], [cost/billingUnitReadable])"


def _total(header: Header, role: str) -> SourceTotal:
    return SourceTotal(
        cost="cost/myCost",
        period="lineItem/intervalUsageStart",
        currency="cost/currencyCode",
        period_of=utc_month,
    )


FORMAT = Format(
    name="oci",
    title="Oracle Cloud cost report",
    provider="Oracle",
    description="Oracle Cloud's own cost report from before FOCUS; csv, whole or in its parts.",
    recognise=recognise,
    spell=spell,
    required=("cost/myCost", "cost/currencyCode", "lineItem/intervalUsageStart", "lineItem/tenantId"),
    total=_total,
    columns={
        "BilledCost": _COST,
        "EffectiveCost": _COST,
        "ContractedCost": _COST,
        "ContractedUnitPrice": "price([cost/unitPrice])",
        "PricingQuantity": "quantity([usage/billedQuantity])",
        "PricingUnit": _UNIT,
        "ConsumedQuantity": "quantity([usage/billedQuantity])",
        "ConsumedUnit": _UNIT,
        "BillingAccountId": "[lineItem/tenantId]",
        "BillingAccountType": "'Tenancy'",
        "SubAccountId": "[product/compartmentId]",
        "SubAccountName": "[product/compartmentName]",
        "SubAccountType": "'Compartment'",
        "BillingPeriodStart": _MONTH,
        "BillingPeriodEnd": f"{_MONTH} + INTERVAL 1 MONTH",
        "ChargePeriodStart": _START,
        "ChargePeriodEnd": f"coalesce(instant([lineItem/intervalUsageEnd]), {_START} + INTERVAL 1 HOUR)",
        "BillingCurrency": "trim([cost/currencyCode])",
        "InvoiceIssuerName": "'Oracle'",
        "ProviderName": "'Oracle'",
        "PublisherName": "'Oracle'",
        "ServiceProviderName": "'Oracle'",
        "HostProviderName": "'Oracle'",
        "ChargeCategory": "'Usage'",
        "ChargeClass": "CASE WHEN lower(trim([lineItem/isCorrection])) = 'true' THEN 'Correction' END",
        "ChargeFrequency": "'Usage-Based'",
        "ChargeDescription": "[product/description]",
        "PricingCategory": "'Standard'",
        "RegionId": "[product/region]",
        "RegionName": "[product/region]",
        "AvailabilityZone": "[product/availabilityDomain]",
        "ResourceId": "[product/resourceId]",
        "ResourceType": "CASE WHEN [product/resourceId] LIKE 'ocid1.%' THEN split_part([product/resourceId], '.', 2) END",
        "ServiceName": "coalesce([product/service], 'Unknown')",
        "ServiceCategory": f"CASE{_CATEGORY} ELSE 'Other' END",
        "SkuId": "[cost/productSku]",
        "Tags": "coalesce(object([tags/*]), json([tags]))",
        "x_ServiceCode": "[product/service]",
        "x_SourceCost": _COST,
        "x_Quality": f"CASE WHEN nullif(trim([cost/myCost]), '') IS NULL THEN '{_NO_COST}' END",
    },
    warn=(("rows for which the export states no cost: counted as 0", f"x_Quality = '{_NO_COST}'"),),
)
