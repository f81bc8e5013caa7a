"""Incidents of known size are found, once, when and where they are; what is no incident is not told."""

import io
import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy
import polars
import pytest

from finops_core.analysis.detection import Evidence, Finding, Settings, evidence, findings
from finops_core.errors import InputRefused
from finops_core.store.home import Home
from tests.shell import farthing

FIRST = date(2025, 1, 6)
"""A Monday."""
DAYS = 240
AT = 150
"""The day, from FIRST, on which incidents begin: Thursday, 5 June."""


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def usual(seed: int, level: float = 200.0, noise: float = 0.04, weekend: float = 0.5) -> numpy.ndarray:
    random = numpy.random.default_rng(seed)
    shape = numpy.where(numpy.arange(DAYS) % 7 < 5, 1.0, weekend)
    return level * shape * (1 + noise * random.standard_normal(DAYS))


def table(series: Mapping[str, Sequence[float | None]]) -> polars.DataFrame:
    rows = [(name, day(n), cost) for name, costs in series.items() for n, cost in enumerate(costs)]
    schema = {"series_id": polars.String, "date": polars.Date, "cost": polars.Float64}
    return polars.DataFrame(rows, schema, orient="row")


def books() -> dict[str, numpy.ndarray]:
    """Six incidents and five series without one."""
    made = {
        name: usual(seed)
        for seed, name in enumerate(("spike", "drop", "runaway", "weekend", "shift", "leak"))
    }
    made["spike"][AT : AT + 2] += 500
    made["drop"][AT : AT + 4] *= 0.1
    made["runaway"][AT : AT + 9] += 20 * 1.4 ** numpy.arange(9)
    weekends = [n for n in range(AT, AT + 25) if n % 7 >= 5]
    made["weekend"][weekends] += 120
    made["shift"][AT : AT + 30] += 120
    made["leak"][AT : AT + 60] += 2.5 * numpy.arange(1, 61)
    made["steady"] = usual(10, weekend=1.0)
    made["office"] = usual(11, weekend=0.02)
    made["growing"] = usual(12) * 1.004 ** numpy.arange(DAYS)
    month_end = numpy.array([(day(n) + timedelta(days=2)).day <= 2 for n in range(DAYS)])
    made["month end"] = usual(13) * numpy.where(month_end, 1.8, 1.0)
    moving = numpy.clip((numpy.arange(DAYS) - AT) / 42, 0, 1)
    made["leaving"], made["arriving"] = usual(14) * (1 - moving), usual(14) * moving
    return made


@pytest.fixture(scope="module")
def made() -> polars.DataFrame:
    return table({name: costs.tolist() for name, costs in books().items()})


@pytest.fixture(scope="module")
def found(made: polars.DataFrame) -> Evidence:
    return evidence(made)


def raised(rows: Sequence[Finding]) -> set[tuple[str, date, str, float, date]]:
    return {(f.series_id, f.start, f.direction, f.score, f.first_seen) for f in rows}


def test_each_incident_is_one_finding_and_nothing_else_is(found: Evidence) -> None:
    rows = {f.series_id: f for f in findings(found)}
    assert len(rows) == len(findings(found))
    # series → direction, latest day to be seen, first and last day, money
    expected = {
        "spike": ("up", 0, AT, AT + 1, 1000),
        "drop": ("down", 0, AT, AT + 3, -540),
        "runaway": ("up", 2, AT, AT + 8, 982),
        "weekend": ("up", 2, AT + 2, AT + 24, 960),
        "shift": ("up", 0, AT, AT + 29, 3600),
    }
    leak = rows.pop(
        "leak"
    )  # of an end that nobody sees: after weeks, what it has grown to is the usual level
    assert AT < (leak.first_seen - FIRST).days < AT + 14
    assert leak.start >= day(AT)
    assert leak.end <= day(AT + 59)
    assert leak.impact > 1000
    assert rows.keys() == expected.keys()
    for name, (direction, late, start, end, money) in expected.items():
        row = rows[name]
        assert row.direction == direction, name
        assert AT <= (row.first_seen - FIRST).days <= AT + late, name
        assert day(start) <= row.start <= row.first_seen, name
        assert abs((row.end - day(end)).days) <= 1, name
        assert row.impact == pytest.approx(money, rel=0.1), name
        assert row.impact == pytest.approx(row.actual - row.expected)
        assert not row.ongoing, name
    kinds = {name: row.kind for name, row in rows.items()}
    assert kinds | {"leak": leak.kind} == {
        "spike": "spike",
        "drop": "drop",
        "runaway": "runaway",
        "weekend": "weekend leak",
        "shift": "level shift",
        "leak": "slow leak",
    }


def test_cutting_off_the_future_changes_nothing_in_the_past(made: polars.DataFrame, found: Evidence) -> None:
    whole = raised(findings(found))
    for last in (AT + 1, AT + 4, AT + 20, AT + 45):
        part = findings(evidence(made.filter(polars.col("date") <= day(last))))
        assert raised(part) == {row for row in whole if row[-1] <= day(last)}
    going_on = {
        f.series_id for f in findings(evidence(made.filter(polars.col("date") <= day(AT + 5)))) if f.ongoing
    }
    assert {"runaway", "shift"} <= going_on
    assert "spike" not in going_on


def test_the_last_days_alone_are_those_of_the_whole(made: polars.DataFrame, found: Evidence) -> None:
    since = day(DAYS - 2)
    assert evidence(made, since).days.equals(found.days.filter(polars.col("date") >= since))
    kept = io.BytesIO()
    found.days.write_parquet(kept)
    assert raised(findings(Evidence(polars.read_parquet(io.BytesIO(kept.getvalue()))))) == raised(
        findings(found)
    )


def test_what_a_reader_sets_changes_what_is_told(found: Evidence) -> None:
    default = findings(found)
    by_sensitivity = [len(findings(found, Settings(sensitivity=s))) for s in (0.0, 0.5, 1.0)]
    assert by_sensitivity == sorted(by_sensitivity)
    assert by_sensitivity[0] < by_sensitivity[2]
    weak = min(default, key=lambda f: f.score)
    taught = findings(found, Settings(by_series={weak.series_id: 1000.0}))
    assert {f.series_id for f in default} - {f.series_id for f in taught} == {weak.series_id}
    dear = findings(found, Settings(least_money=400.0))
    assert "spike" in {f.series_id for f in dear}
    assert all(f.first_seen >= day(AT) for f in dear)


def test_days_that_are_not_complete_are_judged_by_what_is_usually_there() -> None:
    spent = usual(3)
    spent[-2:] = [90.0, 20.0]  # normal days of which not all charges are there yet
    high = usual(4)
    high[-2:] = [400.0, 120.0]  # of which 80 and 20 % are there: 500 and 600 in all
    seen = evidence(table({"normal": spent.tolist(), "high": high.tolist()}))
    assert ("normal", "down") in {(f.series_id, f.direction) for f in findings(seen)}
    settings = Settings(complete_until=day(DAYS - 3), usual_share={1: 0.8, 0: 0.2})
    assert [(f.series_id, f.first_seen) for f in findings(seen, settings)] == [("high", day(DAYS - 2))]


ODD: dict[str, list[float | None]] = {
    "one day": [5.0],
    "short": [100.0] * 20,
    "constant": [100.0] * DAYS,
    "zero": [0.0] * DAYS,
    "negative": [-100.0] * DAYS,
    "unknown": [None] * DAYS,
    "gaps": [None if n % 3 == 0 else 100.0 + n % 5 for n in range(DAYS)],
    "on and off": [400.0 if n % 11 < 4 else 0.0 for n in range(DAYS)],
    "tiny": [1e-12 * (n % 7) for n in range(DAYS)],
}


@pytest.mark.filterwarnings("error")
def test_odd_series_are_quiet_and_a_giant_value_is_told() -> None:
    empty = polars.DataFrame(schema={"series_id": polars.String, "date": polars.Date, "cost": polars.Float64})
    assert findings(evidence(empty)) == []
    giant = [100.0 + n % 3 for n in range(DAYS)]
    giant[AT] = 1e12
    rows = findings(evidence(table(ODD | {"giant": giant})))
    assert [(f.series_id, f.start, f.end, f.direction) for f in rows] == [("giant", day(AT), day(AT), "up")]
    for name, costs in ODD.items():
        assert findings(evidence(table({name: costs}))) == []


@pytest.mark.parametrize("sensitivity", [0.2, 0.5, 0.9])
def test_tellings_of_an_incident_are_surer_each_time_and_share_its_days(
    found: Evidence, sensitivity: float
) -> None:
    rows = findings(found, Settings(sensitivity=sensitivity))
    for row in rows:
        tellings = row.tellings
        assert (tellings[0].start, tellings[-1].end) == (row.start, row.end)
        assert (tellings[0].first_seen, tellings[0].score) == (row.first_seen, row.score)
        assert sum(t.impact for t in tellings) == pytest.approx(row.impact)
        for before, after in pairwise(tellings):
            assert after.start == before.end + timedelta(days=1) == after.first_seen
            assert after.score >= 1.4 * before.score
            assert (after.first_seen - before.first_seen).days >= 3
    assert max(len(row.tellings) for row in rows) >= 2


def test_what_is_told_again_comes_when_a_reader_who_wants_to_be_surer_is_told(found: Evidence) -> None:
    bar = 2.0  # of the score at sensitivity 0.5: what 2.5 ** (1 - 2 * sensitivity) says at this one
    wary = findings(found, Settings(sensitivity=(1 - math.log(bar, 2.5)) / 2))
    told = {(f.series_id, t.first_seen) for f in findings(found) for t in f.tellings if t.score >= bar * 1.4}
    seen = {f.series_id: f.first_seen for f in wary}
    assert {name for name, _ in told} <= seen.keys()
    assert all(seen[name] <= day for name, day in told)
    assert any((f.tellings[0].score < bar) and (f.series_id in seen) for f in findings(found))


def test_an_incident_over_the_end_of_a_month_is_not_taken_for_a_batch_the_month_after() -> None:
    costs = usual(21, weekend=1.0)
    costs[AT - 42 : AT - 12] += (
        150  # 24 April to 23 May: the end of April stands out, and the weeks around it as well
    )
    costs[AT + 23 : AT + 40] += 200  # from 28 June on
    rows = findings(evidence(table({"shifting": costs.tolist()})))
    second = [f for f in rows if f.start >= day(AT)]
    assert [(f.start, f.first_seen) for f in second] == [(day(AT + 23), day(AT + 23))]


def test_detect_writes_the_findings_and_refuses_what_is_no_series(
    made: polars.DataFrame, found: Evidence, tmp_path: Path
) -> None:
    series, out = tmp_path / "series.csv", tmp_path / "found.csv"
    made.write_csv(series)
    assert farthing(Home(tmp_path), "detect", series, "--out", out).returncode == 0
    told = polars.read_csv(out, schema_overrides={"score": polars.String}, try_parse_dates=True)
    assert told.columns == ["series_id", "start", "end", "direction", "impact", "score", "first_seen"]
    rows = [
        (f.series_id, t.start, t.end, t.first_seen, f"{t.score:.6f}")
        for f in findings(found)
        for t in f.tellings
    ]
    assert told.select("series_id", "start", "end", "first_seen", "score").rows() == sorted(
        rows, key=lambda row: (row[3], row[0], row[1])
    )
    assert told["impact"].sum() == pytest.approx(sum(f.impact for f in findings(found)), abs=0.1)
    series.write_text("series_id,date,cost\na,2025-01-01,1\na,2025-01-32,2\n")
    refused = farthing(Home(tmp_path), "detect", series)
    assert refused.returncode == InputRefused.exit_code
    assert "row 3" in refused.stderr
    assert "'date'" in refused.stderr
