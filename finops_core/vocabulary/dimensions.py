"""What spend can be grouped and filtered by: every column of the store, tags, and the dimensions declared here."""

import re
from dataclasses import dataclass

from finops_core.errors import UsageError
from finops_core.focus.charges import ALLOCATED_COLUMNS, COSTS, CUSTOM_COLUMNS, STORE_COLUMNS, TAG_PREFIXES
from finops_core.focus.columns import FOCUS_COLUMNS

TAG = "tag:"


@dataclass(frozen=True)
class Dimension:
    """A dimension: its name in queries, words for people, and the column of the store that it is read from."""

    name: str
    label: str
    description: str
    column: str
    kind: str = "text"
    """text | time | number | cost (to filter by, not to group by)"""
    group: str = "More"
    form: str = ""
    """The regular expression that every value fits, where there is one: what does not fit it, is refused."""
    example: str = ""
    ordered: bool = True
    """Whether values can be compared by <, > and between."""
    beside: tuple[str, ...] = ()
    """The columns that it is made of beside that one."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it is read from."""
        return (self.column, *self.beside)


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
    "SkuId": ("SKU id", "Service"),
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
    "x_Owner": ("Owner", "Owner"),
    "x_AllocationKind": ("Allocation", "Owner"),
    "x_AllocationRule": ("Allocation rule", "Owner"),
    "x_UsageType": ("Usage type", "Service"),
    "BillingPeriod": ("Billing period", "Data"),
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
    for name, meaning in ALLOCATED_COLUMNS.items():
        meanings[name], kinds[name] = meaning, "text"
    for name in dict.fromkeys((*_LABELS, *meanings)):  # what people ask for most comes first
        meaning = meanings[name]
        if name in COSTS or name == "x_SourceCost":
            continue
        label, group = _LABELS.get(name, (_words(name), "More"))
        ordered = kinds[name] != "text" or name == "BillingPeriod"
        form, example = (r"\d{4}-(0[1-9]|1[0-2])", "2026-09") if name == "BillingPeriod" else ("", "")
        found[name] = Dimension(name, label, meaning, name, kinds[name], group, form, example, ordered)
    return found


_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_OF_DAY = {
    d.name: d
    for d in (
        Dimension("Day", "Day", "The day of the charge (UTC)", "ChargePeriodStart", "time", "Time"),
        Dimension(
            "Week", "Week", "The Monday of the week of the charge (UTC)", "ChargePeriodStart", "time", "Time"
        ),
        Dimension(
            "Month",
            "Month",
            "The month of the charge, as 2026-09: by its day, not by the bill it is on",
            "ChargePeriodStart",
            "text",
            "Time",
            r"\d{4}-(0[1-9]|1[0-2])",
            "2026-09",
        ),
        Dimension(
            "Quarter",
            "Quarter",
            "The calendar quarter of the charge, as 2026-Q3",
            "ChargePeriodStart",
            "text",
            "Time",
            r"\d{4}-Q[1-4]",
            "2026-Q3",
        ),
        Dimension(
            "Year",
            "Year",
            "The calendar year of the charge",
            "ChargePeriodStart",
            "text",
            "Time",
            r"\d{4}",
            "2026",
        ),
        Dimension(
            "Weekday",
            "Weekday",
            "The day of the week of the charge, Monday to Sunday",
            "ChargePeriodStart",
            "text",
            "Time",
            _DAYS,
            "Monday",
            False,
        ),
        Dimension(
            "DayOfMonth",
            "Day of the month",
            "The day of the month of the charge, 1 to 31",
            "ChargePeriodStart",
            "number",
            "Time",
        ),
    )
}
"""What is computed from the charge's day; the expressions are in `finops_core.vocabulary.expressions`."""
DAY_DIMENSIONS = tuple(_OF_DAY)

SKU = "Sku"
_WORDED = Dimension(
    SKU, "SKU", "What a SKU measures (its meter, else the usage type), and its id where the bill has one", "SkuId", group="Service", ordered=False, beside=("SkuMeter", "x_UsageType")
)  # fmt: skip
DIMENSIONS: dict[str, Dimension] = _declare() | {SKU: _WORDED} | _OF_DAY
"""By name. `tag:KEY` is a dimension too, for every key of Tags."""

FILTERS = {
    name: Dimension(name, _words(name), meaning, name, "cost", "Cost")
    for name, meaning in (
        *((name, FOCUS_COLUMNS[name].meaning) for name in COSTS),
        ("x_SourceCost", CUSTOM_COLUMNS["x_SourceCost"][1]),
    )
}
"""What a charge can be filtered by, but not grouped by: its own costs."""


def is_text(text: str) -> bool:
    """Whether a text is of characters only, and not of halves of them, as bytes that are no UTF-8 become."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def tag_key(name: str) -> str:
    """The tag key of `tag:KEY` or `tag:"KEY"`; in quotes, a backslash stands before a quote or a backslash of the key."""
    key = name.removeprefix(TAG)
    if re.fullmatch(r'"(?:[^"\\]|\\.)*"', key, re.S):
        return re.sub(r'\\(["\\])', r"\1", key[1:-1])
    return key


def canonical(name: str) -> str:
    """The one spelling of a dimension's name: `tag:KEY`, in quotes only where the key itself begins with a quote."""
    if not name.startswith(TAG):
        return name
    key = tag_key(name)
    if not key.startswith('"'):
        return TAG + key
    return TAG + '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def dimension(name: str) -> Dimension:
    """The dimension of a name. Raises UsageError, with the nearest known name."""
    if name.startswith(TAG):
        key = tag_key(name)
        if not key or not is_text(key):
            raise UsageError("a tag needs a key: tag:KEY")
        return Dimension(
            canonical(name),
            key,
            f"The tag {key!r}, under any provider's prefix ({', '.join(p for p in TAG_PREFIXES if p)})",
            "Tags",
            "text",
            "Tags",
            ordered=False,
        )
    found = DIMENSIONS.get(name)
    if found is None and name in FILTERS:
        raise UsageError(f"{name} is a cost: it can be measured and filtered by, not grouped by")
    if found is None:
        import difflib

        near = difflib.get_close_matches(name, DIMENSIONS, 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"there is no dimension {name!r}{hint} (see `farthing dimensions`)")
    return found


def filterable(name: str) -> Dimension:
    """What a filter may ask about: a dimension, or a cost of the charge itself. Raises UsageError."""
    return FILTERS.get(name) or dimension(name)


def is_filterable(name: str) -> bool:
    """Whether a filter may ask about a name."""
    return name in FILTERS or name in DIMENSIONS or name.startswith(TAG)
