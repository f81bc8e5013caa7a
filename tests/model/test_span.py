"""A day is complete when the exports that reach it were loaded well after it, whatever else was loaded when."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from finops_core.model.ledger import Ledger
from finops_core.model.span import span
from finops_core.store import load as loading
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from tests.exports import focus_row, write_focus


def month(number: int, days: range) -> list[dict[str, str]]:
    """A dollar a day of a month of 2026."""
    return [
        focus_row(
            BillingPeriodStart=f"2026-{number:02}-01T00:00:00Z",
            BillingPeriodEnd=f"2026-{number + 1:02}-01T00:00:00Z",
            ChargePeriodStart=f"2026-{number:02}-{day:02}T00:00:00Z",
            ChargePeriodEnd=f"2026-{number:02}-{day + 1:02}T00:00:00Z",
        )
        for day in days
    ]


AUGUST, SEPTEMBER = month(8, range(1, 21)), month(9, range(1, 11))
DAY = date(2026, 9, 10)
"""The newest day with charges."""


@pytest.mark.parametrize(
    ("loads", "complete_until"),
    [
        ([("a", AUGUST, 11), ("a", SEPTEMBER, 11)], DAY),
        ([("a", SEPTEMBER, 11), ("a", AUGUST, 20)], DAY),
        ([("a", AUGUST, 11), ("a", SEPTEMBER, 20)], date(2026, 9, 11)),
        ([("a", SEPTEMBER, 11), ("a", [*SEPTEMBER, *SEPTEMBER[:1]], 20)], date(2026, 9, 11)),
        ([("a", SEPTEMBER, 11), ("b", month(9, range(1, 10)), 20)], DAY),
        ([("a", SEPTEMBER, 20), ("b", SEPTEMBER, 11)], DAY),
        ([("a", SEPTEMBER, 20), ("b", SEPTEMBER, 21)], date(2026, 9, 11)),
    ],
    ids=[
        "loaded at once",
        "an older month anew, later",
        "loaded late",
        "loaded anew, late",
        "another source late that ends before",
        "one of two sources late",
        "both late",
    ],
)
def test_the_newest_day_is_complete_once_all_that_reaches_it_was_loaded_well_after_it(
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    loads: list[tuple[str, list[dict[str, str]], int]],
    complete_until: date,
) -> None:
    for number, (source, rows, day) in enumerate(loads):

        class Clock(datetime):
            moment = datetime(2026, 9, day, 6, tzinfo=UTC)

            @classmethod
            def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
                return cls.moment

        monkeypatch.setattr(loading, "datetime", Clock)
        ids = [{**row, "SubAccountId": source, "BillingAccountId": source} for row in rows]
        load(home, [write_focus(tmp_path / f"{number}.csv", ids)], LoadOptions(source=source))
    found = span(Ledger(home))
    assert (found.end, found.complete_until) == (date(2026, 9, 11), complete_until)
