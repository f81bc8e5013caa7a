"""Figures in words."""

from decimal import Decimal

import pytest

from finops_core.model import words
from finops_core.model.periods import Period
from finops_core.model.words import percent


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0.00"),
        ("0.001", "<0.01"),
        ("-0.001", ">−0.01"),
        ("0.005", "0.00"),
        ("0.015", "0.02"),
        ("12.345", "12.34"),
        ("999.99", "999.99"),
        ("999.995", "1,000"),
        ("41280.49", "41,280"),
        ("-1234.5", "−1,234"),
    ],
)
def test_amounts(value: str, text: str) -> None:
    assert words.amount(Decimal(value)) == text


def test_an_unknown_amount_is_said() -> None:
    assert words.money(None, "EUR") == "unknown EUR"


@pytest.mark.parametrize(
    ("after", "before", "text"),
    [
        ("110", "100", "+10.00 (+10 %)"),
        ("100", "110", "−10.00 (−9.1 %)"),
        ("5", "0", "+5.00 (new)"),
        ("5", "0.001", "+5.00 (new)"),
        ("7", "7", "no change"),
        ("-50", "-100", "+50.00 (+50 %)"),
    ],
)
def test_changes(after: str, before: str, text: str) -> None:
    assert words.change(Decimal(after), Decimal(before)) == text


@pytest.mark.parametrize(
    ("days", "text"),
    [
        ("2026-10-01..2026-11-01", "October 2026"),
        ("2026-05-01..2026-11-01", "May to October 2026"),
        ("2025-12-01..2026-03-01", "December 2025 to February 2026"),
        ("2026-11-01..2026-11-24", "1 to 23 November 2026"),
        ("2026-11-09..2026-11-10", "9 November 2026"),
        ("2026-06-01..2026-11-24", "1 June to 23 November 2026"),
        ("2025-12-31..2026-01-02", "31 December 2025 to 1 January 2026"),
    ],
)
def test_periods(days: str, text: str) -> None:
    assert words.period(Period.parse(days)) == text


@pytest.mark.parametrize(
    ("share", "said"),
    [("0.994", "99 %"), ("0.9962", "99.6 %"), ("0.99999", "99.9 %"), ("1", "100 %"), ("-0.9999", "−99.9 %")],
)
def test_nearly_all_is_not_called_all(share: str, said: str) -> None:
    assert percent(Decimal(share)) == said


def test_moments() -> None:
    assert words.moment("2026-11-06T10:54:34Z") == "6 November 2026 at 10:54 UTC"
    assert words.stamp("2026-11-06T10:54:34Z") == "2026-11-06 10:54 UTC"


def test_a_count_has_its_noun() -> None:
    assert words.counted(1, "month") == "1 month"
    assert words.counted(1234, "anomaly", "anomalies") == "1,234 anomalies"
