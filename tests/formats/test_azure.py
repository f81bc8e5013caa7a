"""Azure's exports: headers of every agreement, the pair of actual and amortised, and what either knows alone."""

import gzip
import json
import os
import tempfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.errors import InputRefused
from finops_core.formats.azure import FORMAT, recognise
from finops_core.formats.format import Header, SourceColumn
from finops_core.ingest.batching import Month, months_of
from finops_core.ingest.checks import check_staged
from finops_core.ingest.discover import discover
from finops_core.ingest.stage import connect, stage
from finops_core.quality.verify import verify
from finops_core.store.batches import Batch
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from tests.exports_azure import (
    DATA,
    EA_HEADER,
    PLAN,
    RESERVATION,
    SHOP,
    Row,
    azure_row,
    mca,
    planned,
    reserved,
    write_azure,
    write_azure_run,
)

SAME = "the same charge as in the AmortizedCost export"
D = Decimal


def costs(home: Home, *by: str, **where: str) -> dict[tuple[object, ...], tuple[Decimal, Decimal]]:
    table = Ledger(home).query(Query(["BilledCost", "EffectiveCost"], by=list(by), where=where))
    return {tuple(row[1:-2]): (row[-2], row[-1]) for row in table.iter_rows()}


def stored(home: Home, *columns: str) -> list[tuple[object, ...]]:
    """The values of some columns of the stored charges."""
    return sorted(Ledger(home).frame(f"SELECT {', '.join(columns)} FROM charges").rows(), key=str)


def totals(batch: Batch, currency: str = "EUR") -> tuple[Decimal, Decimal]:
    return D(batch.totals[currency]["BilledCost"]), D(batch.totals[currency]["EffectiveCost"])


def staged_months(files: list[Path]) -> list[Month]:
    """What a load of the files amounts to, without storing it."""
    with tempfile.TemporaryDirectory() as workspace:
        connection = connect(Path(workspace))
        (export,) = discover(files, (FORMAT,))
        staged = stage(export.format, export.version, export.tables, Path(workspace), connection)
        check_staged(staged, connection)
        return months_of(staged, connection)


COMMON = [
    azure_row(cost="3.395352954413"),
    azure_row(cost="-0.54192101351", day=6),
    azure_row("Tax", "17.1", day=30),
    azure_row("RoundingAdjustment", "-0.003", day=30),
    azure_row("Credit", "-2", day=30),
    azure_row("Purchase", "42.42", PublisherType="Marketplace", PublisherName="Acme", ConsumedService=""),
    azure_row("Refund", "-4", PublisherType="Marketplace", PublisherName="Acme", ConsumedService=""),
]
ACTUAL = [
    *COMMON,
    reserved("Usage", "0"),
    planned("Usage", "0"),
    reserved("Purchase", "310.5", day=1),
    reserved("Refund", "-30", day=20),
    planned("Purchase", "24", Frequency="Recurring", SubscriptionId=""),
]
AMORTISED = [
    *COMMON,
    reserved("Usage", "9.0045"),
    reserved("UnusedReservation", "1.3455", ResourceId="", SubscriptionId=DATA),
    planned("Usage", "0.006000000468"),
    planned("UnusedSavingsPlan", "0.5"),
]
BILLED = D("3.395352954413") - D("0.54192101351") + D("17.1") - D("0.003") - 2 + D("42.42") - 4 + D("304.5")
EFFECTIVE = BILLED - D("304.5") + D("9.0045") + D("1.3455") + D("0.006000000468") + D("0.5")


def write_pair(root: Path) -> list[Path]:
    return [write_azure(root / "a.csv", ACTUAL), write_azure(root / "b.csv", AMORTISED)]


def test_a_pair_becomes_one_set_of_charges(home: Home, tmp_path: Path) -> None:
    (batch,) = load(home, write_pair(tmp_path))
    assert batch.reconciled and batch.warnings == [] and batch.roles == ["ActualCost", "AmortizedCost"]
    assert (batch.rows_in, batch.rows_stored, batch.dropped) == (23, 14, {SAME: 9})
    assert totals(batch) == (BILLED, EFFECTIVE)
    assert batch.totals["EUR"]["source_total"] == str(BILLED)
    assert batch.totals["EUR"]["source_effective"] == str(EFFECTIVE)
    assert costs(home, "ChargeCategory", "CommitmentDiscountType", "CommitmentDiscountStatus") == {
        ("Usage", None, None): (D("2.853431940903"), D("2.853431940903")),
        ("Usage", "Reservation", "Used"): (0, D("9.0045")),
        ("Usage", "Reservation", "Unused"): (0, D("1.3455")),
        ("Usage", "Savings Plan", "Used"): (0, D("0.006000000468")),
        ("Usage", "Savings Plan", "Unused"): (0, D("0.5")),
        ("Purchase", None, None): (D("38.42"), D("38.42")),
        ("Purchase", "Reservation", None): (D("280.5"), 0),
        ("Purchase", "Savings Plan", None): (24, 0),
        ("Tax", None, None): (D("17.1"), D("17.1")),
        ("Credit", None, None): (-2, -2),
        ("Adjustment", None, None): (D("-0.003"), D("-0.003")),
    }
    assert costs(home, "CommitmentDiscountId", CommitmentDiscountStatus="Used") == {
        (RESERVATION,): (0, D("9.0045")),
        (PLAN,): (0, D("0.006000000468")),
    }
    assert costs(home, "x_ChargeType", ChargeClass="Correction") == {("Refund",): (-34, -4)}
    assert all(check.agrees for check in verify(home))


def test_dropped_rows_that_are_other_charges_do_not_reconcile(home: Home, tmp_path: Path) -> None:
    other = [azure_row(cost="3.395352954414"), *AMORTISED[1:]]
    (batch,) = load(home, [write_azure(tmp_path / "a.csv", ACTUAL), write_azure(tmp_path / "b.csv", other)])
    assert not batch.reconciled
    (warning,) = batch.warnings
    assert (
        warning.startswith("BilledCost EUR")
        and "difference 0.000000000001" in warning
        and "Export both" in warning
    )


def test_actual_alone_says_what_it_cannot_know(home: Home, tmp_path: Path) -> None:
    (batch,) = load(home, [write_azure(tmp_path / "a.csv", ACTUAL)])
    assert batch.reconciled and "source_effective" not in batch.totals["EUR"]
    assert totals(batch) == (BILLED, BILLED - D("304.5"))
    assert [w for w in batch.warnings if "EffectiveCost of committed usage is not available" in w]
    marked = "EffectiveCost of the commitment is not in the export: ActualCost only"
    assert costs(home, "x_Quality")[(marked,)] == (D("304.5"), 0)
    assert costs(home, "CommitmentDiscountType", "x_Quality")[(None, None)] == (BILLED - D("304.5"),) * 2


def test_amortised_alone_says_what_it_cannot_know(home: Home, tmp_path: Path) -> None:
    (batch,) = load(home, [write_azure(tmp_path / "b.csv", AMORTISED)])
    assert batch.reconciled and "source_total" not in batch.totals["EUR"]
    assert totals(batch) == (BILLED - D("304.5"), EFFECTIVE)
    assert [w for w in batch.warnings if "BilledCost of purchases of commitments is not available" in w]
    marked = "BilledCost of the commitment is not in the export: AmortizedCost only"
    assert costs(home, "x_Quality")[(marked,)] == (0, D("10.856000000468"))


def test_without_commitments_both_kinds_are_the_same_and_nothing_is_marked(
    home: Home, tmp_path: Path
) -> None:
    (batch,) = load(home, [write_azure(tmp_path / "costs.csv", COMMON)])
    assert batch.reconciled and batch.warnings == [] and batch.roles == [""]
    assert batch.totals["EUR"]["source_total"] == batch.totals["EUR"]["source_effective"]


def test_the_pair_is_decided_for_each_month(home: Home, tmp_path: Path) -> None:
    write_azure_run(tmp_path, "ActualCost", ACTUAL)
    write_azure_run(tmp_path, "AmortizedCost", AMORTISED)
    october = [azure_row(cost="7", month=10), reserved("Purchase", "310.5", month=10)]
    write_azure_run(tmp_path, "ActualCost", october, month=10)
    first, second = load(home, [tmp_path / "exports"])
    assert totals(first) == (BILLED, EFFECTIVE) and first.reconciled
    assert totals(second) == (D("317.5"), 7) and second.reconciled
    assert not [w for w in first.warnings if "not available" in w]
    assert [w for w in second.warnings if w.startswith("2 rows of ActualCost without")]


def test_the_pair_is_decided_for_each_currency(home: Home, tmp_path: Path) -> None:
    dollars = azure_row(cost="8", BillingCurrencyCode="usd")
    files = [write_azure(tmp_path / "a.csv", [*ACTUAL, dollars]), write_azure(tmp_path / "b.csv", AMORTISED)]
    (batch,) = load(home, files)
    assert totals(batch) == (BILLED, EFFECTIVE) and totals(batch, "USD") == (8, 8)
    assert batch.reconciled and [w for w in batch.warnings if w.startswith("1 rows of ActualCost without")]


def test_a_subscription_of_which_only_one_kind_is_there_is_kept(home: Home, tmp_path: Path) -> None:
    lone = azure_row(cost="11", SubscriptionId=DATA)
    files = [
        write_azure(tmp_path / "a.csv", [*ACTUAL, lone]),
        write_azure(tmp_path / "b.csv", AMORTISED[:-2]),
    ]
    amortised = [reserved("Usage", "9.0045"), *COMMON]
    files[1] = write_azure(tmp_path / "b.csv", amortised)
    (batch,) = load(home, files)
    assert totals(batch) == (BILLED + 11, BILLED - D("304.5") + D("9.0045") + 11)
    assert batch.reconciled and [w for w in batch.warnings if w.startswith("1 rows of ActualCost without")]


def test_kinds_of_different_subscriptions_are_refused(home: Home, tmp_path: Path) -> None:
    actual = write_azure(tmp_path / "actual.csv", [azure_row(), reserved("Usage", "0")])
    other = [azure_row(SubscriptionId=DATA), reserved("Usage", "2", SubscriptionId=DATA)]
    with pytest.raises(InputRefused, match=f"{SHOP} has only ActualCost and {DATA} only AmortizedCost"):
        load(home, [actual, write_azure(tmp_path / "amortized.csv", other)])
    assert not home.path.joinpath("finops.duckdb").exists()


def test_a_later_load_of_one_kind_never_takes_away_what_the_other_told(home: Home, tmp_path: Path) -> None:
    actual, amortised = write_pair(tmp_path)
    load(home, [actual], LoadOptions(source="azure"))
    with pytest.raises(InputRefused, match=r"what only ActualCost tells would be lost.*together"):
        load(home, [amortised], LoadOptions(source="azure"))
    (batch,) = load(home, [actual, amortised], LoadOptions(source="azure"))
    assert batch.action == "replaced" and totals(batch) == (BILLED, EFFECTIVE)
    for alone in (actual, amortised):
        with pytest.raises(InputRefused, match="would be lost"):
            load(home, [alone], LoadOptions(source="azure"))
    assert costs(home) == {(): (BILLED, EFFECTIVE)}
    (again,) = load(home, [amortised, actual], LoadOptions(source="azure"))
    assert again.action == "unchanged"


def test_the_two_kinds_as_two_sources_are_refused(home: Home, tmp_path: Path) -> None:
    actual, amortised = write_pair(tmp_path)
    load(home, [actual], LoadOptions(source="one"))
    with pytest.raises(InputRefused, match="counted twice"):
        load(home, [amortised], LoadOptions(source="two"))


def test_twins_without_any_trace_of_commitments_are_a_pair_only_by_name(home: Home, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"count(ed)? twice"):
        load(home, [write_azure(tmp_path / "x.csv", COMMON), write_azure(tmp_path / "y.csv", COMMON)])
    names = (tmp_path / "actual" / "x.csv", tmp_path / "amortized" / "x.csv")
    (batch,) = load(home, [write_azure(name, COMMON) for name in names])
    assert batch.reconciled and batch.dropped == {SAME: 7} and totals(batch)[0] == BILLED - D("304.5")


def test_a_nameless_actual_file_beside_the_amortised_one_is_not_counted_as_more_spend(
    home: Home, tmp_path: Path
) -> None:
    """Of a reservation that nobody used, the actual file shows no trace in later months."""
    actual = write_azure(tmp_path / "x" / "one.csv", COMMON)
    amortised = write_azure(tmp_path / "y" / "two.csv", [*COMMON, reserved("UnusedReservation", "9")])
    with pytest.raises(InputRefused, match=r"holds the same charges of 2026-09.*let their names say so"):
        load(home, [actual, amortised])


@pytest.mark.parametrize(
    ("row", "role"),
    [
        (reserved("UnusedReservation", "1"), "AmortizedCost"),
        (planned("UnusedSavingsPlan", "0", PricingModel=""), "AmortizedCost"),
        (planned("Usage", "0.01"), "AmortizedCost"),
        (reserved("Usage", "0"), "ActualCost"),
        (reserved("Purchase", "100"), "ActualCost"),
        (reserved("Refund", "-100", PricingModel=""), "ActualCost"),
        (planned("Purchase", "1", PricingModel="OnDemand"), "ActualCost"),
        (azure_row(ReservationId="the name or GUID"), ""),
        (azure_row("Purchase", "10"), ""),
    ],
)
def test_a_file_is_known_by_what_it_holds(home: Home, tmp_path: Path, row: Row, role: str) -> None:
    (batch,) = load(home, [write_azure(tmp_path / "export.csv", [azure_row(), row])])
    assert batch.roles == [role] and batch.reconciled


def test_without_a_pricing_model_the_reservation_says_it(home: Home, tmp_path: Path) -> None:
    header = [name for name in EA_HEADER if name not in ("PricingModel", "benefitId", "benefitName")]
    rows = [azure_row(), azure_row(cost="2", ReservationId="a-guid"), azure_row("UnusedReservation", "1")]
    load(home, [write_azure(tmp_path / "export.csv", [{n: row[n] for n in header} for row in rows])])
    assert costs(home, "CommitmentDiscountStatus", "PricingCategory") == {
        (None, "Standard"): (1, 1),
        ("Used", "Committed"): (0, 2),
        ("Unused", "Committed"): (0, 1),
    }


# --- runs, manifests, files ---


def test_the_newest_run_of_a_scope_type_and_month_counts(home: Home, tmp_path: Path) -> None:
    stale = [azure_row(cost="999"), reserved("Purchase", "1")]
    write_azure_run(tmp_path, "ActualCost", stale, run="202610010600")
    write_azure_run(
        tmp_path, "ActualCost", stale, run="2026-11-01T06:00:00Z".replace(":", ""), export="last-month"
    )
    write_azure_run(tmp_path, "ActualCost", ACTUAL)
    write_azure_run(tmp_path, "AmortizedCost", AMORTISED)
    write_azure_run(tmp_path, "AmortizedCost", [*AMORTISED, azure_row()], run="202610010600")
    (batch,) = load(home, [tmp_path])
    assert totals(batch) == (BILLED, EFFECTIVE) and batch.reconciled
    assert len(batch.files) == 4 and all("202611020600" in f for f in batch.files)
    assert batch.warnings[0].startswith("6 files of earlier or unfinished runs")


def test_exports_of_two_scopes_count_both(home: Home, tmp_path: Path) -> None:
    for number, (subscription, cost) in enumerate(((SHOP, "1"), (DATA, "2"))):
        rows = [azure_row(cost=cost, SubscriptionId=subscription)]
        write_azure_run(
            tmp_path, "ActualCost", rows, scope=f"/subscriptions/{subscription}", export=f"e{number}", parts=1
        )
    (batch,) = load(home, [tmp_path])
    assert totals(batch)[0] == 3 and batch.reconciled


def test_a_scope_inside_another_is_refused(home: Home, tmp_path: Path) -> None:
    rows = [azure_row(cost="2", day=day) for day in (1, 2, 3)]
    write_azure_run(tmp_path, "ActualCost", rows, scope=f"/subscriptions/{SHOP}", export="one")
    write_azure_run(tmp_path, "ActualCost", [*rows, azure_row(SubscriptionId=DATA)], export="all")
    with pytest.raises(InputRefused, match=r"count(ed)? twice"):
        load(home, [tmp_path])


def test_runs_that_overlap_without_one_replacing_the_other_are_refused(home: Home, tmp_path: Path) -> None:
    write_azure_run(tmp_path, "ActualCost", [azure_row()])
    half = write_azure_run(tmp_path, "ActualCost", [azure_row()], export="half")
    half.parents[1].rename(half.parents[2] / "20260901-20260915")
    moved = next((tmp_path / "exports" / "half").rglob("manifest.json"))
    moved.write_text(moved.read_text().replace("20260901-20260930", "20260901-20260915"))
    with pytest.raises(InputRefused, match="count twice"):
        load(home, [tmp_path])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m["blobs"][0].update(dataRowCount=7), "6 rows where the manifest says 7"),
        (lambda m: m.update(blobCount=3), "counts 3 files and names 2"),
        (lambda m: m["blobs"][1].update(blobName="exports/part_9_0001.csv"), "part_9_0001.csv.*not there"),
        (lambda m: m["blobs"].__setitem__(0, "text"), "not there"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    home: Home, tmp_path: Path, change: object, words: str
) -> None:
    manifest = write_azure_run(tmp_path, "ActualCost", ACTUAL) / "manifest.json"
    found = json.loads(manifest.read_text())
    change(found)  # type: ignore[operator]
    manifest.write_text(json.dumps(found))
    with pytest.raises(InputRefused, match=words):
        load(home, [tmp_path])


def test_price_sheets_beside_the_costs_are_left_aside(home: Home, tmp_path: Path) -> None:
    write_azure_run(tmp_path, "ActualCost", ACTUAL)
    sheet = write_azure_run(tmp_path, "PriceSheet", [])
    for file in sheet.glob("part_*.csv"):
        file.write_text("MeterID,UnitPrice\nm,1\n")
    (batch,) = load(home, [tmp_path])
    assert totals(batch)[0] == BILLED


def test_without_a_manifest_the_newest_run_folder_of_each_kind_counts(home: Home, tmp_path: Path) -> None:
    for kind, rows in (("ActualCost", ACTUAL), ("AmortizedCost", AMORTISED)):
        write_azure_run(tmp_path, kind, rows, manifest=False)
        write_azure_run(tmp_path, kind, [azure_row(cost="999")], manifest=False, run="202610010600", parts=1)
    (batch,) = load(home, [tmp_path])
    assert totals(batch) == (BILLED, EFFECTIVE) and batch.reconciled
    assert len([w for w in batch.warnings if "no manifest, so the newest complete run" in w]) == 2


@pytest.mark.parametrize("apart", [0, 86_400])
def test_without_a_manifest_one_file_a_run_the_newest_counts(home: Home, tmp_path: Path, apart: int) -> None:
    """By the time of writing, a day apart; files copied at one time by their size, for a month only grows."""
    folder = tmp_path / "exports" / "daily" / "20260901-20260930"
    guid = "00000000-0000-4000-8000-00000000000{}"
    runs = {9: [azure_row()], 5: [azure_row(), azure_row(day=6)], 1: ACTUAL}
    for number, (name, rows) in enumerate(runs.items()):
        file = write_azure(folder / f"daily_{guid.format(name)}.csv", rows)
        os.utime(file, (1_790_000_000 + number * apart,) * 2)
    (batch,) = load(home, [tmp_path])
    assert totals(batch)[0] == BILLED and len(batch.files) == 1
    assert [w for w in batch.warnings if "the newest complete run" in w and "of 3" in w]


def test_parts_without_a_trace_of_commitments_follow_their_neighbours(home: Home, tmp_path: Path) -> None:
    """The first parts hold on-demand rows only, and no path says which kind they are of."""
    for folder, rows in (("x", ACTUAL), ("y", AMORTISED)):
        write_azure(tmp_path / folder / "part_0_0001.csv", rows[: len(COMMON)])
        write_azure(tmp_path / folder / "part_1_0001.csv", rows[len(COMMON) :])
    (batch,) = load(home, [tmp_path])
    assert totals(batch) == (BILLED, EFFECTIVE) and batch.reconciled and batch.dropped == {SAME: 9}


def test_a_header_without_rows_is_harmless(home: Home, tmp_path: Path) -> None:
    load(home, [write_azure(tmp_path / "export.csv", ACTUAL)])
    assert load(home, [write_azure(tmp_path / "empty.csv", [])]) == []
    assert totals_of(home) == (BILLED, BILLED - D("304.5"))


def totals_of(home: Home) -> tuple[Decimal, Decimal]:
    return costs(home)[()]


def test_gz_and_typed_parquet_read_like_csv(home: Home, tmp_path: Path) -> None:
    zipped = tmp_path / "actual.csv.gz"
    zipped.write_bytes(gzip.compress(write_azure(tmp_path / "plain.csv", ACTUAL).read_bytes()))
    columns: dict[str, pyarrow.Array] = {
        name: pyarrow.array([row[name] or None for row in AMORTISED], pyarrow.string()) for name in EA_HEADER
    }
    for name in ("Date", "BillingPeriodStartDate", "BillingPeriodEndDate"):
        moments = [datetime.strptime(row[name], "%m/%d/%Y") for row in AMORTISED]
        columns[name] = pyarrow.array(moments, pyarrow.timestamp("ms"))
    for name in ("Quantity", "CostInBillingCurrency", "UnitPrice"):
        columns[name] = pyarrow.array([float(row[name]) for row in AMORTISED], pyarrow.float64())
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "amortized.parquet", compression="snappy")
    (batch,) = load(home, [zipped, tmp_path / "amortized.parquet"])
    assert totals(batch) == (BILLED, EFFECTIVE) and batch.reconciled
    assert (
        stored(home, "BillingPeriodStart", "BillingPeriodEnd")
        == [(datetime(2026, 9, 1), datetime(2026, 10, 1))] * 14
    )


# --- headers ---


def header(*names: str) -> Header:
    return Header("csv", tuple(SourceColumn(name, "VARCHAR", f"c{i}") for i, name in enumerate(names)))


PAYG = [
    "SubscriptionGuid",
    "ResourceGroup",
    "ResourceLocation",
    "UsageDateTime",
    "MeterCategory",
    "MeterSubcategory",
    "MeterId",
    "MeterName",
    "UsageQuantity",
    "ResourceRate",
    "PreTaxCost",
    "ConsumedService",
    "InstanceId",
    "Tags",
    "OfferId",
    "AdditionalInfo",
    "Currency",
    "UnitOfMeasure",
]
GERMAN = {
    "SubscriptionGuid": "Abonnement-GUID (SubscriptionGuid)",
    "ResourceGroup": "Ressourcengruppe (ResourceGroup)",
    "PreTaxCost": "Kosten vor Steuern (PreTaxCost)",
    "UnitOfMeasure": "Maßeinheit (UnitOfMeasure)",
}


def test_headers_of_each_agreement_are_known() -> None:
    assert recognise(header(*EA_HEADER)) == "EA"
    assert recognise(header(*mca([azure_row()])[0])) == "MCA"
    assert recognise(header(*mca([azure_row()])[0], "customerTenantId")) == "CSP"
    assert recognise(header(*PAYG)) == recognise(header(*map(str.upper, PAYG))) == "pay-as-you-go"
    assert recognise(header(*(GERMAN.get(name, name) for name in PAYG))) == "pay-as-you-go"
    assert recognise(header("BilledCost", "ChargeCategory", *EA_HEADER)) is None
    assert recognise(header("MeterCategory", "MeterName", "Date", "Cost")) is None


def test_pay_as_you_go_and_localised_headers_read_alike(home: Home, tmp_path: Path) -> None:
    row = dict.fromkeys(PAYG, "") | {
        "SubscriptionGuid": SHOP,
        "UsageDateTime": "2026-09-28T00:00:00.0000000Z",
        "UsageQuantity": "300",
        "PreTaxCost": "1.0368E-4",
        "Currency": "USD",
        "UnitOfMeasure": "100 Hours",
        "MeterCategory": "Storage",
        "Tags": '{"project":"p1"}',
    }
    for number, names in enumerate(({}, GERMAN)):
        path = write_azure(tmp_path / "payg.csv", [{names.get(k, k): v for k, v in row.items()}])
        (batch,) = load(Home(tmp_path / f"home{number}"), [path])
        assert batch.billing_period == "2026-09" and totals(batch, "USD") == (D("0.00010368"),) * 2
        assert batch.source == f"azure-{SHOP}" and batch.reconciled
        table = stored(
            Home(tmp_path / f"home{number}"), "SubAccountId", "Tags", "PricingQuantity", "PricingUnit"
        )
        assert table == [(SHOP, '{"project":"p1"}', 3.0, "Hours")]


def test_a_customer_agreement_bills_its_profile_in_two_currencies(home: Home, tmp_path: Path) -> None:
    more = {
        "exchangeRatePricingToBilling": "0.5",
        "invoiceId": "INV",
        "productId": "DZH318",
        "partnerName": "Reseller",
    }
    rows = [
        azure_row(cost="3", Quantity="2", UnitPrice="3", PayGPrice="4"),
        azure_row(
            cost="5",
            BillingCurrencyCode="GBP",
            UnitPrice="10",
            BillingPeriodStartDate="",
            BillingPeriodEndDate="",
        ),
    ]
    (batch,) = load(home, [write_azure(tmp_path / "export.csv", mca(rows, **more))])
    assert batch.reconciled and batch.source == "azure-PROF-1" and batch.billing_period == "2026-09"
    assert {c: t["source_total"] for c, t in batch.totals.items()} == {"EUR": "3", "GBP": "5"}
    assert stored(
        home,
        "BillingCurrency",
        "PricingCurrency",
        "ContractedUnitPrice",
        "ListUnitPrice",
        "ListCost",
        "ContractedCost",
    ) == [
        ("EUR", "USD", D("1.5"), D(2), D(4), D(3)),
        ("GBP", "USD", D(5), None, None, D(5)),
    ]
    assert (
        stored(home, "InvoiceId", "SkuId", "InvoiceIssuerName", "BillingAccountType")
        == [("INV", "DZH318", "Reseller", "Billing Profile")] * 2
    )


def test_the_period_ends_inclusively_and_dates_are_month_first(home: Home, tmp_path: Path) -> None:
    load(
        home,
        [write_azure(tmp_path / "export.csv", [azure_row(Date="9/2/2026"), azure_row(Date="09/30/2026")])],
    )
    assert stored(home, "ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart", "BillingPeriodEnd") == [
        tuple(datetime(2026, *d) for d in ((9, 2), (9, 3), (9, 1), (10, 1))),
        tuple(datetime(2026, *d) for d in ((9, 30), (10, 1), (9, 1), (10, 1))),
    ]


def test_ids_are_text_and_one_resource_has_one_spelling(home: Home, tmp_path: Path) -> None:
    ids = ["/subscriptions/S/resourceGroups/RG/VM1", "/SUBSCRIPTIONS/s/resourcegroups/rg/vm1"]
    load(
        home,
        [
            write_azure(
                tmp_path / "export.csv", [azure_row(ResourceId=i, day=n + 1) for n, i in enumerate(ids)]
            )
        ],
    )
    assert costs(home, "BillingAccountId", "ResourceId") == {("0081234", ids[1].lower()): (2, 2)}
    kept = sorted(json.loads(str(extra))["ResourceId"] for (extra,) in stored(home, "x_Extra"))
    assert kept == sorted(ids)


@pytest.mark.parametrize(
    ("tags", "team"),
    [
        ('"team": "search","env": "prod"', "search"),
        ('{"team": "search"}', "search"),
        (' "team": "say ""hi"""'.replace('""', '\\"'), 'say "hi"'),
        ("{}", None),
        ("", None),
    ],
)
def test_tags_with_and_without_braces(home: Home, tmp_path: Path, tags: str, team: str | None) -> None:
    (batch,) = load(home, [write_azure(tmp_path / "export.csv", [azure_row(Tags=tags)])])
    assert costs(home, "tag:team") == {(team,): (1, 1)} and batch.warnings == []


def test_cut_off_json_is_shown_and_loses_no_money(home: Home, tmp_path: Path) -> None:
    row = azure_row(Tags='"team": "sea', AdditionalInfo='{"ServiceType":"Standard_D2s')
    fine = azure_row(day=6, AdditionalInfo='{"ServiceType":"Standard_D2s_v5","VCPUs":2}')
    (batch,) = load(home, [write_azure(tmp_path / "export.csv", [row, fine])])
    assert [w for w in batch.warnings if w.startswith("1 rows of which its Tags are no JSON")]
    assert stored(home, "x_Quality", "Tags", "x_InstanceType") == [
        ('its Tags are no JSON: "team": "sea', None, None),
        (None, None, "Standard_D2s_v5"),
    ]
    assert batch.totals["EUR"]["BilledCost"] == "2"


def test_quotes_that_nobody_escaped_are_read_right(home: Home, tmp_path: Path) -> None:
    path = write_azure(tmp_path / "export.csv", [azure_row(AdditionalInfo="@INFO@"), azure_row(day=6)])
    path.write_text(path.read_text("utf-8").replace("@INFO@", '{"VMName":"vm"}'), "utf-8")
    (batch,) = load(home, [path])
    assert totals(batch)[0] == 2 and batch.reconciled


@pytest.mark.parametrize(
    ("unit", "quantity", "price", "cost", "expected"),
    [
        ("100 Hours", "300", "0", "1", 3),  # nothing says otherwise: single units, as documented
        ("100 Hours", "300", "2", "6", 3),
        (
            "10K",
            "0.0004",
            "0.1",
            "0.00004",
            0.0004,
        ),  # the price times the quantity is the cost: blocks already
        ("1 Hour", "24", "0.11", "2.64", 24),
        ("1000000 Somethings", "2000000", "0", "1", 2),
        ("Odd", "5", "0", "1", 5),
        ("100 Hours", "0", "2", "0", 0),
    ],
)
def test_block_sizes(
    home: Home, tmp_path: Path, unit: str, quantity: str, price: str, cost: str, expected: float
) -> None:
    row = azure_row(cost=cost, UnitOfMeasure=unit, Quantity=quantity, UnitPrice=price)
    load(home, [write_azure(tmp_path / "export.csv", [row])])
    assert stored(home, "PricingQuantity", "ConsumedQuantity") == [(expected, float(quantity))]


def test_quantities_and_prices_only_where_focus_has_them(home: Home, tmp_path: Path) -> None:
    rows = [
        azure_row("Tax", "1", UnitPrice="1"),
        reserved("UnusedReservation", "2", UnitPrice="3", PayGPrice="4"),
    ]
    load(home, [write_azure(tmp_path / "export.csv", rows)])
    assert stored(
        home, "ChargeCategory", "ConsumedQuantity", "ContractedUnitPrice", "ListCost", "ContractedCost"
    ) == [
        ("Tax", None, None, D(1), D(1)),
        ("Usage", None, None, D(0), D(0)),
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"CostInBillingCurrency": "0,000305367"}, "'0,000305367' is not a number"),
        ({"CostInBillingCurrency": "1.234,56"}, "is not a number"),
        ({"CostInBillingCurrency": ""}, "BilledCost is missing"),
        ({"BillingCurrencyCode": ""}, "BillingCurrency is missing"),
        ({"Date": "13/9/2026"}, "is not a date"),
        ({"Date": "30.09.2026"}, "is not a date"),
        ({"Date": "2/9/2026"}, "outside its billing period"),
    ],
)
def test_what_cannot_be_read_is_refused(home: Home, tmp_path: Path, change: Row, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        load(home, [write_azure(tmp_path / "export.csv", [azure_row(), azure_row(**change)])])


def test_an_unknown_charge_type_is_kept_and_said(home: Home, tmp_path: Path) -> None:
    (batch,) = load(home, [write_azure(tmp_path / "export.csv", [azure_row("Novelty", "-3")])])
    assert costs(home, "ChargeCategory") == {("Adjustment",): (-3, -3)}
    assert [w for w in batch.warnings if "charge type that is not known" in w]


def test_every_column_of_the_format_compiles_to_a_known_column() -> None:
    from finops_core.focus.charges import staged_columns

    assert set(FORMAT.columns) <= set(staged_columns())


# --- any company ---

amounts = st.decimals(min_value=-10_000, max_value=10_000, places=12)
positive = st.decimals(min_value=D("1e-12"), max_value=10_000, places=12)
scopes = st.tuples(
    st.sampled_from([SHOP, DATA, ""]), st.sampled_from(["EUR", "USD"]), st.sampled_from([9, 10])
)
both = st.sampled_from(["Usage", "Tax", "Credit", "RoundingAdjustment", "Purchase", "Refund"])
by = st.sampled_from([reserved, planned])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    common=st.lists(st.tuples(both, amounts, scopes), max_size=8),
    used=st.lists(st.tuples(by, positive, scopes), max_size=4),
    unused=st.lists(st.tuples(by, positive, scopes), max_size=3),
    bought=st.lists(st.tuples(by, st.sampled_from(["Purchase", "Refund"]), amounts, scopes), max_size=4),
)
def test_any_pair_reconciles_by_month_and_currency(
    tmp_path: Path, common: list, used: list, unused: list, bought: list
) -> None:
    def at(scope: tuple[str, str, int], number: int) -> dict[str, object]:
        subscription, currency, month = scope
        day = number % 28 + 1
        return {"SubscriptionId": subscription, "BillingCurrencyCode": currency, "month": month, "day": day}

    actual: list[Row] = []
    amortised: list[Row] = []
    billed: dict[tuple[str, str], Decimal] = {}
    effective: dict[tuple[str, str], Decimal] = {}

    def add(
        rows: list[Row], totals: dict[tuple[str, str], Decimal], row: Row, scope: tuple[str, str, int]
    ) -> None:
        rows.append(row)
        key = (f"2026-{scope[2]:02d}", scope[1])
        totals[key] = totals.get(key, D(0)) + D(row["CostInBillingCurrency"])

    for number, (kind, cost, scope) in enumerate(common):
        row = azure_row(kind, format(cost, "f"), **at(scope, number))
        add(actual, billed, row, scope)
        add(amortised, effective, row, scope)
    for number, (make, cost, scope) in enumerate(used):
        add(actual, billed, make("Usage", "0", **at(scope, number)), scope)
        add(amortised, effective, make("Usage", format(cost, "f"), **at(scope, number)), scope)
    for number, (make, cost, scope) in enumerate(unused):
        kind = "UnusedReservation" if make is reserved else "UnusedSavingsPlan"
        add(amortised, effective, make(kind, format(cost, "f"), **at(scope, number)), scope)
    for number, (make, kind, cost, scope) in enumerate(bought):
        add(actual, billed, make(kind, format(cost, "f"), **at(scope, number)), scope)
    if not actual and not amortised:
        return
    files = [write_azure(tmp_path / "actual.csv", actual, EA_HEADER)]
    files.append(write_azure(tmp_path / "amortized.csv", amortised, EA_HEADER))
    months = staged_months(files)
    found = {(month.period, c): group for month in months for c, group in month.totals.items()}
    assert found.keys() == billed.keys() | effective.keys()
    for key, group in found.items():
        assert D(group["BilledCost"]) == billed.get(key, 0), key
        assert D(group["EffectiveCost"]) == effective.get(key, 0), key
    for month in months:
        assert month.reconciled, month.warnings
        assert month.rows_in == month.rows_stored + sum(month.dropped.values())
    assert sum(month.rows_in for month in months) == len(actual) + len(amortised)
