"""Loads: replaced, unchanged, refused; what is stored is what the files say, and its history is kept."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from finops_core import Ledger, Query
from finops_core.errors import InputRefused, UsageError
from finops_core.quality.history import compare, versions
from finops_core.quality.verify import verify
from finops_core.store import fingerprint
from finops_core.store.home import Home
from finops_core.store.lake import Lake
from finops_core.store.load import LoadOptions, load, rebuild
from tests.exports import cur_row, focus_row, write_cur, write_focus


def total(home: Home, metric: str = "BilledCost", **where: str) -> Decimal:
    return Decimal(Ledger(home).query(Query(metric, where=where))[metric].sum())


def october(**changes: object) -> dict[str, str]:
    return focus_row(
        BillingPeriodStart="2026-10-01T00:00:00Z",
        BillingPeriodEnd="2026-11-01T00:00:00Z",
        ChargePeriodStart="2026-10-05T00:00:00Z",
        ChargePeriodEnd="2026-10-06T00:00:00Z",
        **changes,
    )


def test_the_same_files_twice_change_nothing(home: Home, tmp_path: Path) -> None:
    file = write_focus(
        tmp_path / "focus.csv", [focus_row(BilledCost="0.1"), focus_row(BilledCost="0.2"), october()]
    )
    first = load(home, [file])
    version = Ledger(home).version
    second = load(home, [file])
    assert [b.action for b in first] == ["added", "added"]
    assert [b.action for b in second] == ["unchanged", "unchanged"]
    assert Ledger(home).version == version and Lake(home.lake).version() == 1
    assert total(home) == Decimal("1.3")


def test_a_newer_version_replaces_its_months_whole_and_no_other(home: Home, tmp_path: Path) -> None:
    load(
        home,
        [
            write_focus(
                tmp_path / "one.csv", [focus_row(BilledCost="5"), focus_row(BilledCost="7"), october()]
            )
        ],
    )
    (batch,) = load(home, [write_focus(tmp_path / "two.csv", [focus_row(BilledCost="6.5")])])
    assert batch.action == "replaced"
    assert total(home, BillingPeriod="2026-09") == Decimal("6.5")
    assert total(home, BillingPeriod="2026-10") == Decimal(1)
    assert all(c.agrees for c in verify(home))


def test_history_says_by_service_what_changed_and_sums_to_the_difference(home: Home, tmp_path: Path) -> None:
    first = [
        focus_row(BilledCost="5", EffectiveCost="4"),
        focus_row(ServiceName="Gone", BilledCost="2", EffectiveCost="2"),
    ]
    second = [
        focus_row(BilledCost="5.5", EffectiveCost="4.25"),
        focus_row(ServiceName="New", BilledCost="1", EffectiveCost="1"),
    ]
    load(home, [write_focus(tmp_path / "one.csv", first)])
    load(home, [write_focus(tmp_path / "two.csv", second)])
    loads = versions(home, "focus-007", "2026-09")
    changes = compare(home, "focus-007", "2026-09", loads[0].lake_version, loads[1].lake_version)
    assert {c.service: (c.kind, c.effective[1] - c.effective[0]) for c in changes} == {
        "Gone": ("removed", Decimal(-2)),
        "New": ("added", Decimal(1)),
        "Amazon Elastic Compute Cloud": ("changed", Decimal("0.25")),
    }
    assert sum(c.billed[1] - c.billed[0] for c in changes) == Decimal("6.5") - Decimal(7)


def test_going_back_to_an_older_version_is_a_replacement(home: Home, tmp_path: Path) -> None:
    one = write_focus(tmp_path / "one.csv", [focus_row(BilledCost="5")])
    two = write_focus(tmp_path / "two.csv", [focus_row(BilledCost="6")])
    assert [load(home, [f])[0].action for f in (one, two, one)] == ["added", "replaced", "replaced"]
    assert total(home) == Decimal(5)


def test_a_header_without_rows_wipes_no_month(home: Home, tmp_path: Path) -> None:
    load(home, [write_focus(tmp_path / "one.csv", [focus_row()])])
    assert load(home, [write_focus(tmp_path / "empty.csv", [])]) == []
    assert total(home) == Decimal(1)


def test_the_same_spend_from_two_formats_is_refused_unless_said_otherwise(home: Home, tmp_path: Path) -> None:
    load(home, [write_cur(tmp_path / "cur.csv", [cur_row()])])
    focus = write_focus(
        tmp_path / "focus.csv", [focus_row(SubAccountId="000123456789", BillingAccountId="012345678901")]
    )
    with pytest.raises(InputRefused, match="counted twice"):
        load(home, [focus])
    assert total(home) == Decimal(1)
    load(home, [focus], LoadOptions(allow_overlap=True))
    assert total(home) == Decimal(2)


def test_the_same_files_as_another_source_are_refused(home: Home, tmp_path: Path) -> None:
    file = write_focus(tmp_path / "one.csv", [focus_row()])
    load(home, [file], LoadOptions(source="one"))
    with pytest.raises(InputRefused, match="already in the source 'one'"):
        load(home, [file], LoadOptions(source="two"))


def test_a_dry_run_stores_nothing(home: Home, tmp_path: Path) -> None:
    (batch,) = load(home, [write_focus(tmp_path / "one.csv", [focus_row()])], LoadOptions(dry_run=True))
    assert batch.totals["USD"]["BilledCost"] == "1"
    assert Ledger(home).is_empty() and Lake(home.lake).version() is None


def test_several_currencies_are_kept_apart(home: Home, tmp_path: Path) -> None:
    rows = [
        focus_row(BilledCost="1.5"),
        focus_row(BilledCost="2.5", BillingCurrency="EUR", SubAccountId="eu"),
    ]
    (batch,) = load(home, [write_focus(tmp_path / "one.csv", rows)])
    assert {c: t["BilledCost"] for c, t in batch.totals.items()} == {"USD": "1.5", "EUR": "2.5"}
    assert batch.to_json()["BilledCost"] is None and batch.to_json()["currency"] == "EUR,USD"
    table = Ledger(home).query(Query("BilledCost"))
    assert dict(table.iter_rows()) == {"EUR": Decimal("2.5"), "USD": Decimal("1.5")}


def test_rebuild_gives_the_same_figures(home: Home, tmp_path: Path) -> None:
    load(
        home,
        [write_focus(tmp_path / "one.csv", [focus_row(BilledCost="1E-18"), october(BilledCost="9.984E-7")])],
    )
    query = Query(["BilledCost", "ListCost"], by=["x_Team", "BillingPeriod"])
    before = Ledger(home).query(query)
    home.current().unlink()
    rebuild(home)
    assert Ledger(home).query(query).equals(before)
    assert all(c.agrees for c in verify(home))


def test_a_full_load_leaves_no_leftovers(home: Home, tmp_path: Path) -> None:
    for cost in "123":
        load(home, [write_focus(tmp_path / "one.csv", [focus_row(BilledCost=cost)])])
    assert list(home.staging.iterdir()) == []
    assert [p.name for p in home.warehouse.iterdir()] == [home.current().name]


def test_unknown_columns_are_kept(home: Home, tmp_path: Path) -> None:
    row = focus_row() | {"x_Discounts": "tier 1", 'Vendor\'s "own"': "a,b"}
    path = tmp_path / "one.csv"
    from tests.exports import csv_text

    path.write_text(csv_text([row]))
    load(home, [path])
    (extra,) = Ledger(home).sql("SELECT x_Extra FROM charges")["x_Extra"]
    assert extra == '{"x_Discounts":"tier 1","Vendor\'s \\"own\\"":"a,b"}'


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "ü", "a" * 101])
def test_source_names_are_checked(home: Home, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="source name"):
        load(home, [tmp_path], LoadOptions(source=name))


def test_one_load_of_two_formats_keeps_the_rows_of_both(home: Home, tmp_path: Path) -> None:
    from tests.exports import cur_row, write_cur

    write_cur(tmp_path / "cur.csv", [cur_row(cost="2", PayerAccountId="1", UsageAccountId="1")])
    write_focus(tmp_path / "focus.csv", [focus_row(BilledCost="4", ProviderName="Databricks")])
    batches = load(home, [tmp_path])
    assert sorted((b.format, b.totals["USD"]["BilledCost"], b.rows_stored) for b in batches) == [
        ("aws-cur", "2", 1),
        ("focus", "4", 1),
    ]
    answer = Ledger(home).sql("SELECT sum(BilledCost) FROM charges").item()
    assert answer == 6


def half(day: int, **changes: object) -> dict[str, str]:
    """A charge of half of September, which is a billing period of its own."""
    end = "2026-09-16" if day == 1 else "2026-10-01"
    return focus_row(
        BillingPeriodStart=f"2026-09-{day:02d}T00:00:00Z",
        BillingPeriodEnd=f"{end}T00:00:00Z",
        ChargePeriodStart=f"2026-09-{day:02d}T00:00:00Z",
        ChargePeriodEnd=f"2026-09-{day + 1:02d}T00:00:00Z",
        **changes,
    )


def test_a_billing_period_is_not_lost_to_another_of_its_calendar_month(home: Home, tmp_path: Path) -> None:
    first = write_focus(tmp_path / "first.csv", [half(1, BilledCost="2")])
    second = write_focus(tmp_path / "second.csv", [half(16, BilledCost="3")])
    load(home, [first])
    with pytest.raises(InputRefused, match="starts on 2026-09-01, and this load"):
        load(home, [second])
    assert total(home) == 2
    (batch,) = load(home, [first, second])
    assert batch.starts == ["2026-09-01", "2026-09-16"] and total(home) == 5
    with pytest.raises(InputRefused, match="starts on 2026-09-01, and this load"):
        load(home, [write_focus(tmp_path / "newer.csv", [half(16, BilledCost="4")])])
    load(home, [second], LoadOptions(source="second-halves", allow_overlap=True))
    assert total(home) == 8


def test_files_count_as_changed_when_the_rules_that_read_them_do(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_focus(tmp_path / "focus.csv", [focus_row(BilledCost="0.1")])
    load(home, [file])
    assert [b.action for b in load(home, [file])] == ["unchanged"]
    monkeypatch.setattr(fingerprint, "rules_digest", lambda packages: b"the rules of a later release")
    assert [b.action for b in load(home, [file])] == ["replaced"]
    assert total(home) == Decimal("0.1")


def test_the_rules_are_code_and_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = fingerprint.rules_digest(fingerprint.READING)
    assert known == fingerprint.rules_digest.__wrapped__(fingerprint.READING)
    copied = tmp_path / "formats"
    shutil.copytree(Path(fingerprint.__file__).parents[1] / "formats", copied)
    (copied / "mappings" / "aws_services.csv").write_text("key,ServiceName,ServiceCategory\n")
    real = fingerprint.resources.files
    monkeypatch.setattr(
        fingerprint.resources, "files", lambda p: copied if p == "finops_core.formats" else real(p)
    )
    assert fingerprint.rules_digest.__wrapped__(fingerprint.READING) != known
