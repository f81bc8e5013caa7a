"""Oracle's cost report from before FOCUS: exact costs, UTC months, tags by column, corrections."""

import csv
import json
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core.errors import InputRefused
from finops_core.formats import formats
from finops_core.formats.format import Header, SourceColumn
from finops_core.formats.oci import FORMAT
from finops_core.ingest.batching import Month, months_of
from finops_core.ingest.checks import check_staged
from finops_core.ingest.discover import discover
from finops_core.ingest.stage import connect, stage

Row = dict[str, str]

LINE: Row = {
    "lineItem/referenceNo": "line-1",
    "lineItem/tenantId": "ocid1.tenancy.oc1..acme",
    "lineItem/intervalUsageStart": "2026-09-13T10:00Z",
    "lineItem/intervalUsageEnd": "2026-09-13T11:00:00Z",
    "product/service": "COMPUTE",
    "product/compartmentId": "ocid1.compartment.oc1..web",
    "product/compartmentName": "web",
    "product/region": "eu-frankfurt-1",
    "product/availabilityDomain": "fra-1",
    "product/resourceId": "ocid1.instance.oc1.eu-frankfurt-1.abc",
    "usage/billedQuantity": "4.000000000000000000",
    "usage/billedQuantityOverage": "",
    "cost/subscriptionId": "subscription-7",
    "cost/productSku": "B93114",
    "product/Description": "Standard - E4 - Memory",
    "cost/unitPrice": "0.000340210000000000",
    "cost/unitPriceOverage": "",
    "cost/myCost": "0.001360840000000000",
    "cost/myCostOverage": "",
    "cost/currencyCode": "USD",
    "cost/billingUnitReadable": "1 GiB HOURS MEMORY",
    "cost/skuUnitDescription": "GB Hours",
    "cost/overageFlag": "false",
    "lineItem/isCorrection": "false",
    "lineItem/backreferenceNo": "17043",
    "tags/Oracle-Tags.CreatedBy": "",
    "tags/Finance.team": "",
    "tags/DevRel\\lab [x].release": "",
}


def write(path: Path, rows: list[Row], without: str = "") -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, [name for name in LINE if name != without], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def load(path: Path) -> tuple[list[Month], list[dict[str, Any]], list[str]]:
    """Months, charges in the order of the file, and warnings."""
    with tempfile.TemporaryDirectory() as workspace:
        connection = connect(Path(workspace))
        (export,) = discover([path], formats())
        assert export.format.name == "oci"
        staged = stage(export.format, export.version, export.tables, Path(workspace), connection)
        warnings = check_staged(staged, connection)
        relation = connection.sql(f"SELECT * FROM {staged.relation} ORDER BY x_Row")
        charges = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
        return months_of(staged, connection), charges, warnings


def test_a_line_becomes_a_charge(tmp_path: Path) -> None:
    months, (charge,), warnings = load(write(tmp_path / "cost.csv", [LINE]))
    assert (
        charge["BilledCost"] == charge["EffectiveCost"] == charge["ContractedCost"] == Decimal("0.00136084")
    )
    assert charge["ListCost"] is None and charge["ListUnitPrice"] is None
    assert charge["ContractedUnitPrice"] == Decimal("0.00034021")
    assert (charge["PricingQuantity"], charge["PricingUnit"]) == (4.0, "GB Hours")
    assert charge["BillingAccountId"] == "ocid1.tenancy.oc1..acme"
    assert charge["SubAccountId"] == "ocid1.compartment.oc1..web"
    assert (charge["ServiceName"], charge["ServiceCategory"]) == ("COMPUTE", "Compute")
    assert (charge["ResourceType"], charge["SkuId"]) == ("instance", "B93114")
    assert str(charge["ChargePeriodStart"]) == "2026-09-13 10:00:00"
    assert str(charge["ChargePeriodEnd"]) == "2026-09-13 11:00:00"
    assert (charge["ChargeClass"], charge["Tags"], charge["x_Quality"]) == (None, None, None)
    assert [(m.period, m.reconciled) for m in months] == [("2026-09", True)]
    assert warnings == []


def test_overage_is_part_of_the_cost_and_not_added(tmp_path: Path) -> None:
    overage = LINE | {"cost/myCost": "10", "cost/myCostOverage": "4", "cost/overageFlag": "true"}
    (month,), (charge,), _ = load(write(tmp_path / "cost.csv", [overage]))
    assert charge["BilledCost"] == 10
    assert month.totals["USD"]["source_total"] == "10"
    assert json.loads(charge["x_Extra"])["cost/myCostOverage"] == "4"


def test_a_correction_is_added_and_marked(tmp_path: Path) -> None:
    correction = LINE | {
        "lineItem/referenceNo": "line-2",
        "cost/myCost": "-1.36084E-3",
        "usage/billedQuantity": "-4",
        "lineItem/isCorrection": "true",
        "lineItem/backreferenceNo": "line-1",
    }
    (month,), charges, _ = load(write(tmp_path / "cost.csv", [LINE, correction]))
    assert [c["ChargeClass"] for c in charges] == [None, "Correction"]
    assert [c["ChargeCategory"] for c in charges] == ["Usage", "Usage"]
    assert month.totals["USD"]["BilledCost"] == "0"
    assert json.loads(charges[1]["x_Extra"])["lineItem/backreferenceNo"] == "line-1"


def test_the_month_is_that_of_the_start_in_utc(tmp_path: Path) -> None:
    starts = ["2026-09-30T23:00Z", "2026-10-01T00:00Z", "2026-09-30T23:30:00-02:00", "2026-10-01 01:00+02:00"]
    rows = [
        LINE | {"lineItem/intervalUsageStart": s, "lineItem/intervalUsageEnd": "", "cost/myCost": "1"}
        for s in starts
    ]
    months, charges, _ = load(write(tmp_path / "cost.csv", rows))
    assert [(m.period, m.totals["USD"]["BilledCost"], m.reconciled) for m in months] == [
        ("2026-09", "2", True),
        ("2026-10", "2", True),
    ]
    assert str(charges[0]["ChargePeriodEnd"]) == "2026-10-01 00:00:00"
    assert str(charges[0]["BillingPeriodEnd"]) == "2026-10-01 00:00:00"


def test_each_tag_column_is_a_tag(tmp_path: Path) -> None:
    tagged = LINE | {"tags/Finance.team": 'say "hi"', "tags/DevRel\\lab [x].release": "1.0"}
    _, (charge,), _ = load(write(tmp_path / "cost.csv", [tagged]))
    assert json.loads(charge["Tags"]) == {"Finance.team": 'say "hi"', "DevRel\\lab [x].release": "1.0"}


def test_an_empty_cost_is_nought_and_said(tmp_path: Path) -> None:
    (month,), charges, warnings = load(write(tmp_path / "cost.csv", [LINE, LINE | {"cost/myCost": ""}]))
    assert [c["BilledCost"] for c in charges] == [Decimal("0.00136084"), 0]
    assert month.reconciled and month.rows_stored == 2
    assert warnings == ["1 rows for which the export states no cost: counted as 0"]


@pytest.mark.parametrize(
    ("service", "category"),
    [
        ("TELEMETRY", "Management and Governance"),
        ("DATABASE", "Databases"),
        ("MYSQL", "Databases"),
        ("NETWORK", "Networking"),
        ("BLOCK_STORAGE", "Storage"),
        ("OBJECTSTORE", "Storage"),
        ("ORACLE_STREAMING_SERVICE", "Integration"),
        ("SOMETHING_NEW", "Other"),
        ("", "Other"),
    ],
)
def test_the_category_follows_the_service(tmp_path: Path, service: str, category: str) -> None:
    _, (charge,), _ = load(write(tmp_path / "cost.csv", [LINE | {"product/service": service}]))
    assert charge["ServiceCategory"] == category
    assert charge["ServiceName"] == (service or "Unknown")


@pytest.mark.parametrize("column", FORMAT.required)
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    with pytest.raises(InputRefused, match=f"cost.csv.*the column '{column}' is missing"):
        load(write(tmp_path / "cost.csv", [LINE], without=column))


def test_a_word_for_a_cost_is_refused_with_its_place(tmp_path: Path) -> None:
    rows = [LINE, LINE | {"cost/myCost": "free"}]
    with pytest.raises(InputRefused, match=r"cost\.csv, row 3, column 'cost/myCost': 'free' is not a number"):
        load(write(tmp_path / "cost.csv", rows))


def test_a_line_without_a_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"cost\.csv, row 2"):
        load(write(tmp_path / "cost.csv", [LINE | {"lineItem/intervalUsageStart": ""}]))


def test_no_other_format_takes_it() -> None:
    header = Header("csv", tuple(SourceColumn(name, "VARCHAR", "c0") for name in LINE))
    assert [f.name for f in formats() if f.recognise(header)] == ["oci"]
    athena = Header("csv", tuple(SourceColumn(n.replace("/", "_").lower(), "VARCHAR", "c0") for n in LINE))
    assert FORMAT.recognise(athena) == "legacy"
    usage = Header("csv", tuple(SourceColumn(n, "VARCHAR", "c0") for n in LINE if not n.startswith("cost/")))
    assert FORMAT.recognise(usage) is None


AMOUNTS = st.decimals(-(10**9), 10**9, allow_nan=False, places=18).map(
    lambda d: str(d) if d > 1 else f"{d:E}"
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(AMOUNTS, st.sampled_from(["USD", "EUR"]), st.integers(1, 12)), min_size=1, max_size=30)
)
def test_costs_add_up_exactly(lines: list[tuple[str, str, int]]) -> None:
    rows = [
        LINE
        | {
            "cost/myCost": amount,
            "cost/currencyCode": currency,
            "lineItem/intervalUsageStart": f"2026-{month:02}-01T00:00Z",
            "lineItem/intervalUsageEnd": f"2026-{month:02}-01T01:00Z",
        }
        for amount, currency, month in lines
    ]
    wanted: dict[tuple[str, str], Decimal] = {}
    for amount, currency, month in lines:
        key = (f"2026-{month:02}", currency)
        wanted[key] = wanted.get(key, Decimal(0)) + Decimal(amount)
    with tempfile.TemporaryDirectory() as directory:
        months, _, _ = load(write(Path(directory) / "cost.csv", rows))
    assert all(m.reconciled for m in months)
    found = {(m.period, c): Decimal(t["BilledCost"]) for m in months for c, t in m.totals.items()}
    assert found == wanted
