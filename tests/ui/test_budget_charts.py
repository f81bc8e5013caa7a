"""Charts of budgets: each bar has room, however few there are."""

from decimal import Decimal
from unittest import mock

import pytest

from ui import budget_charts, theme


@pytest.mark.parametrize("many", [1, 5, 14, 20])
def test_each_budget_has_its_row_beside_the_axis(many: int) -> None:
    status = mock.Mock(budget=Decimal(2), actual=Decimal(1), forecast=None, state="within")
    status.name = "web"
    status.in_words.return_value = ""
    with mock.patch.object(theme, "is_dark", return_value=False):
        spec = budget_charts.by_budget([status] * many, "EUR")
    rows = min(many, 14)
    assert (
        spec["height"] - 70 >= 19 * rows
    )  # the axis and its title take some seventy pixels, the widest bar nineteen
