"""Work in a process of its own: results, refusals and failures come back."""

from datetime import date
from pathlib import Path

import pytest

from finops_core.analysis.incidents.apart import apart
from finops_core.analysis.warming import warm
from finops_core.errors import FarthingError, UsageError
from finops_core.model.periods import Period, add_months
from finops_core.store.forecasts import said
from finops_core.store.home import Home
from finops_core.store.load import load
from finops_core.store.state import State
from tests.exports import focus_row, write_focus


def test_a_result_comes_back_as_it_is() -> None:
    assert apart(add_months, date(2026, 1, 31), 1) == add_months(date(2026, 1, 31), 1)


def test_what_is_refused_there_is_refused_here() -> None:
    with pytest.raises(UsageError) as here:
        Period.parse("yesterday")
    with pytest.raises(UsageError) as there:
        apart(Period.parse, "yesterday")
    assert str(there.value) == str(here.value)


def test_a_failure_there_is_told_in_a_line() -> None:
    with pytest.raises(FarthingError, match=r"another process .* failed: .*ZeroDivisionError"):
        apart(divmod, 1, 0)


def test_a_new_version_is_looked_at_before_a_reader_asks(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    warm(home)
    assert not home.analysis.exists()
    rows = [
        focus_row(
            ChargePeriodStart=f"2026-09-{n:02}T00:00:00Z", ChargePeriodEnd=f"2026-09-{n + 1:02}T00:00:00Z"
        )
        for n in range(1, 29)
    ]
    load(home, [write_focus(tmp_path / "focus.csv", rows)])
    apart(warm, home)
    kept = {path.name.partition("-")[0] for path in home.analysis.iterdir()}
    assert {"evidence", "forecast"} <= kept
    made = {(one.metric, one.made) for one in said(State(home), "EffectiveCost")}
    assert len(made) == 1
    apart(warm, home)
    assert {(one.metric, one.made) for one in said(State(home), "EffectiveCost")} == made
