"""The savings that the demo company works on: some done and signed, some under way, some ideas."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from finops_core.analysis.savings.opportunity import Opportunity
from finops_core.analysis.savings.proposing import proposals
from finops_core.analysis.savings.realised import realised
from finops_core.model.ledger import Ledger
from finops_core.store.home import Home
from finops_core.store.savings import DONE, VERIFIED, add, items, move
from finops_core.store.state import State

_TAKEN_UP = {
    ("sleepless-machines", "web"): ("doing", "Schedules are written, staging first"),
    ("gp2-volumes", "search"): ("approved", "With the next maintenance window"),
    ("idle-addresses", "web"): ("approved", "Firewalls of partners were asked"),
}
_DONE: tuple[tuple[dict[str, Any], date, bool], ...] = (
    (
        {
            "title": "Expiry for snapshots of the catalogue", "currency": "USD", "expected_monthly": "9000", "where": ("x_UsageType=EU-EBS:SnapshotUsage",),
            "baseline_start": "2026-08-15", "baseline_end": "2026-09-14", "owner": "catalog", "effort": "S", "cost_once": "1200",
            "hypothesis": "A backup policy kept every snapshot for ever; thirty days are enough",
        },
        date(2026, 9, 14),
        True,
    ),
    (
        {
            "title": "Partition filter in the sales dashboard", "currency": "USD", "expected_monthly": "13000", "where": ("x_UsageType=Analysis (eu)",),
            "baseline_start": "2026-03-09", "baseline_end": "2026-04-04", "owner": "data-platform", "effort": "S", "volume": "units:orders",
            "hypothesis": "The dashboard scanned the whole table every hour; its cost should follow orders, not tables",
        },
        date(2026, 4, 4),
        True,
    ),
    (
        {
            "title": "Training machines stop on Fridays", "currency": "USD", "expected_monthly": "5500",
            "where": ("x_UsageType=EU-BoxUsage:g5.12xlarge",), "baseline_start": "2026-05-23", "baseline_end": "2026-06-08", "owner": "ml",
            "effort": "M", "cost_monthly": "150", "hypothesis": "Nobody trains at weekends: the schedule that was lost is back, and watched",
        },
        date(2026, 6, 8),
        False,
    ),
)  # fmt: skip


def work_on(home: Home, found: Iterable[Opportunity], first: date, end: date) -> None:
    """Fills an empty backlog: what is found as ideas, some of them taken up, and what was done within [first, end)."""
    state = State(home)
    if items(state):
        return
    opportunities = list(found)
    added = add(state, proposals(opportunities), "Sofia Lindqvist")
    by_key = {item.opportunity: item.key for item in added}
    for one in opportunities:
        if (one.kind, one.team) in _TAKEN_UP:
            to, note = _TAKEN_UP[one.kind, one.team]
            move(state, by_key[one.key], to, "Sofia Lindqvist", note)
    for record, day, signed in _DONE:
        if not first <= date.fromisoformat(record["baseline_start"]) or day >= end:
            continue
        (item,) = add(state, [record], "Sofia Lindqvist")
        done = move(state, item.key, DONE, str(record["owner"]), done_on=day)
        if signed:
            amount = sum(one.net for one in realised(Ledger(home), [done]))
            move(state, done.key, VERIFIED, "Ines Barbosa", "Held against the charges", amount=amount or None)
