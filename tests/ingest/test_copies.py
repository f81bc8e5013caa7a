"""A bill that was downloaded twice counts once; what only the older download has is never lost in silence."""

from decimal import Decimal
from pathlib import Path

import pytest

from finops_core.errors import InputRefused
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from tests.exports import focus_row, write_focus

ROWS = [focus_row(ResourceId=f"r{n}", BilledCost=str(n), EffectiveCost=str(n)) for n in range(1, 6)]


def test_the_newer_of_two_downloads_counts(home: Home, tmp_path: Path) -> None:
    write_focus(tmp_path / "bill.csv", ROWS[:4])
    write_focus(tmp_path / "bill (1).csv", ROWS)
    (batch,) = load(home, [tmp_path])
    assert Decimal(batch.totals["USD"]["BilledCost"]) == 15
    assert any("bill (1).csv is a newer download of bill.csv" in warning for warning in batch.warnings)


def test_an_account_of_the_older_download_alone_is_not_dropped(home: Home, tmp_path: Path) -> None:
    write_focus(tmp_path / "bill.csv", [*ROWS[:4], focus_row(SubAccountId="0999", BilledCost="7")])
    write_focus(tmp_path / "bill (1).csv", ROWS)
    with pytest.raises(InputRefused, match="alone has the account 0999"):
        load(home, [tmp_path])


def test_different_spend_is_kept_when_it_is_said_to_be(home: Home, tmp_path: Path) -> None:
    write_focus(tmp_path / "bill.csv", ROWS)
    write_focus(tmp_path / "bill (1).csv", ROWS)
    (batch,) = load(home, [tmp_path], LoadOptions(allow_overlap=True))
    assert Decimal(batch.totals["USD"]["BilledCost"]) == 30
