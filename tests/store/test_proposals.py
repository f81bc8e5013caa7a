"""Proposals of another owner: a queue in which each is decided once, and every step is in the audit log."""

import pytest

from finops_core.errors import UsageError
from finops_core.store import audit, proposals
from finops_core.store.home import Home
from finops_core.store.state import State

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
