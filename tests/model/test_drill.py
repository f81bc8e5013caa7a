"""Down a hierarchy by members, and back up by the trail that a view tells of itself."""

from hypothesis import given
from hypothesis import strategies as st

from finops_core.model.drill import into, only, trail, without
from finops_core.model.query import Query
from finops_core.model.view import View

TOP = View(Query("EffectiveCost", by=["ProviderName"], where=["ChargeCategory=Usage"]))


def down(view: View, *members: str | None) -> View:
    for member in members:
        view = into(view, {view.query.by[0]: member})
    return view


def test_each_step_filters_by_the_member_and_goes_one_level_down() -> None:
    found = down(TOP, "AWS", "shop-prod")
    assert found.query.by == ("ServiceName",)
    assert [str(c) for c in found.query.where] == [
        "ChargeCategory=Usage",
        "ProviderName=AWS",
        "SubAccountName=shop-prod",
    ]


def test_at_the_bottom_are_the_charges() -> None:
    found = into(View(Query("EffectiveCost", by=["ResourceId"])), {"ResourceId": "i-1"})
    assert (found.table, [str(c) for c in found.query.where]) == ("charges", ["ResourceId=i-1"])


def test_a_member_without_a_value_is_filtered_by_its_lack() -> None:
    assert [str(c) for c in down(TOP, None).query.where][1:] == ["ProviderName is null"]


def test_the_others_of_a_member() -> None:
    assert str(without(TOP, {"ProviderName": "AWS"}).query.where[-1]) == "ProviderName!=AWS"
    assert str(without(TOP, {"ProviderName": None}).query.where[-1]) == "ProviderName is not null"


def test_one_member_of_several_dimensions() -> None:
    view = View(Query("EffectiveCost", by=["ServiceName", "RegionId"]))
    found = only(view, {"ServiceName": "EC2", "RegionId": None})
    assert [str(c) for c in found.query.where] == ["ServiceName=EC2", "RegionId is null"]


@given(st.lists(st.text(min_size=1, max_size=8), max_size=4))
def test_every_crumb_leads_back_to_the_view_it_was(members: list[str]) -> None:
    views = [TOP]
    for member in members:
        views.append(down(views[-1], member))
    crumbs = trail(views[-1])
    assert [c.view for c in crumbs] == (views if members else [])
    assert [c.label for c in crumbs[1:]] == members


def test_filters_that_are_no_way_down_leave_no_trail() -> None:
    for where in (
        ["RegionId=eu"],
        ["ServiceName in a,b"],
        ["ServiceName!=a"],
        ["ServiceName=a or RegionId=b"],
    ):
        assert trail(View(Query("EffectiveCost", by=["SkuId"], where=where))) == []
    assert trail(View(Query("EffectiveCost", by=["RegionId"], where=["ServiceName=a"]))) == []
