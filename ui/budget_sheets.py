"""Where budgets come from: a sheet with a preview before anything is kept, amounts typed in a table, files back, and the history."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas
import streamlit as st

from finops_core.analysis.budgets.cells import Forms
from finops_core.analysis.budgets.columns import LABEL, known_members
from finops_core.analysis.budgets.files import history_table, lines_table
from finops_core.analysis.budgets.importing import Options, Understood, enter, understand
from finops_core.analysis.budgets.sheets import ROLES
from finops_core.errors import FarthingError, UsageError
from finops_core.model.export import FOR_EDITING, cell
from finops_core.store import budgets as store
from finops_core.store.state import typed_amount
from ui import answers, books, budgets, tables
from ui.plain import plain
from ui.viewer import viewer

_SAID, _FOUND = "budgets-said", "budgets-found"
_CLEAR, _CHECKED = "Only what is clear", "Check them"
_MEANINGS = (
    "as found", "x_Team", "x_CostCenter", "x_Product", "x_Application", "x_Environment", "SubAccountId", "SubAccountName",
    "ServiceName", LABEL, *ROLES,
)  # fmt: skip
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_COLUMNS = ("name", "owner", "where", "metric", "currency", "amount", "note")


def draw() -> None:
    """Import, typing, downloads and history."""
    st.header("Where budgets come from", anchor=False)
    if _SAID in st.session_state:
        st.success(st.session_state.pop(_SAID), icon=":material/check:")
    with st.expander("Import a sheet", icon=":material/upload_file:", expanded=not budgets.lines() or _FOUND in st.session_state, key="budgets-import"):  # fmt: skip
        _upload()
    with st.expander("Type or change amounts", icon=":material/edit:", key="budgets-typed"):
        _typed()
    with st.expander("Every change", icon=":material/history:", key="budgets-history"):
        _history()


def _upload() -> None:
    st.caption(
        "CSV or XLSX, months in columns or in rows, as planning tools export them. Nothing is kept before you have seen what was understood."
    )
    with st.form("budget-file", border=False):
        file = st.file_uploader("Budget sheet", type=["csv", "xlsx"], key="budget-file-upload")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            version = st.text_input(
                "Version of the sheet", placeholder="as in the file, else budget", width=200
            )
            currency = st.text_input("Its currency", placeholder="as in the file", width=130)
            metric = st.selectbox("Cost", store.METRICS, width=160)
            decimal = st.selectbox("Decimals", [_CLEAR, "point", "comma"], width=170)
            dates = st.selectbox("Dates", [_CLEAR, "dmy", "mdy"], width=170)
            fiscal = st.number_input("Fiscal year begins in month", 1, 12, 1, width=190)
            multiple = st.selectbox("Amounts are", [0, 1, 1000, 1_000_000], format_func=_times, width=170)
            year = st.number_input(
                "Year of months without one", 2000, 2999, None, placeholder="none", width=210
            )
            totals = st.selectbox(
                "Totals in the sheet", [_CHECKED, "Leave them out"], width=170, help="Held against the lines that they add up; or not looked at"
            )  # fmt: skip
        st.caption("What a column means, where it is found to be something else: its title, and the meaning.")
        columns = st.data_editor(
            pandas.DataFrame({"Column": pandas.Series(dtype="str"), "Meaning": pandas.Series(dtype="str")}),
            column_config={"Meaning": st.column_config.SelectboxColumn(options=_MEANINGS)},
            num_rows="dynamic", width="stretch", hide_index=True, key="budget-columns",
        )  # fmt: skip
        sent = st.form_submit_button("Preview", type="primary", icon=":material/preview:")
    if sent:
        st.session_state.pop(_FOUND, None)
        if file is None:
            st.error("No file was chosen", icon=":material/error:")
            return
        named = {str(row["Column"]): str(row["Meaning"]) for _, row in columns.iterrows() if row["Column"] and row["Meaning"] not in (None, "as found")}  # fmt: skip
        forms = Forms(None if decimal == _CLEAR else decimal, None if dates == _CLEAR else dates, int(fiscal), int(year) if year else None)  # fmt: skip
        options = Options(forms, currency.strip() or None, version.strip() or None, str(metric), named, totals=totals == _CHECKED, multiple=multiple or None)  # fmt: skip
        _try(lambda: _preview(file.getvalue(), file.name, options))
    if _FOUND in st.session_state:
        _shown(st.session_state[_FOUND])


def _times(multiple: int) -> str:
    return {0: _CLEAR, 1: "as they stand", 1000: "in thousands"}.get(multiple, "in millions")


def _preview(data: bytes, name: str, options: Options) -> None:
    members = known_members(answers.ledger())
    st.session_state[_FOUND] = understand(data, name, members, options, answers.spanned().currencies)


def _shown(found: Understood) -> None:
    totals = "; ".join(
        f"{version}: {cell(amount)} {currency}" for (version, currency), amount in found.totals.items()
    )
    st.markdown(
        f"**{plain(found.file)}**: {found.shape}, titles in row {found.header}, {len(found.lines):,} amounts from"
        f" {found.months[0]:%B %Y} to {found.months[-1]:%B %Y}. Total {plain(totals)}."
    )
    rows = [{"Column": c.title, "Meaning": c.meaning, "Why": c.why} for c in found.columns]
    books.lines_table(rows, "budget-columns-read")
    for text in (*found.stated, *found.notes):
        st.caption(plain(text))
    columns: list[tables.Column] = [
        ("name", tables.text, "Budget"), ("owner", tables.text, "Owner"), ("counts", tables.text, "Counts"), ("metric", tables.text, "Cost"),
        ("version", tables.text, "Version"), ("BillingCurrency", tables.text, "Currency"), ("months", tables.count, "Months"), ("total", tables.money, "Total"),
    ]  # fmt: skip
    tables.show(found.table(), columns, None, "budget-preview")
    with st.container(horizontal=True):
        if st.button(f"Keep {len(found.lines):,} amounts", type="primary", icon=":material/save:"):
            _do(lambda: enter(answers.state(), found, viewer()))
        st.button("Put aside", on_click=lambda: st.session_state.pop(_FOUND, None))


def _typed() -> None:
    known, span = budgets.lines(), answers.spanned()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        version = st.text_input("Version to type", store.BUDGET, key="typed-version", width=160)
        month = st.text_input("Month to type", f"{span.complete_until:%Y-%m}", key="typed-month", width=140)
    own = [line for line in known if line.version == version and f"{line.month:%Y-%m}" == month]
    rows = [{**{name: getattr(line, name) for name in _COLUMNS}, "amount": cell(line.amount)} for line in own]
    table = pandas.DataFrame(rows, columns=list(_COLUMNS), dtype="str")
    config: dict[str, Any] = {
        "name": st.column_config.TextColumn("Budget", required=True),
        "where": st.column_config.TextColumn("Counts", help="A condition such as x_Team=web; empty counts all charges"),
        "metric": st.column_config.SelectboxColumn("Cost", options=store.METRICS, default=store.METRICS[0], required=True),
        "currency": st.column_config.SelectboxColumn("Currency", options=span.currencies, default=span.currencies[0], required=True),
        "amount": st.column_config.TextColumn("Amount", help="With a decimal point, without thousands marks", required=True),
        "owner": st.column_config.TextColumn("Owner", default=""),
        "note": st.column_config.TextColumn("Note", default=""),
    }  # fmt: skip
    kept = answers.state().version(store.KIND)
    changed = st.data_editor(table, column_config=config, num_rows="dynamic", hide_index=True, width="stretch", key=f"typed-{version}-{month}-{kept}")  # fmt: skip
    if st.button("Keep these amounts", type="primary", icon=":material/save:"):
        _do(lambda: _entered(changed.to_dict("records"), own, version.strip().lower(), month.strip()))
    with st.container(horizontal=True, gap="small"):
        for form, mime in (("csv", "text/csv"), ("xlsx", _SHEET)):
            st.download_button(
                f"All budgets, {form.upper()}", lambda form=form: FOR_EDITING[form](lines_table(budgets.lines())), f"farthing-budgets.{form}",
                mime, icon=":material/download:", on_click="ignore", help="Every amount in force, in the form that an import reads",
            )  # fmt: skip


def _entered(rows: list[dict[str, Any]], own: list[store.BudgetLine], version: str, month: str) -> str:
    try:
        of = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise UsageError(f"{month!r} is no month: write 2026-10") from None
    typed = []
    for row in rows:
        text = {name: "" if row.get(name) is None or row.get(name) != row.get(name) else str(row[name]).strip() for name in _COLUMNS}  # fmt: skip
        amount = typed_amount(text.pop("amount"))
        typed.append(store.BudgetLine(**text, month=of, amount=amount, version=version))
    entered = store.enter(answers.state(), typed, viewer())
    gone = [line for line in own if line.key not in {line.key for line in typed}]
    store.remove(answers.state(), gone, viewer())
    return entered.in_words() + (f"; taken back: {len(gone):,}" if gone else "")


def _history() -> None:
    found = history_table(store.history(answers.state()))
    if found.is_empty():
        st.caption("Nothing was entered yet.")
        return
    columns: list[tables.Column] = [
        ("name", tables.text, "Budget"), ("version", tables.text, "Version"), ("month", tables.text, "Month"),
        ("BillingCurrency", tables.text, "Currency"), ("amount", tables.money, "Amount"), ("before", tables.money, "Before"),
        ("entered_by", tables.text, "By"), ("entered_at", tables.text, "When (UTC)"), ("note", tables.text, "Note"),
    ]  # fmt: skip
    tables.show(found.head(500), columns, None, "budgets-history-table")
    if len(found) > 500:
        st.caption(f"The newest 500 of {len(found):,} changes; `farthing budgets history` has all.")


def _try(change: Callable[[], None]) -> None:
    try:
        change()
    except FarthingError as error:
        st.error(plain(str(error)), icon=":material/error:")


def _do(change: Callable[[], str]) -> None:
    """Makes a change and draws the page anew; what is refused is said."""
    try:
        said = change()
    except FarthingError as error:
        st.error(plain(str(error)), icon=":material/error:")
    else:
        st.session_state.pop(_FOUND, None)
        st.session_state[_SAID] = said
        st.rerun()
