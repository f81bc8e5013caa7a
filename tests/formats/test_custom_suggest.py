"""Suggested mappings: they parse, and read the bill once a person has filled in what is marked."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core.errors import InputRefused
from finops_core.formats.custom import parse_mapping, suggest
from finops_core.formats.format import Header, SourceColumn
from finops_core.ingest.files import ExportFile, examine
from tests.mapped import read, totals

BILLS = {
    "datadog": """Month,Org Name,Public Id,Product Name,Charge Type,Cost
2026-09,Acme Corp,abc1,Infra Hosts,committed,1635.00
2026-09,Acme Corp,abc1,Logs Indexed,on_demand,587.19
2026-10,Acme Corp,abc1,Infra Hosts,committed,1650.5
""",
    "snowflake": """ORGANIZATION_NAME,CONTRACT_NUMBER,ACCOUNT_NAME,REGION,SERVICE_LEVEL,USAGE_DATE,USAGE_TYPE,CURRENCY,USAGE,USAGE_IN_CURRENCY,BALANCE_SOURCE
ACME,1001,PROD,AWS_EU_WEST_1,Enterprise,2026-09-01,compute,EUR,12.430000001,37.290000003,capacity
ACME,1001,PROD,AWS_EU_WEST_1,Enterprise,2026-09-02,storage,EUR,0.5,11.5,capacity
ACME,1001,DEV,AWS_EU_WEST_1,Enterprise,2026-09-02,adj for incl cloud services,EUR,-0.1,-0.3,capacity
""",
    "atlas": """Usage Date,Description,Project Name,Cluster,Region,SKU,Quantity,Unit,Unit Price Dollars,Amount Dollars
09/13/2026,Atlas instance hours,shop,cluster0,US_EAST_1,ATLAS_AWS_INSTANCE_M10,72,server hours,0.08,5.76
09/14/2026,Atlas instance hours,shop,cluster0,US_EAST_1,ATLAS_AWS_INSTANCE_M10,24,server hours,0.08,1.92
09/14/2026,Data transfer,shop,cluster0,US_EAST_1,ATLAS_AWS_DATA_TRANSFER,1.5,GB,0.01,0.015
""",
    "github": """date,product,sku,quantity,unit_type,applied_cost_per_quantity,gross_amount,discount_amount,net_amount,username,organization,repository,cost_center_name
2026-09-01,actions,actions_linux,250,minutes,0.008,2.0,0.5,1.5,anna,acme,shop,platform
2026-09-01,copilot,copilot_for_business,0.633333333,user-months,19,12.033333327,0,12.033333327,,acme,,
""",
    "openai": """start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id,project_name,organization_id,organization_name
1788220800,1788307200,2026-09-01T00:00:00+00:00,2026-09-02T00:00:00+00:00,0.0634500000,usd,"gpt-5, input",proj_1,shop,org-1,Acme
1788307200,1788393600,2026-09-02T00:00:00+00:00,2026-09-03T00:00:00+00:00,9.1e-7,usd,"gpt-5, output",proj_1,shop,org-1,Acme
""",
    "german": """Rechnungsdatum;Leistung;Menge;Betrag netto;Währung
05.09.2026;Telefonie;1.250;1.234,56;EUR
06.09.2026;Gutschrift;1;-34,56;EUR
""",
    "seats": """Invoice Number,Invoice Date,Item,Service Start,Service End,Seats,Total (USD),Owner Team
INV-1,10/2/2026,Pro plan,9/1/2026,9/30/2026,25,375.00,search
INV-1,10/2/2026,Add-on,9/15/2026,9/30/2026,5,37.50,
""",
}
# What a person fills in at the lines marked CHECK, beyond the names; and what the bill then amounts to.
FILLED: dict[str, tuple[dict[str, str], dict[tuple[str, str], str]]] = {
    "datadog": ({}, {("2026-09", "USD"): "2222.19", ("2026-10", "USD"): "1650.5"}),
    "snowflake": ({}, {("2026-09", "EUR"): "48.490000003"}),
    "atlas": ({}, {("2026-09", "USD"): "7.695"}),
    "github": ({}, {("2026-09", "USD"): "13.533333327"}),
    "openai": ({"  inclusive: true": "  inclusive: false"}, {("2026-09", "USD"): "0.06345091"}),
    "german": ({}, {("2026-09", "EUR"): "1200"}),
    "seats": ({}, {("2026-09", "USD"): "412.5"}),
}


def suggested(text: str, tmp_path: Path) -> str:
    file = tmp_path / "bill.csv"
    file.write_text(text, "utf-8")
    (table,) = examine(ExportFile(file, file.name))
    return suggest(table.header, list(csv.DictReader(io.StringIO(text), delimiter=table.delimiter)))


@pytest.mark.parametrize("vendor", BILLS)
def test_a_suggested_mapping_reads_the_bill_once_it_is_filled_in(vendor: str, tmp_path: Path) -> None:
    yaml = suggested(BILLS[vendor], tmp_path)
    parse_mapping(yaml, "suggested")
    changes, expected = FILLED[vendor]
    for line, to in {
        "name: vendor": f"name: {vendor}",
        "provider: Vendor": "provider: Acme",
        **changes,
    }.items():
        assert f"\n{line}  # CHECK" in yaml
        yaml = yaml.replace(line, to)
    months, charges, warnings = read(yaml, BILLS[vendor])
    assert totals(months) == expected and warnings == []
    assert {c["ProviderName"] for c in charges} == {"Acme"}


def test_a_suggestion_says_what_it_made_of_the_columns(tmp_path: Path) -> None:
    assert suggested(BILLS["github"], tmp_path) == (
        """# A guess from the file's header and first rows: read each line, then load the file with a dry run.
name: vendor  # CHECK: a short name; the format is then called custom:vendor
provider: Vendor  # CHECK: the vendor's name as reports shall show it
match:  # all of these must be in a file's header: enough of them that no other vendor's files fit
  - net_amount
  - date
  - product
  - organization
  - sku
  - quantity
  - unit_type
  - applied_cost_per_quantity
cost: net_amount  # CHECK: what is billed, before tax if tax has lines of its own
currency: {value: USD}  # CHECK: the file has no column for it
date:
  column: date
  format: iso
category: {value: Usage}  # or a column: {column: Type, map: {Subscription: Purchase, VAT: Tax}}
columns:  # FOCUS column: source column
  ServiceName: product
  SubAccountId: organization
  SkuId: sku
  ConsumedQuantity: quantity
  ConsumedUnit: unit_type
tags:
  - cost_center_name
# Kept with each row, but not mapped: applied_cost_per_quantity, gross_amount, discount_amount, username, repository
"""
    )


def test_what_cannot_be_guessed_or_read_is_marked(tmp_path: Path) -> None:
    yaml = suggested('Wann,Was\n"1,5 kg",x\n', tmp_path)
    assert 'cost: ""  # CHECK' in yaml and '  column: ""  # CHECK' in yaml
    with pytest.raises(InputRefused, match=r"cost: must not be empty; date\.column: must not be empty"):
        parse_mapping(yaml, "suggested")
    yaml = suggested('Date,Cost,Currency\n1/2/2026,"$1,000.50",US Dollar\n', tmp_path)
    assert 'cost: Cost  # CHECK: values such as "$1,000.50" cannot be read' in yaml
    assert "currency: {column: Currency, map: {US Dollar: USD}}  # CHECK" in yaml
    assert "  format: us  # CHECK: iso, us (M/D/YYYY), eu" in yaml, "2 January or 1 February"


_NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1, max_size=12)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(_NAMES, st.sampled_from(["1.5", "2026-09-01", "EUR", "", "1,5", "é\x1f"])), max_size=8)
)
def test_a_suggestion_for_any_header_is_yaml(columns: list[tuple[str, str]]) -> None:
    header = Header("csv", tuple(SourceColumn(name, "VARCHAR", "c") for name, _ in columns))
    yaml = suggest(header, [dict(columns)])
    try:
        parse_mapping(yaml, "suggested")
    except InputRefused as refused:
        fields = {said.split(":")[0] for said in str(refused).removeprefix("suggested: ").split("; ")}
        assert fields <= {"cost", "date.column", "match"}, f"{refused}\n{yaml}"
