"""Google Cloud's billing export: exact costs and credits in every encoding, invoice months, both commitment models."""

import json
import tempfile
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.errors import InputRefused
from finops_core.formats import formats
from finops_core.ingest.batching import Month, months_of
from finops_core.ingest.checks import check_staged
from finops_core.ingest.discover import discover
from finops_core.ingest.stage import connect, stage
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from tests.exports_gcp import (
    Row,
    credit,
    gcp_row,
    json_line,
    write_flattened,
    write_json,
    write_parquet,
)

Charge = dict[str, Any]


def read(path: Path) -> tuple[list[Month], list[Charge], list[str]]:
    """Months, charges in the order of the file (derived ones after their row), and warnings."""
    with tempfile.TemporaryDirectory() as workspace:
        connection = connect(Path(workspace))
        (export,) = discover([path], formats())
        assert export.format.name == "gcp"
        staged = stage(export.format, export.version, export.tables, Path(workspace), connection)
        warnings = check_staged(staged, connection)
        order = "x_Row, x_Derived NULLS FIRST"
        relation = connection.sql(f"SELECT * FROM {staged.relation} ORDER BY {order}")
        charges = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
        return months_of(staged, connection), charges, [*staged.warnings, *warnings]


def charges_of(tmp_path: Path, *rows: Row) -> list[Charge]:
    months, charges, _ = read(write_json(tmp_path / "rows.json", rows))
    assert all(m.reconciled for m in months)
    assert sum(c["EffectiveCost"] for c in charges) == sum(c["BilledCost"] for c in charges)
    return charges


def costs(charge: Charge) -> tuple[str, Decimal, Decimal]:
    return charge["ChargeCategory"], charge["BilledCost"], charge["EffectiveCost"]


def test_a_row_becomes_a_charge(tmp_path: Path) -> None:
    (charge,) = charges_of(tmp_path, gcp_row())
    assert costs(charge) == ("Usage", Decimal("1.5"), Decimal("1.5"))
    assert (charge["ListCost"], charge["ContractedCost"]) == (2, Decimal("1.5"))
    assert (charge["BillingAccountId"], charge["SubAccountId"]) == ("01ABCD-234567-89EF01", "shop-prod")
    assert str(charge["BillingPeriodStart"]) == "2026-09-01 00:00:00"
    assert str(charge["BillingPeriodEnd"]) == "2026-10-01 00:00:00"
    assert str(charge["ChargePeriodStart"]) == "2026-09-13 10:00:00"
    assert str(charge["ChargePeriodEnd"]) == "2026-09-13 11:00:00"
    assert (charge["PricingQuantity"], charge["PricingUnit"]) == (4.0, "hour")
    assert (charge["ConsumedQuantity"], charge["ConsumedUnit"]) == (3600.0, "seconds")
    assert (charge["ServiceName"], charge["ServiceCategory"]) == ("Compute Engine", "Compute")
    assert (charge["SkuId"], charge["RegionId"]) == ("CF4E-A0C7-E3BF", "us-central1")
    assert (charge["AvailabilityZone"], charge["ResourceName"]) == ("us-central1-a", "vm1")
    assert charge["ResourceId"] == "//compute.googleapis.com/projects/12/zones/a/instances/77"
    assert (charge["ResourceType"], charge["PricingCategory"]) == ("instances", "Standard")
    assert (charge["Tags"], charge["x_Credits"], charge["x_Quality"]) == (None, None, None)
    assert json.loads(charge["x_Extra"])["export_time"] == "2026-09-13 15:00:00.123456 UTC"


def test_the_invoice_decides_the_month_not_the_usage(tmp_path: Path) -> None:
    edge = gcp_row(usage_start_time="2026-10-01 03:00:00 UTC", usage_end_time="2026-10-01 04:00:00 UTC")
    late = gcp_row(usage_start_time="2026-06-20T03:00:00Z", usage_end_time="2026-06-20T04:00:00Z")
    months, charges, _ = read(write_json(tmp_path / "rows.json", [edge, late]))
    assert [(m.period, m.rows_in, m.reconciled) for m in months] == [("2026-09", 2, True)]
    assert [str(c["ChargePeriodStart"])[:10] for c in charges] == ["2026-10-01", "2026-06-20"]


def test_twins_and_corrections_are_added(tmp_path: Path) -> None:
    row = gcp_row(cost=Decimal(10))
    adjusted = {"usage_start_time": "2026-08-13 10:00:00 UTC", "usage_end_time": "2026-08-13 11:00:00 UTC"}
    info = {
        "id": "a1",
        "description": "Usage was wrong",
        "mode": "PARTIAL_CORRECTION",
        "type": "USAGE_CORRECTION",
    }
    negative = gcp_row(cost=Decimal(-10), cost_type="adjustment", adjustment_info=info, **adjusted)
    anew = gcp_row(cost=Decimal(5), cost_type="adjustment")
    charges = charges_of(tmp_path, row, row, negative, anew)
    assert sum(c["BilledCost"] for c in charges) == 15
    assert [c["ChargeCategory"] for c in charges] == ["Usage", "Usage", "Adjustment", "Adjustment"]
    assert [c["ChargeClass"] for c in charges] == [None, None, "Correction", None]
    assert charges[2]["ChargeDescription"] == "Usage was wrong"
    assert [c["ListCost"] for c in charges[2:]] == [-10, 5]


def test_tax_rounding_and_goodwill(tmp_path: Path) -> None:
    bare = {"project": None, "cost_at_list": None, "location": None, "resource": None}
    tax, rounding, goodwill, unheard = charges_of(
        tmp_path,
        gcp_row(cost_type="tax", cost=Decimal("33.07"), **bare),
        gcp_row(cost_type="rounding_error", cost=Decimal("-0.01"), **bare),
        gcp_row(cost_type="adjustment", cost=Decimal(-3), adjustment_info={"type": "GOODWILL"}, **bare),
        gcp_row(cost_type="surcharge", cost=Decimal(1), **bare),
    )
    assert [c["ChargeCategory"] for c in (tax, rounding, goodwill, unheard)] == [
        "Tax",
        "Adjustment",
        "Credit",
        "Adjustment",
    ]
    assert (tax["SubAccountId"], tax["SkuId"], tax["PricingQuantity"], tax["ListUnitPrice"]) == (None,) * 4
    assert tax["ListCost"] == tax["ContractedCost"] == Decimal("33.07")
    assert (tax["x_Quality"], rounding["x_Quality"]) == (None, None)
    assert "cost type that is not known" in unheard["x_Quality"]


def test_discounts_are_netted_and_promotions_stand_alone(tmp_path: Path) -> None:
    credits = [
        credit("SUSTAINED_USAGE_DISCOUNT", "-1E-7"),
        credit("DISCOUNT", "-0.25"),
        credit("PROMOTION", "-0.5", "Free trial", full_name="Free trial credit"),
        credit("PROMOTION", "-0.125", "Start-up programme"),
    ]
    usage, promotion = charges_of(tmp_path, gcp_row(credits=credits, labels=[{"key": "team", "value": "ml"}]))
    assert costs(usage) == ("Usage", Decimal("1.2499999"), Decimal("1.2499999"))
    assert (usage["ContractedCost"], usage["x_SourceCost"]) == (Decimal("1.25"), Decimal("1.5"))
    assert costs(promotion) == ("Credit", Decimal("-0.625"), Decimal("-0.625"))
    assert promotion["ListCost"] == promotion["ContractedCost"] == Decimal("-0.625")
    assert promotion["x_Derived"] == "promotional credit"
    assert set(promotion["ChargeDescription"].split(", ")) == {"Free trial credit", "Start-up programme"}
    assert (promotion["PricingQuantity"], promotion["ListUnitPrice"], promotion["x_SourceCost"]) == (
        None,
        None,
        0,
    )
    assert (promotion["SubAccountId"], promotion["Tags"]) == ("shop-prod", '{"label/team":"ml"}')
    kept = json.loads(usage["x_Credits"], parse_float=Decimal)
    assert [c["amount"] for c in kept] == [c["amount"] for c in credits]
    assert kept[2] == {"type": "PROMOTION", "name": "Free trial", "full_name": "Free trial credit"} | {
        "id": "Free trial",
        "amount": Decimal("-0.5"),
    }


def test_credits_from_before_types_are_told_by_their_names(tmp_path: Path) -> None:
    credits = [credit(None, "-1", "Sustained Usage Discount"), credit(None, "-0.5", "FreeTrial:Credit-01")]
    usage, promotion = charges_of(tmp_path, gcp_row(credits=credits))
    assert [costs(c)[:2] for c in (usage, promotion)] == [
        ("Usage", Decimal("0.5")),
        ("Credit", Decimal("-0.5")),
    ]
    (odd,) = charges_of(tmp_path, gcp_row(credits=[credit("NEW_KIND", "-1")]))
    assert odd["BilledCost"] == Decimal("0.5") and "credit of a type that is not known" in odd["x_Quality"]


FEE = {"cost_at_list": Decimal(8), "resource": None, "project": None}


@pytest.mark.parametrize(
    ("kind", "sku", "category"),
    [
        ("COMMITTED_USAGE_DISCOUNT", "Commitment v1: Cpu in Americas for 1 Year", "Usage"),
        ("COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE", "Commitment - dollar based v1: GCE Commitments", "Spend"),
    ],
)
def test_commitments_by_credit_leave_the_fee_where_it_is(
    tmp_path: Path, kind: str, sku: str, category: str
) -> None:
    covered = gcp_row(credits=[credit(kind, "-1.5", "Committed Usage Discount: CPU")])
    fee = gcp_row(cost=Decimal(8), sku__description=sku, subscription={"instance_id": "c-7"}, **FEE)
    usage, purchase = charges_of(tmp_path, covered, fee)
    assert costs(usage) == ("Usage", 0, 0)
    assert (usage["CommitmentDiscountStatus"], usage["PricingCategory"]) == ("Used", "Committed")
    assert usage["CommitmentDiscountId"] == "Committed Usage Discount: CPU"
    assert usage["ContractedCost"] == Decimal("1.5")
    assert costs(purchase) == ("Purchase", 8, 8)
    assert (purchase["ChargeFrequency"], purchase["CommitmentDiscountStatus"]) == ("Recurring", None)
    assert purchase["CommitmentDiscountId"] == "c-7"
    assert {c["CommitmentDiscountCategory"] for c in (usage, purchase)} == {category}
    assert "left on its fee" in purchase["x_Quality"] and "without the fee" in usage["x_Quality"]


@pytest.mark.parametrize("kind", ["COMMITTED_USAGE_DISCOUNT", "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE"])
def test_use_that_is_covered_in_part_is_two_charges(tmp_path: Path, kind: str) -> None:
    """Three fifths of 1.5 are credited; 0.6 is on demand, less the sustained use discount, which is for that part alone."""
    credits = [credit(kind, "-0.9"), credit("SUSTAINED_USAGE_DISCOUNT", "-0.1"), credit("PROMOTION", "-0.2")]
    back = gcp_row(cost=Decimal("-1.5"), cost_at_list=Decimal("-2"), credits=[credit(kind, "0.9")])
    rounded = gcp_row(credits=[credit(kind, "-1.4999999")])
    used, promotion, beyond, taken, rest, whole = charges_of(
        tmp_path, gcp_row(credits=credits), back, rounded
    )
    assert [costs(c) for c in (used, promotion, beyond)] == [
        ("Usage", 0, 0),
        ("Credit", Decimal("-0.2"), Decimal("-0.2")),
        ("Usage", Decimal("0.5"), Decimal("0.5")),
    ]
    assert (used["ContractedCost"], beyond["ContractedCost"]) == (Decimal("0.9"), Decimal("0.6"))
    assert (used["ListCost"], beyond["ListCost"]) == (Decimal("1.2"), Decimal("0.8"))
    assert (used["PricingQuantity"], beyond["PricingQuantity"]) == pytest.approx((2.4, 1.6))
    assert (used["ConsumedQuantity"], beyond["ConsumedQuantity"]) == pytest.approx((2160, 1440))
    assert (used["CommitmentDiscountStatus"], used["PricingCategory"]) == ("Used", "Committed")
    told = ("CommitmentDiscountId", "CommitmentDiscountStatus", "PricingCategory", "x_SourceCost")
    assert [beyond[name] for name in told] == [None, None, "Standard", 0]
    assert beyond["x_Derived"] == "use beyond a committed use discount"
    assert [costs(c)[1] for c in (taken, rest)] == [0, Decimal("-0.6")]
    assert (taken["ListCost"], rest["ListCost"]) == (Decimal("-1.2"), Decimal("-0.8"))
    assert whole["BilledCost"] == Decimal("0.0000001") and whole["ContractedCost"] == Decimal("1.5")


def test_a_price_in_a_consumption_model_is_not_what_is_contracted(tmp_path: Path) -> None:
    model = {"id": "5515-81A8-03A2", "description": "Compute Flexible CUDs - 1 Year"}
    (used,) = charges_of(tmp_path, gcp_row(consumption_model=model))
    assert (used["EffectiveCost"], used["ContractedCost"], used["ListCost"]) == (Decimal("1.5"), None, 2)


def test_commitments_by_consumption_model_show_what_is_idle(tmp_path: Path) -> None:
    model = {"id": "5515-81A8-03A2", "description": "Compute Flexible CUDs - 1 Year"}
    used = gcp_row(consumption_model=model, cost_at_effective_price_default=Decimal("2"))
    plain = gcp_row(consumption_model={"id": "7754-699E-0EBF", "description": "Default"})
    sku = {"sku__description": "Commitment - dollar based v1: GCE Commitments"}
    partly = gcp_row(
        cost=Decimal(8),
        credits=[credit("FEE_UTILIZATION_OFFSET", "-7"), credit("PROMOTION", "-0.5")],
        subscription={"instance_id": "c-8"},
        **sku,
        **FEE,
    )
    fully = gcp_row(cost=Decimal(8), credits=[credit("FEE_UTILIZATION_OFFSET", "-8")], **sku, **FEE)
    charges = charges_of(tmp_path, used, plain, partly, fully)
    assert [costs(c) for c in charges] == [
        ("Usage", Decimal("1.5"), Decimal("1.5")),
        ("Usage", Decimal("1.5"), Decimal("1.5")),
        ("Purchase", 1, 0),
        ("Credit", Decimal("-0.5"), Decimal("-0.5")),
        ("Usage", 0, 1),
        ("Purchase", 0, 0),
    ]
    assert [c["CommitmentDiscountStatus"] for c in charges] == ["Used", None, None, None, "Unused", None]
    assert (charges[0]["ContractedCost"], charges[0]["CommitmentDiscountId"]) == (2, "5515-81A8-03A2")
    idle = charges[4]
    assert (idle["CommitmentDiscountId"], idle["PricingCategory"]) == ("c-8", "Committed")
    assert idle["x_Derived"] == "unused committed use discount"
    assert (idle["ListCost"], idle["ContractedCost"], idle["ConsumedQuantity"]) == (0, 0, None)
    # Without subscriptions (the standard export), the SKU is what there is to name the commitment.
    assert charges[5]["CommitmentDiscountId"] == "CF4E-A0C7-E3BF"


def test_an_unknown_list_price_is_unknown_not_nought(tmp_path: Path) -> None:
    rows = [gcp_row(cost_at_list=None), gcp_row(cost_at_list=Decimal(0))]
    _, charges, warnings = read(write_json(tmp_path / "rows.json", rows))
    assert [c["ListCost"] for c in charges] == [None, 0]
    assert "ListCost is unknown" in charges[0]["x_Quality"] and charges[1]["x_Quality"] is None
    assert warnings == ["1 usage rows for which the export states no cost at list price"]


def test_prices_are_taken_where_the_cost_confirms_them(tmp_path: Path) -> None:
    prices = [
        {"list_price": "0.5", "effective_price": "0.375", "pricing_unit_quantity": "1"},
        {"list_price": "500", "effective_price": "375", "pricing_unit_quantity": "1000"},
        {"list_price": "0.6", "effective_price": "0.375", "pricing_unit_quantity": "1"},
        None,
    ]
    charges = charges_of(tmp_path, *(gcp_row(price=price) for price in prices))
    listed, contracted = Decimal("0.5"), Decimal("0.375")
    assert [c["ListUnitPrice"] for c in charges] == [listed, listed, None, None]
    assert [c["ContractedUnitPrice"] for c in charges] == [contracted, contracted, contracted, None]


def test_labels_tags_and_system_labels(tmp_path: Path) -> None:
    row = gcp_row(
        labels=[{"key": "team", "value": 'a "b"'}, {"key": "bare", "value": None}],
        tags=[
            {"key": "env", "value": "inherited", "inherited": True, "namespace": "1"},
            {"key": "env", "value": "own", "inherited": False, "namespace": "1"},
        ],
        project__labels=[{"key": "team", "value": "project team"}],
        system_labels=[
            {"key": "compute.googleapis.com/machine_spec", "value": "n2-standard-4"},
            {"key": "compute.googleapis.com/cores", "value": "4"},
            {"key": "compute.googleapis.com/memory", "value": "15872"},
            {"key": "compute.googleapis.com/is_unused_reservation", "value": "true"},
            {"key": "compute.googleapis.com/reservation_name", "value": "night"},
        ],
    )
    (charge,) = charges_of(tmp_path, row)
    assert json.loads(charge["Tags"]) == {
        "label/team": 'a "b"',
        "label/bare": "",
        "tag/env": "own",
        "project/team": "project team",
    }
    details = json.loads(charge["SkuPriceDetails"])
    assert (details["InstanceType"], details["CoreCount"], details["MemorySize"]) == (
        "n2-standard-4",
        4,
        15.5,
    )
    assert details["x_compute.googleapis.com/reservation_name"] == "night"
    assert charge["x_InstanceType"] == "n2-standard-4"
    assert (charge["CapacityReservationId"], charge["CapacityReservationStatus"]) == ("night", "Unused")
    assert json.loads(charge["x_Extra"])["tags"][0]["namespace"] == "1"


def test_the_owner_is_the_label_before_the_tag_before_the_project(home: Home, tmp_path: Path) -> None:
    label, tag, project = ([{"key": "team", "value": v}] for v in ("label", "tag", "project"))
    rows = [
        gcp_row(labels=label, tags=tag, project__labels=project, cost=Decimal(1)),
        gcp_row(tags=tag, project__labels=project, cost=Decimal(2)),
        gcp_row(project__labels=project, cost=Decimal(4)),
    ]
    load(home, [write_json(tmp_path / "rows.json", rows)])
    table = Ledger(home).query(Query("BilledCost", by=["x_Team"]))
    assert dict(zip(table["x_Team"], table["BilledCost"], strict=True)) == {
        "label": 1,
        "tag": 2,
        "project": 4,
    }


def test_sellers_of_the_marketplace(tmp_path: Path) -> None:
    own, named, nameless = charges_of(
        tmp_path,
        gcp_row(transaction_type="GOOGLE"),
        gcp_row(seller_name="Elastic N.V.", invoice__publisher_type="PARTNER"),
        gcp_row(transaction_type="THIRD_PARTY_AGENCY"),
    )
    sellers = [c["PublisherName"] for c in (own, named, nameless)]
    assert sellers == ["Google Cloud", "Elastic N.V.", "Google Cloud partner"]
    assert {c["InvoiceIssuerName"] for c in (own, named, nameless)} == {"Google Cloud"}


def test_json_numbers_are_taken_as_written(tmp_path: Path) -> None:
    rows = [
        gcp_row(cost=Decimal("12345678901234567.123456789012345678")),
        gcp_row(cost=Decimal("9.984E-7"), credits=[credit("DISCOUNT", "-0.123456789012345678")]),
    ]
    for as_text in (False, True):
        path = write_json(tmp_path / "rows.json.gz", rows, as_text)
        (month,), charges, _ = read(path)
        assert charges[0]["BilledCost"] == Decimal("12345678901234567.123456789012345678")
        assert charges[1]["BilledCost"] == Decimal("9.984E-7") - Decimal("0.123456789012345678")
        assert month.reconciled


def test_numbers_and_strings_may_be_mixed(tmp_path: Path) -> None:
    exact = credit("DISCOUNT", "-0.100000000000000001")
    lines = [json_line(gcp_row(credits=[exact]), as_text) for as_text in (False, True)]
    path = tmp_path / "rows.json"
    path.write_text("\n".join(lines))
    (month,), charges, _ = read(path)
    assert [c["BilledCost"] for c in charges] == [Decimal("1.399999999999999999")] * 2
    assert month.reconciled and month.rows_in == 2


def test_a_list_without_records_in_a_whole_parquet_file(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    row = gcp_row(cost=1.5, cost_at_list=2.0, currency_conversion_rate=1.0)
    row["usage"] |= {"amount": 3600, "amount_in_pricing_units": 4}
    for empty in ([], None, [None]):
        rows = [row | {"credits": empty, "labels": empty, "tags": None, "project": None}]
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
        (month,), (charge,), _ = read(tmp_path / "rows.parquet")
        assert (charge["BilledCost"], charge["Tags"], charge["SubAccountId"]) == (Decimal("1.5"), None, None)
        assert month.reconciled


def test_decimals_in_parquet(tmp_path: Path) -> None:
    row = gcp_row(
        cost=Decimal("1234567.123456789012345678"), credits=[credit("DISCOUNT", "-0.000000000000000001")]
    )
    (month,), (charge,), _ = read(write_parquet(tmp_path / "rows.parquet", [row], exact=True))
    assert charge["BilledCost"] == Decimal("1234567.123456789012345677")
    assert month.reconciled


ARRAYS = [
    """[{'type': 'DISCOUNT', 'amount': -0.5, 'name': "it's", 'full_name': None}]""",
    """[{'type': 'DISCOUNT', 'amount': -0.5, 'name': 'None', 'full_name': None}]""",
    """[{'type': 'DISCOUNT', 'amount': -0.25, 'name': 'None'} {'type': 'DISCOUNT', 'amount': -0.25}]""",
    """[{'type': 'DISCOUNT', 'amount': Decimal('-0.50'), 'name': 'a'}]""",
    '[{"type": "DISCOUNT", "amount": -5e-1, "name": "b\\"c"}]',
    '[{"type": "DISCOUNT", "amount": "-0.5"}]',
]


def test_arrays_in_a_cell(tmp_path: Path) -> None:
    rows = [gcp_row(credits=[cell]) for cell in ARRAYS]
    path = write_flattened(tmp_path / "flat.csv", rows, array=lambda value: value[0] if value else "[]")
    (month,), charges, _ = read(path)
    assert [c["BilledCost"] for c in charges] == [1] * len(ARRAYS)
    assert json.loads(charges[1]["x_Credits"])[0]["name"] == "None"
    assert month.reconciled


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("[{'type': 'DISCOUNT', 'amount': -0.5", "is not a list of records"),
        ("none at all", "is not a list of records"),
        ('{"amount": 1}', "is not a list of records"),
        ("[{'type': 'DISCOUNT', 'amount': 'half'}]", "'half' is not a number"),
        ("[{'type': 'DISCOUNT', 'amount': 1e25}]", "beyond what can be stored exactly"),
        ("[{'type': 'DISCOUNT', 'amount': NaN}]", "not a number|is not a list of records"),
    ],
)
def test_a_damaged_array_is_refused_with_its_place(tmp_path: Path, cell: str, words: str) -> None:
    path = write_flattened(
        tmp_path / "flat.csv", [gcp_row(), gcp_row(credits=[1])], array=lambda value: cell if value else "[]"
    )
    with pytest.raises(InputRefused, match=rf"flat\.csv, row 3, column 'credits.*{words}|{words}"):
        read(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cost": "free"}, r"row 2, column 'cost': 'free' is not a number"),
        ({"cost": Decimal("1E30")}, r"row 2, column 'cost'.*beyond"),
        ({"cost": None}, r"row 2, column 'BilledCost'"),
        ({"currency": None}, r"row 2, column 'BillingCurrency'"),
        (
            {"invoice": {"month": "September"}},
            r"row 2, column 'invoice.month': 'September' is not an invoice month",
        ),
        ({"invoice": {"month": "202613"}}, r"row 2, column 'invoice.month'"),
        ({"invoice": None}, r"row 2, column 'BillingPeriodStart'"),
        ({"usage_start_time": "13/09/2026"}, r"row 2, column 'usage_start_time'"),
        (
            {"credits": [credit("DISCOUNT", "0") | {"amount": "half"}]},
            r"row 2, column 'credits.amount': 'half'",
        ),
        ({"credits": [credit("DISCOUNT", "-1E30")]}, r"row 2, column 'credits.amount'.*beyond"),
        ({"credits": "soon"}, r"row 2, column 'credits': 'soon' is not a list"),
    ],
)
def test_bad_values_are_refused_with_their_place(tmp_path: Path, changes: Row, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        read(write_json(tmp_path / "rows.json", [gcp_row(), gcp_row(**changes)]))


@pytest.mark.parametrize("column", ["currency", "invoice.month", "billing_account_id"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    path = write_flattened(tmp_path / "flat.csv", [gcp_row()])
    path.write_text(path.read_text().replace(column, "other", 1))
    with pytest.raises(InputRefused, match=f"the column '{column}' is missing"):
        read(path)


def test_standard_and_detailed_of_a_month_overlap(home: Home, tmp_path: Path) -> None:
    tax = gcp_row(cost_type="tax", project=None, cost=Decimal(2))
    rows = [gcp_row(), gcp_row(cost=Decimal("0.5")), tax]
    detailed = write_json(tmp_path / "detailed.json", rows)
    standard = [{k: v for k, v in row.items() if k not in ("resource", "subscription")} for row in rows]
    other = write_flattened(tmp_path / "standard.csv", standard)
    (first,) = load(home, [detailed], LoadOptions(source="detailed"))
    assert (first.format_version, first.totals["USD"]["BilledCost"]) == ("detailed", "4")
    with pytest.raises(InputRefused, match=r"2026-09 of gcp account .* is already in the source 'detailed'"):
        load(home, [other], LoadOptions(source="standard"))
    # Rows without a project belong to the billing account, and overlap there.
    only_tax = write_json(tmp_path / "tax.json", [tax])
    with pytest.raises(InputRefused, match="01abcd-234567-89ef01 is already in the source 'detailed'"):
        load(home, [only_tax], LoadOptions(source="standard"))
    assert Decimal(Ledger(home).query(Query("BilledCost"))["BilledCost"].sum()) == 4
    (second,) = load(home, [other], LoadOptions(source="standard", allow_overlap=True))
    assert (second.format_version, second.reconciled) == ("standard", True)
    assert Decimal(Ledger(home).query(Query("BilledCost"))["BilledCost"].sum()) == 8


def test_standard_beside_detailed_in_one_load_is_refused(tmp_path: Path) -> None:
    rows = [gcp_row(), gcp_row(sku__id="B-2"), gcp_row(sku__id="C-3", cost=Decimal(3))]
    bare = [{k: v for k, v in row.items() if k not in ("resource", "subscription")} for row in rows]
    write_json(tmp_path / "detailed.json", rows)
    write_json(tmp_path / "standard.json", bare)
    with pytest.raises(InputRefused, match=r"standard\.json: its spend is also in another file of this load"):
        read(tmp_path)
    # A part of the same export that happens to name no resource is no repetition.
    (tmp_path / "standard.json").unlink()
    write_json(tmp_path / "part.json", [bare[0] | {"sku": {"id": "D-4", "description": "Egress"}}])
    (month,), charges, _ = read(tmp_path)
    assert len(charges) == 4 and month.reconciled


def test_several_accounts_and_currencies_are_kept_apart(tmp_path: Path) -> None:
    rows = [
        gcp_row(cost=Decimal("0.1")),
        gcp_row(cost=Decimal("0.2"), currency="EUR", billing_account_id="02ABCD-000000-000000"),
        gcp_row(cost=Decimal("0.4"), invoice__month="202610"),
    ]
    months, _, _ = read(write_parquet(tmp_path / "rows.parquet", rows))
    found = {(m.period, c): t["BilledCost"] for m in months for c, t in m.totals.items()}
    assert found == {("2026-09", "USD"): "0.1", ("2026-09", "EUR"): "0.2", ("2026-10", "USD"): "0.4"}
    assert all(m.reconciled for m in months)


TYPES = [
    *("SUSTAINED_USAGE_DISCOUNT", "DISCOUNT", "SPENDING_BASED_DISCOUNT", "FREE_TIER", "SUBSCRIPTION_BENEFIT"),
    *("RESELLER_MARGIN", "COMMITTED_USAGE_DISCOUNT", "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE"),
    *("FEE_UTILIZATION_OFFSET", "PROMOTION", "NEW_KIND", None),
]
# Doubles, as BigQuery has them: what is written is their shortest text.
AMOUNTS = st.floats(-1e9, 1e9, allow_nan=False).map(lambda number: Decimal(repr(number)))
CREDITS = st.builds(
    credit, st.sampled_from(TYPES), AMOUNTS.map(str), st.sampled_from(["Free trial", "it's", "x"])
)
LABELS = st.lists(
    st.builds(lambda k, v: {"key": k, "value": v}, st.sampled_from(["team", "env", "a.b"]), st.text("a'\"\\é{", max_size=4)),
    max_size=2,
)  # fmt: skip
ROWS = st.builds(
    gcp_row,
    cost=AMOUNTS,
    cost_at_list=st.none() | AMOUNTS,
    credits=st.lists(CREDITS, max_size=3),
    labels=LABELS,
    currency=st.sampled_from(["USD", "EUR"]),
    invoice__month=st.sampled_from(["202609", "202610"]),
    cost_type=st.sampled_from(["regular", "tax", "adjustment", "rounding_error"]),
    sku__description=st.sampled_from(["Core", "Commitment v1: Cpu", "Commitment - dollar based v1: GCE"]),
    project=st.none() | st.just(gcp_row()["project"]),
)
WRITERS: dict[str, Callable[[Path, list[Row]], Path]] = {
    "rows.json": write_json,
    "sparse.json.gz": lambda path, rows: write_json(path, rows, as_text=True, sparse=True),
    "rows.parquet": write_parquet,
    "dots.csv": write_flattened,
    "underscores.csv": lambda path, rows: write_flattened(path, rows, "_", json_line),
}


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("1e-18"), ROUND_HALF_UP) if amount.as_tuple().exponent < -18 else amount


@settings(max_examples=5, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=25))
def test_every_encoding_gives_the_same_exact_charges(rows: list[Row]) -> None:
    wanted: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        key = (f"{row['invoice']['month'][:4]}-{row['invoice']['month'][4:]}", row["currency"])
        amounts = [row["cost"], *(c["amount"] for c in row["credits"])]
        wanted[key] = wanted.get(key, Decimal(0)) + sum(map(rounded, amounts))
    first: list[Charge] | None = None
    for name, write in WRITERS.items():
        with tempfile.TemporaryDirectory() as directory:
            months, charges, _ = read(write(Path(directory) / name, rows))
        assert all(m.reconciled for m in months), name
        for metric in ("BilledCost", "EffectiveCost"):
            found = {(m.period, c): Decimal(t[metric]) for m in months for c, t in m.totals.items()}
            assert found == wanted, name
        for charge in charges:
            charge["x_Row"] -= 1 if name.endswith(".csv") else 0
            for own in ("x_File", "x_Extra"):
                charge.pop(own)
        first = first or charges
        assert charges == first, name
