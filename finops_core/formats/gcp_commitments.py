"""Google Cloud's committed use discounts, in their three shapes; which one a row is of, its own credits and SKU say.

- Resource-based (COMMITTED_USAGE_DISCOUNT) and legacy spend-based (…_DOLLAR_BASE): usage is listed at its full price and
  credited for the covered part; the commitment is paid on rows of its own ("Commitment v1: …", "Commitment - dollar based
  v1: …"). The export links neither to the other, and a fee's idle part cannot be told. So nothing is redistributed: the
  fee keeps its EffectiveCost, the covered usage costs nothing, and both say so in x_Quality. Usage that is covered in part
  becomes two charges, as FOCUS wants it: the credited part, and the use beyond it, which is on demand.
- Spend-based in the model of consumption models (FEE_UTILIZATION_OFFSET): usage carries its discounted price, and the fee
  is offset as far as it was used. What remains of the fee is the idle commitment: it becomes a row of unused commitment,
  and the fee itself has the EffectiveCost 0.

EffectiveCost adds up to BilledCost in each case.
"""

from collections.abc import Mapping

_LEGACY = "'COMMITTED_USAGE_DISCOUNT', 'COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE'"
_COVERING = f"c.type IN ({_LEGACY})"
_FEE_LEFT = "EffectiveCost of the commitment is left on its fee: the export does not link fees to the usage that they cover"
_FEE_ELSEWHERE = (
    "EffectiveCost is without the fee of the commitment that covers it: the export does not link the two"
)
_MODEL_ONLY = "CommitmentDiscountId is that of the consumption model: the export does not name the commitment"


def credited(condition: str) -> str:
    """The sum of the credits for which a condition on `c` holds."""
    chosen = f"list_filter($credits, lambda c: {condition})"
    return f"coalesce(list_sum(list_transform({chosen}, lambda c: c.amount)), 0)"


COMMITMENT_DEFINITIONS = {
    "offset": "(len(list_filter($credits, lambda c: c.type = 'FEE_UTILIZATION_OFFSET')) > 0)",
    "fee": "($offset OR [subscription.instance_id] IS NOT NULL"
    " OR coalesce(regexp_matches([sku.description], '(?i)^commitment (v[0-9]+:|- ?dollar)'), FALSE))",
    "offset_fee": "(coalesce($offset, FALSE) AND $category = 'Purchase')",
    "covering": f"list_extract(list_filter($credits, lambda c: {_COVERING}), 1)",
    "covered": "($category = 'Usage' AND $covering IS NOT NULL)",
    "covered_cost": f"CASE WHEN $covering IS NULL THEN 0 ELSE (-{credited(_COVERING)}) END",
    # A credit that differs from the cost by rounding covers all of it.
    "partly": "($covered AND $covered_cost * sign($cost) > 0 AND abs($cost) - abs($covered_cost) > abs($cost) / 1000000)",
    "covered_share": "(CAST($covered_cost AS DOUBLE) / CAST($cost AS DOUBLE))",
    "modelled": "($category = 'Usage' AND $covering IS NULL"
    " AND coalesce(regexp_matches([consumption_model.description], '(?i)\\bcuds?\\b|commit'), FALSE))",
    "used": "($covered OR $modelled)",
    "spend": "($offset OR $modelled OR $covering.type = 'COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE'"
    " OR $category = 'Purchase' AND coalesce(contains(lower([sku.description]), 'dollar'), FALSE))",
    "commitment": "($category = 'Purchase' OR $used)",
    "commitment_quality": f"CASE WHEN $category = 'Purchase' AND NOT $offset_fee THEN '{_FEE_LEFT}'"
    f" WHEN $covered THEN '{_FEE_ELSEWHERE}' WHEN $modelled THEN '{_MODEL_ONLY}' END",
}

COMMITMENT_COLUMNS = {
    # The standard export has no subscriptions: there the SKU names the commitments of one kind, region and term.
    "CommitmentDiscountId": "CASE WHEN $category = 'Purchase' THEN coalesce([subscription.instance_id], [sku.id])"
    " WHEN $modelled THEN [consumption_model.id] WHEN $covered THEN coalesce($covering.id, $covering.name, $covering.type) END",
    "CommitmentDiscountName": "CASE WHEN $category = 'Purchase' THEN [sku.description]"
    " WHEN $modelled THEN [consumption_model.description] WHEN $covered THEN coalesce($covering.full_name, $covering.name) END",
    "CommitmentDiscountCategory": "CASE WHEN $commitment THEN CASE WHEN $spend THEN 'Spend' ELSE 'Usage' END END",
    "CommitmentDiscountType": "CASE WHEN $commitment THEN CASE WHEN $spend THEN 'Spend-based' ELSE 'Resource-based' END"
    " || ' committed use discount' END",
    "CommitmentDiscountStatus": "CASE WHEN $used THEN 'Used' END",
}


def covered_part(money: str) -> str:
    """Of a cost of the row, what the committed use discount covers; all of it where that is not told."""
    part = f"CASE WHEN {money} = $cost THEN $covered_cost ELSE computed_money(CAST({money} AS DOUBLE) * $covered_share) END"
    return f"CASE WHEN $partly THEN {part} ELSE {money} END"


def covered_quantity(number: str) -> str:
    """Of a quantity of the row, what the committed use discount covers."""
    return f"CASE WHEN $partly THEN {number} * $covered_share ELSE {number} END"


def beyond(costs: Mapping[str, str], quantities: Mapping[str, str]) -> dict[str, str]:
    """What the use beyond a committed use discount differs in from the covered part: the rest of its costs and quantities."""
    return {
        **{name: f"(({cost}) - ({covered_part(cost)}))" for name, cost in costs.items()},
        **{name: f"(({number}) * (1 - $covered_share))" for name, number in quantities.items()},
        **dict.fromkeys(COMMITMENT_COLUMNS, "NULL"),
        "BilledCost": "$net",
        "EffectiveCost": "$net",
        "PricingCategory": "'Standard'",
        "x_Credits": "NULL",
        "x_Quality": "NULL",
        "x_SourceCost": "0",
    }


IDLE = {
    "ChargeCategory": "'Usage'",
    "ChargeFrequency": "'Usage-Based'",
    "ChargeDescription": "'Unused ' || [sku.description]",
    "CommitmentDiscountStatus": "'Unused'",
    "PricingCategory": "'Committed'",
    "BilledCost": "0",
    "EffectiveCost": "$net",
    "ListCost": "0",
    "ContractedCost": "0",
    "ListUnitPrice": "NULL",
    "ContractedUnitPrice": "NULL",
    "PricingQuantity": "NULL",
    "PricingUnit": "NULL",
    "ConsumedQuantity": "NULL",
    "ConsumedUnit": "NULL",
    "x_Credits": "NULL",
    "x_Quality": "NULL",
    "x_SourceCost": "0",
}
"""What a row of unused commitment differs in from its fee."""
