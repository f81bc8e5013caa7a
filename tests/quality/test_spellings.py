"""Near misses of tag values, and proposals to spell them like the one that was meant."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core.errors import UsageError
from finops_core.quality.spellings import (
    KIND,
    distance,
    near_misses,
    propose_spelling,
    reject_spelling,
    rejected_spellings,
    spelling_proposals,
)
from finops_core.store import audit
from finops_core.store.home import Home
from finops_core.store.state import State


def told(costs: dict[str, int], allowed: list[str] | None = None) -> dict[str, tuple[str, str]]:
    found = near_misses({v: Decimal(c) for v, c in costs.items()}, allowed, {"production": "prod"})
    return {m.value: (m.proposed, m.why) for m in found}


def test_against_a_list() -> None:
    costs = {"prod": 1, "PROD": 9, " prod": 3, "prd": 5, "prodd": 2, "production": 7, "prodution": 4, "qa": 6}
    assert told(costs, ["prod", "dev"]) == {
        "PROD": ("prod", "case"),
        "production": ("prod", "known spelling"),
        "prd": ("prod", "edit distance 1"),
        "prodution": ("prod", "edit distance 1 from production"),
        " prod": ("prod", "blanks"),
        "prodd": ("prod", "edit distance 1"),
    }
    assert told({"rpod": 1, "qa": 1, "dv": 1}, ["prod", "dev"]) == {
        "dv": ("dev", "edit distance 1"),
        "rpod": ("prod", "edit distance 1"),
    }


def test_of_two_as_near_the_one_with_more_money() -> None:
    assert told({"tesr": 1, "test": 2, "tess": 9}, ["test", "tess"])["tesr"][0] == "tess"


def test_without_a_list_money_decides() -> None:
    costs = {"search": 90, "Search": 80, "serach": 20, "searches": 40, "team-1": 99, "team-2": 1, "ml": 9}
    assert told(costs) == {"Search": ("search", "case"), "serach": ("search", "edit distance 1")}
    assert told({"unit-a": 90, "unit-b": 1, "web": 90, "dev": 1, "wbe": 1}) == {
        "wbe": ("web", "edit distance 1")
    }


def plain_distance(a: str, b: str) -> int:
    """Optimal string alignment, as its definition says it."""
    if not a or not b:
        return len(a) + len(b)
    found = [
        plain_distance(a[:-1], b) + 1,
        plain_distance(a, b[:-1]) + 1,
        plain_distance(a[:-1], b[:-1]) + (a[-1] != b[-1]),
    ]
    if len(a) > 1 and len(b) > 1 and a[-1] == b[-2] and a[-2] == b[-1]:
        found.append(plain_distance(a[:-2], b[:-2]) + 1)
    return min(found)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text("abc", max_size=5), st.text("abc", max_size=5))
def test_the_distance_is_that_of_its_definition(a: str, b: str) -> None:
    assert distance(a, b, 2) == min(plain_distance(a, b), 3) == distance(b, a, 2)


def test_a_proposal_is_kept_with_who_and_why(home: Home) -> None:
    state = State(home)
    propose_spelling(state, "team", ["serach", "Search"], "search", "ada", "typing")
    (kept,) = spelling_proposals(State(home))
    assert (kept.key, kept.values, kept.value, kept.reason, kept.by) == (
        "team",
        ("Search", "serach"),
        "search",
        "typing",
        "ada",
    )
    assert len(state.kept(KIND)) == 1
    with pytest.raises(UsageError, match="like itself"):
        propose_spelling(state, "team", ["search"], "search", "ada", "")
    with pytest.raises(UsageError, match="needs the values"):
        propose_spelling(state, "team", [], "search", "ada", "")
    propose_spelling(state, "team", ["Search", "serach"], "search", "joan", "typing")  # as it is already
    (entry,) = audit.entries(state)
    assert (entry.who, entry.action, entry.subject, entry.reason) == (
        "ada",
        "spelling proposed",
        "spelling team: Search, serach → search",
        "typing",
    )
    assert entry.details["values"] == ["Search", "serach"]


def test_a_rejected_proposal_is_gone_and_its_reason_kept(home: Home) -> None:
    state = State(home)
    propose_spelling(state, "team", ["serach"], "search", "ada", "typing")
    (proposal,) = spelling_proposals(state)
    with pytest.raises(UsageError, match="say who you are, and why"):
        reject_spelling(state, proposal, "joan", " ")
    reject_spelling(state, proposal, "joan", "another team")
    assert spelling_proposals(state) == []
    entry, proposed = audit.entries(state)
    assert proposed.action == "spelling proposed"
    assert (entry.who, entry.action, entry.subject, entry.reason) == (
        "joan",
        "spelling rejected",
        "spelling team: serach → search",
        "another team",
    )
    with pytest.raises(UsageError, match="back already"):
        reject_spelling(state, proposal, "joan", "again")
    propose_spelling(state, "team", ["serach"], "search", "ada", "typing")
    (proposal,) = spelling_proposals(state)
    reject_spelling(state, proposal, "ana", "still another team")
    told = [(r.spelling, r.who, r.reason) for r in rejected_spellings(state)]
    assert told == [
        ("team: serach → search", "ana", "still another team"),
        ("team: serach → search", "joan", "another team"),
    ]
