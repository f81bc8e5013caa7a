"""Google Cloud billing export, standard and detailed: BigQuery rows as JSON lines, parquet, or flattened to csv.

What Google's documentation of the export says decides here:

- A row belongs to the month of its invoice (`invoice.month`), whose edges are Pacific time: usage of the days around the
  edge, and usage that was reported late, lies outside it legally. There is no row id: equal rows are separate charges.
- What is owed is `cost` and all `credits`. Discounts are netted into the row that they belong to; promotions and the
  free trial pay rather than reduce a price, and become Credit rows of their own. All credits stay in x_Credits.
- Committed use discounts: see `finops_core.formats.gcp_commitments`.
- `cost_at_list` and the prices are those of the default consumption model. Prices are taken only where price × quantity
  is the cost (their currency is not documented, and tiered usage has no single price).
"""

import re
from collections.abc import Callable, Mapping

from finops_core.formats.format import Derive, Format, Header, SourceTotal
from finops_core.formats.gcp_commitments import (
    COMMITMENT_COLUMNS,
    COMMITMENT_DEFINITIONS,
    IDLE,
    beyond,
    covered_part,
    covered_quantity,
    credited,
)


def spell(name: str) -> str:
    """`service.description` and `service_description` agree."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


_SIGNS = frozenset(
    spell(name)
    for name in (
        "billing_account_id",
        "service.description",
        "sku.id",
        "sku.description",
        "usage_start_time",
        "usage_end_time",
        "currency_conversion_rate",
        "export_time",
        "cost_type",
        "usage.amount_in_pricing_units",
        "invoice.month",
        "credits",
    )
)


def recognise(header: Header) -> str | None:
    """A cost and six of the export's own columns; `detailed` where it has resources or subscriptions."""
    known = {spell(name) for name in header.names}
    if "cost" not in known or len(known & _SIGNS) < 6:
        return None
    return (
        "detailed" if known & {"resourcename", "resourceglobalname", "subscriptioninstanceid"} else "standard"
    )


def _role(header: Header, hint: str, count: Callable[[str], int]) -> str:
    """`detailed` where a row names a resource or a subscription: a file of JSON lines shows no empty columns."""
    named = "coalesce([resource.name], [resource.global_name], [subscription.instance_id]) IS NOT NULL"
    return "detailed" if recognise(header) == "detailed" and count(named) else "standard"


def _twice(staged: str) -> str:
    """Standard files that repeat detailed ones: most of their sums by account, project, SKU and hour are the same."""
    key = "BillingPeriodStart, BillingCurrency, BillingAccountId, SubAccountId, SkuId, ChargePeriodStart"
    cost = "sum(x_SourceCost) AS cost"
    rows = f"FROM {staged} WHERE ChargeCategory = 'Usage' AND x_Derived IS NULL AND x_Role"
    return f"""
        WITH standard AS (SELECT {key}, min(x_File) AS x_File, {cost} {rows} = 'standard' GROUP BY ALL HAVING cost <> 0),
             detailed AS (SELECT {key}, {cost} {rows} = 'detailed' GROUP BY ALL HAVING cost <> 0)
        SELECT min(s.x_File) AS x_File FROM standard s LEFT JOIN detailed d
            ON {" AND ".join(f"s.{k} IS NOT DISTINCT FROM d.{k}" for k in key.split(", "))} AND s.cost = d.cost
        HAVING count(d.cost) * 2 > count(*)"""


_PROMOTION = (
    "(upper(coalesce(c.type, '')) IN ('PROMOTION', 'FREE_TRIAL')"
    # Before September 2020 a credit had no type, only a name.
    " OR upper(coalesce(c.type, '')) IN ('', 'CREDIT_TYPE_UNSPECIFIED')"
    " AND regexp_matches(concat_ws(' ', c.name, c.full_name, c.id), '(?i)free ?trial|promo'))"
)
_DISCOUNTS = (
    "'SUSTAINED_USAGE_DISCOUNT', 'DISCOUNT', 'SPENDING_BASED_DISCOUNT', 'FREE_TIER', 'SUBSCRIPTION_BENEFIT',"
    " 'RESELLER_MARGIN', 'COMMITTED_USAGE_DISCOUNT', 'COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE', 'FEE_UTILIZATION_OFFSET'"
)
_CREDIT_JSON = (
    "'{' || concat_ws(',', '\"type\":' || to_json(c.type), '\"name\":' || to_json(c.name),"
    " '\"full_name\":' || to_json(c.full_name), '\"id\":' || to_json(c.id),"
    " '\"amount\":' || rtrim(rtrim(CAST(c.amount AS VARCHAR), '0'), '.')) || '}'"
)


_LIST, _AMOUNT = "money([cost_at_list])", "quantity([usage.amount])"


def _unit_price(price: str, cost: str) -> str:
    """A price that is confirmed by the row's own cost: as it stands, or for the block that it is stated for."""
    double = "CAST({} AS DOUBLE)".format
    block = "coalesce(nullif(quantity([price.pricing_unit_quantity]), 0), 1)"
    per_block = f"abs({double(price)} * $quantity / {block} - {double(cost)}) <= 1e-6 * abs({double(cost)})"
    plain = f"abs({double(price)} * $quantity - {double(cost)}) <= 1e-6 * abs({double(cost)})"
    return (
        f"CASE WHEN $category NOT IN ('Usage', 'Purchase') THEN NULL WHEN {plain} THEN {price}"
        f" WHEN {per_block} THEN CAST({double(price)} / {block} AS DECIMAL(38,18)) END"
    )


def _pairs(name: str, prefix: str) -> str:
    return (
        f"coalesce(list_transform(records([{name}], key, value),"
        f" lambda p: struct_pack(k := '{prefix}' || p.key, v := CAST(to_json(coalesce(p.value, '')) AS VARCHAR))), [])"
    )


def _system(key: str) -> str:
    """The value of a system label."""
    found = f"list_filter($system, lambda p: p.key = 'compute.googleapis.com/{key}')"
    return f"nullif(list_extract({found}, 1).value, '')"


_DETAIL = (
    "CASE p.key WHEN 'compute.googleapis.com/machine_spec' THEN 'InstanceType'"
    " WHEN 'compute.googleapis.com/cores' THEN 'CoreCount'"
    " WHEN 'compute.googleapis.com/memory' THEN 'MemorySize' ELSE 'x_' || p.key END"
)
_DETAIL_VALUE = (  # memory is exported in MiB; FOCUS's MemorySize is in GiB
    "coalesce(CASE p.key WHEN 'compute.googleapis.com/cores' THEN CAST(TRY_CAST(p.value AS BIGINT) AS VARCHAR)"
    " WHEN 'compute.googleapis.com/memory' THEN CAST(TRY_CAST(p.value AS DOUBLE) / 1024 AS VARCHAR) END,"
    " CAST(to_json(coalesce(p.value, '')) AS VARCHAR))"
)


def _definitions(header: Header) -> Mapping[str, str]:
    return {
        "credits": "records([credits], type, name, full_name, id, money:amount)",
        "cost": "money([cost])",
        "promotion": credited(_PROMOTION),
        # Whatever the condition says of a credit, it is counted once: here or as a promotion.
        "net": f"($cost + {credited('TRUE')} - $promotion)",
        # The cost of use in a consumption model is the discounted one already: without the other, what is contracted is unknown.
        "contracted": "(coalesce(money([cost_at_effective_price_default]), CASE WHEN NOT $modelled THEN $cost END) + "
        + credited("c.type IN ('DISCOUNT', 'SPENDING_BASED_DISCOUNT', 'RESELLER_MARGIN')")
        + ")",
        "kind": "replace(lower(coalesce([cost_type], 'regular')), ' ', '_')",
        "goodwill": "coalesce([adjustment_info.type] IN ('GOODWILL', 'SALES_BASED_GOODWILL', 'SLA_VIOLATION'), FALSE)",
        "adjusted": "(coalesce([adjustment_info.id], [adjustment_info.type], [adjustment_info.mode]) IS NOT NULL)",
        "category": "CASE WHEN $kind = 'tax' THEN 'Tax' WHEN $kind = 'adjustment' AND $goodwill THEN 'Credit'"
        " WHEN $kind <> 'regular' THEN 'Adjustment' WHEN $fee THEN 'Purchase' ELSE 'Usage' END",
        "quantity": "quantity([usage.amount_in_pricing_units])",
        "month": "month([invoice.month])",
        "start": "instant([usage_start_time])",
        "system": "records([system_labels], key, value)",
        "tags": f"list_concat({_pairs('labels', 'label/')}, list_concat($inheritance, {_pairs('project.labels', 'project/')}))",
        "inheritance": "coalesce(list_transform(list_concat("
        "list_filter($bindings, lambda t: lower(coalesce(t.inherited, 'false')) <> 'true'),"
        " list_filter($bindings, lambda t: lower(t.inherited) = 'true')),"
        " lambda t: struct_pack(k := 'tag/' || t.key, v := CAST(to_json(coalesce(t.value, '')) AS VARCHAR))), [])",
        "details": f"list_transform($system, lambda p: struct_pack(k := {_DETAIL}, v := {_DETAIL_VALUE}))",
        "bindings": "records([tags], key, value, inherited)",
        **COMMITMENT_DEFINITIONS,
    }


_NO_LIST = "ListCost is unknown: the export states no cost_at_list"
_UNKNOWN_CREDIT = "a credit of a type that is not known was netted into the charge"
_UNKNOWN_KIND = "a cost type that is not known was taken as Adjustment"


_ONCE = (
    *("credits", "cost", "promotion", "net", "covering", "offset", "category", "covered_cost", "partly"),
    *("system", "details", "bindings", "tags", "quantity", "month", "start"),
)


def _total(header: Header, role: str) -> SourceTotal:
    return SourceTotal(
        cost="cost",
        credits="credits",
        period="invoice.month",
        currency="currency",
        period_of=lambda text: re.sub(r"(\d{4})-?(\d{2}).*", r"\1-\2", text.strip()),
    )


FORMAT = Format(
    name="gcp",
    title="Google Cloud billing export",
    provider="Google Cloud",
    description="Standard and detailed usage cost export: JSON lines, parquet, or flattened csv.",
    recognise=recognise,
    spell=spell,
    required=("cost", "currency", "invoice.month", "billing_account_id", "usage_start_time"),
    nulls=("NULL", "NONE"),
    keep=("tags",),
    definitions=_definitions,
    once=_ONCE,
    total=_total,
    role=_role,
    roles=("standard", "detailed"),
    twice=_twice,
    days_before=400,
    days_after=3,
    columns={
        "BilledCost": "CASE WHEN $partly THEN 0 ELSE $net END",
        "EffectiveCost": "CASE WHEN $offset_fee OR $partly THEN 0 ELSE $net END",
        "ListCost": f"CASE WHEN $category IN ('Usage', 'Purchase') THEN {covered_part(_LIST)} ELSE $net END",
        "ContractedCost": f"CASE WHEN $category = 'Usage' THEN {covered_part('$contracted')} ELSE $net END",
        "ListUnitPrice": _unit_price("price([price.list_price])", "money([cost_at_list])"),
        "ContractedUnitPrice": _unit_price(
            "coalesce(price([price.effective_price_default]), price([price.effective_price]))",
            "coalesce(money([cost_at_effective_price_default]), $cost)",
        ),
        "PricingQuantity": f"CASE WHEN $category <> 'Tax' THEN {covered_quantity('$quantity')} END",
        "PricingUnit": "CASE WHEN $category <> 'Tax' THEN coalesce([usage.pricing_unit], [price.unit]) END",
        "ConsumedQuantity": f"CASE WHEN $category = 'Usage' THEN {covered_quantity(_AMOUNT)} END",
        "ConsumedUnit": "CASE WHEN $category = 'Usage' THEN [usage.unit] END",
        "BillingAccountId": "[billing_account_id]",
        "BillingAccountType": "'Billing account'",
        "SubAccountId": "[project.id]",
        "SubAccountName": "[project.name]",
        "SubAccountType": "CASE WHEN [project.id] IS NOT NULL THEN 'Project' END",
        "BillingPeriodStart": "$month",
        "BillingPeriodEnd": "$month + INTERVAL 1 MONTH",
        "ChargePeriodStart": "$start",
        "ChargePeriodEnd": "coalesce(instant([usage_end_time]), $start + INTERVAL 1 HOUR)",
        "BillingCurrency": "trim([currency])",
        "InvoiceIssuerName": "'Google Cloud'",
        "ProviderName": "'Google Cloud'",
        "PublisherName": "coalesce([seller_name], CASE WHEN [invoice.publisher_type] = 'PARTNER'"
        " OR [transaction_type] LIKE 'THIRD_PARTY%' THEN 'Google Cloud partner' ELSE 'Google Cloud' END)",
        "ServiceProviderName": "'Google Cloud'",
        "HostProviderName": "'Google Cloud'",
        "ChargeCategory": "$category",
        "ChargeClass": "CASE WHEN $adjusted AND date_trunc('month', $start) < $month THEN 'Correction' END",
        "ChargeFrequency": "CASE $category WHEN 'Usage' THEN 'Usage-Based' WHEN 'Purchase' THEN 'Recurring'"
        " ELSE 'One-Time' END",
        "ChargeDescription": "coalesce([adjustment_info.description], [sku.description])",
        "PricingCategory": "CASE WHEN $used THEN 'Committed' WHEN $category <> 'Usage' THEN NULL"
        " WHEN regexp_matches([sku.description], '(?i)^(spot|preemptible)') THEN 'Dynamic' ELSE 'Standard' END",
        **COMMITMENT_COLUMNS,
        "CapacityReservationId": _system("reservation_name"),
        "CapacityReservationStatus": f"CASE WHEN {_system('reservation_name')} IS NULL THEN NULL"
        f" WHEN lower({_system('is_unused_reservation')}) = 'true' THEN 'Unused' ELSE 'Used' END",
        "RegionId": "coalesce([location.region], [location.location])",
        "RegionName": "coalesce([location.region], [location.location])",
        "AvailabilityZone": "[location.zone]",
        "ResourceId": "coalesce([resource.global_name], [resource.name])",
        "ResourceName": "[resource.name]",
        "ResourceType": "nullif(regexp_extract([resource.global_name], '/(\\w+)/[^/]+$', 1), '')",
        "ServiceName": "coalesce(lookup(gcp_services, [service.description], ServiceName), [service.description], 'Unknown')",
        "ServiceCategory": "coalesce(lookup(gcp_services, [service.description], ServiceCategory), 'Other')",
        "SkuId": "CASE WHEN $category <> 'Tax' THEN [sku.id] END",
        "SkuMeter": "CASE WHEN $category <> 'Tax' THEN [sku.description] END",
        "SkuPriceDetails": "pairs_object($details)",
        "Tags": "pairs_object($tags)",
        "x_ChargeType": "$kind",
        "x_ServiceCode": "[service.id]",
        "x_UsageType": "[sku.description]",
        "x_InstanceType": _system("machine_spec"),
        "x_Credits": f"'[' || array_to_string(list_transform($credits, lambda c: {_CREDIT_JSON}), ',') || ']'",
        "x_SourceCost": "$cost",
        "x_Quality": "nullif(concat_ws('; ', $commitment_quality,"
        f" CASE WHEN $category = 'Usage' AND money([cost_at_list]) IS NULL THEN '{_NO_LIST}' END,"
        f" CASE WHEN len(list_filter($credits, lambda c: NOT {_PROMOTION} AND c.type <> '' AND upper(c.type) NOT IN ({_DISCOUNTS}))) > 0"
        f" THEN '{_UNKNOWN_CREDIT}' END,"
        f" CASE WHEN $kind NOT IN ('regular', 'tax', 'adjustment', 'rounding_error') THEN '{_UNKNOWN_KIND}' END), '')",
    },
    derive=(
        Derive(
            "promotional credit",
            "$promotion <> 0",
            {
                **dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), "$promotion"),
                **dict.fromkeys(
                    (
                        *COMMITMENT_COLUMNS,
                        *("ListUnitPrice", "ContractedUnitPrice", "PricingQuantity", "PricingUnit"),
                        *("ConsumedQuantity", "ConsumedUnit", "PricingCategory", "SkuPriceDetails"),
                        *("CapacityReservationId", "CapacityReservationStatus", "x_Credits", "x_Quality"),
                    ),
                    "NULL",
                ),
                "ChargeCategory": "'Credit'",
                "ChargeFrequency": "'One-Time'",
                "ChargeDescription": "coalesce(nullif(array_to_string(list_distinct(list_transform("
                f"list_filter($credits, lambda c: {_PROMOTION}), lambda c: coalesce(c.full_name, c.name, c.id))), ', '), ''),"
                " 'Promotional credit')",
                "x_SourceCost": "0",
            },
        ),
        Derive("unused committed use discount", "$offset_fee AND $net <> 0", IDLE),
        Derive(
            "use beyond a committed use discount",
            "$partly",
            beyond(
                {"ListCost": _LIST, "ContractedCost": "$contracted"},
                {"PricingQuantity": "$quantity", "ConsumedQuantity": _AMOUNT},
            ),
        ),
    ),
    warn=(
        (
            "fees of committed use discounts whose EffectiveCost is left on the fee: the export does not link it to usage",
            "ChargeCategory = 'Purchase' AND EffectiveCost <> 0",
        ),
        (
            "usage rows for which the export states no cost at list price",
            f"contains(x_Quality, '{_NO_LIST}')",
        ),
        (
            "rows with a credit of a type that is not known, netted",
            f"contains(x_Quality, '{_UNKNOWN_CREDIT}')",
        ),
        (
            "rows of a cost type that is not known, kept as Adjustment",
            f"contains(x_Quality, '{_UNKNOWN_KIND}')",
        ),
    ),
)
