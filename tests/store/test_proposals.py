"""Proposals of another owner: a queue in which each is decided once, and every step is in the audit log."""

from datetime import date
from pathlib import Path

import pytest

from finops_core import Ledger, Query
from finops_core.allocation.editing import with_rule
from finops_core.allocation.ruleset import FILE, shipped
from finops_core.errors import UsageError
from finops_core.store import audit, proposals
from finops_core.store.applying import apply
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.state import State
from tests.exports import focus_row, write_focus

DISK = 'ResourceId=vol-1 and (ServiceName~"block storage" or tag:team is null)'


def test_a_proposal_is_accepted_and_becomes_a_rule(home: Home) -> None:
    state = State(home)
    one = proposals.propose(state, DISK, "x_Team", " search ", "our index lives on it", "ann")
    two = proposals.propose(state, "x_AllocationRule=cluster", "x_CostCenter", "CC-7", "moved", "bob")
    assert [(p.id, p.state, p.value) for p in proposals.open_proposals(State(home))] == [
        (1, "open", "search"),
        (2, "open", "CC-7"),
    ]
    assert proposals.accept(state, one.id, "carl", "checked with search") == {
        "name": "proposal 1: search",
        "set": {"x_Team": "search"},
        "when": "ResourceId=vol-1 and (ServiceName~block storage or tag:team is null)",
    }
    proposals.reject(state, two.id, "carl", "not before October")
    assert proposals.open_proposals(state) == []
    assert [(p.id, p.state, p.decided_by, p.decided_reason) for p in proposals.proposals(state)] == [
        (2, "rejected", "carl", "not before October"),
        (1, "accepted", "carl", "checked with search"),
    ]
    assert [(e.action, e.subject, e.who) for e in reversed(audit.entries(state))] == [
        ("owner proposed", "proposal 1", "ann"),
        ("owner proposed", "proposal 2", "bob"),
        ("owner proposal accepted", "proposal 1", "carl"),
        ("owner proposal rejected", "proposal 2", "carl"),
    ]
    assert audit.entries(state, subject="proposal 1")[0].details["set"] == {"x_Team": "search"}
    with pytest.raises(UsageError, match="proposal 1 was accepted by carl"):
        proposals.reject(state, 1, "dora", "too late")
    with pytest.raises(UsageError, match="no proposal 3"):
        proposals.accept(state, 3, "dora", "yes")
    assert audit.head(state).id == 4


def test_a_proposal_since_a_day_leaves_the_days_before_as_they_were(home: Home, tmp_path: Path) -> None:
    rows = [
        focus_row(EffectiveCost=cost, ChargePeriodStart=f"2026-09-{day}T00:00:00Z", ChargePeriodEnd=f"2026-09-{day + 1}T00:00:00Z")
        for day, cost in ((14, "3"), (15, "4"))
    ]  # fmt: skip
    load(home, [write_focus(tmp_path / "focus.csv", rows)])
    made = proposals.propose(
        State(home), "SubAccountId is not null", "x_Team", "ml", "moved", "ann", date(2026, 9, 15)
    )
    rule = proposals.accept(State(home), made.id, "carl", "agreed")
    assert rule["from"] == "2026-09-15"
    before = shipped()
    apply(home, {FILE: with_rule(before, rule, "team tag")}, "carl", "agreed")
    found = Ledger(home).query(Query("EffectiveCost", by=["x_Team"]))
    assert dict(found.select("x_Team", "EffectiveCost").iter_rows()) == {"search": 3, "ml": 4}


@pytest.mark.parametrize(
    ("condition", "column", "value", "reason", "who", "said"),
    [
        ("Colour=red", "x_Team", "a", "b", "c", "no dimension 'Colour'"),
        ("ServiceName=", "x_Team", "a", "b", " ", "say who you are"),
        (" ", "x_Team", "a", "b", "c", "condition"),
        ("ServiceName=a", "ServiceName", "a", "b", "c", "no owner column"),
        ("ServiceName=a", "x_AllocationRule", "a", "b", "c", "no owner column"),
        ("ServiceName=a", "x_Team", " ", "b", "c", "names the owner"),
        ("ServiceName=a", "x_Team", "a", "", "c", "say who you are, and why"),
    ],
)
def test_what_is_refused(
    home: Home, condition: str, column: str, value: str, reason: str, who: str, said: str
) -> None:
    state = State(home)
    with pytest.raises(UsageError, match=said):
        proposals.propose(state, condition, column, value, reason, who)
    assert proposals.proposals(state) == [] and audit.head(state).id == 0
