"""What spend can be grouped and filtered by: every column of the store, tags, and the dimensions declared here."""

from dataclasses import dataclass

from finops_core.errors import UsageError
from finops_core.focus.charges import COSTS, CUSTOM_COLUMNS, STORE_COLUMNS
from finops_core.focus.columns import FOCUS_COLUMNS
from finops_core.store.owners import OWNER_COLUMNS, PREFIXES

TAG = "tag:"


@dataclass(frozen=True)
class Dimension:
    """A dimension: its name in queries, words for people, and the column of the store that holds it."""

    name: str
    label: str
    description: str
    column: str
    kind: str = "text"
    """text | time | number"""
    group: str = "More"


_LABELS = {
    "ServiceName": ("Service", "Service"),
    "ServiceCategory": ("Service category", "Service"),
    "SubAccountId": ("Account id", "Account"),
    "SubAccountName": ("Account", "Account"),
    "BillingAccountId": ("Billing account id", "Account"),
    "BillingAccountName": ("Billing account", "Account"),
    "ProviderName": ("Provider", "Account"),
    "RegionId": ("Region", "Service"),
    "ChargeCategory": ("Charge category", "Charge"),
    "ChargeDescription": ("Charge description", "Charge"),
    "ResourceId": ("Resource", "Resource"),
    "SkuId": ("SKU", "Service"),
    "PricingCategory": ("Pricing category", "Charge"),
    "CommitmentDiscountStatus": ("Commitment status", "Commitment"),
    "CommitmentDiscountId": ("Commitment", "Commitment"),
    "CommitmentDiscountType": ("Commitment type", "Commitment"),
    "InvoiceId": ("Invoice", "Charge"),
    "x_Source": ("Source", "Data"),
    "x_Team": ("Team", "Owner"),
    "x_Product": ("Product", "Owner"),
    "x_Environment": ("Environment", "Owner"),
    "x_CostCenter": ("Cost centre", "Owner"),
    "x_Application": ("Application", "Owner"),
    "x_UsageType": ("Usage type", "Service"),
    "BillingPeriod": ("Billing period", "Data"),
}
_OWNERS = {
    "x_Team": "The team that owns the charge, from its tags",
    "x_Product": "The product that the charge serves, from its tags",
    "x_Environment": "Production, staging, development …, from the tags, spellings made one",
    "x_CostCenter": "The cost centre that pays, from the tags",
    "x_Application": "The application, from the tags",
}


def _words(column: str) -> str:
    """ChargePeriodStart → Charge period start."""
    text = "".join(f" {c.lower()}" if c.isupper() else c for c in column.removeprefix("x_")).strip()
    return text[:1].upper() + text[1:].replace(" i d", " id")


def _declare() -> dict[str, Dimension]:
    found: dict[str, Dimension] = {}
    meanings = {name: column.meaning for name, column in FOCUS_COLUMNS.items()}
    kinds = {
        name: "time" if c.type == "Date/Time" else "number" if c.type == "Decimal" else "text"
        for name, c in FOCUS_COLUMNS.items()
    }
    for name, (kind, meaning) in {**CUSTOM_COLUMNS, **STORE_COLUMNS}.items():
        meanings[name], kinds[name] = meaning, "text" if kind == "VARCHAR" else "number"
    for name in OWNER_COLUMNS:
        meanings[name], kinds[name] = _OWNERS[name], "text"
    for name, meaning in meanings.items():
        if name in COSTS or name == "x_SourceCost":
            continue
        label, group = _LABELS.get(name, (_words(name), "More"))
        found[name] = Dimension(name, label, meaning, name, kinds[name], group)
    return found


DIMENSIONS: dict[str, Dimension] = _declare()
"""By name. `tag:KEY` is a dimension too, for every key of Tags."""


def dimension(name: str) -> Dimension:
    """The dimension of a name. Raises UsageError, with the nearest known name."""
    if name.startswith(TAG) and len(name) > len(TAG):
        key = name.removeprefix(TAG)
        return Dimension(
            name,
            key,
            f"The tag {key!r}, under any provider's prefix ({', '.join(p for p in PREFIXES if p)})",
            "Tags",
            "text",
            "Tags",
        )
    found = DIMENSIONS.get(name)
    if found is None:
        import difflib

        near = difflib.get_close_matches(name, DIMENSIONS, 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"there is no dimension {name!r}{hint} (see `farthing dimensions`)")
    return found
