"""From a figure to the charges behind it, and from a charge to the line of the export and the rule of the format."""

from decimal import Decimal
from pathlib import Path

import pytest

from finops_core import Ledger, Query
from finops_core.errors import UsageError
from finops_core.formats import formats
from finops_core.model.origin import origin
from finops_core.store.home import Home
from finops_core.store.load import load
from tests.exports import PLAN, cur_row, write_cur


@pytest.fixture
def ledger(home: Home, tmp_path: Path) -> Ledger:
    rows = [
        cur_row(cost="1"),
        cur_row(cost="-30"),
        cur_row(
            "SavingsPlanRecurringFee",
            "5",
            SavingsPlanARN=PLAN,
            TotalCommitmentToDate="5",
            UsedCommitment="1",
        ),
    ]
    load(home, [write_cur(tmp_path / "cur.csv", rows)])
    return Ledger(home)


def test_the_largest_charges_first_whatever_their_sign(ledger: Ledger) -> None:
    found = ledger.charges(Query("EffectiveCost"))
    assert list(found["EffectiveCost"]) == [Decimal(-30), Decimal(4), Decimal(1), Decimal(0)]
    assert list(found["x_Row"]) == [3, 4, 2, 4]
    assert ledger.charges(Query("EffectiveCost"), 2).equals(found.head(2))


def test_they_add_up_to_the_figure(ledger: Ledger) -> None:
    query = Query("BilledCost", where=["ChargeCategory=Usage"], start="2026-09-01", end="2026-10-01")  # type: ignore[arg-type]
    assert sum(ledger.charges(query)["BilledCost"]) == ledger.query(query)["BilledCost"][0] == -29


def test_only_costs_have_charges_by_size(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="ChargeCount is none"):
        ledger.charges(Query("ChargeCount"))


def test_a_charge_names_its_line_its_load_and_its_rule(ledger: Ledger) -> None:
    rows = list(ledger.charges(Query("EffectiveCost")).iter_rows(named=True))
    batches = ledger.batches()
    found = origin(rows[0], "BilledCost", batches, formats())
    assert found is not None
    assert (found.file, found.row, found.derived) == ("cur.csv", 3, None)
    assert found.batch == batches[0] and found.format == "AWS Cost and Usage Report"
    assert "SavingsPlanCoveredUsage" in found.expression
    idle = origin(rows[1], "EffectiveCost", batches, formats())
    assert idle is not None
    assert (idle.row, idle.derived, idle.expression) == (4, "unused Savings Plan commitment", "$idle_plan")
    assert origin({**rows[0], "x_BatchId": "gone"}, "BilledCost", batches, formats()) is None
    assert origin(rows[0], "BilledCost", batches, ()) is None
