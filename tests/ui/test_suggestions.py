"""Rules that would catch what nobody owns: the largest stand on the page, the others can be opened there."""

from pathlib import Path

from finops_core.allocation.ruleset import FILE
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import focus_row, write_focus
from tests.ui.opened import at_home, opened


def test_more_than_six_suggestions_are_all_on_the_page(home: Home, tmp_path: Path) -> None:
    rows = []
    for number in range(8):
        account = f"account-{number}"
        rows.append(focus_row(EffectiveCost="100", SubAccountId=account, Tags=f'{{"team": "t{number}"}}'))
        rows.append(focus_row(EffectiveCost=str(20 - number), SubAccountId=account, Tags=""))
    load(home, [write_focus(tmp_path / "focus.csv", rows)])
    app = opened(home, "allocation", period="all")
    assert not app.exception
    (more,) = [one for one in app.expander if "more rules" in one.label]
    assert more.label.replace("\\", "") == "2 more rules: 27.00 USD in all"
    assert [str(m.value).replace("\\", "").partition("**")[2].partition("**")[0] for m in more.markdown] == [
        "14.00 USD",
        "13.00 USD",
    ]
    with at_home(home):
        app.button("try-7").click().run()
    assert not app.exception
    draft = app.session_state["draft-suggestion"]
    assert "account-7" in draft.files[FILE] and draft.is_previewed
