"""What can only be said of an AWS report as a whole: whether Savings Plan negations cancel, and what a commitment leaves
unused where its own rows do not say."""

RESIDUE = "Savings Plan negation that does not cancel"
IDLE_PLAN = "unused Savings Plan commitment"
IDLE_RESERVATION = "unused reservation"
UNSTATED = "the export does not state what the commitment leaves unused"
"""x_Quality of a fee row beside which no unused part can be derived from the row itself."""

_PLAN_TYPES = "'SavingsPlanCoveredUsage', 'SavingsPlanRecurringFee'"
_RESERVATION_TYPES = "'DiscountedUsage', 'RIFee'"

_SHARED = """BillingPeriodStart, BillingPeriodEnd, BillingPeriodStart AS ChargePeriodStart,
               BillingPeriodEnd AS ChargePeriodEnd, BillingCurrency, CommitmentDiscountId,
               any_value(CommitmentDiscountCategory) AS CommitmentDiscountCategory,
               any_value(CommitmentDiscountType) AS CommitmentDiscountType,
               any_value(BillingAccountId) AS BillingAccountId, any_value(BillingAccountName) AS BillingAccountName,
               any_value(BillingAccountType) AS BillingAccountType, any_value(SubAccountType) AS SubAccountType,
               any_value(ProviderName) AS ProviderName, any_value(ServiceProviderName) AS ServiceProviderName,
               any_value(PublisherName) AS PublisherName, any_value(HostProviderName) AS HostProviderName,
               any_value(InvoiceIssuerName) AS InvoiceIssuerName,
               'Usage' AS ChargeCategory, 'Usage-Based' AS ChargeFrequency"""


def _first(column: str, condition: str = "TRUE") -> str:
    """A column of the group's first row: what is derived has one place, the same at every load."""
    return f"arg_min({column}, (x_File, x_Row)) FILTER ({condition}) AS {column}"


def _residue(staged: str) -> str:
    """For every Savings Plan and month whose covered and negation rows do not cancel, the difference as a charge."""
    own = ", ".join(_first(c) for c in ("SubAccountId", "SubAccountName", "ServiceName", "ServiceCategory"))
    return f"""
        SELECT min(x_Role) AS x_Role, '{RESIDUE}' AS x_Derived, {_first("x_File")}, {_first("x_Row")}, {own},
               {_SHARED}, '{RESIDUE}' AS ChargeDescription,
               sum(x_SourceCost) AS BilledCost, sum(x_SourceCost) AS EffectiveCost,
               sum(x_SourceCost) AS ContractedCost, CAST(0 AS DECIMAL(38,18)) AS x_SourceCost
        FROM {staged}
        WHERE x_ChargeType IN ('SavingsPlanCoveredUsage', 'SavingsPlanNegation') AND x_Derived IS NULL
        GROUP BY BillingPeriodStart, BillingPeriodEnd, BillingCurrency, CommitmentDiscountId
        HAVING sum(x_SourceCost) <> 0"""


def _unstated_idle(staged: str, types: str, reason: str) -> str:
    """Where the fee rows do not state the unused part: what was paid for the month, less what was used of it.

    Exact for commitments without upfront payment; with one, what remains of a fee can only be too little.
    """
    fee = f"x_Quality = '{UNSTATED}'"
    own = ", ".join(
        _first(c, fee)
        for c in (
            "SubAccountId",
            "SubAccountName",
            "ServiceName",
            "ServiceCategory",
            "RegionId",
            "RegionName",
        )
    )
    idle = f"coalesce(sum(BilledCost) FILTER ({fee}), 0) - coalesce(sum(EffectiveCost), 0)"
    return f"""
        SELECT min(x_Role) AS x_Role, '{reason}' AS x_Derived, {_first("x_File", fee)}, {_first("x_Row", fee)}, {own},
               {_SHARED}, '{reason[0].upper()}{reason[1:]}' AS ChargeDescription,
               'Unused' AS CommitmentDiscountStatus, 'Committed' AS PricingCategory,
               CAST(0 AS DECIMAL(38,18)) AS BilledCost, {idle} AS EffectiveCost, CAST(0 AS DECIMAL(38,18)) AS ListCost,
               CAST(0 AS DECIMAL(38,18)) AS ContractedCost, CAST(0 AS DECIMAL(38,18)) AS x_SourceCost
        FROM {staged}
        WHERE x_ChargeType IN ({types}) AND x_Drop IS NULL
        GROUP BY BillingPeriodStart, BillingPeriodEnd, BillingCurrency, CommitmentDiscountId
        HAVING bool_or({fee}) AND {idle} > 0"""


def complete(staged: str) -> str:
    """All rows of a set, and the charges that only the whole set can tell."""
    return f"""
        SELECT * FROM {staged}
        UNION ALL BY NAME {_residue(staged)}
        UNION ALL BY NAME {_unstated_idle(staged, _PLAN_TYPES, IDLE_PLAN)}
        UNION ALL BY NAME {_unstated_idle(staged, _RESERVATION_TYPES, IDLE_RESERVATION)}"""
