"""Forecasts of daily series: what is certain is exact, what is not has a band, and nothing is too odd to be answered."""

import warnings
from datetime import date, timedelta
from pathlib import Path

import numpy
import polars
import pytest

from finops_core.analysis.forecasting import forecast, paths
from finops_core.analysis.forecasting.backtest import backtest, relative_errors
from finops_core.analysis.forecasting.bands import bands
from finops_core.errors import UsageError
from finops_core.store.home import Home
from tests.shell import farthing

WORKDAYS = [100.0 if n % 7 < 5 else 20.0 for n in range(140)]
"""Twenty weeks from a Monday: Saturdays and Sundays cost a fifth."""
BEGIN = date(2026, 1, 5)


def series(name: str, costs: list[float | None], first: date = BEGIN) -> polars.DataFrame:
    return polars.DataFrame(
        {
            "series_id": [name] * len(costs),
            "date": [first + timedelta(n) for n in range(len(costs))],
            "cost": costs,
        },
        schema={"series_id": polars.String, "date": polars.Date, "cost": polars.Float64},
    )


def noisy(count: int, days: int, growth: float = 0.0) -> list[polars.DataFrame]:
    random = numpy.random.default_rng(1)
    return [
        series(f"s{n:02}", list(1000 * numpy.exp(growth * numpy.arange(days)) * random.normal(1, 0.03, days)))
        for n in range(count)
    ]


def test_weekdays_go_on_and_months_are_the_sums_of_their_days() -> None:
    days = forecast(series("a", WORKDAYS), 30).table
    assert days["period"][0] == BEGIN + timedelta(140)
    expected = [100.0 if n % 7 < 5 else 20.0 for n in range(30)]
    assert numpy.allclose(days["mean"].to_numpy(), expected)
    months = forecast(series("a", WORKDAYS), 30, "month").table
    assert months["period"].to_list() == [date(2026, 5, 1), date(2026, 6, 1)]
    assert months["mean"].to_list() == pytest.approx([sum(expected[:7]), sum(expected[7:])])
    assert paths(series("a", WORKDAYS), 30)["mean"].to_list() == days["mean"].to_list()


def test_what_incidents_add_now_and_then_is_in_the_sum() -> None:
    random = numpy.random.default_rng(2)
    costs = 100 * numpy.exp(0.03 * random.standard_normal((40, 300)))
    for row in costs:
        for day in numpy.flatnonzero(random.random(300) < 1 / 60):
            row[day : day + 6] *= 3
    told = forecast(polars.concat([series(f"s{n:02}", list(row)) for n, row in enumerate(costs)]), 30).table
    # A usual day costs 100 and a mean one 118; of what is usual alone, the sum was 111.
    assert told["mean"].mean() == pytest.approx(costs.mean(), rel=0.03)
    assert told["mean"].mean() > 113


def test_a_spike_is_no_level_and_growth_is_followed() -> None:
    calm = noisy(12, 200)
    spiked = calm[0].with_columns(
        polars.when(polars.col("date") == BEGIN + timedelta(190)).then(9000.0).otherwise("cost").alias("cost")
    )
    told = forecast(polars.concat([spiked, *calm[1:]]), 30, "month").table
    usual = told.group_by("series_id").agg(polars.col("mean").sum()).sort("series_id")["mean"].to_list()
    assert usual[0] == pytest.approx(30_000, rel=0.10)  # with its spike, the mean of 28 days says 38,600
    growing = forecast(polars.concat(noisy(12, 200, growth=0.004)), 30, "month").table
    assert growing["mean"].sum() / (12 * 30 * 1000) == pytest.approx(numpy.exp(0.004 * 214.5), rel=0.05)


def test_only_the_past_is_read_and_the_same_is_said_again() -> None:
    costs = numpy.stack([frame["cost"].to_numpy() for frame in noisy(6, 200)])
    tested = backtest(costs, numpy.zeros(6, int))
    later = costs.copy()
    later[:, 170:] *= 5
    assert (tested.said[:, 0] == backtest(later, numpy.zeros(6, int)).said[:, 0])[:, :, 0].all()


def test_bands_hold_four_of_five_errors() -> None:
    random = numpy.random.default_rng(2)
    errors = random.normal(0, 0.1, (6, 200, 3))
    found = bands(errors)
    fresh = random.normal(0, 0.1, (50, 200))
    assert numpy.mean((fresh >= -found.low[:, 0]) & (fresh <= found.high[:, 0])) == pytest.approx(
        0.8, abs=0.02
    )
    costs = numpy.stack([frame["cost"].to_numpy() for frame in noisy(6, 200)])
    tested = backtest(costs, numpy.zeros(6, int))
    assert numpy.nanmax(numpy.abs(relative_errors(tested, tested.chosen(), numpy.zeros(6)))) < 0.1


@pytest.mark.parametrize(
    ("costs", "method", "first"),
    [
        ([5.0], "mean", 5.0),
        ([1.0, 2.0, 3.0, 4.0, 5.0], "mean", 3.0),
        ([100.0] * 200, "constant", 100.0),
        ([0.0] * 200, "constant", 0.0),
        ([-50.0, -60.0] * 100, "weekday mean", -55.0),
        ([None if n % 13 == 0 else 10.0 for n in range(200)], "constant", 10.0),
        ([20.0] * 150 + [1e9] + [20.0] * 99, "constant", 20.0),
        ([30.0] * 100 + [None] * 100, "ended", 0.0),
        ([None] * 200, "ended", 0.0),
    ],
)
def test_any_series_is_answered(costs: list[float | None], method: str, first: float) -> None:
    last = series("z", [1.0], BEGIN + timedelta(len(costs) - 1))  # the newest day of all
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = forecast(polars.concat([series("a", costs), last]), 40)
    told = found.methods.row(0, named=True)
    assert (told["series_id"], told["method"]) == ("a", method)
    row = found.table.row(0, named=True)
    assert row["mean"] == pytest.approx(first, rel=0.1)
    assert row["p10"] <= row["p50"] <= row["p90"]


def test_nothing_and_too_far() -> None:
    assert forecast(series("a", []), 10).table.is_empty()
    with pytest.raises(UsageError, match="1 to 1,100 days"):
        forecast(series("a", [1.0]), 0)


def test_the_command_line_reads_a_file_and_says_where_it_is_wrong(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "series.csv"
    file.write_text("date,series_id,cost\n2026-01-30,a,2\n2026-01-31,a,2\n", "utf-8")
    told = farthing(home, "forecast-series", file, "--horizon-days", "2", "--grain", "month")
    assert told.stdout.splitlines()[0] == "series_id,period,mean,p10,p50,p90"
    assert told.stdout.splitlines()[1].startswith("a,2026-02-01,4.0,")
    for line, words in (
        ("2026-02-30,a,2", "row 4, column 'date': '2026-02-30' is no date"),
        ("2026-02-01,a,two", "row 4, column 'cost': 'two' is no number"),
        ("2026-01-31,a,2", "row 4, column 'date': '2026-01-31' is there twice"),
        ("2026-02-01,,2", "row 4, column 'series_id'"),
        ("9999-12-31,a,2", "row 4, column 'date': '9999-12-31' is no day of 1970 to 2999"),
        ("0026-02-01,a,2", "row 4, column 'date': '0026-02-01' is no day of 1970 to 2999"),
        ("2026-02-01,a,-1e308", "row 4, column 'cost': '-1e308' is more than any cost"),
    ):
        file.write_text(f"date,series_id,cost\n2026-01-30,a,2\n2026-01-31,a,2\n{line}\n", "utf-8")
        refused = farthing(home, "forecast-series", file, "--horizon-days", "2")
        assert (refused.returncode, refused.stdout) == (3, "") and words in refused.stderr


def test_tiny_costs_are_written_without_an_exponent(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "series.csv"
    days = (f"a,{date(2026, 1, 1) + timedelta(n)},0.000000000001\n" for n in range(60))
    file.write_text(f"series_id,date,cost\n{''.join(days)}", "utf-8")
    told = farthing(home, "forecast-series", file, "--horizon-days", "2")
    assert told.stdout.splitlines()[1] == "a,2026-03-02" + ",0.000000000001" * 4 and told.stderr == ""
