"""The FOCUS columns, and the mapping tables that fill them."""

import csv
import io
from collections import Counter
from importlib import resources

import pytest

from finops_core.focus import FOCUS_COLUMNS, FOCUS_VERSIONS, SERVICE_CATEGORIES, columns_of

MAPPINGS = resources.files("finops_core.formats").joinpath("mappings")
TABLES = {
    "aws_services": ("ServiceName", "ServiceCategory"),
    "gcp_services": ("ServiceName", "ServiceCategory"),
    "azure_services": ("ServiceName", "ServiceCategory", "ServiceSubcategory"),
    "azure_regions": ("RegionId", "RegionName"),
    "azure_units": ("block", "PricingUnit"),
}


def mapping(table: str) -> list[dict[str, str]]:
    text = MAPPINGS.joinpath(f"{table}.csv").read_bytes().decode("utf-8")
    assert "\r" not in text
    return list(csv.DictReader(io.StringIO(text)))


def category_by_key(table: str) -> dict[str, str]:
    return {row["key"]: row["ServiceCategory"] for row in mapping(table)}


def test_every_column_is_complete() -> None:
    assert len(FOCUS_COLUMNS) == 67
    for name, column in FOCUS_COLUMNS.items():
        assert column.name == name
        assert column.type in {"String", "Decimal", "Date/Time", "JSON"}
        assert column.level in {"Mandatory", "Conditional", "Recommended"}
        assert column.introduced_in in FOCUS_VERSIONS
        assert column.meaning.endswith(".") and len(column.meaning) <= 160, name


def test_costs_are_decimals_that_are_never_null_and_may_be_negative() -> None:
    for name in ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"):
        column = FOCUS_COLUMNS[name]
        assert (column.type, column.allows_nulls, column.non_negative) == ("Decimal", False, False)
    assert FOCUS_COLUMNS["ListUnitPrice"].non_negative


def test_closed_lists() -> None:
    assert FOCUS_COLUMNS["ChargeCategory"].allowed_values == (
        "Usage",
        "Purchase",
        "Tax",
        "Credit",
        "Adjustment",
    )
    assert FOCUS_COLUMNS["ChargeClass"].allowed_values == ("Correction",)
    assert FOCUS_COLUMNS["BilledCost"].allowed_values == ()
    assert len(SERVICE_CATEGORIES) == len(set(SERVICE_CATEGORIES)) == 19


@pytest.mark.parametrize(
    ("version", "count"), [("1.0", 43), ("1.1", 50), ("1.2", 57), ("1.3", 65), ("1.4", 65)]
)
def test_number_of_columns_by_version(version: str, count: int) -> None:
    assert len(columns_of(version)) == count


def test_provider_and_publisher_leave_in_1_4() -> None:
    provider = FOCUS_COLUMNS["ProviderName"]
    assert (provider.deprecated_in, provider.removed_in) == ("1.3", "1.4")
    assert provider.replaced_by == "ServiceProviderName"
    for name in ("ProviderName", "PublisherName"):
        assert FOCUS_COLUMNS[name].exists_in("1.3") and not FOCUS_COLUMNS[name].exists_in("1.4")
    assert not FOCUS_COLUMNS["ServiceProviderName"].exists_in("1.2")
    assert FOCUS_COLUMNS["ServiceProviderName"].exists_in("1.3")


def test_an_unknown_version_is_an_error() -> None:
    with pytest.raises(ValueError):
        columns_of("2.0")


@pytest.mark.parametrize(("table", "columns"), TABLES.items())
def test_mapping_keys_are_lower_case_unique_and_sorted(table: str, columns: tuple[str, ...]) -> None:
    rows = mapping(table)
    keys = [row["key"] for row in rows]
    assert tuple(rows[0]) == ("key", *columns)
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    assert keys == sorted(keys)
    assert [key for key in keys if key != key.strip().lower() or not key] == []
    assert [row["key"] for row in rows if not all(row[column].strip() for column in columns)] == []


@pytest.mark.parametrize("table", ["aws_services", "gcp_services", "azure_services"])
def test_mapped_categories_are_allowed_and_a_service_has_only_one(table: str) -> None:
    rows = mapping(table)
    assert {row["ServiceCategory"] for row in rows} <= set(SERVICE_CATEGORIES)
    categories: dict[str, set[str]] = {}
    for row in rows:
        categories.setdefault(row["ServiceName"], set()).add(row["ServiceCategory"])
    assert {name: found for name, found in categories.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("table", "key", "category"),
    [
        ("aws_services", "amazonec2", "Compute"),
        ("aws_services", "amazons3", "Storage"),
        ("aws_services", "amazonbedrock", "AI and Machine Learning"),
        ("aws_services", "awsdatatransfer", "Networking"),
        ("aws_services", "awskms", "Security"),
        ("aws_services", "awssupportbusiness", "Management and Governance"),
        ("aws_services", "computesavingsplans", "Compute"),
        ("gcp_services", "compute engine", "Compute"),
        ("gcp_services", "vertex ai", "AI and Machine Learning"),
        ("azure_services", "virtual machines", "Compute"),
        ("azure_services", "microsoft.compute", "Compute"),
        ("azure_services", "microsoft.storage/storageaccounts", "Storage"),
        ("azure_services", "sql managed instance", "Databases"),
    ],
)
def test_well_known_services(table: str, key: str, category: str) -> None:
    assert category_by_key(table)[key] == category


@pytest.mark.parametrize(
    ("unit", "block", "pricing_unit"),
    [
        ("100 hours", 100, "Hours"),
        ("1 gb/month", 1, "GB/Month"),
        ("10k", 10_000, "Units"),
        ("1/day", 1, "Units/Day"),
    ],
)
def test_azure_price_units(unit: str, block: int, pricing_unit: str) -> None:
    row = next(row for row in mapping("azure_units") if row["key"] == unit)
    assert (int(row["block"]), row["PricingUnit"]) == (block, pricing_unit)


def test_every_azure_block_is_a_positive_number() -> None:
    assert all(int(row["block"]) > 0 for row in mapping("azure_units"))


def test_azure_regions_know_their_own_names() -> None:
    rows = {row["key"]: (row["RegionId"], row["RegionName"]) for row in mapping("azure_regions")}
    for found in set(rows.values()):
        assert rows[found[0]] == rows[found[1].lower()] == found
