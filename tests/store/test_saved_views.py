"""Saved views: kept, replaced, taken back, and the same after a way through YAML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_core.errors import InputRefused, UsageError
from finops_core.store.home import Home
from finops_core.store.saved_views import SavedView, from_yaml, load_views, remove, save, saved_views, to_yaml
from finops_core.store.state import State

VIEW = SavedView("Search, by region", "explorer", {"by": ["RegionId"], "top": "3"}, "ann", "Mondays", True)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
VIEWS = st.lists(
    st.builds(
        SavedView,
        TEXT.filter(lambda t: bool(t.strip())),
        st.sampled_from(["", "explorer", "movers", "by-region"]),
        st.dictionaries(TEXT, TEXT | st.lists(TEXT, max_size=3), max_size=3),
        TEXT,
        TEXT,
        st.booleans(),
    ),
    max_size=4,
    unique_by=lambda view: view.name,
)


def test_views_are_kept_replaced_and_taken_back(home: Home) -> None:
    state = State(home)
    save(state, VIEW, "ann")
    save(state, SavedView("Another"), "bob")
    changed = SavedView(VIEW.name, "movers")
    save(state, changed, "bob")
    assert saved_views(State(home)) == [SavedView("Another"), changed]
    remove(state, VIEW.name, "ann")
    assert saved_views(state) == [SavedView("Another")]
    with pytest.raises(UsageError, match="there is no saved view"):
        remove(state, VIEW.name, "ann")


def test_a_view_is_a_link() -> None:
    assert VIEW.url == "/explorer?by=RegionId&top=3"
    assert SavedView("Start").url == "/"


@given(VIEWS)
def test_yaml_brings_views_back(views: list[SavedView]) -> None:
    assert from_yaml(to_yaml(views)) == views


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("views: [", "no YAML"),
        ("- a", "holds no list"),
        ("views:\n- page: explorer", "view 1: name"),
        ("views:\n- name: a\n  colour: red", "view 1: colour"),
        ("views:\n- name: a\n  pinned: often", "view 1: pinned"),
        ("views:\n- name: a\n  page: //evil.example", "view 1: '//evil.example' is no page"),
        ("views:\n- name: a\n- name: a", "stands for two views"),
    ],
)
def test_wrong_yaml_is_refused_whole(home: Home, text: str, words: str) -> None:
    state = State(home)
    with pytest.raises(InputRefused, match=words):
        load_views(state, from_yaml(text), "ann")
    assert saved_views(state) == []


def test_a_name_is_needed() -> None:
    with pytest.raises(UsageError, match="needs a name"):
        SavedView(" ")
