"""Deployments: read whole or not at all, with their place; kept once; written as they are read."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core.errors import InputRefused, UsageError
from finops_core.store.deployments import Deployment, add, deployments, from_csv, in_utc
from finops_core.store.home import Home
from finops_core.store.state import State

HEADER = "deployed_at,team,application,environment,version,change"
ONE = "2026-11-14T01:30:00+02:00,checkout,shop,prod,7,Log level"


def test_a_time_is_kept_in_utc_and_a_second_time_is_no_second_deployment(home: Home) -> None:
    state, told = State(home), from_csv(f"\ufeff{HEADER},more\n{ONE},x\n\n".encode())
    assert told == [Deployment("2026-11-13T23:30:00Z", "checkout", "shop", "prod", "7", "Log level")]
    assert told[0].day == date(2026, 11, 13)
    assert told[0].in_words() == "shop 7, prod (Log level)"
    assert (add(state, told, "Ada").added, add(state, told, "Ada").unchanged) == (1, 1)
    told_again = Deployment("2026-11-13T23:30:00Z", "checkout", "shop", "prod", "7", "Rollback")
    add(state, [told_again], "Ada")
    assert deployments(state) == [told_again]


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [
        (HEADER, None, None),
        (HEADER.replace(",change", ""), 1, None),
        (f"{HEADER}\n{ONE}\n2026-11-14T01:30:00,checkout,shop,prod,7,", 3, "deployed_at"),
        (f"{HEADER}\n2026-02-30T01:30:00Z,checkout,shop,prod,7,", 2, "deployed_at"),
        (f"{HEADER}\n{ONE},more", 2, None),
        (f"{HEADER}\n2026-11-14T01:30:00Z,,,prod,7,", 2, None),
        (f"{HEADER}\n2026-11-14T01:30:00Z,{'t' * 301},shop,prod,7,", 2, "team"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(text: str, row: int | None, column: str | None) -> None:
    with pytest.raises(InputRefused) as refused:
        from_csv(text.encode())
    assert (refused.value.place.row, refused.value.place.column) == (row, column)


@settings(max_examples=40, deadline=None)
@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_a_time_is_the_same_instant(moment: datetime, minutes: int) -> None:
    told = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    found = in_utc(told.isoformat())
    assert found.endswith("Z") and datetime.fromisoformat(found) == told.astimezone(UTC)


def test_a_time_without_a_zone_is_no_time() -> None:
    with pytest.raises(UsageError, match="no time with a zone"):
        in_utc("2026-11-14 01:30")


def test_the_list_is_read_back(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "told.csv"
    file.write_text(f'{HEADER}\n2026-11-13T23:30:00Z,checkout,shop,prod,7,"Log level, höher"\n', "utf-8")

    def farthing(*words: str) -> str:
        command = [sys.executable, "-m", "finops_core", "--home", str(home.path), "deployments", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    farthing("add", str(file))
    assert farthing("list", "--format", "csv") == file.read_text("utf-8")
