"""AWS line item types: every rule with exact figures."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_core import Ledger, Query
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import NET_HEADER, PLAN, RESERVATION, cur_row, write_cur


def costs(home: Home, by: list[str], **where: str) -> dict[tuple[str | None, ...], tuple[Decimal, Decimal]]:
    table = Ledger(home).query(Query(["BilledCost", "EffectiveCost"], by=by, where=where))
    return {tuple(row[1:-2]): (row[-2], row[-1]) for row in table.iter_rows()}


def test_savings_plan_is_billed_once_and_its_idle_rest_is_a_charge(home: Home, tmp_path: Path) -> None:
    rows = [
        cur_row("SavingsPlanCoveredUsage", "2.53", SavingsPlanARN=PLAN, SavingsPlanEffectiveCost="1.2648"),
        cur_row("SavingsPlanNegation", "-2.53", SavingsPlanARN=PLAN),
        cur_row(
            "SavingsPlanRecurringFee",
            "2.4",
            SavingsPlanARN=PLAN,
            TotalCommitmentToDate="2.4",
            UsedCommitment="1.2648",
        ),
    ]
    (batch,) = load(home, [write_cur(tmp_path / "cur.csv", rows)])
    assert (batch.rows_in, batch.rows_stored) == (3, 3)
    assert batch.dropped == {"Savings Plan negation": 1}
    assert batch.derived == {"unused Savings Plan commitment": 1}
    assert batch.reconciled and batch.totals["USD"]["source_total"] == "2.4"
    assert costs(home, ["ChargeCategory", "CommitmentDiscountStatus"]) == {
        ("Purchase", None): (Decimal("2.4"), Decimal(0)),
        ("Usage", "Used"): (Decimal(0), Decimal("1.2648")),
        ("Usage", "Unused"): (Decimal(0), Decimal("1.1352")),
    }


def test_negation_that_does_not_cancel_stays_in_the_books_with_a_warning(home: Home, tmp_path: Path) -> None:
    rows = [
        cur_row("SavingsPlanCoveredUsage", "2.53", SavingsPlanARN=PLAN, SavingsPlanEffectiveCost="1"),
        cur_row("SavingsPlanNegation", "-2.5", SavingsPlanARN=PLAN),
    ]
    (batch,) = load(home, [write_cur(tmp_path / "cur.csv", rows)])
    assert batch.reconciled and batch.totals["USD"]["BilledCost"] == "0.03"
    assert any("does not cancel" in w for w in batch.warnings)


def test_covered_rows_and_negations_cancel_across_files(home: Home, tmp_path: Path) -> None:
    one = write_cur(
        tmp_path / "r-00001.csv", [cur_row("SavingsPlanCoveredUsage", "2.53", SavingsPlanARN=PLAN)]
    )
    two = write_cur(
        tmp_path / "r-00002.csv.gz", [cur_row("SavingsPlanNegation", "-2.53", SavingsPlanARN=PLAN)]
    )
    (batch,) = load(home, [one, two])
    assert batch.derived == {} and batch.totals["USD"]["BilledCost"] == "0"


def test_reservations_of_both_payments(home: Home, tmp_path: Path) -> None:
    rows = [
        cur_row("DiscountedUsage", "0", ReservationARN=RESERVATION, EffectiveCost="2.1"),
        cur_row("RIFee", "93", 1, ReservationARN=RESERVATION, UnusedRecurringFee="27.9"),
        cur_row(
            "RIFee",
            "0",
            1,
            ReservationARN=RESERVATION + "-upfront",
            UnusedAmortizedUpfrontFeeForBillingPeriod="3.5",
        ),
        cur_row("Fee", "450", 1, ReservationARN=RESERVATION + "-upfront"),
        cur_row("Fee", "100", 1, ProductCode="AWSSupportBusiness", servicecode="AWSSupportBusiness"),
    ]
    (batch,) = load(home, [write_cur(tmp_path / "cur.csv", rows)])
    assert batch.totals["USD"]["BilledCost"] == "643" and batch.totals["USD"]["EffectiveCost"] == "133.5"
    assert costs(home, ["ChargeCategory", "CommitmentDiscountStatus", "ChargeFrequency"]) == {
        ("Purchase", None, "Recurring"): (Decimal(193), Decimal(100)),
        ("Purchase", None, "One-Time"): (Decimal(450), Decimal(0)),
        ("Usage", "Used", "Usage-Based"): (Decimal(0), Decimal("2.1")),
        ("Usage", "Unused", "Usage-Based"): (Decimal(0), Decimal("31.4")),
    }


@pytest.mark.parametrize(
    ("kind", "extra", "category", "effective"),
    [
        ("Tax", {}, "Tax", "-7.25"),
        ("Credit", {}, "Credit", "-7.25"),
        ("Refund", {}, "Adjustment", "-7.25"),
        ("Refund", {"ReservationARN": RESERVATION}, "Purchase", "0"),
        ("EdpDiscount", {}, "Usage", "-7.25"),
        ("PrivateRateDiscount", {}, "Usage", "-7.25"),
        ("SomethingNew", {}, "Adjustment", "-7.25"),
    ],
)
def test_line_item_types(
    home: Home, tmp_path: Path, kind: str, extra: dict[str, str], category: str, effective: str
) -> None:
    (batch,) = load(home, [write_cur(tmp_path / "cur.csv", [cur_row(kind, "-7.25", **extra)])])
    assert costs(home, ["ChargeCategory"]) == {(category,): (Decimal("-7.25"), Decimal(effective))}
    assert any("not known" in w for w in batch.warnings) == (kind == "SomethingNew")


def test_net_columns_are_one_family_for_the_file(home: Home, tmp_path: Path) -> None:
    rows = [
        cur_row("Usage", "10", NetUnblendedCost="9.3"),
        cur_row("EdpDiscount", "-0.7", NetUnblendedCost="0"),
        cur_row(
            "DiscountedUsage",
            "0",
            ReservationARN=RESERVATION,
            EffectiveCost="2",
            NetEffectiveCost="1.86",
            NetUnblendedCost="0",
        ),
    ]
    (batch,) = load(home, [write_cur(tmp_path / "cur.csv", rows, NET_HEADER)])
    assert batch.roles == ["net"]
    assert batch.totals["USD"]["source_total"] == batch.totals["USD"]["BilledCost"] == "9.3"
    assert batch.totals["USD"]["EffectiveCost"] == "11.16"


DISCOUNT = cur_row("EdpDiscount", "-1", NetUnblendedCost="")


@pytest.mark.parametrize("beside", [[], [cur_row(cost="4", NetUnblendedCost="4")]])
def test_a_discount_counts_once_in_a_month_cut_into_files_with_and_without_net(
    home: Home, tmp_path: Path, beside: list[dict[str, str]]
) -> None:
    """The discount of 1 is a row of its own in one file and inside the Net cost of 9 in the other."""
    write_cur(tmp_path / "r-00001.csv", [cur_row(cost="10", NetUnblendedCost="9")], NET_HEADER)
    write_cur(tmp_path / "r-00002.csv", [DISCOUNT, *beside], NET_HEADER)
    (batch,) = load(home, [tmp_path])
    own = Decimal(4 * len(beside))
    assert batch.roles == ["unblended"] and batch.reconciled
    assert costs(home, []) == {(): (9 + own, 9 + own)}
    assert batch.totals["USD"]["source_total"] == str(9 + own)


def test_another_month_keeps_its_own_family_of_costs(home: Home, tmp_path: Path) -> None:
    august = cur_row(cost="10", NetUnblendedCost="9") | {
        "identity/TimeInterval": "2026-08-05T00:00:00Z/2026-08-06T00:00:00Z",
        "bill/BillingPeriodStartDate": "2026-08-01T00:00:00Z",
        "bill/BillingPeriodEndDate": "2026-09-01T00:00:00Z",
    }
    write_cur(tmp_path / "a.csv", [august], NET_HEADER)
    write_cur(tmp_path / "b.csv", [cur_row(cost="20", NetUnblendedCost="")], NET_HEADER)
    write_cur(tmp_path / "c.csv", [DISCOUNT], NET_HEADER)
    batches = load(home, [tmp_path])
    assert [(b.billing_period, b.roles, b.totals["USD"]["BilledCost"]) for b in batches] == [
        ("2026-08", ["net"], "9"),
        ("2026-09", ["unblended"], "19"),
    ]


@pytest.mark.parametrize("kind", ["Usage", "EdpDiscount"])
def test_late_usage_of_the_quarter_before_is_a_charge_of_this_month(
    home: Home, tmp_path: Path, kind: str
) -> None:
    late = cur_row(kind, "2") | {"identity/TimeInterval": "2026-07-05T00:00:00Z/2026-07-06T00:00:00Z"}
    (batch,) = load(home, [write_cur(tmp_path / "cur.csv", [late, cur_row()])])
    assert batch.totals["USD"]["BilledCost"] == "3" and batch.billing_period == "2026-09"
    assert any("from more than a day before" in words for words in batch.warnings)


def test_tag_keys_that_differ_in_case_stay_two(home: Home, tmp_path: Path) -> None:
    load(home, [write_cur(tmp_path / "cur.csv", [cur_row(**{"user:Name": "n1", "user:name": "n2"})])])
    table = Ledger(home).query(Query("BilledCost", by=["tag:Name", "tag:name", "tag:user:name"]))
    assert table.rows()[0][1:4] == ("n1", "n2", "n2")


def test_account_ids_keep_leading_zeros_and_ends_are_exclusive(home: Home, tmp_path: Path) -> None:
    load(home, [write_cur(tmp_path / "cur.csv", [cur_row() | {"identity/TimeInterval": ""}])])
    table = Ledger(home).query(Query("BilledCost", by=["SubAccountId", "ChargePeriodEnd"]))
    assert table["SubAccountId"][0] == "000123456789"
    assert str(table["ChargePeriodEnd"][0]) == "2026-09-06 00:00:00"


def test_names_of_athena_and_a_subset_of_columns(home: Home, tmp_path: Path) -> None:
    text = (
        "line_item_line_item_type,line_item_unblended_cost,line_item_currency_code,bill_billing_period_start_date,"
        "line_item_usage_start_date,line_item_usage_account_id,bill_payer_account_id\n"
        "Usage,9.984E-7,USD,2026-09-01T00:00:00.000Z,2026-09-03T00:00:00.000Z,000000000001,1\n"
    )
    path = tmp_path / "athena.csv"
    path.write_text(text)
    (batch,) = load(home, [path])
    assert batch.totals["USD"]["BilledCost"] == "0.0000009984" and batch.reconciled


amounts = st.decimals(min_value=-10_000, max_value=10_000, places=10)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plain=st.lists(
        st.tuples(st.sampled_from(["Usage", "Tax", "Credit", "Refund", "EdpDiscount", "Fee"]), amounts),
        max_size=6,
    ),
    covered=st.lists(st.tuples(amounts, amounts), max_size=4),
)
def test_any_bill_reconciles_and_rows_add_up(
    tmp_path: Path, plain: list[tuple[str, Decimal]], covered: list[tuple[Decimal, Decimal]]
) -> None:
    import tempfile

    rows = [cur_row(kind, format(cost, "f")) for kind, cost in plain]
    for cost, effective in covered:
        rows.append(
            cur_row(
                "SavingsPlanCoveredUsage",
                format(cost, "f"),
                SavingsPlanARN=PLAN,
                SavingsPlanEffectiveCost=format(effective, "f"),
            )
        )
        rows.append(cur_row("SavingsPlanNegation", format(-cost, "f"), SavingsPlanARN=PLAN))
    if not rows:
        return
    with tempfile.TemporaryDirectory(dir=tmp_path) as directory:
        folder = Path(directory)
        (batch,) = load(Home(folder / "home"), [write_cur(folder / "cur.csv", rows)])
        totals = batch.totals["USD"]
        assert batch.reconciled
        assert Decimal(totals["BilledCost"]) == sum((c for _, c in plain), Decimal(0))
        assert Decimal(totals["EffectiveCost"]) == sum((c for _, c in plain), Decimal(0)) + sum(
            (e for _, e in covered), Decimal(0)
        )
        assert batch.rows_in == batch.rows_stored + sum(batch.dropped.values()) - sum(batch.derived.values())
