"""Joining a condition to filters: what is kept afterwards is what the place's words say."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core.vocabulary.conditions import AllOf, AnyOf, Condition, Node, Not, conditions
from finops_core.vocabulary.places import among, joined, places

LEAVES = [Condition(name, "=", ("1",)) for name in ("ServiceName", "RegionId", "x_Team")]
ADDED = Condition("ChargeCategory", "=", ("1",))
nodes = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(AllOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=4,
)


def holds(node: Node, row: dict[str, bool]) -> bool:
    if isinstance(node, Condition):
        return row[node.dimension]
    if isinstance(node, Not):
        return not holds(node.part, row)
    return (any if isinstance(node, AnyOf) else all)(holds(part, row) for part in node.parts)


def kept(where: tuple[Node, ...], row: dict[str, bool]) -> bool:
    return all(holds(node, row) for node in where)


@settings(max_examples=30, deadline=None)
@given(st.lists(nodes, min_size=1, max_size=3).map(tuple))
def test_a_condition_joined_widens_or_narrows_as_its_place_says(where: tuple[Node, ...]) -> None:
    rows = [
        dict(zip(("ServiceName", "RegionId", "x_Team", "ChargeCategory"), values, strict=True))
        for values in product([False, True], repeat=4)
    ]
    for place in (None, *places(where)):
        found, others = joined(where, place, ADDED), among(where, place)
        assert conditions([str(node) for node in found]) == found  # the link holds it
        for row in rows:
            added = holds(ADDED, row)
            if place is None:
                assert kept(found, row) == (kept(where, row) and added)
            elif place.word == "or":
                assert kept(found, row) == (kept(where, row) or (kept(others, row) and added))
            elif added:
                assert kept(found, row) == kept(where, row)
            else:
                assert kept(found, row) <= kept(where, row)


def test_places_are_told_in_words() -> None:
    where = conditions("ServiceName=a or RegionId=b")
    assert [place.in_words() for place in places(where)] == [
        "or Service is a or Region is b",
        "and Service is a",
        "and Region is b",
    ]
    assert (
        str(joined(where, places(where)[2], ADDED)[0]) == "ServiceName=a or (RegionId=b and ChargeCategory=1)"
    )
