"""The preview of a load: what it would store and replace, what it does not know; and nothing is stored."""

import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from finops_core import Ledger
from finops_core.errors import InputRefused
from finops_core.store.home import Home
from finops_core.store.lake import Lake
from finops_core.store.load import LoadOptions, load
from finops_core.store.mappings import save_mapping
from finops_core.store.preview import NOTHING, Totals, preview
from tests.exports import focus_row, write_focus
from tests.mapped import ACME, BILL


def test_a_first_load(home: Home, tmp_path: Path) -> None:
    file = write_focus(tmp_path / "focus.csv", [focus_row(BilledCost="1.5", EffectiveCost="1.25")])
    (month,) = preview(home, [file]).months
    assert (month.source, month.billing_period, month.format, month.action) == (
        "focus-007",
        "2026-09",
        "focus",
        "added",
    )
    assert (month.files, month.rows_in, month.rows_stored, month.reconciled) == (("focus.csv",), 1, 1, True)
    assert month.totals == {"USD": Totals(1, Decimal("1.5"), Decimal("1.25"), Decimal("1.5"))}
    assert month.before is None and month.difference["USD"].billed == Decimal("1.5")
    assert Lake(home.lake).version() is None and list(home.staging.iterdir()) == []


def test_what_would_be_replaced_and_by_how_much(home: Home, tmp_path: Path) -> None:
    one = write_focus(
        tmp_path / "one.csv",
        [focus_row(BilledCost="5"), focus_row(BilledCost="2", BillingCurrency="EUR", EffectiveCost="2")],
    )
    load(home, [one])
    version = Ledger(home).version
    two = write_focus(tmp_path / "two.csv", [focus_row(BilledCost="5.25"), focus_row(BilledCost="1E-18")])
    (month,) = preview(home, [two]).months
    assert month.action == "replaced" and month.before is not None
    assert month.before.files == ("one.csv",)
    assert {c: (t.rows, t.billed) for c, t in month.before.totals.items()} == {
        "USD": (1, Decimal(5)),
        "EUR": (1, Decimal(2)),
    }
    assert month.difference == {
        "EUR": Totals(-1, Decimal(-2), Decimal(-2)),
        "USD": Totals(1, Decimal("0.250000000000000001"), Decimal(1)),
    }
    (same,) = preview(home, [one]).months
    assert same.action == "unchanged" and set(same.difference.values()) == {NOTHING}
    assert Ledger(home).version == version


def test_a_file_that_no_format_knows_is_shown_with_a_mapping_to_start_from(
    home: Home, tmp_path: Path
) -> None:
    known = write_focus(tmp_path / "focus.csv", [focus_row()])
    bill = tmp_path / "bill.csv"
    bill.write_text(BILL)
    found = preview(home, [known, bill])
    assert [m.format for m in found.months] == ["focus"]
    (unknown,) = found.unknown
    assert (unknown.name, unknown.columns) == ("bill.csv", ("Day", "Plan", "Amount", "Currency"))
    assert unknown.rows[0] == {"Day": "2026-09-05", "Plan": "Pro", "Amount": "12.5", "Currency": "USD"}
    assert unknown.suggestion is not None and "cost: Amount" in unknown.suggestion

    tried = preview(home, [known, bill], mapping=ACME)
    assert tried.unknown == () and [m.format for m in tried.months] == ["focus", "custom:acme"]
    assert tried.months[1].totals["USD"].billed == Decimal("12.500000000000000001")
    assert not home.mappings.exists()

    save_mapping(home, ACME)
    assert preview(home, [bill]).months == tried.months[1:]


def test_each_table_of_an_archive_is_looked_at(home: Home, tmp_path: Path) -> None:
    archive = tmp_path / "bills.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("a.csv", BILL)
        out.writestr("b.csv", BILL.replace("Plan", "Tarif"))
    assert [u.name for u in preview(home, [archive]).unknown] == ["bills.zip:a.csv", "bills.zip:b.csv"]
    assert [u.name for u in preview(home, [archive], mapping=ACME).unknown] == ["bills.zip:b.csv"]


def test_rows_of_a_broken_csv_are_shown_as_far_as_they_go(home: Home, tmp_path: Path) -> None:
    bill = tmp_path / "bill.csv"
    bill.write_bytes("Day;Plan\n2026-09-05\nx;y;z\n\n".encode("utf-16"))
    (unknown,) = preview(home, [bill]).unknown
    assert unknown.rows == ({"Day": "2026-09-05"}, {"Day": "x", "Plan": "y"})


def test_what_a_load_refuses_a_preview_refuses(home: Home, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(InputRefused, match="the file is empty"):
        preview(home, [empty])
    bill = tmp_path / "bill.csv"
    bill.write_text(BILL + "2026-09-07,Pro,free,USD\n")
    with pytest.raises(InputRefused, match=r"bill\.csv, row 4, column 'Amount'"):
        preview(home, [bill], mapping=ACME)
    with pytest.raises(InputRefused, match="the mapping: cost: is missing"):
        preview(home, [bill], mapping=ACME.replace("cost: Amount", ""))
    with pytest.raises(InputRefused, match="are not those of the format 'aws-cur'"):
        preview(home, [write_focus(tmp_path / "f.csv", [focus_row()]), bill], LoadOptions(format="aws-cur"))
