"""Incidents: one report a cause, at the cut that explains it, with its contributors; what is none is not reported."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy
import polars
import pytest

from finops_core import Ledger, Query
from finops_core.analysis.detection import Finding
from finops_core.analysis.incidents import (
    Incident,
    KnownEvent,
    Settings,
    explain,
    find,
    finding,
    series_of,
    watching,
)
from finops_core.analysis.incidents.causes import Cause, causes
from finops_core.analysis.incidents.completeness import Loads, judged, last_day, shares_of
from finops_core.analysis.incidents.contributing import parts
from finops_core.analysis.incidents.cuts import CUTS, LEAF, Book
from finops_core.analysis.incidents.series_names import Series
from finops_core.analysis.incidents.severities import FILE, severities
from finops_core.errors import InputRefused
from finops_core.model.query import Condition
from finops_core.store import derived, restating
from finops_core.store.deployments import Deployment
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from tests.exports import csv_text, focus_row
from tests.shell import farthing

FIRST, DAYS = date(2026, 1, 5), 80
WEB = ("web", "Compute", "a1", "eu")
ML = ("ml", "Compute", "a2", "eu")
NEW = ("ml", "Compute", "a3", "eu")
LOGS = ("web", "Logs", "a1", "eu")
CELLS = (WEB, ML, NEW, LOGS, ("search", "Compute", "a4", "us"), ("search", "Logs", "a4", "us"))
USUAL = (400.0, 300.0, 0.0, 50.0, 200.0, 40.0)


def book(*changes: tuple[tuple[str, str, str, str], int, int, float]) -> Book:
    """Six cells with a weekend, and changes of a cell: first and last column, money a day."""
    shape = numpy.where(numpy.arange(DAYS) % 7 < 5, 1.0, 0.8)
    costs = numpy.outer(USUAL, shape)
    for cell, start, end, money in changes:
        costs[CELLS.index(cell), start : end + 1] += money
    cells = polars.DataFrame([dict(zip(LEAF, cell, strict=True)) for cell in CELLS])
    return Book("USD", FIRST, cells, costs, costs)


def raised(found: Book, start: int, end: int, seen: int, direction: str = "up") -> list[Finding]:
    """A finding of every series that moved by 100 or more from one column to another, all on one day."""
    sign = 1 if direction == "up" else -1
    result = []
    for cut in CUTS:
        costs = found.of_cut(cut)
        for members, number in found.group(cut).members.items():
            days = costs[number, start : end + 1]
            usual = costs[number, start - 7 : start].sum() / 7
            money = float(days.sum() - usual * len(days))
            if money * sign >= 100:
                name = Series("USD", cut, members).id
                at = [found.day(n) for n in (start, end, seen)]
                result.append(
                    Finding(name, *at, direction, money, 0.0, money, money / len(days), 2.0, "spike", False)  # type: ignore[arg-type]
                )
    return result


def told(found: Book, *findings: Sequence[Finding]) -> list[tuple[str, ...]]:
    """The members of the causes' series."""
    known = causes(found, [f for group in findings for f in group], 100)
    return [tuple(filter(None, cause.series.members)) for cause in known]


def test_what_shows_in_every_cut_is_one_cause_at_the_smallest() -> None:
    spike = book((LOGS, 60, 61, 900.0))
    findings = raised(spike, 60, 61, 60)
    assert len(findings) == len(CUTS)
    (cause,) = causes(spike, findings, 100)
    assert (cause.series.dimensions, cause.series.members) == (("x_Team", "ServiceName"), ("web", "Logs"))
    assert (cause.start, cause.seen, cause.end(79)) == (60, 60, 61)


def test_two_causes_on_one_day_are_two_and_many_that_move_alike_are_one() -> None:
    two = book((LOGS, 60, 61, 900.0), (ML, 60, 61, 700.0))
    assert sorted(told(two, raised(two, 60, 61, 60))) == [("ml", "Compute"), ("web", "Logs")]
    alike = book(*((cell, 60, 62, 0.5 * USUAL[CELLS.index(cell)]) for cell in CELLS if cell[1] == "Compute"))
    assert told(alike, raised(alike, 60, 62, 60)) == [("Compute",)]


def test_what_goes_on_already_is_no_part_of_a_wider_cause() -> None:
    both = [(cell, 60, 65, 0.4 * usual) for cell, usual in zip(CELLS, USUAL, strict=True) if cell[0] != "ml"]
    season = book((ML, 50, 79, 300.0), *both)
    known = causes(season, [*raised(season, 50, 56, 51), *raised(season, 60, 65, 60)], 100)
    assert [cause.series.members for cause in known] == [("ml", "Compute"), ("Compute",)]
    assert known[1].without == (known[0].series,)
    assert [CELLS[n] for n in numpy.flatnonzero(known[1].cells)] == [WEB, ("search", "Compute", "a4", "us")]


def test_a_cause_is_the_same_however_much_is_known() -> None:
    leak = book((LOGS, 60, 79, 300.0))
    findings = [*raised(leak, 60, 79, 61), *raised(leak, 66, 79, 67)]
    early: list[Cause] = causes(leak.until(FIRST + timedelta(64)), raised(leak, 60, 64, 61), 100)
    late = causes(leak, findings, 100)
    assert [(c.series, c.start, c.seen) for c in early] == [(c.series, c.start, c.seen) for c in late]


@pytest.mark.parametrize(
    "none",
    [
        # the work of a team goes from one account to another
        (book((ML, 50, 79, -200.0), (NEW, 50, 79, 200.0)), 50, 79),
        # a fee, once a month
        (book(*((NEW, day, day, 500.0) for day in (10, 40, 70))), 70, 70),
        # the last days of a month, as in the month before (23 to 25 are those of January, 51 to 53 of February)
        (book((WEB, 24, 26, 200.0), (WEB, 52, 54, 210.0)), 52, 54),
    ],
)
def test_what_is_expected_is_no_cause(none: tuple[Book, int, int]) -> None:
    found, start, end = none
    up, down = raised(found, start, end, end), raised(found, start, end, end, "down")
    assert up or down
    assert told(found, up, down) == []


def test_what_does_not_end_with_the_month_is_told_of_after_it() -> None:
    begun = book((WEB, 24, 26, 200.0), (WEB, 52, 60, 210.0))
    assert begun.day(54) == date(2026, 2, 28)
    (cause,) = causes(begun, raised(begun, 52, 54, 53), 100)
    assert (begun.day(cause.seen), begun.day(cause.start), cause.end(79)) == (
        date(2026, 3, 2),
        date(2026, 2, 26),
        60,
    )


def test_the_way_back_is_no_cause() -> None:
    shift = book((LOGS, 30, 59, 300.0))
    assert told(shift, raised(shift, 30, 36, 31), raised(shift, 60, 66, 61, "down")) == [("web", "Logs")]
    fallen = book((LOGS, 30, 59, 300.0), (ML, 60, 79, -200.0))
    both = told(fallen, raised(fallen, 30, 36, 31), raised(fallen, 60, 66, 61, "down"))
    assert both == [("web", "Logs"), ("ml", "Compute")]


def test_bounds_of_severity_are_those_of_the_owner(home: Home) -> None:
    def of(impact: str, owner: str = "web", currency: str = "USD") -> str:
        return severities(home).of(Decimal(impact), owner, currency)

    assert [of(i) for i in ("99.99", "-100", "1000", "10000")] == ["info", "warning", "high", "critical"]
    home.rules.mkdir(parents=True)
    (home.rules / FILE).write_text("owners:\n  ml: {warning: 500, high: 5000, critical: 50000}\n")
    assert (of("700"), of("700", "ml"), of("5000", "ml")) == ("warning", "warning", "high")
    (home.rules / FILE).write_text("severity:\n  warning: 10\n  high: 5\n")
    with pytest.raises(InputRefused, match=r"anomalies.yaml, line 1.*must rise"):
        severities(home)
    (home.rules / FILE).write_text("severity:\n  warning: 10\n  hihg: 5\n")
    with pytest.raises(InputRefused, match=r"anomalies.yaml, line 3.*no such field"):
        severities(home)


def test_a_home_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    table = polars.DataFrame({"n": [1]})
    in_the_way = Home(tmp_path / "file")
    in_the_way.path.write_text("")
    assert not derived.keep(in_the_way, "evidence", "a", "v1", table)
    assert derived.newest(in_the_way, "evidence", "a") is None
    home = Home(tmp_path / "home")
    for number in range(4):
        assert derived.keep(home, "evidence", "a", f"v{number}", table.with_columns(n=polars.lit(number)))
    kept = derived.newest(home, "evidence", "a")
    assert kept is not None and kept["n"].to_list() == [3]
    assert derived.read(home, "evidence", "a", "v0") is None
    (home.analysis / "evidence-a-v3.parquet").write_text("no parquet")
    assert derived.read(home, "evidence", "a", "v3") is None


SPIKE = date(2026, 3, 24)
"""The first of two days on which NAT gateways of team web cost 900 dollars more."""
BOUGHT = {"ChargeCategory": "Purchase", "BilledCost": "9000", "EffectiveCost": "9000"}


def charge(day: date, team: str, service: str, account: str, cost: float, **more: str) -> dict[str, str]:
    following = (day.replace(day=1) + timedelta(31)).replace(day=1)
    dates = {
        "ChargePeriodStart": f"{day}T00:00:00Z",
        "ChargePeriodEnd": f"{day + timedelta(1)}T00:00:00Z",
        "BillingPeriodStart": f"{day.replace(day=1)}T00:00:00Z",
        "BillingPeriodEnd": f"{following}T00:00:00Z",
    }
    own = {
        "Tags": f'{{"team": "{team}"}}',
        "ServiceName": service,
        "SubAccountId": account,
        "RegionId": "eu-west-1",
        "ListCost": f"{cost:.4f}",
        "BilledCost": f"{cost:.4f}",
        "EffectiveCost": f"{cost:.4f}",
        "ChargeDescription": f"{service} hours",
    }
    return focus_row(**{**dates, **own, **more})


def days_of_a_company() -> Iterator[dict[str, str]]:
    """84 days: two dollar teams, one that works in euros, a purchase, and the spike."""
    for number in range(84):
        day = date(2026, 1, 5) + timedelta(number)
        wave = 1 + 0.02 * ((number * 7) % 5 - 2)
        yield charge(day, "web", "Compute", "01", 300 * wave, ResourceId="i-1")
        yield charge(day, "ml", "Compute", "02", 200 * wave, ResourceId="i-2")
        yield charge(day, "data", "Compute", "03", 150 * wave, BillingCurrency="EUR", ResourceId="i-3")
        extra = 900.125 if day in (SPIKE, SPIKE + timedelta(1)) else 0
        yield charge(
            day, "web", "Network", "01", 80 * wave + extra, ChargeDescription="NAT bytes", ResourceId="nat"
        )
        if day == SPIKE - timedelta(5):
            yield charge(day, "web", "Compute", "01", 9000, **BOUGHT)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    folder = tmp_path_factory.mktemp("incidents")
    export = folder / "focus.csv"
    export.write_text(csv_text(list(days_of_a_company())), "utf-8")
    load(Home(folder / "home"), [export])
    return Ledger(Home(folder / "home"))


OUT = Deployment(f"{SPIKE - timedelta(1)}T22:00:00Z", "web", "cart", "prod", "2.31")


def test_a_store_has_the_incident_that_happened(ledger: Ledger) -> None:
    (found,) = find(ledger, deployments=[OUT])
    assert (found.currency, found.owner, found.direction) == ("USD", "web", "up")
    assert (found.cut, found.members) == ("x_Team × ServiceName", ("web", "Network"))
    assert (found.start, found.first_seen, found.ongoing) == (SPIKE, SPIKE, False)
    assert found.actual == ledger.query(found.query())["EffectiveCost"].item()
    assert found.impact == found.actual - found.expected
    assert found.severity == "high" and abs(found.impact - Decimal("1800.25")) < 40
    top = {c.dimension: (c.member, round(c.share, 1)) for c in reversed(found.contributors)}
    assert top["SubAccountId"] == ("01", 1.0)
    assert (top["ChargeDescription"], top["ResourceId"]) == (("NAT bytes", 1.0), ("nat", 1.0))
    assert found.deployments == ("cart 2.31, prod",)
    assert found.sentence.endswith("deployment cart 2.31, prod 2 hours before")
    assert "100 % from NAT bytes in eu-west-1, account 01" in found.sentence
    days = series_of(ledger, found).filter(polars.col("date") == SPIKE)
    assert days["cost"].item() == pytest.approx(
        float(ledger.query(found.query().but(end=SPIKE + timedelta(1)))["EffectiveCost"].item())
    )


def test_what_is_said_of_a_day_needs_no_later_one(ledger: Ledger) -> None:
    def keys(as_of: date | None = None) -> list[Incident]:
        return [i.key for i in find(ledger, as_of, deployments=())]

    assert keys(SPIKE - timedelta(1)) == []
    assert keys(SPIKE) == keys()


def test_what_was_announced_is_left_out(ledger: Ledger) -> None:
    network = (Condition("ServiceName", "=", ("Network",)),)
    announced = KnownEvent(SPIKE, SPIKE + timedelta(1), network, "load test")
    assert find(ledger, known=[announced], deployments=()) == []
    elsewhere = KnownEvent(SPIKE, SPIKE, (Condition("x_Team", "=", ("ml",)),))
    assert len(find(ledger, known=[elsewhere], deployments=())) == 1


def test_a_cost_without_a_part_is_the_rest(ledger: Ledger) -> None:
    (found,) = find(ledger, deployments=())
    network = found.member_series
    whole = replace(found, dimensions=("x_Team",), members=("web",))
    rest = replace(whole, without=(network,))
    costs = [ledger.query(i.query())["EffectiveCost"].item() for i in (whole, found, rest)]
    assert costs[0] - costs[1] == costs[2]
    split = [parts(ledger, whole.member_series, i.without, i.start, i.end, FIRST) for i in (whole, rest)]
    assert [part.actual for part in split] == [costs[0], costs[2]]
    assert abs(split[0].impact - 1800) < 40 and abs(split[1].impact) < 40
    assert series_of(ledger, rest).filter(polars.col("date") == SPIKE)["cost"].item() < 320


def test_what_triage_expects_takes_more(ledger: Ledger) -> None:
    (found,) = find(ledger, deployments=())
    expected = Settings(by_series={found.member_series.id: found.score * 1.01})
    assert find(ledger, settings=expected, deployments=()) == []
    still = Settings(by_series={found.member_series.id: found.score * 0.99})
    assert [i.key for i in find(ledger, settings=still, deployments=())] == [found.key]


def test_the_command_tells_of_it(ledger: Ledger) -> None:
    ran = farthing(ledger.home, "anomalies", "--json")
    (record,) = json.loads(ran.stdout)["incidents"]
    (found,) = find(ledger)
    assert (ran.returncode, record["key"], record["state"]) == (0, found.key, "open")
    assert record["series"] == {"x_Team": "web", "ServiceName": "Network"}
    assert (
        Decimal(record["actual"]) - Decimal(record["expected"]) == Decimal(record["impact"]) == found.impact
    )
    assert {"dimension": "ResourceId", "member": "nat"}.items() <= record["contributors"][-1].items()
    assert farthing(ledger.home, "anomalies", "--as-of", "2026-02-30").returncode == 2
    before = farthing(ledger.home, "anomalies", "--as-of", str(SPIKE - timedelta(1)), "--json")
    assert json.loads(before.stdout) == {"incidents": []}


def test_evidence_is_kept_and_only_what_differs_is_computed(ledger: Ledger) -> None:
    whole = watching.watched(ledger)
    assert (ledger.home.analysis / f"evidence-{watching.form()}-{ledger.version}.parquet").exists()
    before = whole.evidence.days.filter(polars.col("date") <= SPIKE)
    again = watching.computed(whole.books, before)
    assert again.select("series_id", "date", "cost").equals(
        whole.evidence.days.select("series_id", "date", "cost")
    )
    finding.forget()
    assert explain(ledger, find(ledger, explained=False), [OUT]) == find(ledger, deployments=[OUT])


def test_an_empty_home_and_one_day_have_no_incidents(home: Home, tmp_path: Path) -> None:
    assert find(Ledger(home)) == []
    export = tmp_path / "focus.csv"
    export.write_text(csv_text([charge(SPIKE, "web", "Compute", "01", -500)]), "utf-8")
    load(home, [export])
    assert find(Ledger(home)) == []


def test_the_newest_days_are_judged_by_what_is_usually_there(tmp_path: Path) -> None:
    home, file = Home(tmp_path / "home"), tmp_path / "focus.csv"
    full = [charge(date(2026, 3, n), "web", "Compute", "01", 100) for n in range(1, 20)]
    half = [
        charge(date(2026, 3, 10), "web", "Compute", "01", 40),
        charge(date(2026, 3, 9), "web", "Compute", "01", 90),
    ]
    for rows in ([*full[:8], *half], full):
        file.write_text(csv_text(rows), "utf-8")
        load(home, [file], LoadOptions(source="cur"))
    shares = restating.usual_shares(home, Ledger(home).batches())
    assert shares == {"cur": {0: 0.4, 1: 0.9, 2: 1.0, 3: 1.0}}
    last = date(2026, 3, 19)
    days = (
        Ledger(home)
        .query(Query("EffectiveCost", ["x_Source"], "day"))
        .with_columns(polars.col("EffectiveCost").cast(polars.Float64).alias("cost"))
    )
    known = Loads({"cur": last}, shares)
    assert last_day(days, known) == last
    usual = shares_of(days, known)
    assert judged(Settings(), last, usual) == Settings(complete_until=date(2026, 3, 17), usual_share=usual)
    assert judged(Settings(complete_until=last), last, usual) == Settings(complete_until=last)
    # nothing learned: a day far below its weekdays does not count, if it was loaded just now
    low = days.with_columns(
        polars.when(polars.col("ChargePeriod") == last).then(30).otherwise(100).alias("cost")
    )
    assert last_day(low, Loads({"cur": last}, {})) == date(2026, 3, 18)
    assert last_day(low, Loads({"cur": last + timedelta(9)}, {})) == last
