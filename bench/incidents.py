"""The demo company's six incidents are found before their deadlines, with the right team, account and usage type; its migration,
month-end batch and purchases are not reported; little else is. What is said on a day does not change with later days.

    python bench/incidents.py [--home HOME]     # by default a demo company is made first
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import polars
from _claims import Claims, farthing, workspace
from _protocol import DEADLINES

from finops_core import Ledger
from finops_core.analysis.incidents import Incident, Settings, find, finding, watching
from finops_core.demo.seasons import MIGRATION

TEAM_MONTHS = 0.5


def matches(incident: Incident, truth: dict[str, Any]) -> bool:
    """Whether an incident is a true one: its currency, direction and days, and its team, account and usage type on top."""
    up = not truth["amount"].startswith("-")
    start, end = date.fromisoformat(truth["start"]), date.fromisoformat(truth["end"])
    top: dict[str, str] = {}
    for contributor in incident.contributors:
        top.setdefault(contributor.dimension, contributor.member)
    wanted = {
        "x_Team": truth["team"],
        "SubAccountId": truth["series"]["SubAccountId"],
        "x_UsageType": truth["series"]["x_UsageType"],
    }
    return (
        incident.currency == truth["currency"]
        and (incident.direction == "up") == up
        and start <= incident.first_seen <= end
        and all(top.get(name) == member for name, member in wanted.items())
    )


def told(incident: Incident) -> str:
    return (
        f"{incident.first_seen}  {incident.start} to {incident.end}  {incident.kind:12} {incident.impact:>10,.0f} "
        f"{incident.currency}  {incident.series} ({incident.owner or '-'})\n      {incident.sentence}"
    )


def truths(claims: Claims, ledger: Ledger, found: Sequence[Incident], home: Path) -> list[Incident]:
    """Holds every true incident against what was found. Returns what was found besides."""
    rest = list(found)
    missed = 0
    for truth in json.loads((home / "demo" / "truth.json").read_text())["incidents"]:
        own = sorted((i for i in found if matches(i, truth)), key=lambda i: i.first_seen)
        print(f"{truth['key']} ({truth['kind']}, {truth['amount'].split('.')[0]} {truth['currency']})")
        if not own:
            missed += 1
            print("      not found")
            continue
        first = own[0]
        print(f"      {told(first)}")
        for incident in own:
            rest.remove(incident)
        days = (first.first_seen - date.fromisoformat(truth["start"])).days + 1
        claims.at_most(f"{truth['key']} raised on day", days, DEADLINES[truth["kind"]])
        claims.at_most(f"{truth['key']} reports", len(own), 1)
        before = find(ledger, as_of=first.first_seen - timedelta(1))
        then = {i.key for i in find(ledger, as_of=first.first_seen)}
        early = first.key in {i.key for i in before}
        claims.at_most(
            f"{truth['key']} walking forward: told before, or not on its day",
            early + (first.key not in then),
            0,
        )
    claims.at_most("true incidents not found", missed, 0)
    return rest


def nothing(claims: Claims, found: Sequence[Incident]) -> None:
    """What happened in the demo company and is no incident."""
    start, end = MIGRATION
    moved = [i for i in found if i.owner == "orders" and start <= i.first_seen <= end + timedelta(28)]
    closing = [
        i
        for i in found
        if all((i.start + timedelta(n + 3)).day <= 3 for n in range((i.end - i.start).days + 1))
    ]
    claims.at_most("reports of the migration", len(moved), 0)
    claims.at_most("reports of the last days of a month", len(closing), 0)


def forward(claims: Claims, ledger: Ledger, found: Sequence[Incident], last: date) -> None:
    """What was told on earlier days is what is told of them now."""
    changed = 0
    for weeks in range(2, 54, 3):
        day = last - timedelta(7 * weeks)
        then = {(i.key, i.start, i.first_seen) for i in find(ledger, as_of=day)}
        now = {(i.key, i.start, i.first_seen) for i in found if i.first_seen <= day}
        changed += len(then ^ now)
        for key in then ^ now:
            print("      differs", day, key)
    claims.at_most("incidents that were told otherwise then", changed, 0)


def speed(claims: Claims, ledger: Ledger, home: Path) -> None:
    """Evidence: anew, a day more, from the home; and another sensitivity."""
    days = watching.watched(ledger).evidence.days
    began = perf_counter()
    watching.computed(watching.watched(ledger).books, None)
    print(
        f"evidence of {days['series_id'].n_unique():,} series, {len(days):,} days, anew: {perf_counter() - began:.1f} s"
    )
    last: Any = days["date"].max()
    began = perf_counter()
    more = watching.computed(watching.watched(ledger).books, days.filter(polars.col("date") < last))
    claims.at_most("evidence of one more day", perf_counter() - began, 5.0, " s")
    claims.at_most(
        "days of it that differ", len(more.join(days, on=more.columns, how="anti", nulls_equal=True)), 0
    )
    began = perf_counter()
    count = len(find(ledger, settings=Settings(sensitivity=0.7)))
    print(f"another sensitivity, {count} incidents explained: {perf_counter() - began:.2f} s")
    began = perf_counter()
    find(ledger, settings=Settings(sensitivity=0.75), explained=False)
    claims.at_most("another sensitivity", perf_counter() - began, 1.0, " s")
    finding.forget()
    began = perf_counter()
    find(ledger)
    print(f"in a new process, evidence kept in the home: {perf_counter() - began:.1f} s")


parser = argparse.ArgumentParser()
parser.add_argument("--home", type=Path, help="a demo company's home; by default one is made")
parser.add_argument(
    "--directory", type=Path, help="where a home is made and kept; by default a temporary one"
)
options = parser.parse_args()
claims = Claims()
with workspace(options.directory) as directory:
    home = options.home or directory / "home-demo"
    if not (home / "finops.duckdb").exists():
        farthing(home, "demo")
    shutil.rmtree(home / "analysis", ignore_errors=True)
    ledger = Ledger.open(home)
    began = perf_counter()
    found = find(ledger)
    print(f"{len(found)} incidents, nothing kept: {perf_counter() - began:.1f} s")
    rest = truths(claims, ledger, found, home)
    book = watching.watched(ledger).books[0]
    teams = len({team for b in watching.watched(ledger).books for team in b.cells["x_Team"]})
    months = (book.last - book.first).days / 30
    print(f"other reports, {teams} teams, {months:.0f} months:")
    for incident in rest:
        print(f"      {told(incident)}")
    claims.at_most("other reports a team-month", len(rest) / teams / months, TEAM_MONTHS)
    nothing(claims, found)
    forward(claims, ledger, found, book.last)
    speed(claims, ledger, home)
claims.finish()
