"""The columns of a stored charge: FOCUS's own, and ours with the prefix x_."""

from finops_core.focus.columns import FOCUS_COLUMNS

MONEY = "DECIMAL(38,18)"
COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
CHARGE_CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")

_SQL_TYPE = {"String": "VARCHAR", "JSON": "VARCHAR", "Date/Time": "TIMESTAMP"}
_QUANTITIES = {"ConsumedQuantity", "PricingQuantity", "CommitmentDiscountQuantity"}

CUSTOM_COLUMNS: dict[str, tuple[str, str]] = {
    "x_ChargeType": ("VARCHAR", "The source's own word for the kind of row, such as AWS's line item type"),
    "x_ServiceCode": ("VARCHAR", "The provider's code of the service"),
    "x_UsageType": ("VARCHAR", "The provider's usage type or meter"),
    "x_Operation": ("VARCHAR", "The provider's operation"),
    "x_InstanceType": ("VARCHAR", "Machine type, where the export names it"),
    "x_ResourceGroup": ("VARCHAR", "Azure resource group"),
    "x_Credits": ("VARCHAR", "The credits of a Google Cloud row, as exported (JSON)"),
    "x_CostCategories": ("VARCHAR", "AWS cost categories of the row (JSON)"),
    "x_Quality": ("VARCHAR", "What is estimated or unknown about the row, in words; null when nothing is"),
    "x_SourceCost": (MONEY, "The cost as the source states it on this row, before any rule"),
    "x_Derived": ("VARCHAR", "Why the row exists although the source has no such row; null for source rows"),
    "x_File": ("VARCHAR", "The export file that the row was read from"),
    "x_Row": ("BIGINT", "The row in that file, as a spreadsheet counts (the header is row 1)"),
    "x_Extra": ("VARCHAR", "All columns of the source that have no place of their own (JSON)"),
}
"""Our columns: SQL type and meaning."""

EFFECTIVE_ASSUMED = "EffectiveCost is not in the export: BilledCost is shown"
"""The x_Quality of rows whose EffectiveCost is not the source's own word."""

EFFECTIVE_UNKNOWN = "EffectiveCost of the commitment is not in the export"
"""How the x_Quality begins of rows whose EffectiveCost is 0 because nobody knows it."""

CONTROL_COLUMNS = {"x_Role": "VARCHAR", "x_Drop": "VARCHAR", "x_Uncompared": "VARCHAR"}
"""Columns of staged rows only: the file's part in its set, why a row is not stored, and for which metric the source
states no total that the row could be held against."""

STORE_COLUMNS: dict[str, tuple[str, str]] = {
    "x_Source": ("VARCHAR", "The source that the charge was loaded as"),
    "BillingPeriod": (
        "VARCHAR",
        "The billing period as YYYY-MM: with x_Source the unit that a load replaces",
    ),
    "x_BatchId": ("VARCHAR", "The load that stored the charge"),
}

OWNER_COLUMNS: dict[str, str] = {
    "x_Team": "The team that owns the charge, by its tags and the allocation rules",
    "x_Product": "The product that the charge serves, by its tags and the allocation rules",
    "x_Environment": "Production, staging, development …, by tags and rules, spellings made one",
    "x_CostCenter": "The cost centre that pays, by its tags and the allocation rules",
    "x_Application": "The application, by its tags and the allocation rules",
    "x_Owner": "The person or group that answers for the charge, by its tags and the allocation rules",
}
"""What allocation says of a charge, and what it means."""

ALLOCATION_COLUMNS: dict[str, str] = {
    "x_AllocationRule": "The allocation rule that named the owner, or the pool that the charge is shared by",
    "x_AllocationKind": "How the charge found its owner: direct (by its own tag), rule, shared (in a pool), unallocated",
}
ALLOCATED_COLUMNS = {**OWNER_COLUMNS, **ALLOCATION_COLUMNS}
"""Everything that allocation adds to a charge, all text."""

TAG_PREFIXES = ("", "user:", "user_", "label/", "tag/", "project/")
"""What providers put before a user's own tag key."""


def sql_type(column: str) -> str:
    """DuckDB type of a column of a stored or staged charge."""
    if column in FOCUS_COLUMNS:
        focus_type = FOCUS_COLUMNS[column].type
        if focus_type == "Decimal":
            return "DOUBLE" if column in _QUANTITIES else MONEY
        return _SQL_TYPE[focus_type]
    if column in CONTROL_COLUMNS:
        return CONTROL_COLUMNS[column]
    return (CUSTOM_COLUMNS | STORE_COLUMNS)[column][0]


def charge_columns() -> dict[str, str]:
    """Column → DuckDB type of a charge as a format makes it, in the order of the store."""
    return {name: sql_type(name) for name in (*FOCUS_COLUMNS, *CUSTOM_COLUMNS)}


def staged_columns() -> dict[str, str]:
    """Column → DuckDB type of a staged row: a charge and its control columns."""
    return {**charge_columns(), **CONTROL_COLUMNS}


def meaning_of(column: str) -> str:
    """What a column of a charge says, in a sentence."""
    if column in FOCUS_COLUMNS:
        return FOCUS_COLUMNS[column].meaning
    return CUSTOM_COLUMNS[column][1] if column in CUSTOM_COLUMNS else ""
