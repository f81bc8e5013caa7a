"""Reconciliation: source totals, differences, typed invoices."""

from decimal import Decimal
from pathlib import Path

import pytest

from finops_core.errors import UsageError
from finops_core.model.ledger import Ledger
from finops_core.quality.reconciliation import reconcile
from finops_core.store.home import Home
from finops_core.store.load import LoadOptions, load
from finops_core.store.state import Invoice, State, typed_amount
from tests.exports import focus_row, write_focus


def test_every_month_and_currency_has_a_line(home: Home, tmp_path: Path) -> None:
    rows = [focus_row(BilledCost="1.25"), focus_row(BilledCost="2", BillingCurrency="EUR")]
    load(home, [write_focus(tmp_path / "a.csv", rows)], LoadOptions(source="s"))
    load(
        home, [write_focus(tmp_path / "a.csv", [*rows, focus_row(BilledCost="0.5")])], LoadOptions(source="s")
    )
    state = State(home)
    state.enter_invoice(Invoice("s", "2026-09", "USD", Decimal("9")))
    state.enter_invoice(Invoice("s", "2026-09", "USD", Decimal("1.80"), "INV-7", "ada"))
    euro, dollar = reconcile(Ledger(home).batches(), state.invoices())
    assert (euro.currency, euro.billed, euro.source_total, euro.difference) == (
        "EUR",
        Decimal(2),
        Decimal(2),
        Decimal(0),
    )
    assert (euro.versions, euro.invoice, euro.invoice_difference, euro.holds) == (2, None, None, True)
    assert (dollar.billed, dollar.difference, dollar.rows_stored) == (Decimal("1.75"), Decimal(0), 2)
    assert dollar.invoice_difference == Decimal("0.05")
    assert dollar.invoice is not None and (dollar.invoice.note, dollar.invoice.entered_by) == ("INV-7", "ada")


def test_a_typed_invoice_can_be_taken_back(home: Home) -> None:
    state = State(home)
    state.enter_invoice(Invoice("s", "2026-09", "USD", Decimal("1")))
    state.enter_invoice(Invoice("s", "2026-09", "USD", None))
    assert State(home).invoices() == []


@pytest.mark.parametrize(
    ("text", "amount"), [("41280.55", "41280.55"), (" -3 ", "-3"), ("1 000.5", "1000.5")]
)
def test_amounts_as_typed(text: str, amount: str) -> None:
    assert typed_amount(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "1.234,56", "1,000", "NaN", "12 USD", "Infinity"])
def test_ambiguous_amounts_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no amount"):
        typed_amount(text)
