"""Work in a process of its own: results, refusals and failures come back."""

from datetime import date

import pytest

from finops_core.analysis.incidents.apart import apart
from finops_core.errors import FarthingError, UsageError
from finops_core.model.periods import Period, add_months


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
