"""Conditions as text: what is written reads back as itself, and what could be misread is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_core.errors import UsageError
from finops_core.vocabulary.conditions import (
    OPERATORS,
    AllOf,
    AnyOf,
    Condition,
    Node,
    Not,
    conditions,
    quoted,
)
from finops_core.vocabulary.where import parse

HOSTILE = [
    "",
    " ",
    " a",
    "a ",
    '"',
    '"a"',
    'a "b" c',
    "a, b",
    "(",
    ")",
    "a) or (b",
    "(a)",
    "()",
    "a or b",
    "a and RegionId=b",
    "x or ServiceName=y",
    "not a",
    "or",
    "AND",
    "\\",
    "a\\",
    'a\\"b',
    "a\\,b",
    "=x",
    "~x",
    "!=",
    "^x",
    "<=5",
    "b is null",
    "is not null",
    "1 and 2",
    "in a,b",
    "a\nb",
    "a\u00a0b",
    "Ünïcode 漢字 🙂",
    "%_*'`;--",
    "/regex/",
    "tag:x=y",
]
texts = (
    st.sampled_from(HOSTILE)
    | st.text(max_size=8)
    | st.lists(st.sampled_from(HOSTILE), max_size=3).map(" ".join)
)
names = st.sampled_from(["ServiceName", "x_Team", "BilledCost", "Weekday"]) | texts.filter(bool).map(
    lambda key: f"tag:{key}"
)
NO_VALUE, MANY = ("is null", "is not null"), ("in", "not in")
single = [o for o in OPERATORS if o not in (*NO_VALUE, *MANY, "between")]
condition = st.one_of(
    st.builds(Condition, names, st.sampled_from(single), st.tuples(texts)),
    st.builds(Condition, names, st.sampled_from(MANY), st.lists(texts, max_size=3).map(tuple)),
    st.builds(Condition, names, st.just("between"), st.tuples(texts, texts)),
    st.builds(Condition, names, st.sampled_from(NO_VALUE)),
)
nodes = st.recursive(
    condition,
    lambda inner: st.one_of(
        st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(AllOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=5,
)


@settings(max_examples=40, deadline=None)
@given(nodes)
def test_what_is_written_reads_back_as_itself(node: Node) -> None:
    assert parse(str(node)) == node
    assert hash(parse(str(node))) == hash(node)
    assert parse(f"  {node} ") == node or str(node)[-1] not in '")'
    assert parse(f"({node})") == node


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_and_keys_read_back_as_themselves(text: str) -> None:
    name = "tag:" + quoted(text) if text else "ServiceName"
    every = [
        *(Condition(name, operator, (text,)) for operator in single),
        *(Condition(name, operator, (text, "b", text)) for operator in MANY),
        Condition(name, "between", (text, text)),
        *(Condition(name, operator) for operator in NO_VALUE),
    ]
    for node in every:
        assert parse(str(node)) == node
        assert parse(str(Not(node))) == Not(node)
        for joined in (AnyOf, AllOf):
            assert parse(str(joined((node, A, node)))) == joined((node, A, node))


@settings(max_examples=40, deadline=None)
@given(texts)
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    for start in ("", "ServiceName=", "ServiceName in ", "(x_Team~", "tag:"):
        try:
            found = parse(start + text)
        except UsageError:
            continue
        assert parse(str(found)) == found


A, B, C = (
    Condition("ServiceName", "=", ("a",)),
    Condition("RegionId", "in", ("x", "y")),
    Condition("x_Team", "~", ("z",)),
)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("ServiceName=a", A),
        ("ServiceName = a", A),
        ('ServiceName="a"', A),
        ("RegionId in x,y", B),
        ("RegionId in x, y", B),
        ('RegionId IN "x","y"', B),
        ("(ServiceName=a or RegionId in x,y) and not x_Team~z", AllOf((AnyOf((A, B)), Not(C)))),
        ("ServiceName=a or RegionId in x,y and x_Team~z", AnyOf((A, AllOf((B, C))))),
        ("ServiceName=a OR RegionId in x,y OR x_Team~z", AnyOf((A, B, C))),
        ("not (ServiceName=a and x_Team~z)", Not(AllOf((A, C)))),
        ("not not ServiceName=a", Not(Not(A))),
        ("((ServiceName=a))", A),
        ("ServiceName=a and(RegionId in x,y or x_Team~z)", AllOf((A, AnyOf((B, C))))),
        ("(ServiceName=Fish (and chips) or ServiceName=a)", AnyOf((Condition("ServiceName", "=", ("Fish (and chips)",)), A))),
        ("ServiceName=Fish (and chips) or more", Condition("ServiceName", "=", ("Fish (and chips) or more",))),
        ("ServiceName=Food and drink in bulk", Condition("ServiceName", "=", ("Food and drink in bulk",))),
        ("ServiceName=a=b", Condition("ServiceName", "=", ("a=b",))),
        ("ServiceName=1 of (2", Condition("ServiceName", "=", ("1 of (2",))),
        ("ServiceName=", Condition("ServiceName", "=", ("",))),
        ('ServiceName=""', Condition("ServiceName", "=", ("",))),
        ("ServiceName=a ", Condition("ServiceName", "=", ("a ",))),
        ("x_Team in a\\,b,c", Condition("x_Team", "in", ("a,b", "c"))),
        ('x_Team in "a,b",c', Condition("x_Team", "in", ("a,b", "c"))),
        ("x_Team in ()", Condition("x_Team", "in")),
        ("x_Team is null", Condition("x_Team", "is null")),
        ("x_Team is not null and ServiceName=a", AllOf((Condition("x_Team", "is not null"), A))),
        ("x_Team not in a,b", Condition("x_Team", "not in", ("a", "b"))),
        ("x_Team!~a", Condition("x_Team", "!~", ("a",))),
        ("x_Team^=a", Condition("x_Team", "^=", ("a",))),
        ("x_Team!^=a", Condition("x_Team", "!^=", ("a",))),
        ("x_Team matches ^a.*(b|c)$", Condition("x_Team", "matches", ("^a.*(b|c)$",))),
        (r'x_Team matches "\d+\\"', Condition("x_Team", "matches", ("\\d+\\",))),
        ("BilledCost>=1.5", Condition("BilledCost", ">=", ("1.5",))),
        ("BilledCost between 1 and 2 and ServiceName=a", AllOf((Condition("BilledCost", "between", ("1", "2")), A))),
        ("tag:KEY=value", Condition("tag:KEY", "=", ("value",))),
        ("tag:cost center=a", Condition("tag:cost center", "=", ("a",))),
        ('tag:"k=v"=x', Condition("tag:k=v", "=", ("x",))),
        (r'tag:"say \"hi\" \\ or"=x', Condition(r'tag:say "hi" \ or', "=", ("x",))),
        ("tag:k=v=x", Condition("tag:k", "=", ("v=x",))),
        ("tag:a/b.c is null", Condition("tag:a/b.c", "is null")),
    ],
)  # fmt: skip
def test_spellings(text: str, node: Node) -> None:
    assert parse(text) == node


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ServiceName",
        "NoSuchColumn=a",
        "Service Name=a",
        "ServiceName=a or Regionid=b",
        "ServiceName=a or b and RegionId=c",
        "(ServiceName=a or b)",
        "(ServiceName=a",
        "(ServiceName=a) RegionId=b",
        "ServiceName=a) or RegionId=b",
        "ServiceName=a (RegionId=b or RegionId=c)",
        'ServiceName="a" b',
        'ServiceName="a',
        'ServiceName="a",b',
        "ServiceName= or RegionId=b",
        "ServiceName=a is null",
        "ServiceName in (a,b)",
        "ServiceName in ",
        "BilledCost between 1",
        "not",
        "(",
        "tag:",
        "tag:a and b=c",
        'tag:""=x',
        "(" * 200 + "ServiceName=a" + ")" * 200,
    ],
)
def test_what_cannot_be_read_or_could_be_misread_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_a_joining_of_one_is_none() -> None:
    for joined in (AnyOf, AllOf):
        with pytest.raises(UsageError):
            joined((A,))


def test_conditions_from_python() -> None:
    assert conditions({"ServiceName": "a", "x_Team": None, "RegionId": ["x", "y"]}) == (
        A,
        Condition("x_Team", "is null"),
        B,
    )
    assert conditions({"x_Team": ["a", None]}) == (
        AnyOf((Condition("x_Team", "in", ("a",)), Condition("x_Team", "is null"))),
    )
    assert conditions("ServiceName=a") == conditions(A) == conditions(["ServiceName=a"]) == (A,)


def test_words_for_people() -> None:
    node = parse("(ServiceName=a or RegionId not in p,q,r,s) and not tag:env^=prod")
    assert (
        node.in_words() == "(Service is a or Region is not p, q, r and 1 more) and not (env begins with prod)"
    )
    assert node.dimensions == ("ServiceName", "RegionId", "tag:env")
    assert parse("BilledCost between 1 and 2").in_words() == "Billed cost is between 1 and 2"
