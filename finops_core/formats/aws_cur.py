"""AWS Cost and Usage Report: legacy CUR (csv, parquet, Athena names) and CUR 2.0 (Data Exports), any subset of columns.

The rules follow AWS's documentation of line item types. A covered row carries its on-demand price as unblended cost and
a negation row takes it back: BilledCost is 0 on the covered row and the negation is dropped, after the two have been
seen to cancel. What a commitment leaves unused becomes a charge of its own, derived from its fee row.
"""

import re
from collections.abc import Callable, Mapping, Set

from finops_core.formats.aws_settled import IDLE_PLAN, IDLE_RESERVATION, RESIDUE, UNSTATED, complete
from finops_core.formats.expressions import UNREAD_TAGS, utc_month
from finops_core.formats.format import Derive, Drop, Format, Header, SourceTotal


def spell(name: str) -> str:
    """`lineItem/UnblendedCost`, `line_item_unblended_cost` and Athena's `reservation_reservation_a_r_n` agree."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


_SIGNS = frozenset(
    spell(name)
    for name in (
        "bill_billing_period_start_date",
        "bill_payer_account_id",
        "identity_line_item_id",
        "identity_time_interval",
        "line_item_currency_code",
        "line_item_line_item_description",
        "line_item_line_item_type",
        "line_item_net_unblended_cost",
        "line_item_product_code",
        "line_item_unblended_cost",
        "line_item_usage_account_id",
        "line_item_usage_start_date",
    )
)


def recognise(header: Header) -> str | None:
    """Four columns that every CUR has: whoever selects columns leaves some of them out, never most."""
    if len(_SIGNS & {spell(name) for name in header.names}) < 4:
        return None
    return "legacy" if any("/" in name for name in header.names) else "2.0"


def _has(header: Header, name: str) -> bool:
    return any(spell(column) == spell(name) for column in header.names)


_NET = "[line_item_net_unblended_cost]"
_DISCOUNT = "[line_item_line_item_type] LIKE '%Discount'"
_DISCOUNTED = "discounted"
"""A file whose discounts are rows of their own without a Net cost: only its unblended costs add up to the bill."""


def _role(header: Header, hint: str, count: Callable[[str], int]) -> str:
    """`net` where the file's Net columns are filled: one family per file."""
    if count(f"{_DISCOUNT} AND {_NET} IS NULL AND price([line_item_unblended_cost]) <> 0"):
        return _DISCOUNTED
    return "net" if count(f"{_NET} IS NOT NULL") else "unblended"


def _settle(roles: Mapping[str, str], months: Callable[[str], Set[str]]) -> Mapping[str, str]:
    """Of a month that is cut into several files, all count unblended where one has to: its discounts are those of the
    others, whose Net costs hold them already."""
    discounted = {month for path, role in roles.items() if role == _DISCOUNTED for month in months(path)}

    def settled(path: str, role: str) -> str:
        return "unblended" if role == _DISCOUNTED or discounted & months(path) else role

    return {path: settled(path, role) for path, role in roles.items()} if discounted else roles


def _family(reader: str, net: str, gross: str) -> str:
    """A cost in the family of the file's month; a cell that is empty in Net is the same in both."""
    return f"CASE WHEN $role = 'net' THEN coalesce({reader}([{net}]), {reader}([{gross}])) ELSE {reader}([{gross}]) END"


_IDLE_PLAN = "(coalesce(money([savings_plan_total_commitment_to_date]), 0) - coalesce(money([savings_plan_used_commitment]), 0))"


def _commitment(kind: str) -> str:
    """What the hour of a Savings Plan costs, by its own columns: `net_` or ``."""
    parts = [
        f"money([savings_plan_{kind}{part}_commitment_for_billing_period])"
        for part in ("amortized_upfront", "recurring")
    ]
    return f"CASE WHEN coalesce({', '.join(parts)}) IS NOT NULL THEN coalesce({parts[0]}, 0) + coalesce({parts[1]}, 0) END"


def _definitions(header: Header) -> Mapping[str, str]:
    plan_amortised = _has(header, "savings_plan_savings_plan_effective_cost")
    reservation_amortised = _has(header, "reservation_effective_cost")
    reservation_stated = any(
        _has(header, f"reservation_unused_{part}")
        for part in ("amortized_upfront_fee_for_billing_period", "recurring_fee")
    )
    has_resource_tags = any(spell(name).startswith("resourcetags") for name in header.names)
    period = (
        "instant([bill_billing_period_start_date])"
        if _has(header, "bill_billing_period_start_date")
        else "instant_text([billing_period] || '-01', x_Row, 'BILLING_PERIOD')"
    )
    return {
        "cost": _family("money", "line_item_net_unblended_cost", "line_item_unblended_cost"),
        "type": "[line_item_line_item_type]",
        "arn": "coalesce([savings_plan_savings_plan_arn], [reservation_reservation_arn])",
        "period_start": period,
        "plan_amortised": str(plan_amortised),
        "reservation_amortised": str(reservation_amortised),
        "used_plan": _family(
            "money",
            "savings_plan_net_savings_plan_effective_cost",
            "savings_plan_savings_plan_effective_cost",
        ),
        "used_reservation": _family("money", "reservation_net_effective_cost", "reservation_effective_cost"),
        # Commitments are stated before discounts. Where the fee itself is net, so is what is left of it.
        "gross_fee": f"coalesce({_commitment('')}, money([line_item_unblended_cost]))",
        "net_fee": f"coalesce({_commitment('net_')}, money([line_item_net_unblended_cost]))",
        "net_share": "CASE WHEN $role = 'net' AND $gross_fee <> 0"
        " THEN TRY_CAST(CAST($net_fee AS DOUBLE) / CAST($gross_fee AS DOUBLE) AS DECIMAL(13,12)) END",
        "idle_plan": f"CASE WHEN coalesce($net_share, 1) = 1 THEN {_IDLE_PLAN}"
        f" ELSE CAST(CAST({_IDLE_PLAN} AS DECIMAL(38,12)) * $net_share AS DECIMAL(38,18)) END",
        "idle_reservation": "coalesce("
        + _family(
            "money",
            "reservation_net_unused_amortized_upfront_fee_for_billing_period",
            "reservation_unused_amortized_upfront_fee_for_billing_period",
        )
        + ", 0) + coalesce("
        + _family("money", "reservation_net_unused_recurring_fee", "reservation_unused_recurring_fee")
        + ", 0)",
        "unstated": "($type = 'SavingsPlanRecurringFee' AND $plan_amortised"
        " AND coalesce([savings_plan_total_commitment_to_date], [savings_plan_used_commitment]) IS NULL"
        f" OR $type = 'RIFee' AND $reservation_amortised AND NOT {reservation_stated})",
        "discount": "($type LIKE '%Discount')",
        "usage": "($type IN ('Usage', 'SavingsPlanCoveredUsage', 'DiscountedUsage', 'SavingsPlanNegation') OR $discount)",
        # A fee pays for usage elsewhere; its EffectiveCost is there, unless the file lacks the amortised columns.
        "covers": "($plan_amortised AND ($type IN ('SavingsPlanRecurringFee', 'SavingsPlanUpfrontFee')"
        " OR $type = 'Refund' AND [savings_plan_savings_plan_arn] IS NOT NULL)"
        " OR $reservation_amortised AND ($type = 'RIFee'"
        " OR $type IN ('Fee', 'Refund') AND [reservation_reservation_arn] IS NOT NULL))",
        "start": "coalesce(instant_text(split_part([identity_time_interval], '/', 1), x_Row, 'identity/TimeInterval'),"
        " instant([line_item_usage_start_date]))",
        "end": "coalesce(instant_text(split_part([identity_time_interval], '/', 2), x_Row, 'identity/TimeInterval'),"
        " instant([line_item_usage_end_date]))",
        "product": "CASE WHEN json_valid(json([product])) THEN json([product]) END",
        "service_code": "coalesce([product_servicecode], $product ->> 'servicecode', [line_item_product_code])",
        "region": "coalesce([product_region_code], [product_region], $product ->> 'region_code', $product ->> 'region',"
        " [product_from_region_code])",
        "split": "[split_line_item_parent_resource_id]",
        # Only rows of split cost allocation may be without a cost; elsewhere an empty cell is refused.
        "stated": "coalesce($cost, CASE WHEN $split IS NOT NULL THEN 0 END)",
        # Newer exports repeat resource_tags in `tags`, beside tags of accounts and users: one of them counts.
        "tags": "coalesce(tags([resource_tags]), object([resourceTags/*]), object([resource_tags_*]))"
        if has_resource_tags
        else "tags([tags])",
    }


_NO_UNITS = "$type IN ('Tax', 'Credit', 'Refund')"

_IDLE = {
    "ChargeCategory": "'Usage'",
    "ChargeFrequency": "'Usage-Based'",
    "CommitmentDiscountStatus": "'Unused'",
    "PricingCategory": "'Committed'",
    "BilledCost": "0",
    "ListCost": "0",
    "ContractedCost": "0",
    "ListUnitPrice": "NULL",
    "ContractedUnitPrice": "NULL",
    "PricingQuantity": "NULL",
    "ConsumedQuantity": "NULL",
    "ConsumedUnit": "NULL",
    "ResourceId": "NULL",
    "InvoiceId": "NULL",
    "x_SourceCost": "0",
}


def _total(header: Header, role: str) -> SourceTotal:
    cost = "line_item_unblended_cost"
    return SourceTotal(
        cost=f"line_item_net_unblended_cost|{cost}" if role == "net" else cost,
        period="bill_billing_period_start_date"
        if _has(header, "bill_billing_period_start_date")
        else "billing_period",
        currency="line_item_currency_code",
        period_of=utc_month,
    )


FORMAT = Format(
    name="aws-cur",
    title="AWS Cost and Usage Report",
    provider="AWS",
    description="Legacy CUR and CUR 2.0 (Data Exports), csv or parquet, any names' style and any subset of columns.",
    recognise=recognise,
    spell=spell,
    required=(
        "line_item_unblended_cost|line_item_net_unblended_cost",
        "line_item_currency_code",
        "line_item_line_item_type",
        "bill_billing_period_start_date|billing_period",
        "identity_time_interval|line_item_usage_start_date",
    ),
    role=_role,
    roles=("net", "unblended"),
    settle=_settle,
    definitions=_definitions,
    total=_total,
    columns={
        "BilledCost": "CASE WHEN $type = 'SavingsPlanCoveredUsage' THEN 0 ELSE $stated END",
        "EffectiveCost": "CASE WHEN $type = 'SavingsPlanCoveredUsage' THEN coalesce($used_plan, 0)"
        " WHEN $type = 'DiscountedUsage' THEN coalesce($used_reservation, $stated)"
        " WHEN $covers THEN 0 ELSE $stated END",
        "ContractedCost": "CASE WHEN $type = 'DiscountedUsage' THEN price([pricing_public_on_demand_cost])"
        " ELSE $stated END",
        "ListCost": "CASE WHEN $discount THEN 0"
        " WHEN $type IN ('Usage', 'SavingsPlanCoveredUsage', 'DiscountedUsage')"
        " THEN price([pricing_public_on_demand_cost]) ELSE $stated END",
        "ListUnitPrice": f"CASE WHEN NOT ({_NO_UNITS}) THEN price([pricing_public_on_demand_rate]) END",
        "ContractedUnitPrice": f"CASE WHEN NOT ({_NO_UNITS}) THEN price([line_item_unblended_rate]) END",
        "PricingQuantity": f"CASE WHEN NOT ({_NO_UNITS}) THEN quantity([line_item_usage_amount]) END",
        "PricingUnit": f"CASE WHEN NOT ({_NO_UNITS}) THEN [pricing_unit] END",
        "ConsumedQuantity": "CASE WHEN $usage AND NOT $discount THEN quantity([line_item_usage_amount]) END",
        "ConsumedUnit": "CASE WHEN $usage AND NOT $discount THEN [pricing_unit] END",
        "BillingAccountId": "[bill_payer_account_id]",
        "BillingAccountName": "[bill_payer_account_name]",
        "BillingAccountType": "'Payer account'",
        "SubAccountId": "[line_item_usage_account_id]",
        "SubAccountName": "[line_item_usage_account_name]",
        "SubAccountType": "'AWS account'",
        "BillingPeriodStart": "$period_start",
        "BillingPeriodEnd": "coalesce(instant([bill_billing_period_end_date]), $period_start + INTERVAL 1 MONTH)",
        "ChargePeriodStart": "$start",
        "ChargePeriodEnd": "coalesce(CASE WHEN second($end) = 59 THEN $end + INTERVAL 1 SECOND ELSE $end END,"
        " $start + INTERVAL 1 DAY)",
        "BillingCurrency": "[line_item_currency_code]",
        "PricingCurrency": "[pricing_currency]",
        "InvoiceId": "[bill_invoice_id]",
        "InvoiceIssuerName": "coalesce([bill_invoicing_entity], 'Amazon Web Services, Inc.')",
        "ProviderName": "'AWS'",
        "PublisherName": "coalesce([line_item_legal_entity], 'Amazon Web Services, Inc.')",
        "ChargeCategory": "CASE WHEN $usage THEN 'Usage'"
        " WHEN $type IN ('SavingsPlanRecurringFee', 'SavingsPlanUpfrontFee', 'RIFee', 'Fee') THEN 'Purchase'"
        " WHEN $type = 'Refund' AND $arn IS NOT NULL THEN 'Purchase'"
        " WHEN $type IN ('Tax', 'Credit') THEN $type ELSE 'Adjustment' END",
        "ChargeClass": "CASE WHEN $type = 'Refund' AND $start < $period_start THEN 'Correction' END",
        "ChargeFrequency": "CASE WHEN $usage THEN 'Usage-Based'"
        " WHEN $type IN ('SavingsPlanRecurringFee', 'RIFee') THEN 'Recurring'"
        " WHEN $type = 'Fee' AND $arn IS NULL AND $service_code LIKE 'AWSSupport%' THEN 'Recurring'"
        " ELSE 'One-Time' END",
        "ChargeDescription": "[line_item_line_item_description]",
        "CommitmentDiscountId": "$arn",
        "CommitmentDiscountCategory": "CASE WHEN [savings_plan_savings_plan_arn] IS NOT NULL THEN 'Spend'"
        " WHEN [reservation_reservation_arn] IS NOT NULL THEN 'Usage' END",
        "CommitmentDiscountType": "CASE WHEN [savings_plan_savings_plan_arn] IS NOT NULL THEN 'Savings Plan'"
        " WHEN [reservation_reservation_arn] IS NOT NULL THEN 'Reserved Instance' END",
        "CommitmentDiscountStatus": "CASE WHEN $type IN ('SavingsPlanCoveredUsage', 'DiscountedUsage') THEN 'Used' END",
        "PricingCategory": "CASE WHEN $type IN ('SavingsPlanCoveredUsage', 'DiscountedUsage') THEN 'Committed'"
        " WHEN $usage AND [line_item_usage_type] LIKE '%SpotUsage%' THEN 'Dynamic'"
        " WHEN $usage OR $type = 'Fee' THEN 'Standard' END",
        "RegionId": "$region",
        "RegionName": "coalesce([product_location], $product ->> 'location')",
        "AvailabilityZone": "[line_item_availability_zone]",
        "ResourceId": "[line_item_resource_id]",
        "ServiceName": "coalesce([product_product_name], $product ->> 'product_name',"
        " lookup(aws_services, $service_code, ServiceName), $service_code, 'Unknown')",
        "ServiceCategory": "coalesce(lookup(aws_services, $service_code, ServiceCategory),"
        " lookup(aws_services, [line_item_product_code], ServiceCategory), 'Other')",
        "SkuId": "CASE WHEN $type <> 'Tax' THEN coalesce([product_sku], $product ->> 'sku') END",
        "SkuPriceId": "CASE WHEN $type <> 'Tax' THEN [pricing_rate_code] END",
        "SkuMeter": "[line_item_usage_type]",
        "Tags": "$tags",
        # Split cost allocation repeats the parent's cost by pod; it stays beside the bill (x_Extra), never in it.
        "AllocatedMethodId": "CASE WHEN $split IS NOT NULL THEN 'AWS split cost allocation data' END",
        "AllocatedResourceId": "CASE WHEN $split IS NOT NULL THEN [line_item_resource_id] END",
        "x_CostCategories": "coalesce(tags([cost_category]), object([costCategory/*]), object([cost_category_*]))",
        "x_ChargeType": "$type",
        "x_ServiceCode": "$service_code",
        "x_UsageType": "[line_item_usage_type]",
        "x_Operation": "[line_item_operation]",
        "x_InstanceType": "coalesce([product_instance_type], $product ->> 'instance_type')",
        "x_SourceCost": "$stated",
        "x_Quality": f"CASE WHEN $unstated THEN '{UNSTATED}' END",
    },
    drop=(Drop("Savings Plan negation", "$type = 'SavingsPlanNegation'"),),
    derive=(
        Derive(
            IDLE_PLAN,
            "$type = 'SavingsPlanRecurringFee' AND $plan_amortised AND $idle_plan > 0",
            {**_IDLE, "EffectiveCost": "$idle_plan", "ChargeDescription": "'Unused Savings Plan commitment'"},
        ),
        Derive(
            IDLE_RESERVATION,
            "$type = 'RIFee' AND $reservation_amortised AND $idle_reservation <> 0",
            {**_IDLE, "EffectiveCost": "$idle_reservation", "ChargeDescription": "'Unused reservation'"},
        ),
    ),
    complete=complete,
    # Late usage and discounts of the quarter before are real, and ISO dates cannot have day and month swapped.
    days_before=93,
    warn=(
        (
            "rows of a line item type that is not known, kept as Adjustment",
            "x_ChargeType NOT IN ('Usage', 'SavingsPlanCoveredUsage', 'DiscountedUsage', 'SavingsPlanRecurringFee',"
            " 'SavingsPlanUpfrontFee', 'RIFee', 'Fee', 'Tax', 'Credit', 'Refund') AND x_ChargeType NOT LIKE '%Discount'",
        ),
        (
            "covered rows without an amortised cost (their column is missing or empty)",
            "x_ChargeType = 'SavingsPlanCoveredUsage' AND EffectiveCost = 0 AND x_SourceCost <> 0",
        ),
        ("rows of Savings Plan negation that does not cancel", f"x_Derived = '{RESIDUE}'"),
        (
            "rows of commitments whose unused part the export does not state: it is taken as the fee less what was used,"
            " which is too little where part was paid upfront",
            f"x_Quality = '{UNSTATED}'",
        ),
        ("rows whose tags are written in no known way", f"Tags LIKE '{{\"{UNREAD_TAGS}\":%'"),
    ),
)
