"""Spellings from Tag coverage to Rules: offered where a rule can learn them, told where it knows them, kept when they are decided."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from finops_core import Ledger, Query
from finops_core.allocation.ruleset import FILE, parse
from finops_core.quality.spellings import propose_spelling, reject_spelling, spelling_proposals
from finops_core.store.applying import apply
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.state import State
from tests.exports import focus_row, write_focus
from tests.ui.opened import at_home, opened

RULES = "rules:\n  - {name: team tag, set: {x_Team: {tag: [squad, owner], spellings: {search: [serach]}}}}\n"
POLICY = "keys:\n  team: {aliases: [squad], owner: x_Team}\n  cost-center: {aliases: [cost_center], owner: x_CostCenter}\n"


@pytest.fixture
def tagged(home: Home, tmp_path: Path) -> Home:
    costs = {
        "search": ("500", "CC-520"),
        "Search": ("20", "cc-520"),
        "serach": ("10", ""),
        "searhc": ("4", ""),
        "payments": ("400", ""),
        "Payments": ("7", ""),
    }
    rows = [
        focus_row(
            EffectiveCost=cost,
            ResourceId=f"r-{team}",
            Tags=json.dumps({"squad": team, "cost-center": centre} if centre else {"squad": team}),
        )
        for team, (cost, centre) in costs.items()
    ]
    load(home, [write_focus(tmp_path / "focus.csv", rows)])
    home.rules.mkdir(exist_ok=True)
    (home.rules / "tag_policy.yaml").write_text(POLICY)
    apply(home, {FILE: RULES}, "Ada", "the first")
    return home


def _misses(app: AppTest) -> list[str]:
    return [text for m in app.markdown if "→" in (text := str(m.value).replace("\\", ""))]


def test_a_spelling_is_offered_only_where_the_rules_do_not_have_it(tagged: Home) -> None:
    app = opened(tagged, "tags", key="team", period="all")
    assert not app.exception
    assert _misses(app) == [
        "**Search, serach, searhc** → **search** · 34.00 USD · case; edit distance 1 · Search, serach mapped by the rules already",
        "**Payments** → **payments** · 7.00 USD · case",
    ]
    with at_home(tagged):
        app.button("use-team-search").click().run()
    assert "Say who you are" in app.error[0].value and spelling_proposals(State(tagged)) == []
    with at_home(tagged):
        app.text_input("name-spelling").set_value("Ada").run()
        app.button("use-team-search").click().run()
    (proposal,) = spelling_proposals(State(tagged))
    assert proposal.by == "Ada"
    assert (proposal.key, proposal.values, proposal.value) == ("squad", ("searhc",), "search")
    assert app.button("use-team-search").label == "Proposed"
    said = "Proposed: searhc as search. It waits for a decision at Rules, Proposals"
    assert said in [str(m.value).replace("\\", "") for m in app.success]

    mapped = RULES.replace("[serach]", "[serach, searhc], payments: []")
    apply(tagged, {FILE: mapped}, "Ada", "the second")
    app = opened(tagged, "tags", key="team", period="all")
    assert [text.rpartition(" · ")[2] for text in _misses(app)] == ["mapped by the rules already"] * 2
    assert [b.key for b in app.button if str(b.key).startswith("use-")] == []


def test_a_tag_that_no_rule_reads_is_said_to_be_so(tagged: Home) -> None:
    app = opened(tagged, "tags", key="cost-center", period="all")
    assert _misses(app) == ["**cc-520** → **CC-520** · 20.00 USD · case"]
    assert [b.key for b in app.button if str(b.key).startswith("use-")] == []
    (said,) = [c.value for c in app.caption if "No rule reads" in c.value]
    assert said.replace("\\", "").startswith("No rule reads the tag cost-center, nor cost_center: ")


def test_decided_spellings_are_listed(tagged: Home) -> None:
    state = State(tagged)
    propose_spelling(state, "squad", ["searhc"], "search", "ada", "typing")
    propose_spelling(state, "squad", ["serach"], "search", "ada", "typing")
    rejected = next(p for p in spelling_proposals(state) if p.values == ("searhc",))
    reject_spelling(state, rejected, "joan", "another team")
    app = opened(tagged, "rules", show="queue")
    assert not app.exception
    assert app.expander[-1].label == "Decided (2)"
    told = {str(m.value).replace("\\", "") for m in app.expander[-1].markdown}
    assert told == {
        "Spelling squad: searhc → search: rejected by joan: another team",
        "Spelling squad: serach → search, proposed by ada: in the rules",
    }


def test_a_spelling_of_a_tag_that_no_rule_reads_becomes_a_rule_where_the_policy_names_its_owner(
    tagged: Home,
) -> None:
    state = State(tagged)
    propose_spelling(state, "cost_center", ["cc-520"], "CC-520", "ada", "case")
    propose_spelling(state, "cost-center", ["cc520"], "CC-520", "ada", "a dash")
    propose_spelling(state, "colour", ["bleu"], "blue", "ada", "typing")
    app = opened(tagged, "rules", show="queue")
    told = [text for c in app.caption if "no rule reads" in (text := str(c.value).replace("\\", ""))]
    assert len(told) == 3
    assert sum("accepting writes a last rule that reads it for Cost centre" in text for text in told) == 2
    assert sum("does not say which owner it names" in text for text in told) == 1
    for number in range(2):
        accepts = [b for b in app.button if str(b.key).startswith("accept-spelling-cost")]
        assert len(accepts) == 2
        with at_home(tagged):
            accepts[number].click().run()
        assert not app.exception and not app.error
    draft = app.session_state["draft-rules"].files[FILE]
    (rule,) = [r for r in parse({FILE: draft}).rules if r.name != "team tag"]
    assert (rule.name, list(rule.set)) == ("cost-center tag", ["x_CostCenter"])
    apply(tagged, {FILE: draft}, "Grace", "spellings")
    found = Ledger(tagged).query(Query("EffectiveCost", by=["x_CostCenter"]))
    assert dict(found.select("x_CostCenter", "EffectiveCost").iter_rows())["CC-520"] == 520
    app = opened(tagged, "rules", show="queue")
    assert [b.key for b in app.button if str(b.key).startswith("accept-")] == []
    assert app.expander[-1].label == "Decided (2)"
