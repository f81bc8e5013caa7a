"""Charts draw what is known, and mark events where they happened."""

from datetime import date
from decimal import Decimal

import polars

from finops_core.analysis.precise import MONEY
from ui import charts, figures
from ui.charts import Mark

SERIES = polars.DataFrame(
    [
        (date(2026, 9, 1), "a", "member", Decimal("10.5")),
        (date(2026, 9, 2), "a", "member", None),
        (date(2026, 9, 2), "b", "member", Decimal("2")),
    ],
    schema={"ChargePeriod": polars.Date, "Member": polars.String, "Kind": polars.String, "cost": MONEY},
    orient="row",
)


def drawn(*marks: Mark) -> charts.Spec:
    return charts.over_time(SERIES, "day", "USD", date(2026, 9, 30), [], marks=marks)


def test_what_is_not_known_is_not_drawn_as_nothing() -> None:
    rows = drawn()["layer"][0]["data"]["values"]
    assert [(row["Period"], row["Member"], row["Cost"]) for row in rows] == [
        ("1 Sep", "a", "10.5 USD"),
        ("2 Sep", "b", "2 USD"),
    ]


def test_events_of_a_day_are_one_mark_and_others_none() -> None:
    days = (date(2026, 9, 2), date(2026, 9, 2), date(2026, 8, 31))
    chart = drawn(*(Mark(day, f"release {n}") for n, day in enumerate(days)))
    assert chart["layer"][1]["data"]["values"] == [
        {
            "Period": "2 Sep",
            "What": "release 0; release 1",
            "Label": "2 Sep: release 0; release 1",
        }
    ]
    assert len(drawn(Mark(date(2026, 8, 31), "before"))["layer"]) == 1


def test_a_line_ends_at_its_last_value_and_stands_on_zero() -> None:
    line = figures.line([Decimal(0), Decimal(5), Decimal(10)])
    assert "M3.0,31.0 120.0,17.0 237.0,3.0" in line
    assert 'd="M3,31.0 L' in line
