"""The cubes of finops.duckdb: charges added up beforehand over the dimensions that questions use most, by day or by month.

A question is asked of the first cube that holds every column it needs, and of `charges` where none does. So each cube must
hold what questions of its kind ask beside its own subject: what is a function of it, such as the names of ids, and the
charge category, since leaving out taxes and credits is typical.
"""

from collections.abc import Collection
from dataclasses import dataclass

from finops_core.focus.charges import ALLOCATED_COLUMNS, COSTS, MONEY

DAY = "ChargeDay"
MONTH = "ChargeMonth"
"""The first day of the month of ChargePeriodStart."""
ROWS = "x_Rows"
"""How many charges a row of a cube stands for."""

COMMON = (
    "x_Source",
    "BillingPeriod",
    "BillingPeriodStart",
    "BillingCurrency",
    "ProviderName",
    "ChargeCategory",
)
ACCOUNT = ("BillingAccountId", "BillingAccountName", "SubAccountId", "SubAccountName")
SERVICE = ("ServiceCategory", "ServiceName")
_REGION = ("RegionId", "RegionName")
_ALLOCATION = ("x_AllocationKind", "x_AllocationRule")
_TEAM = ("x_Team", "x_Product", "x_Environment", *_ALLOCATION)
_KIND = ("ChargeClass", "ChargeFrequency", "x_ChargeType", "x_Derived", "x_Quality")
_PARTIES = ("ServiceProviderName", "PublisherName", "InvoiceIssuerName")
_COVERAGE = (
    "PricingCategory",
    "CommitmentDiscountCategory",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
)
_COMMITMENT = (*_COVERAGE, "CommitmentDiscountId")
_ALL = (
    *COMMON, *ACCOUNT, *SERVICE, *_REGION, *_KIND, *_PARTIES, *_COMMITMENT, *ALLOCATED_COLUMNS
)  # fmt: skip


@dataclass(frozen=True)
class Cube:
    """A table of the four costs and the number of charges, by a day or month and dimensions (columns of `charges`)."""

    name: str
    dimensions: tuple[str, ...]
    time: str = DAY
    """ChargeDay or ChargeMonth."""

    @property
    def columns(self) -> dict[str, str | None]:
        """Column → DuckDB type; None for a dimension, whose type is that of `charges`."""
        return {
            self.time: "DATE",
            **dict.fromkeys(self.dimensions),
            **dict.fromkeys(COSTS, MONEY),
            ROWS: "BIGINT",
        }

    def holds(self, columns: Collection[str]) -> bool:
        """Whether it has all the columns; a cube by day has the months too."""
        known = {*self.columns, MONTH}
        return all(column in known for column in columns)

    def rows(self, source: "Cube | None", where: str) -> str:
        """SQL of its rows, from another cube that holds all of its columns, or from `charges` (None)."""
        time = source.time if source else "ChargePeriodStart"
        day = f"CAST({time if self.time == DAY else f'''date_trunc('month', {time})'''} AS DATE)"
        count = f"sum({ROWS})" if source else "count(*)"
        dimensions = ", ".join(self.dimensions)
        costs = ", ".join(f"sum({name})" for name in COSTS)
        return (
            f"SELECT {day}, {dimensions}, {costs}, {count} FROM {source.name if source else 'charges'}"
            f" WHERE {where} GROUP BY {day}, {dimensions}"
        )


CUBES = (
    Cube("accounts", (*COMMON, *ACCOUNT, *_KIND)),
    Cube("services", (*COMMON, *SERVICE, *_KIND, *_PARTIES, *_COVERAGE)),
    Cube("teams", (*COMMON, *_TEAM)),
    Cube("cost_centers", (*COMMON, "x_CostCenter", "x_Environment", *_ALLOCATION)),
    Cube("commitments", (*COMMON, *ACCOUNT, *_KIND, *_COMMITMENT)),
    Cube("applications", (*COMMON, "x_Application", "x_Environment", *_ALLOCATION)),
    Cube("account_regions", (*COMMON, *ACCOUNT, *_REGION)),
    Cube("service_regions", (*COMMON, *SERVICE, *_REGION)),
    Cube("account_services", (*COMMON, *ACCOUNT, *SERVICE)),
    Cube("monthly", _ALL, MONTH),
    Cube("account_teams", (*COMMON, *ACCOUNT, *_TEAM)),
    Cube("service_teams", (*COMMON, *SERVICE, *_TEAM)),
    Cube("daily", _ALL),
)
"""Smallest first, as measured on independent dimensions (bench/_exports.py): the order in which questions try them."""


def holding(columns: Collection[str]) -> list[Cube]:
    """The cubes that hold all the columns, smallest first; of the time ChargeDay or, where months do, ChargeMonth."""
    return [cube for cube in CUBES if cube.holds(columns)]
