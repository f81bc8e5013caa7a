"""Budgets and variances as files: tables that are read back, a workbook whose formulas tie, and a feed for finance."""

import io
from collections.abc import Iterable, Sequence

import polars

from finops_core.analysis.budgets.variance import PARTS, Variance
from finops_core.analysis.cents import less, rounded, total
from finops_core.model.engine import CURRENCY
from finops_core.store.budgets import BudgetLine, Change
from finops_core.store.journal_accounts import Accounts

_MONEY = polars.Decimal(38, 18)
LINE_COLUMNS = ("version", "name", "owner", "metric", "where", "currency", "month", "amount", "note")
"""The columns of a table of budgets, as `budgets import` reads them."""


def lines_table(lines: Iterable[BudgetLine]) -> polars.DataFrame:
    """LINE_COLUMNS; the month as 2026-10. An import of it changes nothing."""
    rows = [
        (b.version, b.name, b.owner, b.metric, b.where, b.currency, f"{b.month:%Y-%m}", b.amount, b.note)
        for b in lines
    ]  # fmt: skip
    schema: dict[str, polars.DataType | type[polars.DataType]] = {
        **dict.fromkeys(LINE_COLUMNS, polars.String),
        "amount": _MONEY,
    }
    return polars.DataFrame(rows, schema, orient="row")


def history_table(changes: Sequence[Change]) -> polars.DataFrame:
    """version, name, metric, BillingCurrency, month, amount (null: taken back), before, entered_by, entered_at, note."""
    rows = [
        (c.version, c.name, c.metric, c.currency, c.month, c.amount, c.before, c.entered_by, c.entered_at, c.note)
        for c in changes
    ]  # fmt: skip
    text, money = polars.String, _MONEY
    schema: dict[str, polars.DataType | type[polars.DataType]] = {
        "version": text, "name": text, "metric": text, "BillingCurrency": text, "month": text, "amount": money,
        "before": money, "entered_by": text, "entered_at": text, "note": text,
    }  # fmt: skip
    return polars.DataFrame(rows, schema, orient="row")


def finance_feed(found: Variance, accounts: Accounts) -> polars.DataFrame:
    """cost_center, account, period, currency, budget, actual, variance, a column a driver, text: every digit.

    `found` is by x_CostCenter. All is booked to the account of direct cost, as the journal of the month close does where a
    service has no account of its own.
    """
    name = polars.col(found.by)
    return found.table.select(
        name.fill_null(accounts.no_cost_center).alias("cost_center"),
        polars.lit(accounts.direct).alias("account"),
        polars.lit(f"{found.month:%Y-%m}").alias("period"),
        polars.col(CURRENCY).alias("currency"),
        "budget",
        "actual",
        "variance",
        *PARTS,
        "text",
    )


def in_cents(found: Variance) -> polars.DataFrame:
    """The table to the cent: in every row Σ PARTS = variance = actual − budget still; the largest part takes what rounding left."""
    rows = []
    for row in found.table.iter_rows(named=True):
        budget, actual = rounded(row["budget"]), rounded(row["actual"])
        variance = less(actual, budget)
        parts = {name: rounded(row[name]) for name in PARTS}
        largest = max(PARTS, key=lambda name: abs(parts[name]))
        parts[largest] += less(variance, total(list(parts.values())))
        rows.append((row[CURRENCY], row[found.by], budget, actual, variance, *parts.values(), row["text"]))
    return polars.DataFrame(rows, found.table.schema, orient="row")


def variance_xlsx(found: Variance) -> bytes:
    """A workbook: a row a member, variance and totals as formulas, and a check that must read 0; amounts to the cent."""
    import xlsxwriter

    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
        strong = book.add_format({"num_format": "#,##0.00", "bold": True, "top": 1})
        table = in_cents(found)
        for currency in table[CURRENCY].unique(maintain_order=True):
            page = book.add_worksheet(str(currency))
            page.write_string(0, 0, f"{found.month:%B %Y}, {found.metric} against {found.against}", bold)
            if found.is_running:
                page.write_string(1, 0, f"The month runs: complete before {found.through:%Y-%m-%d}")
            titles = (found.by, "budget", "actual", "variance", *PARTS, "check", "text")
            page.write_row(3, 0, titles, bold)
            own = table.filter(polars.col(CURRENCY) == currency)
            last = _write_rows(page, own, found.by, money)
            page.write_string(last, 0, "Total", bold)
            for column in range(1, 5 + len(PARTS)):
                letter = chr(65 + column)
                name = titles[column]
                value = float(total(list(own[name]))) if name != "check" else 0.0
                page.write_formula(last, column, f"=SUM({letter}5:{letter}{last})", strong, value)
            page.set_column(0, 0, 28)
            page.set_column(1, 4 + len(PARTS), 14)
            page.set_column(5 + len(PARTS), 5 + len(PARTS), 100)
            page.freeze_panes(4, 1)
    return buffer.getvalue()


def _write_rows(page: object, own: polars.DataFrame, by: str, money: object) -> int:
    """Writes the rows from the fifth on; returns the place of the next."""
    at = 4
    last_part = chr(65 + 3 + len(PARTS))
    for row in own.iter_rows(named=True):
        page.write_string(at, 0, row[by] if row[by] is not None else "(none)")  # type: ignore[attr-defined]
        for column, name in ((1, "budget"), (2, "actual"), *enumerate(PARTS, start=4)):
            page.write_number(at, column, float(row[name]), money)  # type: ignore[attr-defined]
        page.write_formula(at, 3, f"=C{at + 1}-B{at + 1}", money, float(row["variance"]))  # type: ignore[attr-defined]
        check = f"=ROUND(D{at + 1}-SUM(E{at + 1}:{last_part}{at + 1}),2)"
        page.write_formula(at, 4 + len(PARTS), check, money, 0.0)  # type: ignore[attr-defined]
        page.write_string(at, 5 + len(PARTS), row["text"])  # type: ignore[attr-defined]
        at += 1
    return at
